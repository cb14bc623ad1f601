//! One test of one hypothesis, at one level if it is about each.

use super::sample::{Blocks, Sample};
use super::{NamedEffect, Outcome};
use crate::analysis::Blindness;
use crate::experiment::{Direction, Hypothesis, Sides, Test};
use crate::stats::{
    Effect, Interval, Pair, StatsError, Target, equivalence, interaction, mean, page_trend, paired_contrast,
    rho_along_levels, smallest_detectable_difference,
};

/// What a test found.
#[derive(Clone, Debug)]
pub struct Tested {
    /// Of the claim being false.
    pub p_for: f64,
    /// Of it not being false in the other direction; 1 where the test has none.
    pub p_against: f64,
    /// What is plain without a test, because nothing varies.
    pub plain: Option<Outcome>,
    pub effects: Vec<NamedEffect>,
    pub n_prompts: usize,
    pub n_texts: usize,
    /// The least main effect that could have been seen; `None` where it has no scale.
    pub detectable: Option<f64>,
    /// The texts that the metric can't see into, where they are many: the p-values hold whatever
    /// these are.
    pub unseen: Option<Blindness>,
}

/// # Errors
/// Where the sample has too little for the test.
pub fn run(hypothesis: &Hypothesis, sample: &Sample<'_>) -> Result<Tested, StatsError> {
    let sides = hypothesis.sides;
    match &hypothesis.test {
        Test::Trend { factor, expect } => trend(&sample.cells(&[*factor]).1, *expect, sides),
        Test::Contrast { base, other, expect } => contrast(&sample.pairs(base, other), *expect, sides),
        Test::Equivalence { base, other, margin } => within(&sample.pairs(base, other), *margin, sides),
        Test::Interaction { factors } => {
            let (levels, blocks) = sample.cells(factors);
            crossed([levels[0], levels[1]], &blocks)
        }
    }
}

fn trend(blocks: &Blocks<Vec<f64>>, expect: Direction, sides: Sides) -> Result<Tested, StatsError> {
    let (n_prompts, n_texts) = (blocks.prompts.len(), blocks.n_texts);
    let found = match page_trend(&blocks.prompts) {
        Err(StatsError::NoVariation { .. }) => {
            let effects = vec![nothing("mean Spearman's ρ")];
            return Ok(plain(Outcome::Refuted, effects, n_prompts, n_texts));
        }
        found => found?,
    };
    // The greater of both: a trend, and one that other prompts can be expected to show.
    let (p_for, p_against) = directed(found.p.p.max(found.p_over_prompts.p), found.mean_rho.estimate, expect, sides);
    let rhos: Vec<f64> = blocks.prompts.iter().map(|block| rho_along_levels(block)).collect();
    let ends: Vec<[Pair; 1]> = blocks.prompts.iter().filter_map(|block| ends(block)).collect();
    let difference = paired_contrast(&ends)?.mean_difference;
    Ok(Tested {
        p_for,
        p_against,
        plain: None,
        effects: vec![
            NamedEffect { name: "mean Spearman's ρ", effect: found.mean_rho },
            NamedEffect { name: "mean difference, last level − first", effect: difference },
        ],
        n_prompts,
        n_texts,
        detectable: detectable(&rhos),
        unseen: None,
    })
}

fn ends(block: &[f64]) -> Option<[Pair; 1]> {
    Some([Pair { base: *block.first()?, other: *block.last()? }])
}

fn contrast(blocks: &Blocks<Vec<Pair>>, expect: Direction, sides: Sides) -> Result<Tested, StatsError> {
    let differences = differences(blocks);
    let (n_prompts, n_texts) = (differences.len(), blocks.n_texts);
    let found = paired_contrast(&blocks.prompts)?;
    let effects = vec![
        NamedEffect { name: "mean difference", effect: found.mean_difference },
        NamedEffect { name: "Hodges–Lehmann shift", effect: found.shift },
        NamedEffect { name: "Cliff's δ", effect: found.cliffs_delta },
    ];
    if differences.iter().all(|&difference| difference == 0.0) {
        return Ok(plain(Outcome::Refuted, effects, n_prompts, n_texts));
    }
    let (p_for, p_against) = directed(found.p.p, found.mean_difference.estimate, expect, sides);
    let detectable = detectable(&differences);
    Ok(Tested { p_for, p_against, plain: None, effects, n_prompts, n_texts, detectable, unseen: None })
}

fn within(blocks: &Blocks<Vec<Pair>>, margin: f64, sides: Sides) -> Result<Tested, StatsError> {
    let differences = differences(blocks);
    let (n_prompts, n_texts) = (differences.len(), blocks.n_texts);
    let found = match equivalence(&differences, margin) {
        Err(StatsError::NoVariation { value, .. }) => {
            let holds = match sides {
                Sides::Two => value.abs() < margin,
                Sides::One => value < margin,
            };
            let outcome = if holds { Outcome::Supported } else { Outcome::Refuted };
            let interval = Interval { low: value, high: value, level: 0.9 };
            let effect = Effect { estimate: value, interval };
            return Ok(plain(outcome, vec![NamedEffect { name: "mean difference", effect }], n_prompts, n_texts));
        }
        found => found?,
    };
    let (p_for, p_against) = match sides {
        Sides::Two => (found.p, found.p_beyond),
        Sides::One => (found.p_not_above, found.p_above),
    };
    Ok(Tested {
        p_for,
        p_against,
        plain: None,
        effects: vec![NamedEffect { name: "mean difference", effect: found.difference }],
        n_prompts,
        n_texts,
        detectable: detectable(&differences),
        unseen: None,
    })
}

fn crossed(levels: [usize; 2], blocks: &Blocks<Vec<f64>>) -> Result<Tested, StatsError> {
    let (n_prompts, n_texts) = (blocks.prompts.len(), blocks.n_texts);
    let share = "share of the variation between cells";
    let found = match interaction(levels, &blocks.prompts) {
        Err(StatsError::NoVariation { .. }) => {
            return Ok(plain(Outcome::Refuted, vec![nothing(share)], n_prompts, n_texts));
        }
        found => found?,
    };
    let difference = found.difference_of_differences;
    let of_differences = difference.map(|effect| NamedEffect { name: "difference of differences", effect });
    let mut effects = Vec::from_iter(of_differences);
    effects.push(NamedEffect { name: share, effect: found.share });
    // Between more than two levels each, there is no one difference to detect.
    let detectable = difference.and_then(|_| {
        detectable(&blocks.prompts.iter().map(|cells| cells[3] - cells[2] - cells[1] + cells[0]).collect::<Vec<_>>())
    });
    Ok(Tested { p_for: found.p.p, p_against: 1.0, plain: None, effects, n_prompts, n_texts, detectable, unseen: None })
}

/// From a two-sided p to one for the direction expected and one against it.
fn directed(p: f64, found: f64, expect: Direction, sides: Sides) -> (f64, f64) {
    let agrees = match expect {
        Direction::Different => return (p, 1.0),
        Direction::Increasing => found > 0.0,
        Direction::Decreasing => found < 0.0,
    };
    match (sides, agrees) {
        (Sides::Two, true) => (p, 1.0),
        (Sides::Two, false) => (1.0, p),
        (Sides::One, true) => (p / 2.0, 1.0),
        (Sides::One, false) => (1.0 - p / 2.0, 1.0),
    }
}

/// Each prompt's mean difference.
fn differences(blocks: &Blocks<Vec<Pair>>) -> Vec<f64> {
    let of_prompt = |pairs: &Vec<Pair>| {
        let differences: Vec<f64> = pairs.iter().map(|pair| pair.other - pair.base).collect();
        mean(&differences)
    };
    blocks.prompts.iter().filter_map(of_prompt).collect()
}

fn detectable(values: &[f64]) -> Option<f64> {
    smallest_detectable_difference(values, Target::default()).ok()
}

/// An effect of exactly nothing, in every resample.
fn nothing(name: &'static str) -> NamedEffect {
    NamedEffect { name, effect: Effect { estimate: 0.0, interval: Interval { low: 0.0, high: 0.0, level: 0.95 } } }
}

fn plain(outcome: Outcome, effects: Vec<NamedEffect>, n_prompts: usize, n_texts: usize) -> Tested {
    let (p_for, p_against) = if outcome == Outcome::Supported { (0.0, 1.0) } else { (1.0, 0.0) };
    Tested { p_for, p_against, plain: Some(outcome), effects, n_prompts, n_texts, detectable: None, unseen: None }
}
