//! Runs one test of one hypothesis, at one level if it is about each.

use super::sample::{Blocks, PromptCells, Sameness, Sample};
use super::unknown::Unknowns;
use super::{Conclusion, NamedEffect};
use crate::experiment::{Direction, Hypothesis, Sides, Test};
use crate::stats::{
    Bounds, PromptDifference, PromptPairs, Range, StatsError, Toward, equivalence, interaction, p_unseen, page_trend,
    prompts_to_rule_out, rho_along_levels, rounded, test_difference, unseen_share,
};

/// Of the shares and remarks that stand beside a verdict, whatever the file's.
const ALPHA: f64 = 0.05;

/// What a test found.
#[derive(Clone, Debug)]
pub struct Tested {
    /// Of the claim being false.
    pub p_for: f64,
    /// Of it not being false in the other direction; 1 where the test has none.
    pub p_against: f64,
    /// What needs no test, because the texts are the same.
    pub certain: Option<Conclusion>,
    /// The main one first.
    pub effects: Vec<NamedEffect>,
    pub n_prompts: usize,
    pub n_texts: usize,
    /// Each prompt's main effect, of which the spread says what could have been seen; empty where it has no scale.
    pub units: Vec<f64>,
    /// Where its p comes from.
    pub instrument: Instrument,
    /// What must be known to read the outcome rightly.
    pub remarks: Vec<Remark>,
    /// The texts whose score is not known: the p-values hold whatever these are.
    pub unknown: Option<Unknowns>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Instrument {
    /// Turned signs of whole prompts.
    Signs(Sides),
    /// Two one-sided tests, or one.
    Margin(Bounds, Range),
}

/// What stands beside a verdict.
#[derive(Clone, Debug, PartialEq)]
pub enum Remark {
    SameTexts,
    /// The levels share their trials.
    SameTrials,
    /// All prompts show the same; so many others may not.
    AllAlike {
        n_prompts: usize,
        share: f64,
        no_loops: bool,
    },
    /// Ranks and means say the opposite.
    RanksAgainstMean,
    /// So few prompts loop on one side that more of them, which the sample allows, would turn the mean.
    RareLoops {
        n_prompts: usize,
        p: f64,
    },
    /// The test sees only what the sample shows; without that assumption it takes so many prompts.
    SeesOnlyTheSample {
        needed: usize,
    },
    /// Combinations of other factors' levels that lack a level.
    LeftOut {
        combinations: Vec<String>,
    },
}

/// # Errors
/// Where the sample has too little for the test.
pub fn run(hypothesis: &Hypothesis, sample: &Sample<'_>) -> Result<Tested, StatsError> {
    match &hypothesis.test {
        Test::Trend { factor, expect } => trend(hypothesis, &sample.cells(&[*factor]).1, *expect),
        Test::Contrast { base, other, expect } => {
            let pairs = |sample: &Sample| sample.pairs(base, other);
            contrast(hypothesis, &pairs(sample), [pairs(&sample.of_loops()), pairs(&sample.without_loops())], *expect)
        }
        Test::Equivalence { base, other, margin } => within(hypothesis, &sample.pairs(base, other), *margin),
        Test::Interaction { factors } => {
            let (levels, blocks) = sample.cells(factors);
            crossed([levels[0], levels[1]], &blocks)
        }
    }
}

impl Tested {
    fn turning(self, hypothesis: &Hypothesis) -> Self {
        Self { instrument: Instrument::Signs(hypothesis.sides), ..self }
    }

    fn of<T>(blocks: &Blocks<T>, p: Claim, effects: Vec<NamedEffect>, units: Vec<f64>) -> Self {
        let combinations: Vec<String> = blocks.left_out.iter().cloned().collect();
        Self {
            p_for: p.of_it,
            p_against: p.of_the_opposite,
            certain: None,
            effects,
            n_prompts: blocks.prompts.len(),
            n_texts: blocks.n_texts,
            units,
            instrument: Instrument::Signs(Sides::Two),
            remarks: if combinations.is_empty() { vec![] } else { vec![Remark::LeftOut { combinations }] },
            unknown: None,
        }
    }

    fn with(mut self, remark: Remark) -> Self {
        self.remarks.push(remark);
        self
    }

    /// Where the texts compared are the same, a claim that they differ is refuted if no other texts were possible, and
    /// open if they were; that they do not differ is a fact.
    fn of_same_texts(self, sameness: Sameness, hypothesis: &Hypothesis) -> Self {
        let is_equivalence = matches!(hypothesis.test, Test::Equivalence { .. });
        let (certain, remark) = match (sameness, is_equivalence) {
            (Sameness::None, _) => return self,
            (Sameness::Trials, true) => (Some(Conclusion::Supported), Remark::SameTrials),
            (Sameness::Trials, false) => (Some(Conclusion::Refuted), Remark::SameTrials),
            (Sameness::Texts, true) => (Some(Conclusion::Supported), Remark::SameTexts),
            (Sameness::Texts, false) => (None, Remark::SameTexts),
        };
        let (p_for, p_against) = match certain {
            Some(Conclusion::Supported) => (0.0, 1.0),
            Some(_) => (1.0, 0.0),
            None => (1.0, 1.0),
        };
        Self { certain, p_for, p_against, ..self }.with(remark)
    }
}

/// Two p-values, of a claim and of its opposite.
#[derive(Clone, Copy)]
struct Claim {
    of_it: f64,
    of_the_opposite: f64,
}

impl Claim {
    /// Neither is shown.
    const OPEN: Self = Self { of_it: 1.0, of_the_opposite: 1.0 };

    /// From a two-sided p of an effect to one for the direction expected and one against it.
    fn directed(p: f64, found: f64, expect: Direction, sides: Sides) -> Self {
        let agrees = match expect {
            Direction::Different => return Self { of_it: p, of_the_opposite: 1.0 },
            Direction::Increasing => found > 0.0,
            Direction::Decreasing => found < 0.0,
        };
        let (of_it, of_the_opposite) = match (sides, agrees) {
            (Sides::Two, true) => (p, 1.0),
            (Sides::Two, false) => (1.0, p),
            (Sides::One, true) => (p / 2.0, 1.0),
            (Sides::One, false) => (1.0 - p / 2.0, 1.0),
        };
        Self { of_it, of_the_opposite }
    }

    /// Both claims must hold (Berger 1982).
    fn and(self, other: Self) -> Self {
        Self { of_it: self.of_it.max(other.of_it), of_the_opposite: self.of_the_opposite.max(other.of_the_opposite) }
    }
}

fn range(hypothesis: &Hypothesis) -> Range {
    if hypothesis.metric.ends_at_1() { Range::Unit } else { Range::Unbounded }
}

/// What the sample may have missed, for a claim that the mean difference is beyond `null` in a direction.
fn missed(hypothesis: &Hypothesis, prompts: &[PromptDifference], found: f64, null: f64, expect: Direction) -> Claim {
    if range(hypothesis) == Range::Unbounded {
        return Claim { of_it: 0.0, of_the_opposite: 0.0 };
    }
    // A two-sided p of 5 % has 2.5 % on each side.
    let sides = match hypothesis.sides {
        Sides::Two => 2.0,
        Sides::One => 1.0,
    };
    let p = |toward| (sides * p_unseen(prompts, null, toward)).min(1.0);
    let (above, below) = (p(Toward::Lower), p(Toward::Higher));
    match expect {
        Direction::Increasing => Claim { of_it: above, of_the_opposite: below },
        Direction::Decreasing => Claim { of_it: below, of_the_opposite: above },
        Direction::Different => Claim { of_it: if found > null { above } else { below }, of_the_opposite: 1.0 },
    }
}

/// The difference from which on a directed claim holds.
fn null(hypothesis: &Hypothesis, expect: Direction) -> f64 {
    let least = hypothesis.least.unwrap_or(0.0);
    if expect == Direction::Decreasing { -least } else { least }
}

fn trend(hypothesis: &Hypothesis, blocks: &Blocks<PromptCells>, expect: Direction) -> Result<Tested, StatsError> {
    let names = ["mean Spearman's ρ", "mean difference, last level − first"];
    let found = match page_trend(&blocks.prompts) {
        Err(StatsError::NoVariation { .. }) => {
            let nothing = vec![NamedEffect::without_interval(names[0], 0.0)];
            let tested = Tested::of(blocks, Claim::OPEN, nothing, vec![]);
            return Ok(all_alike(tested, blocks.sameness, hypothesis, false));
        }
        found => found?,
    };
    let rhos: Vec<f64> = blocks.prompts.iter().map(|cells| rho_along_levels(&cells.means)).collect();
    let ends: Vec<PromptDifference> = blocks.prompts.iter().filter_map(ends).collect();
    let null = null(hypothesis, expect);
    let difference = test_difference(&ends, null, range(hypothesis))?;
    let mean = rounded(difference.mean.estimate);
    let rho = found.mean_rho.estimate;
    // The greater of both: a trend, and one that other prompts can be expected to show.
    let ranks = Claim::directed(found.p.p.max(found.p_over_prompts.p), rho, expect, hypothesis.sides);
    let rare = missed(hypothesis, &ends, mean, null, expect);
    let claim = match hypothesis.least {
        None => ranks.and(rare),
        Some(_) => ranks.and(rare).and(Claim::directed(difference.p.p, mean - null, expect, hypothesis.sides)),
    };
    let effects = vec![NamedEffect::of(names[0], found.mean_rho), NamedEffect::of(names[1], difference.mean)];
    let is_opposed = rho * mean < 0.0;
    let claim = if is_opposed { Claim::OPEN } else { claim };
    let mut tested = Tested::of(blocks, claim, effects, rhos).turning(hypothesis);
    if is_opposed {
        tested.remarks.push(Remark::RanksAgainstMean);
    } else if let Some(remark) = rare_loops(ranks, rare, ends.len()) {
        tested.remarks.push(remark);
    }
    Ok(tested)
}

/// A prompt's last level less its first.
fn ends(cells: &PromptCells) -> Option<PromptDifference> {
    Some(PromptDifference {
        value: rounded(cells.means.last()? - cells.means.first()?),
        base: *cells.kinds.first()?,
        other: *cells.kinds.last()?,
    })
}

/// The remark that more loops than the sample shows would turn what is otherwise found.
fn rare_loops(found: Claim, rare: Claim, n_prompts: usize) -> Option<Remark> {
    let hidden = |p: f64, unseen: f64| (p < unseen && unseen > ALPHA).then_some(unseen);
    let p = hidden(found.of_it, rare.of_it).or_else(|| hidden(found.of_the_opposite, rare.of_the_opposite))?;
    Some(Remark::RareLoops { n_prompts, p })
}

fn contrast(
    hypothesis: &Hypothesis,
    blocks: &Blocks<PromptPairs>,
    [loops, without]: [Blocks<PromptPairs>; 2],
    expect: Direction,
) -> Result<Tested, StatsError> {
    let prompts = differences(blocks);
    let null = null(hypothesis, expect);
    let found = test_difference(&prompts, null, range(hypothesis))?;
    let mut effects = vec![NamedEffect::of("mean difference", found.mean)];
    if range(hypothesis) == Range::Unit && !hypothesis.metric.is_verdict() {
        let part = |name, blocks: &Blocks<PromptPairs>, range| {
            let found = test_difference(&differences(blocks), 0.0, range).ok()?;
            Some(NamedEffect::of(name, found.mean))
        };
        effects.extend(part("in P(loop)", &loops, Range::Unit));
        // Of these none is missing that the sample could have shown.
        effects.extend(part("where neither text loops", &without, Range::Unbounded));
    }
    let units: Vec<f64> = prompts.iter().map(|prompt| prompt.value).collect();
    let mean = rounded(found.mean.estimate);
    let test = Claim::directed(found.p.p, mean - null, expect, hypothesis.sides);
    let rare = missed(hypothesis, &prompts, mean, null, expect);
    let tested = Tested::of(blocks, test.and(rare), effects, units).turning(hypothesis);
    if prompts.iter().all(|prompt| prompt.value == 0.0) {
        let no_loops = !prompts.iter().any(|prompt| prompt.base.loops || prompt.other.loops);
        return Ok(all_alike(tested, blocks.sameness, hypothesis, no_loops));
    }
    Ok(match rare_loops(test, rare, prompts.len()) {
        Some(remark) => tested.with(remark),
        None => tested,
    })
}

/// Every prompt shows the same. That is no proof of anything but where the texts are the same.
fn all_alike(tested: Tested, sameness: Sameness, hypothesis: &Hypothesis, no_loops: bool) -> Tested {
    let n_prompts = tested.n_prompts;
    let tested = tested.of_same_texts(sameness, hypothesis);
    if sameness == Sameness::Trials {
        return tested;
    }
    tested.with(Remark::AllAlike { n_prompts, share: unseen(n_prompts), no_loops })
}

/// The share of other prompts that may do what none did, one-sided.
fn unseen(n_prompts: usize) -> f64 {
    unseen_share(n_prompts, ALPHA).unwrap_or(1.0)
}

fn within(hypothesis: &Hypothesis, blocks: &Blocks<PromptPairs>, margin: f64) -> Result<Tested, StatsError> {
    let prompts = differences(blocks);
    let units: Vec<f64> = prompts.iter().map(|prompt| prompt.value).collect();
    if blocks.sameness != Sameness::None && !prompts.is_empty() {
        let same = vec![NamedEffect::without_interval("mean difference", 0.0)];
        return Ok(Tested::of(blocks, Claim::OPEN, same, vec![]).of_same_texts(blocks.sameness, hypothesis));
    }
    let found = equivalence(&prompts, margin, range(hypothesis))?;
    let (of_it, of_the_opposite) = match hypothesis.sides {
        Sides::Two => (found.p, found.p_beyond),
        Sides::One => (found.p_not_above, found.p_above),
    };
    let effect = NamedEffect {
        name: "mean difference",
        estimate: found.difference.estimate,
        interval: Some(found.difference.interval),
        standard_error: Some(found.standard_error),
        by_chance: None,
    };
    let tested = Tested::of(blocks, Claim { of_it, of_the_opposite }, vec![effect], units);
    if prompts.iter().all(|prompt| prompt.value == prompts[0].value) {
        let no_loops = !prompts.iter().any(|prompt| prompt.base.loops || prompt.other.loops);
        return Ok(all_alike(tested, Sameness::None, hypothesis, no_loops && prompts[0].value == 0.0));
    }
    let bounds = if hypothesis.sides == Sides::One { Bounds::Upper } else { Bounds::Both };
    let tested = Tested { instrument: Instrument::Margin(bounds, range(hypothesis)), ..tested };
    let needed = prompts_to_rule_out(margin, ALPHA).ok().filter(|&needed| of_it <= ALPHA && prompts.len() < needed);
    Ok(match needed {
        Some(needed) => tested.with(Remark::SeesOnlyTheSample { needed }),
        None => tested,
    })
}

fn crossed(levels: [usize; 2], blocks: &Blocks<PromptCells>) -> Result<Tested, StatsError> {
    let share = "share of the variation between cells";
    let found = match interaction(levels, &blocks.prompts) {
        Err(StatsError::NoVariation { .. }) => {
            let tested = Tested::of(blocks, Claim::OPEN, vec![NamedEffect::without_interval(share, 0.0)], vec![]);
            let n_prompts = tested.n_prompts;
            let all_alike = Remark::AllAlike { n_prompts, share: unseen(n_prompts), no_loops: false };
            return Ok(tested.with(all_alike));
        }
        found => found?,
    };
    let difference = found.difference_of_differences;
    let mut effects = Vec::from_iter(difference.map(|effect| NamedEffect::of("difference of differences", effect)));
    effects
        .push(NamedEffect { by_chance: Some(found.chance_share), ..NamedEffect::without_interval(share, found.share) });
    // Between more than two levels each, there is no one difference to detect.
    let of_prompt = |PromptCells { means, .. }: &PromptCells| means[3] - means[2] - means[1] + means[0];
    let units = difference.map_or(vec![], |_| blocks.prompts.iter().map(of_prompt).collect());
    Ok(Tested::of(blocks, Claim { of_it: found.p.p, of_the_opposite: 1.0 }, effects, units))
}

/// Each prompt's mean difference.
fn differences(blocks: &Blocks<PromptPairs>) -> Vec<PromptDifference> {
    blocks.prompts.iter().filter_map(PromptPairs::difference).collect()
}
