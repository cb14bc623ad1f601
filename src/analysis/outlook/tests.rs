//! Outlooks of designs whose prompts can be counted by hand.

use std::collections::BTreeMap;

use super::*;
use crate::analysis::{ScoredTrial, TrialResult};
use crate::domain::{
    Bos, Cell, Draws, Generate, Generation, Numerics, Seed, Selection, Stop, Temperature, Trial, TrialId,
};
use crate::experiment::Settings;
use crate::metrics::Scores;

const COLD: f32 = 0.1;
const HOT: f32 = 0.9;

fn trial(prompt: usize, chain: &str, temperature: f32, seed: Option<u32>) -> Trial {
    let cell = Cell::usual("tiny", chain, Temperature::new(temperature).unwrap());
    let id = TrialId::known(format!("{prompt} {cell} {seed:?}"));
    Trial { id, cell, prompt: format!("p{prompt}"), seed: seed.and_then(Seed::new) }
}

/// `n` prompts × the chains × cold and hot, one seed.
fn grid(n: usize, chains: &[&str]) -> Vec<Trial> {
    itertools::iproduct!(0..n, chains, [COLD, HOT]).map(|(prompt, chain, t)| trial(prompt, chain, t, Some(0))).collect()
}

fn at(temperature: f32) -> Selection {
    Selection::of([Temperature::new(temperature).unwrap()])
}

fn contrast() -> Test {
    Test::Contrast { base: at(COLD), other: at(HOT), expect: Direction::Increasing }
}

fn trend() -> Test {
    Test::Trend { factor: Factor::Temperature, expect: Direction::Increasing }
}

fn claim(test: Test) -> Hypothesis {
    Hypothesis::plain("it", test)
}

fn design(hypotheses: &[Hypothesis], trials: &[Trial]) -> Design {
    let generate =
        Generate { max_tokens: 8, context: 32, numerics: Numerics::Invariant, bos: Bos::Model, draws: Draws::Common };
    Design {
        name: "x".to_owned(),
        question: None,
        generate,
        settings: Settings { alpha: 0.05, metric: Metric::RepetitionScore },
        hypotheses: hypotheses.to_vec(),
        prompts: vec![],
        chains: vec![],
        caveat: None,
        notes: vec![],
        inert: vec![],
        doubts: vec![],
        thought_markers: BTreeMap::new(),
        sequential: None,
        trials: trials.to_vec(),
        part: None,
    }
}

fn of(hypothesis: &Hypothesis, trials: &[Trial]) -> Outlook {
    outlooks(&design(std::slice::from_ref(hypothesis), trials), None, |_| None).unwrap().remove(0)
}

fn size(outlook: &Outlook) -> f64 {
    match outlook.sight {
        Sight::From { size, .. } => size,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn prompts_count_that_have_a_pair() {
    let mut trials = grid(8, &["pure"]);
    // One prompt lacks an arm; one has other seeds in it; of one the other text pairs with any seed.
    trials.retain(|trial| !(trial.prompt == "p0" && trial.cell.temperature().get() == HOT));
    for trial in &mut trials {
        match (&*trial.prompt, trial.cell.temperature().get()) {
            ("p1", HOT) => trial.seed = Seed::new(7),
            ("p2", HOT) => trial.seed = None,
            _ => {}
        }
    }
    assert_eq!(of(&claim(contrast()), &trials).n_prompts, 6);
    let none = of(&claim(contrast()), &trials[..1]);
    assert_eq!((none.n_prompts, &none.sight), (0, &Sight::NoPrompts));
}

/// A chain that is left out at one temperature makes no trend of the other chain's.
#[test]
fn a_trend_needs_all_levels_of_one_combination() {
    let mut trials = grid(8, &["pure", "greedy"]);
    trials.retain(|trial| {
        let cold = trial.cell.temperature().get() == COLD;
        let first = trial.prompt == "p0";
        !first || (trial.cell.chain() == "pure") == cold
    });
    assert_eq!(of(&claim(trend()), &trials).n_prompts, 7);
}

#[test]
fn hypotheses_share_alpha() {
    let trials = grid(7, &["pure"]);
    let one = of(&claim(contrast()), &trials);
    assert_eq!(one.least_p, Some(1.0 / 64.0));
    assert!(size(&one) > 0.3);
    let five = [(); 5].map(|()| claim(contrast()));
    let found = outlooks(&design(&five, &trials), None, |_| None).unwrap();
    assert_eq!((found.len(), found[0].least_p), (5, Some(5.0 / 64.0)));
    assert_eq!(found[0].sight, Sight::Nothing { enough: Some(8) });
    // One side has half the p, and sees more.
    let one_sided = of(&Hypothesis { sides: Sides::One, ..claim(contrast()) }, &trials);
    assert_eq!(one_sided.least_p, Some(1.0 / 128.0));
    assert!(size(&one_sided) < size(&one));
}

#[test]
fn a_claim_of_each_level_is_as_strong_as_the_weakest() {
    let mut trials = grid(12, &["pure", "greedy"]);
    let each = Hypothesis { each: Some(Factor::Chain), ..claim(contrast()) };
    let alike = of(&each, &trials);
    assert_eq!(alike.each, Some(Each { factor: Factor::Chain, n_levels: 2, weakest: None }));
    assert!(size(&alike) > size(&of(&claim(contrast()), &trials)), "both levels must be found");
    trials.retain(|trial| !(trial.cell.chain() == "greedy" && ["p0", "p1"].contains(&&*trial.prompt)));
    let uneven = of(&each, &trials);
    assert_eq!(uneven.n_prompts, 10);
    assert_eq!(uneven.each.unwrap().weakest.as_deref(), Some("greedy"));
}

#[test]
fn the_quantity_is_that_of_the_test() {
    let trials = grid(24, &["pure", "greedy"]);
    let crossed = claim(Test::Interaction { factors: [Factor::Temperature, Factor::Chain] });
    let found = of(&crossed, &trials);
    assert_eq!(found.quantity, Quantity::DifferenceOfDifferences);
    assert!((found.spread.sd - 0.3 * 2_f64.sqrt()).abs() < 1e-12 && size(&found) > 0.0);
    let of_three = of(&crossed, &grid(24, &["pure", "greedy", "theirs"]));
    assert_eq!((of_three.quantity, &of_three.sight), (Quantity::Pattern, &Sight::Pattern));
    let rho = of(&claim(trend()), &trials);
    assert_eq!((rho.quantity, rho.spread.sd), (Quantity::Rho, 1.0));
    let ratio = of(&Hypothesis { metric: Metric::CompressionRatio, ..claim(contrast()) }, &trials);
    assert_eq!((ratio.spread.sd, ratio.spread.source), (1.0, Source::Unit));
}

#[test]
fn an_equivalence_needs_six_prompts_and_its_floor() {
    let equivalence = |margin| claim(Test::Equivalence { base: at(COLD), other: at(HOT), margin });
    assert_eq!(of(&equivalence(0.2), &grid(5, &["pure"])).sight, Sight::Nothing { enough: Some(6) });
    let outlook = of(&equivalence(0.2), &grid(6, &["pure"]));
    let Sight::Within { margin, least, needed, unseen } = outlook.sight else { panic!("{outlook:?}") };
    assert_eq!((margin, unseen, needed.by_unseen, outlook.least_p), (0.2, Unseen::Counts, Some(14), None));
    assert!(least.by_spread > least.by_unseen && needed.greatest() >= Some(14));
}

/// Hot less cold: 0.1 for each prompt counted from 0, in the metric of the claim.
fn scored(n: usize) -> Vec<ScoredTrial> {
    let scored = |trial: Trial| {
        let prompt: f64 = trial.prompt[1..].parse().unwrap();
        let score = if trial.cell.temperature().get() == HOT { 0.1 * prompt } else { 0.0 };
        let scores = Scores::from_fn(|metric| (metric == Metric::RepetitionScore).then_some(score));
        let generation = Generation::of_tokens(1, vec![], String::new(), Stop::Eos);
        ScoredTrial::new(trial, TrialResult::Scored { generation, scores })
    };
    grid(n, &["pure"]).into_iter().map(scored).collect()
}

#[test]
fn an_earlier_run_tells_how_much_prompts_differ() {
    let earlier = [claim(trend()), Hypothesis { id: "first".to_owned(), ..claim(contrast()) }, claim(contrast())];
    let trials = scored(5);
    let seen = |of: &Hypothesis, earlier: &[Hypothesis]| Spread::seen(of, earlier, &trials);
    let id = |spread: Option<Spread>| match spread.unwrap().source {
        Source::Seen { id } => id,
        other => panic!("{other:?}"),
    };
    // 0, 0.1 … 0.4.
    let spread = seen(&claim(contrast()), &earlier).unwrap();
    assert!((spread.sd - 0.025_f64.sqrt()).abs() < 1e-12, "{spread:?}");
    assert_eq!(id(Some(spread)), "it", "that of the same id, whatever stands before it");
    let renamed = Hypothesis { id: "new".to_owned(), ..claim(contrast()) };
    assert_eq!(id(seen(&renamed, &earlier)), "first", "else of the same test and metric");
    let other_metric = Hypothesis { metric: Metric::Loop, ..claim(contrast()) };
    assert_eq!(seen(&other_metric, &earlier), None);
    assert_eq!(seen(&claim(Test::Equivalence { base: at(COLD), other: at(HOT), margin: 0.1 }), &earlier), None);
    // Of the first prompt ρ is 0, of the others 1.
    let spread = seen(&claim(trend()), &earlier).unwrap();
    assert!((spread.sd - 0.2_f64.sqrt()).abs() < 1e-12, "{spread:?}");
    let flat = Hypothesis {
        test: Test::Contrast { base: at(COLD), other: at(COLD), expect: Direction::Different },
        ..claim(trend())
    };
    assert_eq!(seen(&flat, std::slice::from_ref(&flat)), None, "prompts that are all alike");
}

#[test]
fn a_spread_that_is_given_is_that_of_differences() {
    let trials = grid(24, &["pure", "greedy"]);
    let crossed = claim(Test::Interaction { factors: [Factor::Temperature, Factor::Chain] });
    let ratio = Hypothesis { metric: Metric::CompressionRatio, ..claim(contrast()) };
    let claims = [claim(contrast()), ratio, crossed, claim(trend())];
    let found = outlooks(&design(&claims, &trials), Some(0.1), |_| None).unwrap();
    let spreads: Vec<_> = found.into_iter().map(|outlook| outlook.spread).collect();
    let given = |sd| Spread { sd, source: Source::Given };
    let rho = Spread { sd: 1.0, source: Source::Assumed };
    assert_eq!(spreads, [given(0.1), given(0.1), given(0.1 * 2_f64.sqrt()), rho]);
}
