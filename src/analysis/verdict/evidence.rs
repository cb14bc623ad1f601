//! Tests one hypothesis on its trials; Holm's procedure and the words come later.

use super::against::{Extreme, Opposed};
use super::not_tested::NotTested;
use super::sample::Sample;
use super::test::{self, Instrument, Tested};
use super::unknown::Unknowns;
use super::{Conclusion, placement};
use crate::analysis::{Questions, ScoredTrial, TrialResult};
use crate::experiment::{Hypothesis, Sides, Test};
use crate::plan::Doubt;
use crate::stats::{Detectable, LeastMargin, Range, Target, detectable, least_margin, standard_deviation};

/// The tests of one hypothesis: one, or one for each level.
pub struct Evidence {
    pub tests: Vec<LevelTest>,
}

pub struct LevelTest {
    /// Empty where the claim is not made of each level.
    pub level: String,
    pub tested: Result<Tested, NotTested>,
}

impl LevelTest {
    fn failed(reason: NotTested) -> Self {
        Self { level: String::new(), tested: Err(reason) }
    }

    /// Lets the claim, and its opposite, hold only where it also holds at an extreme of what is not known.
    fn withstand(&mut self, unknown: Unknowns, extreme: Option<&Tested>, is_equivalence: bool) {
        let Ok(tested) = &mut self.tested else {
            self.tested = Err(NotTested::Unknown(unknown));
            return;
        };
        let effect = |tested: &Tested| tested.effects.first().map_or(0.0, |effect| effect.estimate);
        let (p_for, p_against) = match extreme {
            None => (1.0, 1.0),
            // Not even the direction is known: arms may be as one either way, but not different.
            Some(extreme) if effect(extreme) * effect(tested) < 0.0 => {
                (if is_equivalence { extreme.p_for } else { 1.0 }, 1.0)
            }
            Some(extreme) => (extreme.p_for, extreme.p_against),
        };
        tested.p_for = tested.p_for.max(p_for);
        tested.p_against = tested.p_against.max(p_against);
        tested.certain = None;
        tested.unknown = Some(unknown);
    }

    /// Of the claim or of its opposite; `None` where nothing was tested.
    pub fn p(&self) -> Option<f64> {
        let tested = self.tested.as_ref().ok()?;
        tested.certain.is_none().then(|| tested.p_for.min(tested.p_against))
    }

    /// What the design could have seen, at what Holm leaves of alpha to the least p.
    pub fn detectable(&self, alpha: f64) -> Option<Sight> {
        let tested = self.tested.as_ref().ok()?;
        let (n, sd) = (tested.n_prompts, standard_deviation(&tested.units).ok());
        let power = Target::default().power;
        match tested.instrument {
            Instrument::Signs(sides) => {
                let two_sided = if sides == Sides::One { 2.0 * alpha } else { alpha };
                let target = Target { alpha: two_sided, power };
                // Of a pattern without one size, only whether there are prompts enough.
                let found = detectable(sd.unwrap_or(1.0), n, target).ok()?;
                Some(Sight::Effect(found)).filter(|_| sd.is_some() || matches!(found, Detectable::Nothing { .. }))
            }
            Instrument::Margin(bounds, range) => {
                let LeastMargin { by_spread, by_unseen } =
                    least_margin(sd?, n, bounds, Target { alpha, power }).ok()?;
                Some(Sight::Margin(if range == Range::Unit { by_spread.max(by_unseen) } else { by_spread }))
            }
        }
    }
}

/// What a design can see.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sight {
    Effect(Detectable),
    /// The least within which no difference is shown to lie.
    Margin(f64),
}

impl Sight {
    pub fn size(self) -> Option<f64> {
        match self {
            Self::Effect(Detectable::From(size)) | Self::Margin(size) => Some(size),
            Self::Effect(Detectable::Nothing { .. }) => None,
        }
    }
}

impl Evidence {
    pub fn of(hypothesis: &Hypothesis, questions: Questions<'_>, trials: &[ScoredTrial]) -> Self {
        if let Some(obstacle) = obstacle(hypothesis, questions, trials) {
            return Self { tests: vec![LevelTest::failed(obstacle)] };
        }
        let mut tests = level_tests(hypothesis, &Sample::of(hypothesis, trials));
        if let Some(unknown) = Unknowns::of(hypothesis, trials) {
            let Some(opposed) = Opposed::of(hypothesis, trials) else {
                return Self { tests: vec![LevelTest::failed(NotTested::Unknown(unknown))] };
            };
            let is_equivalence = matches!(hypothesis.test, Test::Equivalence { .. });
            for extreme in Extreme::BOTH {
                let supposed = level_tests(hypothesis, &Sample::at(hypothesis, trials, unknown, &opposed, extreme));
                for test in &mut tests {
                    let same = supposed.iter().find(|supposed| supposed.level == test.level);
                    test.withstand(unknown, same.and_then(|test| test.tested.as_ref().ok()), is_equivalence);
                }
            }
        }
        Self { tests }
    }

    /// Whether there was no point in a test.
    pub fn has_obstacle(&self) -> bool {
        let obstacle = |test: &LevelTest| !matches!(test.tested, Ok(_) | Err(NotTested::Stats(_)));
        self.tests.iter().any(obstacle)
    }

    /// An intersection of claims holds if all hold: its p is the greatest (Berger
    /// 1982, "Multiparameter hypothesis testing and acceptance sampling").
    fn p_for(&self) -> f64 {
        self.tests.iter().map(|test| test.tested.as_ref().map_or(1.0, |tested| tested.p_for)).fold(0.0, f64::max)
    }

    /// It fails if one fails: Bonferroni.
    fn p_against(&self) -> f64 {
        let least = self.tests.iter().map(|test| test.tested.as_ref().map_or(1.0, |tested| tested.p_against));
        (least.fold(1.0, f64::min) * self.tests.len() as f64).min(1.0)
    }

    pub fn speaks_for(&self) -> bool {
        self.p_for() <= self.p_against()
    }

    /// What needs no test: the texts are the same.
    pub fn certain(&self) -> Option<Conclusion> {
        let certain = || self.tests.iter().map(|test| test.tested.as_ref().ok().and_then(|tested| tested.certain));
        if certain().any(|certain| certain == Some(Conclusion::Refuted)) {
            Some(Conclusion::Refuted)
        } else {
            let all = !self.tests.is_empty() && certain().all(|certain| certain == Some(Conclusion::Supported));
            all.then_some(Conclusion::Supported)
        }
    }

    /// The level that speaks most for the opposite.
    pub fn strongest_against(&self) -> Option<&LevelTest> {
        let p = |test: &&LevelTest| test.tested.as_ref().map_or(1.0, |tested| tested.p_against);
        self.tests.iter().min_by(|a, b| p(a).total_cmp(&p(b)))
    }

    pub fn p(&self) -> Option<f64> {
        let tested = self.tests.iter().any(|test| test.tested.is_ok());
        (tested && self.certain().is_none()).then(|| self.p_for().min(self.p_against()))
    }

    /// The level that speaks least for the claim.
    pub fn weakest(&self) -> Option<&LevelTest> {
        let weight = |test: &LevelTest| match &test.tested {
            Err(_) => (1.0, 0.0),
            Ok(tested) if tested.certain == Some(Conclusion::Refuted) => (2.0, 0.0),
            Ok(tested) => (tested.p_for, -tested.p_against),
        };
        // Of several that speak equally little, the first one.
        self.tests.iter().rev().max_by(|a, b| {
            let (a, b) = (weight(a), weight(b));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
        })
    }
}

pub fn level_tests(hypothesis: &Hypothesis, sample: &Sample<'_>) -> Vec<LevelTest> {
    let test = |level: String, sample: &Sample| {
        let tested = test::run(hypothesis, sample).map_err(NotTested::from);
        LevelTest { level, tested }
    };
    match hypothesis.each {
        None => vec![test(String::new(), sample)],
        Some(factor) => sample.split(factor).into_iter().map(|(level, sample)| test(level, &sample)).collect(),
    }
}

/// Why the trials can't decide a hypothesis, whatever they score.
pub fn obstacle(hypothesis: &Hypothesis, questions: Questions<'_>, trials: &[ScoredTrial]) -> Option<NotTested> {
    let factors = hypothesis.test.factors();
    if let Some(&factor) = questions.inert.iter().find(|factor| factors.contains(factor)) {
        return Some(NotTested::Inert(factor));
    }
    let taken = || trials.iter().filter(|scored| hypothesis.takes(scored.trial.point()));
    let doubted = |doubt: &&Doubt| {
        doubt.factor.is_none_or(|factor| factors.contains(&factor))
            && taken().any(|scored| scored.trial.cell.model() == doubt.model)
    };
    if let Some(Doubt { model, reason, .. }) = questions.doubts.iter().find(doubted) {
        return Some(NotTested::Doubted { model: model.clone(), reason: reason.clone() });
    }
    if let Some(obstacle) = placement::obstacle(&hypothesis.test, questions.host_experts, taken()) {
        return Some(obstacle);
    }
    let cut = taken().filter(|scored| matches!(scored.result, TrialResult::Censored { .. })).count();
    if cut > 0 {
        return Some(NotTested::Censored { cut, all: taken().count() });
    }
    None
}
