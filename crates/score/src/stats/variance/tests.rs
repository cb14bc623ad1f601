//! Tests of the attribution of variance.

use serde::Deserialize;

use super::super::testing::{assert_near, gaussians, oracle, share_below};
use super::*;

#[derive(Deserialize)]
struct Case {
    data: Vec<Vec<Vec<Vec<f64>>>>,
    prompts: f64,
    mains: Vec<f64>,
    pairs: Vec<f64>,
}

const LEVELS: [usize; 3] = [2, 3, 2];

fn observations(data: &[Vec<Vec<Vec<f64>>>]) -> Vec<Observation> {
    let mut observations = Vec::new();
    for (prompt, data) in data.iter().enumerate() {
        for (i, data) in data.iter().enumerate() {
            for (j, data) in data.iter().enumerate() {
                for (k, &value) in data.iter().enumerate() {
                    observations.push(Observation { levels: vec![i, j, k], prompt, value });
                }
            }
        }
    }
    observations
}

fn estimates(attribution: &Attribution) -> Vec<f64> {
    attribution.shares.iter().map(|share| share.share.estimate).collect()
}

#[test]
fn agrees_with_sums_of_squares_in_python() {
    let case: Case = oracle("variance");
    let found = attribute(&LEVELS, &observations(&case.data)).unwrap();
    let expected: Vec<f64> = case.mains.iter().chain(&case.pairs).chain([&case.prompts]).copied().collect();
    for (found, expected) in estimates(&found).iter().zip(&expected) {
        assert_near(*found, *expected, 1e-12);
    }
    assert_near(estimates(&found).iter().sum(), 1.0, 1e-12);
    let sources: Vec<Source> = found.shares.iter().map(|share| share.source).collect();
    let pairs = [Source::Pair(0, 1), Source::Pair(0, 2), Source::Pair(1, 2)];
    assert_eq!(sources[..3], [Source::Factor(0), Source::Factor(1), Source::Factor(2)]);
    assert_eq!(sources[3..6], pairs);
    assert_eq!(sources[6..], [Source::Prompts, Source::Rest]);
    assert_eq!((found.n_prompts, found.n_incomplete_prompts, found.n_cells), (5, 0, 12));
}

#[test]
fn incomplete_prompts_are_left_out_and_counted() {
    let case: Case = oracle("variance");
    let mut incomplete = observations(&case.data);
    let complete = attribute(&LEVELS, &observations(&case.data[..4])).unwrap();
    incomplete.pop();
    let found = attribute(&LEVELS, &incomplete).unwrap();
    assert_eq!((found.n_prompts, found.n_incomplete_prompts), (4, 1));
    assert_eq!(found.shares, complete.shares);
}

#[test]
fn seeds_are_averaged() {
    let case: Case = oracle("variance");
    let mut twice = observations(&case.data);
    twice.extend(observations(&case.data).into_iter().map(|o| Observation { value: o.value + 1.0, ..o }));
    let (once, twice) = (attribute(&LEVELS, &observations(&case.data)).unwrap(), attribute(&LEVELS, &twice).unwrap());
    for (once, twice) in estimates(&once).iter().zip(estimates(&twice)) {
        assert_near(*once, twice, 1e-9);
    }
}

#[test]
fn what_one_factor_does_is_its_share() {
    let at = |level: usize, prompt: usize| Observation {
        levels: vec![level, prompt % 2],
        prompt: prompt / 2,
        value: level as f64,
    };
    let all: Vec<_> = (0..12).flat_map(|prompt| [at(0, prompt), at(1, prompt)]).collect();
    let found = attribute(&[2, 2], &all).unwrap();
    for (found, expected) in estimates(&found).into_iter().zip([1.0, 0.0, 0.0, 0.0, 0.0]) {
        assert_near(found, expected, 1e-12);
    }
    let interval = found.shares[0].share.interval.unwrap();
    assert_near(interval.low, 1.0, 1e-6);
    assert_near(interval.high, 1.0, 1e-12);
    let against = found.shares[0].against_chance.unwrap();
    // Both arrangements of six signs in which all are alike.
    assert_near(against.share, 0.0, 1e-12);
    assert_eq!((against.p.p, against.p_holm), (2.0 / 64.0, 6.0 / 64.0));
    // Nothing is left of what it does but rounding, which is no effect.
    assert_eq!(found.shares[1].against_chance.unwrap().p.p, 1.0);
    assert_eq!((found.shares[4].against_chance, found.shares[4].share.interval), (None, None));
}

/// Averaged over many data sets of pure noise, a source has its chance share.
#[test]
fn noise_has_the_share_of_chance() {
    let (mut share, mut chance) = (0.0, 0.0);
    for set in 0..200 {
        let noise: Vec<f64> = gaussians(set).take(8 * 12).collect();
        let design = Design { levels: &LEVELS, sources: sources(&LEVELS) };
        let prompts: Vec<Prompt> = noise.chunks(12).map(|cells| Prompt::new(&design, cells, 0.0)).collect();
        let every: Vec<usize> = (0..8).collect();
        share += design.shares(&prompts, &every)[1] / 200.0;
        chance += design.chance_shares(&prompts, &every)[1] / 200.0;
    }
    // Two of 95 degrees of freedom.
    assert_near(share, 2.0 / 95.0, 0.006);
    assert_near(chance, share, 0.006);
}

/// A made-up design of 2 × 3 with the effects of its factors and their pair, an amount of noise, and
/// prompts.
fn made_up(effects: [f64; 3], n: usize, set: u64) -> Attribution {
    let mut noise = gaussians(set);
    let mut at = |prompt: usize, i: usize, j: usize| {
        let (x, y) = (i as f64 - 0.5, j as f64 - 1.0);
        let value = effects[0] * x + effects[1] * y + effects[2] * x * y + noise.next().unwrap();
        Observation { levels: vec![i, j], prompt, value }
    };
    let cells = itertools::iproduct!(0..n, 0..2, 0..3);
    attribute(&[2, 3], &cells.map(|(prompt, i, j)| at(prompt, i, j)).collect::<Vec<_>>()).unwrap()
}

fn p(found: &Attribution) -> Vec<f64> {
    found.shares.iter().filter_map(|share| Some(share.against_chance?.p.p)).collect()
}

/// The pair of two factors is tested as the interaction is.
#[test]
fn a_pair_is_tested_like_an_interaction() {
    let mut noise = gaussians(7);
    let cells: Vec<Vec<f64>> = (0..9).map(|_| noise.by_ref().take(6).collect()).collect();
    let observation = |(prompt, cell): (usize, usize)| Observation {
        levels: vec![cell / 3, cell % 3],
        prompt,
        value: cells[prompt][cell],
    };
    let all: Vec<_> = itertools::iproduct!(0..9, 0..6).map(observation).collect();
    let found = attribute(&[2, 3], &all).unwrap();
    assert_eq!(p(&found)[2], super::super::interaction([2, 3], &cells).unwrap().p.p);
}

#[test]
fn what_does_something_is_told_from_what_does_not() {
    let found = p(&made_up([2.0, 0.0, 0.0], 12, 1));
    assert!(found[0] < 0.01 && found[1] > 0.05 && found[2] > 0.05, "{found:?}");
    let found = p(&made_up([0.0, 0.0, 3.0], 12, 2));
    assert!(found[0] > 0.05 && found[1] > 0.05 && found[2] < 0.01, "{found:?}");
}

#[test]
fn without_an_effect_p_is_uniform() {
    for source in 0..3 {
        share_below((0..300).map(|set| p(&made_up([0.0; 3], 8, 500 + set))[source]).collect());
    }
}

#[test]
fn no_part_reaches_beyond_its_whole() {
    for set in 0..40 {
        let found = made_up([0.5, 0.0, 0.5], 6 + set as usize % 20, set);
        for (factor, total) in found.totals.iter().enumerate() {
            for share in found.shares.iter().filter(|share| share.source.has_part(factor)) {
                let (part, whole) = (share.share.interval.unwrap(), total.interval.unwrap());
                assert!(part.low <= share.share.estimate && share.share.estimate <= part.high);
                assert!(part.low <= whole.low && part.high <= whole.high, "{share:?} {total:?}");
            }
        }
    }
}

#[test]
fn few_prompts_have_no_interval() {
    let found = made_up([1.0; 3], 5, 1);
    assert!(found.shares.iter().map(|share| share.share).chain(found.totals).all(|share| share.interval.is_none()));
}

#[test]
fn says_what_it_refuses() {
    let at = |levels: &[usize], prompt, value| Observation { levels: levels.to_vec(), prompt, value };
    let message = |observations: &[Observation]| attribute(&[2], observations).unwrap_err().to_string();
    assert!(message(&[]).contains("no prompt has a value at the levels [0]"));
    assert!(message(&[at(&[0], 0, 1.0), at(&[0], 1, 1.0)]).contains("levels [1]"));
    assert!(message(&[at(&[0], 0, 1.0), at(&[1], 0, 2.0)]).contains("prompts that have every cell"));
    assert!(message(&[at(&[2], 0, 1.0)]).contains("number of a level"));
    assert!(message(&[at(&[0, 0], 0, 1.0)]).contains("observation number 0"));
    assert!(message(&[at(&[0], 0, f64::NAN)]).contains("finite"));
    let equal: Vec<_> = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(level, prompt)| at(&[level], prompt, 0.5)).into();
    assert!(message(&equal).contains("nothing to compare"));
    assert!(attribute(&[1], &[at(&[0], 0, 1.0)]).unwrap_err().to_string().contains("2 cells"));
}
