//! Tests of the attribution of variance.

use serde::Deserialize;

use super::super::testing::{assert_near, gaussians, oracle};
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
    let all: Vec<_> = (0..6).flat_map(|prompt| [at(0, prompt), at(1, prompt)]).collect();
    let found = attribute(&[2, 2], &all).unwrap();
    assert_eq!(estimates(&found), [1.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(found.shares[0].share.interval.low, 1.0);
    assert_eq!(found.shares[0].chance_share, Some(0.0));
    assert_eq!(found.shares[4].chance_share, None);
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
