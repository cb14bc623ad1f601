//! The gate's rule.

use serde::Serialize;

use crate::analysis::Blindness;
use crate::stats::{Effect, StatsError, equivalence, holm};

/// What a gate decides about.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    pub name: String,
    /// How much worse each prompt's mean score is than in the baseline; positive is worse.
    pub differences: Vec<f64>,
    /// Where the metric can't see into too many of the run's texts to say that they are clean.
    pub blind: Option<Blindness>,
    /// Where more texts loop than in the baseline, however little of them the metric counts.
    pub loops_more: Option<LoopsMore>,
}

/// More looping texts than in a baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoopsMore {
    /// Of the run's texts.
    pub share: f64,
    /// Of the baseline's; `None` where it does not say.
    pub before: Option<f64>,
}

impl LoopsMore {
    /// `None` where the shares differ by no more than 0.05.
    pub fn of(share: f64, before: Option<f64>) -> Option<Self> {
        (share - before.unwrap_or(0.0) > Blindness::SMALL_SHARE).then_some(Self { share, before })
    }
}

impl std::fmt::Display for LoopsMore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { share, before } = self;
        let share = 100.0 * share;
        match before {
            Some(before) => write!(f, "{share:.1} % of the texts loop, {:.1} % did: --metric loop", 100.0 * before),
            None => write!(
                f,
                "{share:.1} % of the texts loop, and the baseline does not say how many of its did: save it anew"
            ),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rule {
    /// A score may be worse by so much.
    pub margin: f64,
    /// The probability that a gate fails, or that it passes, and should not have.
    pub alpha: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// Shown to be worse by less than the margin, if at all.
    Pass,
    /// Neither is shown.
    Inconclusive,
    /// Shown to be worse by more than the margin.
    Fail,
}

/// One unit's outcome.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    pub unit: String,
    pub outcome: Outcome,
    /// The mean difference, positive where it is worse, with its interval; none where all
    /// prompts differ by the same.
    pub worse_by: Option<Effect>,
    /// Of being worse by the margin at the most, after Holm over the units.
    pub p_fail: Option<f64>,
    /// Of being worse by the margin at least.
    pub p_pass: Option<f64>,
    pub n_prompts: usize,
    pub note: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gate {
    pub outcome: Outcome,
    #[serde(flatten)]
    pub rule: Rule,
    pub verdicts: Vec<Verdict>,
}

/// Fails if any unit is shown to be worse by more than the margin, passes if all are shown
/// not to be, and is inconclusive otherwise.
///
/// Failing takes any of the units, so its p-values are Holm's over the units; passing takes
/// all of them, so each is tested at alpha (Berger 1982, "Multiparameter hypothesis
/// testing and acceptance sampling"). Both are the greater of Student's one-sided t and
/// the studentised bootstrap over prompts, as in [`equivalence`]. Where all prompts
/// differ by exactly the same, and be it 0, there is nothing to test: the number decides.
///
/// What a metric can't see can't pass, nor what loops more often than it did: such a unit may
/// fail, and is inconclusive otherwise.
pub fn decide(units: &[Unit], rule: Rule) -> Gate {
    let tested: Vec<_> = units.iter().map(|unit| equivalence(&unit.differences, rule.margin)).collect();
    let p: Vec<f64> = tested.iter().map(|tested| tested.as_ref().map_or(1.0, |tested| tested.p_above)).collect();
    let p_fail = holm(&p).expect("p-values lie from 0 to 1");
    let verdict =
        |((unit, tested), p_fail): ((&Unit, &Result<_, StatsError>), f64)| verdict(unit, tested, p_fail, rule);
    let verdicts: Vec<Verdict> = units.iter().zip(&tested).zip(p_fail).map(verdict).collect();
    let outcome = verdicts.iter().map(|verdict| verdict.outcome).max().unwrap_or(Outcome::Inconclusive);
    Gate { outcome, rule, verdicts }
}

fn verdict(unit: &Unit, tested: &Result<crate::stats::Equivalence, StatsError>, p_fail: f64, rule: Rule) -> Verdict {
    let found = by_numbers(unit, tested, p_fail, rule);
    let blind = unit.blind.map(|blind| blind.to_string());
    match blind.or_else(|| unit.loops_more.map(|more| more.to_string())) {
        Some(note) if found.outcome != Outcome::Fail => {
            Verdict { outcome: Outcome::Inconclusive, note: Some(note), ..found }
        }
        _ => found,
    }
}

fn by_numbers(unit: &Unit, tested: &Result<crate::stats::Equivalence, StatsError>, p_fail: f64, rule: Rule) -> Verdict {
    let (unit, n_prompts) = (unit.name.clone(), unit.differences.len());
    match tested {
        Ok(tested) => {
            let outcome = if p_fail <= rule.alpha {
                Outcome::Fail
            } else if tested.p_not_above <= rule.alpha {
                Outcome::Pass
            } else {
                Outcome::Inconclusive
            };
            let (worse_by, p_pass) = (Some(tested.difference), Some(tested.p_not_above));
            Verdict { unit, outcome, worse_by, p_fail: Some(p_fail), p_pass, n_prompts, note: None }
        }
        Err(StatsError::NoVariation { value, .. }) => {
            let outcome = if *value < rule.margin { Outcome::Pass } else { Outcome::Fail };
            let note = match *value {
                0.0 => "the same as in the baseline for every prompt".to_owned(),
                value => format!("worse by {value} for every prompt"),
            };
            Verdict { unit, outcome, worse_by: None, p_fail: None, p_pass: None, n_prompts, note: Some(note) }
        }
        Err(error) => {
            let note = Some(error.to_string());
            let outcome = Outcome::Inconclusive;
            Verdict { unit, outcome, worse_by: None, p_fail: None, p_pass: None, n_prompts, note }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule { margin: 0.05, alpha: 0.05 };

    fn unit(by: f64, spread: f64) -> Unit {
        let chance = |i: u32| f64::from(i * 7919 % 24) / 23.0 - 0.5;
        Unit {
            name: "u".to_owned(),
            differences: (0..24).map(|i| by + spread * chance(i)).collect(),
            blind: None,
            loops_more: None,
        }
    }

    fn outcome(units: &[Unit]) -> Outcome {
        decide(units, RULE).outcome
    }

    #[test]
    fn it_takes_the_margin_and_the_interval() {
        assert_eq!(outcome(&[unit(0.0, 0.1)]), Outcome::Pass);
        assert_eq!(outcome(&[unit(-0.3, 0.1)]), Outcome::Pass);
        assert_eq!(outcome(&[unit(0.2, 0.1)]), Outcome::Fail);
        // Beyond the margin, but not surely; short of it, but not surely.
        assert_eq!(outcome(&[unit(0.07, 0.4)]), Outcome::Inconclusive);
        assert_eq!(outcome(&[unit(0.03, 0.4)]), Outcome::Inconclusive);
    }

    #[test]
    fn one_unit_fails_all_and_passing_takes_all() {
        assert_eq!(outcome(&[unit(0.0, 0.1), unit(0.2, 0.1)]), Outcome::Fail);
        assert_eq!(outcome(&[unit(0.0, 0.1), unit(0.03, 0.4)]), Outcome::Inconclusive);
        assert_eq!(outcome(&[]), Outcome::Inconclusive);
    }

    #[test]
    fn what_is_not_seen_does_not_pass() {
        let metric = crate::metrics::Metric::RepetitionScore;
        let blind = Blindness { metric, n_unseen: 24, n_wordless: 0, n_texts: 24, sees: None };
        let gate = decide(&[Unit { blind: Some(blind), ..unit(0.0, 0.0) }], RULE);
        assert_eq!(gate.outcome, Outcome::Inconclusive);
        assert!(gate.verdicts[0].note.as_ref().is_some_and(|note| note.contains("can't see whether 24 of 24")));
        // A loop that it does see is one all the same.
        assert_eq!(outcome(&[Unit { blind: Some(blind), ..unit(0.2, 0.1) }]), Outcome::Fail);
    }

    #[test]
    fn what_loops_more_often_does_not_pass() {
        let gate = |share, before| {
            decide(&[Unit { loops_more: LoopsMore::of(share, before), ..unit(0.01, 0.0) }], RULE).outcome
        };
        assert_eq!(gate(0.5, Some(0.48)), Outcome::Pass);
        assert_eq!(gate(0.5, Some(0.1)), Outcome::Inconclusive);
        // An old baseline, which knows nothing of loops.
        assert_eq!((gate(0.02, None), gate(0.2, None)), (Outcome::Pass, Outcome::Inconclusive));
    }

    #[test]
    fn more_units_take_more_to_fail() {
        let lone = [unit(0.1, 0.3)];
        assert_eq!(outcome(&lone), Outcome::Fail);
        let among: Vec<_> = lone.into_iter().chain((0..200).map(|_| unit(0.0, 0.1))).collect();
        assert_eq!(outcome(&among), Outcome::Inconclusive);
    }

    #[test]
    fn what_does_not_vary_is_decided_by_its_number() {
        assert_eq!(outcome(&[unit(0.0, 0.0)]), Outcome::Pass);
        assert_eq!(outcome(&[unit(0.06, 0.0)]), Outcome::Fail);
        assert_eq!(
            outcome(&[Unit { name: "u".to_owned(), differences: vec![0.0, 0.1], ..unit(0.0, 0.0) }]),
            Outcome::Inconclusive
        );
    }
}
