//! Owns the gate's rule: when a score is shown to be worse by more than a margin, when it is shown not to be, and when
//! neither. Must not know where the scores come from.

use serde::Serialize;

use crate::analysis::Blindness;
use crate::stats::{
    Effect, Equivalence, LEAST_PROMPTS, PromptDifference, Range, StatsError, equivalence, holm, prompts_to_rule_out,
};

/// What a gate decides about.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    pub name: String,
    pub by: By,
    /// How much worse each prompt's mean score is than in the baseline; positive is worse. All metrics of a gate lie
    /// from 0 to 1.
    pub prompts: Vec<PromptDifference>,
    /// The mean score, in the baseline and in the run; `None` where no prompt has both.
    pub means: Option<Means>,
    /// The run's texts beside the baseline's.
    pub texts: Texts,
    /// Where the metric can't see into too many of the run's texts to say that they are clean.
    pub blind: Option<Blindness>,
    /// Where more texts loop than in the baseline, however little of them the metric counts.
    pub loops_more: Option<LoopsMore>,
}

/// How much is repeated, from 0 to 1, over the prompts that both have.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Means {
    pub before: f64,
    pub now: f64,
}

/// How fine a gate looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A model under a chain, its temperatures averaged: a change everywhere is
    /// seen soonest.
    Arm,
    /// Every temperature by itself: a change at one is seen.
    Cell,
}

/// Whether a run wrote what its baseline's did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    Same,
    Other,
    /// The baseline is of before it kept that.
    Untold,
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
    /// Compares two shares of looping texts, from 0 to 1; `None` where they differ by no more than 0.05.
    pub fn of(share: f64, before: Option<f64>) -> Option<Self> {
        (share - before.unwrap_or(0.0) > Blindness::SMALL_SHARE).then_some(Self { share, before })
    }
}

impl std::fmt::Display for LoopsMore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { share, before } = self;
        let share = 100.0 * share;
        match before {
            Some(before) => write!(
                f,
                "{share:.1} % of the texts loop, {:.1} % did before: check with --metric loop",
                100.0 * before
            ),
            None => write!(
                f,
                "{share:.1} % of the texts loop, but the baseline does not record how many did before: save it again"
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

impl Rule {
    /// The rule of each of two looks, which share alpha (Bonferroni).
    #[must_use]
    pub fn of_each_of_two_looks(self) -> Self {
        Self { alpha: self.alpha / 2.0, ..self }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum GateStatus {
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
    pub by: By,
    pub outcome: GateStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub means: Option<Means>,
    /// The mean difference, positive where it is worse, with its interval; none where the texts are the same.
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
    pub outcome: GateStatus,
    #[serde(flatten)]
    pub rule: Rule,
    pub verdicts: Vec<Verdict>,
}

/// Decides: fails if any unit is shown to be worse by more than the margin, passes if all arms are shown
/// not to be, or all cells where no arm is looked at, and is inconclusive otherwise.
///
/// Failing takes any of the units, so its p-values are Holm's over the units; passing takes
/// all of them, so each is tested at alpha (Berger 1982, "Multiparameter hypothesis
/// testing and acceptance sampling"). Both are [`equivalence`]'s, with its bound for loops that were not seen. A unit
/// whose texts are the baseline's, word for word, passes without a test.
///
/// What a metric can't see can't pass, nor what loops more often than it did: such a unit may
/// fail, and is inconclusive otherwise.
pub fn decide(units: &[Unit], rule: Rule) -> Gate {
    let tested: Vec<_> = units.iter().map(|unit| equivalence(&unit.prompts, rule.margin, Range::Unit)).collect();
    let p: Vec<f64> = tested.iter().map(|tested| tested.as_ref().map_or(1.0, |tested| tested.p_above)).collect();
    let p_fail = holm(&p).expect("p-values lie from 0 to 1");
    let verdict =
        |((unit, tested), p_fail): ((&Unit, &Result<_, StatsError>), f64)| verdict(unit, tested, p_fail, rule);
    let verdicts: Vec<Verdict> = units.iter().zip(&tested).zip(p_fail).map(verdict).collect();
    let mut gate = Gate { outcome: GateStatus::Inconclusive, rule, verdicts };
    let fails = gate.verdicts.iter().any(|verdict| verdict.outcome == GateStatus::Fail);
    let worst = gate.deciding().map(|verdict| verdict.outcome).max();
    gate.outcome = if fails { GateStatus::Fail } else { worst.unwrap_or(GateStatus::Inconclusive) };
    gate
}

impl Gate {
    /// The units that must all pass: arms, or cells where no arm is looked at.
    fn deciding(&self) -> impl Iterator<Item = &Verdict> {
        let by = if self.verdicts.iter().any(|verdict| verdict.by == By::Arm) { By::Arm } else { By::Cell };
        self.verdicts.iter().filter(move |verdict| verdict.by == by)
    }

    /// Returns the verdicts that decide, and the cells beside arms that fail.
    pub fn shown(&self) -> impl Iterator<Item = &Verdict> {
        let failing =
            self.verdicts.iter().filter(|verdict| verdict.by == By::Cell && verdict.outcome == GateStatus::Fail);
        let is_beside = self.verdicts.iter().any(|verdict| verdict.by == By::Arm);
        self.deciding().chain(failing.filter(move |_| is_beside))
    }

    /// Returns what a person is told first: of the units of the worst outcome the one that has become worst.
    pub fn leading(&self) -> Option<&Verdict> {
        let by = |verdict: &Verdict| verdict.worse_by.map_or(0.0, |effect| effect.estimate);
        self.shown().max_by(|a, b| a.outcome.cmp(&b.outcome).then(by(a).total_cmp(&by(b))))
    }

    /// Returns the cell beside arms whose score has risen most, and by how much.
    pub fn worst_cell(&self) -> Option<(&Verdict, Effect)> {
        self.verdicts.iter().find(|verdict| verdict.by == By::Arm)?;
        let cells = self.verdicts.iter().filter(|verdict| verdict.by == By::Cell);
        let worse = cells.filter_map(|verdict| Some((verdict, verdict.worse_by?)));
        worse.filter(|(_, by)| by.estimate > 0.0).max_by(|(_, a), (_, b)| a.estimate.total_cmp(&b.estimate))
    }
}

fn verdict(unit: &Unit, tested: &Result<Equivalence, StatsError>, p_fail: f64, rule: Rule) -> Verdict {
    let found = by_numbers(unit, tested, p_fail, rule);
    let blind = unit.blind.map(|blind| blind.to_string());
    match blind.or_else(|| unit.loops_more.map(|more| more.to_string())) {
        Some(note) if found.outcome != GateStatus::Fail => {
            Verdict { outcome: GateStatus::Inconclusive, note: Some(note), ..found }
        }
        _ => found,
    }
}

fn by_numbers(unit: &Unit, tested: &Result<Equivalence, StatsError>, p_fail: f64, rule: Rule) -> Verdict {
    let n_prompts = unit.prompts.len();
    let open = Verdict {
        unit: unit.name.clone(),
        by: unit.by,
        outcome: GateStatus::Inconclusive,
        means: unit.means,
        worse_by: None,
        p_fail: None,
        p_pass: None,
        n_prompts,
        note: None,
    };
    if unit.texts == Texts::Same && n_prompts > 0 {
        let note = Some("its texts are identical to the baseline's, word for word".to_owned());
        return Verdict { outcome: GateStatus::Pass, note, ..open };
    }
    let tested = match tested {
        Ok(tested) => tested,
        Err(error) => return Verdict { note: Some(error.to_string()), ..open },
    };
    let outcome = if p_fail <= rule.alpha {
        GateStatus::Fail
    } else if tested.p_not_above <= rule.alpha {
        GateStatus::Pass
    } else {
        GateStatus::Inconclusive
    };
    let hidden = (outcome == GateStatus::Inconclusive && tested.p_unseen > rule.alpha).then(|| unseen(unit, rule));
    let (worse_by, p_pass) = (Some(tested.difference), Some(tested.p_not_above));
    Verdict { outcome, worse_by, p_fail: Some(p_fail), p_pass, note: hidden.flatten(), ..open }
}

/// Why what was not seen keeps a unit from passing.
fn unseen(unit: &Unit, Rule { margin, alpha }: Rule) -> Option<String> {
    let n = unit.prompts.len();
    let needed = prompts_to_rule_out(margin, alpha).ok().filter(|&needed| (LEAST_PROMPTS..needed).contains(&n))?;
    let untold = match unit.texts {
        Texts::Untold => "; a baseline that is saved again also records whether the texts are the same",
        Texts::Same | Texts::Other => "",
    };
    Some(format!("{n} prompts can't show that other prompts do not loop; {needed} could, or the same texts{untold}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Kinds;

    const RULE: Rule = Rule { margin: 0.05, alpha: 0.05 };

    fn unit(by: f64, spread: f64) -> Unit {
        let chance = |i: u32| f64::from(i * 7919 % 24) / 23.0 - 0.5;
        let both = Kinds { loops: true, free: true };
        let prompt = |i| PromptDifference { value: by + spread * chance(i), base: both, other: both };
        Unit {
            name: "u".to_owned(),
            by: By::Arm,
            prompts: (0..24).map(prompt).collect(),
            means: None,
            texts: Texts::Other,
            blind: None,
            loops_more: None,
        }
    }

    /// Of texts none of which loops.
    fn free(by: f64, n: usize) -> Unit {
        let free = Kinds { loops: false, free: true };
        Unit { prompts: vec![PromptDifference { value: by, base: free, other: free }; n], ..unit(by, 0.0) }
    }

    fn outcome(units: &[Unit]) -> GateStatus {
        decide(units, RULE).outcome
    }

    #[test]
    fn it_takes_the_margin_and_the_interval() {
        assert_eq!(outcome(&[unit(0.0, 0.1)]), GateStatus::Pass);
        assert_eq!(outcome(&[unit(-0.3, 0.1)]), GateStatus::Pass);
        assert_eq!(outcome(&[unit(0.2, 0.1)]), GateStatus::Fail);
        // Beyond the margin, but not surely; short of it, but not surely.
        assert_eq!(outcome(&[unit(0.07, 0.4)]), GateStatus::Inconclusive);
        assert_eq!(outcome(&[unit(0.03, 0.4)]), GateStatus::Inconclusive);
    }

    #[test]
    fn one_unit_fails_all_and_passing_takes_all() {
        assert_eq!(outcome(&[unit(0.0, 0.1), unit(0.2, 0.1)]), GateStatus::Fail);
        assert_eq!(outcome(&[unit(0.0, 0.1), unit(0.03, 0.4)]), GateStatus::Inconclusive);
        assert_eq!(outcome(&[]), GateStatus::Inconclusive);
    }

    #[test]
    fn what_is_not_seen_does_not_pass() {
        let metric = crate::metrics::Metric::RepetitionScore;
        let blind = Blindness { metric, n_unseen: 24, n_wordless: 0, n_texts: 24, sees: None };
        let gate = decide(&[Unit { blind: Some(blind), ..unit(0.0, 0.0) }], RULE);
        assert_eq!(gate.outcome, GateStatus::Inconclusive);
        assert!(gate.verdicts[0].note.as_ref().is_some_and(|note| note.contains("can't see whether 24 of 24")));
        // A loop that it does see is one all the same.
        assert_eq!(outcome(&[Unit { blind: Some(blind), ..unit(0.2, 0.1) }]), GateStatus::Fail);
    }

    #[test]
    fn what_loops_more_often_does_not_pass() {
        let gate = |share, before| {
            decide(&[Unit { loops_more: LoopsMore::of(share, before), ..unit(0.01, 0.05) }], RULE).outcome
        };
        assert_eq!(gate(0.5, Some(0.48)), GateStatus::Pass);
        assert_eq!(gate(0.5, Some(0.1)), GateStatus::Inconclusive);
        // An old baseline, which knows nothing of loops.
        assert_eq!((gate(0.02, None), gate(0.2, None)), (GateStatus::Pass, GateStatus::Inconclusive));
    }

    #[test]
    fn more_units_take_more_to_fail() {
        let lone = [unit(0.1, 0.3)];
        assert_eq!(outcome(&lone), GateStatus::Fail);
        let among: Vec<_> = lone.into_iter().chain((0..200).map(|_| unit(0.0, 0.1))).collect();
        assert_eq!(outcome(&among), GateStatus::Inconclusive);
    }

    /// None of 24 prompts loops, and up to 11.7 % of others may: no proof of less than 0.05.
    #[test]
    fn nothing_seen_is_no_pass() {
        assert_eq!(outcome(&[free(0.0, 24)]), GateStatus::Inconclusive);
        assert_eq!(
            (outcome(&[free(0.0, 58)]), outcome(&[free(0.0, 59)])),
            (GateStatus::Inconclusive, GateStatus::Pass)
        );
        let note = decide(&[free(0.0, 24)], RULE).verdicts.remove(0).note.unwrap();
        assert_eq!(note, "24 prompts can't show that other prompts do not loop; 59 could, or the same texts");
        assert_eq!(outcome(&[Unit { texts: Texts::Same, ..free(0.0, 24) }]), GateStatus::Pass);
        // Of two prompts nothing is known, whatever they show.
        assert_eq!(outcome(&[free(0.6, 2)]), GateStatus::Inconclusive);
    }

    /// One of eight temperatures loops: the arm's mean hides it.
    #[test]
    fn a_cell_fails_what_an_arm_averages() {
        let cell = |by, spread| Unit { by: By::Cell, name: format!("T {by}"), ..unit(by, spread) };
        let gate = decide(&[unit(0.02, 0.02), cell(0.36, 0.1), cell(0.0, 0.02)], RULE);
        assert_eq!(gate.outcome, GateStatus::Fail);
        assert_eq!(gate.worst_cell().unwrap().0.unit, "T 0.36");
        assert_eq!(gate.shown().count(), 2);
        // A cell that is not shown to be as good keeps no arm from passing.
        let gate = decide(&[unit(0.0, 0.02), cell(0.04, 0.4)], RULE);
        assert_eq!((gate.outcome, gate.shown().count()), (GateStatus::Pass, 1));
        // By themselves, all cells must.
        assert_eq!(outcome(&[cell(0.0, 0.02), cell(0.04, 0.4)]), GateStatus::Inconclusive);
    }
}
