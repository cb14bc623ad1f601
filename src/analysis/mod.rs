//! From texts to numbers: scores of trials, summaries of cells.
//!
//! Pure. Knows metrics and stats, never the engine or the journal's files.

use rayon::prelude::*;

use crate::engine::{Generation, Stop};
use crate::experiment::{Factor, Hypothesis, Settings};
use crate::journal::format::{Failure, Outcome};
use crate::metrics::{self, Metric, Scores};
use crate::plan::{Cell, Design, Doubt, Trial, TrialId};
use crate::stats::Interval;

mod attribution;
mod cells;
mod host_experts;
mod level;
mod profile;
mod recommend;
mod sharing;
mod verdict;

pub use attribution::{Attribution, FactorTotal, SourceShare};
pub use host_experts::{Computed, HostExperts, Uncounted};
pub use profile::CellProfile;
pub use recommend::{Advice, AtTemperature, Limits, Recommendation, Standing, recommend};
pub use sharing::{Sharing, sharing};
pub use verdict::{NamedEffect, Outcome as VerdictOutcome, PartVerdict, TestKind, Verdict};

/// Everything that the reports show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Analysis {
    /// In plan order, one for each trial of the plan.
    pub trials: Vec<ScoredTrial>,
    /// In plan order, metrics in the order of [`Metric::ALL`].
    pub cells: Vec<CellSummary>,
    /// In the order of `cells`.
    pub profiles: Vec<CellProfile>,
    /// In file order.
    pub verdicts: Vec<Verdict>,
    /// `None` where fewer than two factors vary, or a note says why there is none.
    pub attribution: Option<Attribution>,
    pub notes: Vec<String>,
}

/// What is asked of the trials.
#[derive(Clone, Copy, Debug, Default)]
pub struct Questions<'a> {
    pub hypotheses: &'a [Hypothesis],
    pub settings: Settings,
    /// Factors whose levels are the same computation: see [`Design::inert`].
    pub inert: &'a [Factor],
    /// What servers do not honour: see [`Design::doubts`].
    pub doubts: &'a [Doubt],
    /// The loads whose experts a device may have computed although they are on the host.
    pub host_experts: &'a [HostExperts],
}

impl<'a> From<&'a Design> for Questions<'a> {
    fn from(Design { hypotheses, settings, inert, doubts, part, .. }: &'a Design) -> Self {
        // A part of the trials decides nothing.
        let hypotheses: &[_] = if part.is_some() { &[] } else { hypotheses };
        Self { hypotheses, settings: *settings, inert, doubts, host_experts: &[] }
    }
}

/// A trial of the plan and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredTrial {
    pub trial: Trial,
    pub result: TrialResult,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TrialResult {
    Scored {
        generation: Generation,
        scores: Scores,
    },
    /// A server cut it: what it would have become is not known, so it counts in no mean.
    Censored {
        generation: Generation,
        /// Of the text up to the cut.
        scores: Scores,
    },
    Failed(Failure),
    /// Not in the journal (yet).
    Missing,
}

/// One metric over the trials of one cell.
#[derive(Clone, Debug, PartialEq)]
pub struct CellSummary {
    pub cell: Cell,
    pub metric: Metric,
    /// Trials that have the metric.
    pub n: usize,
    /// None where `n` is 0.
    pub estimate: Option<Estimate>,
}

/// A mean is never shown without its interval; where there are too few
/// prompts for one, it is missing and said to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub mean: f64,
    pub median: f64,
    pub interval: Option<Interval>,
}

/// Scores the trials of a plan, given in its order, and summarises its cells.
///
/// `outcome_of` looks a trial's record up; a trial without one is missing.
/// Several trials may share an id: a chain that ignores the temperature has
/// one text for all the cells that differ in nothing else.
///
/// Runs on rayon's threads; their number changes nothing in the result.
pub fn analyse<'a>(
    trials: &[Trial],
    questions: Questions<'_>,
    outcome_of: impl Fn(&TrialId) -> Option<&'a Outcome> + Sync,
) -> Analysis {
    let scored = |trial: &Trial| ScoredTrial { trial: trial.clone(), result: score(outcome_of(&trial.id)) };
    let trials: Vec<_> = trials.par_iter().map(scored).collect();
    let mut notes = Vec::new();
    let attribution = attribution::attribute(&trials, questions.settings.metric).unwrap_or_else(|error| {
        notes.push(format!("the variation is not attributed to the factors: {error}"));
        None
    });
    Analysis {
        cells: cells::summarise(&trials),
        profiles: profile::profiles(&trials),
        verdicts: verdict::verdicts(&trials, questions),
        attribution,
        notes,
        trials,
    }
}

fn score(outcome: Option<&Outcome>) -> TrialResult {
    match outcome {
        Some(Outcome::Generated(generation)) => {
            let scores = metrics::score(&generation.text, generation.tokens.as_deref());
            let generation = generation.clone();
            match generation.stop {
                Stop::Cut => TrialResult::Censored { generation, scores },
                Stop::Eos | Stop::MaxTokens | Stop::Repetition | Stop::Unknown => {
                    TrialResult::Scored { generation, scores }
                }
            }
        }
        Some(Outcome::Failed(failure)) => TrialResult::Failed(failure.clone()),
        None => TrialResult::Missing,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::experiment::{Offload, OpOffload, Quant, Seed, Temperature, Template};

    fn id(name: &str) -> TrialId {
        serde_json::from_value(name.into()).unwrap()
    }

    fn trial(name: &str, temperature: f32, prompt: &str, seed: u32) -> Trial {
        let cell = Cell {
            model: "tiny".to_owned(),
            chain: "pure".to_owned(),
            offload: Offload::All,
            quant: Quant::Source,
            template: Template::Raw,
            op_offload: OpOffload::On,
            temperature: Temperature::new(temperature).unwrap(),
        };
        Trial { id: id(name), cell, prompt: prompt.to_owned(), seed: Seed::new(seed) }
    }

    fn generated(text: &str, tokens: &[i32]) -> Outcome {
        let (text, tokens) = (text.to_owned(), tokens.to_vec());
        Outcome::Generated(Generation::of_tokens(1, tokens, text, Stop::MaxTokens))
    }

    fn analyse_with(trials: &[Trial], outcomes: &[(&str, Outcome)]) -> Analysis {
        let outcomes: HashMap<TrialId, &Outcome> = outcomes.iter().map(|(name, outcome)| (id(name), outcome)).collect();
        analyse(trials, Questions::default(), |id| outcomes.get(id).copied())
    }

    fn summary(analysis: &Analysis, temperature: f32, metric: Metric) -> &CellSummary {
        let wanted = |s: &&CellSummary| s.cell.temperature.get() == temperature && s.metric == metric;
        analysis.cells.iter().find(wanted).unwrap()
    }

    #[test]
    fn cells_stand_in_plan_order_with_every_metric() {
        // The plan may go through the cells prompt by prompt, in file order.
        let trials = [trial("a", 0.9, "p", 0), trial("b", 0.1, "p", 0), trial("c", 0.9, "q", 0)];
        let analysis = analyse_with(&trials, &[]);
        assert!(analysis.trials.iter().map(|scored| &scored.trial).eq(&trials));
        let columns = analysis.cells.iter().map(|s| (s.cell.temperature.get(), s.metric));
        let expected = [0.9, 0.1].into_iter().flat_map(|t| Metric::ALL.map(|metric| (t, metric)));
        assert!(columns.eq(expected));
    }

    #[test]
    fn failed_and_missing_trials_are_told_apart_and_counted_in_no_cell() {
        let trials = [trial("a", 0.9, "p", 0), trial("b", 0.9, "q", 0), trial("c", 0.9, "r", 0)];
        let failure = Failure { reason: "the worker died".to_owned(), attempts: 2 };
        let outcomes = [("a", Outcome::Failed(failure.clone())), ("b", generated("so so so so", &[1, 1]))];
        let analysis = analyse_with(&trials, &outcomes);
        assert_eq!(analysis.trials[0].result, TrialResult::Failed(failure));
        assert!(matches!(analysis.trials[1].result, TrialResult::Scored { .. }));
        assert_eq!(analysis.trials[2].result, TrialResult::Missing);
        let repetition = summary(&analysis, 0.9, Metric::RepetitionScore);
        assert_eq!(repetition.n, 1);
        assert_eq!(repetition.estimate, Some(Estimate { mean: 0.5, median: 0.5, interval: None }));
    }

    #[test]
    fn a_metric_that_a_text_lacks_does_not_count() {
        let trials = [trial("a", 0.9, "p", 0), trial("b", 0.9, "q", 0)];
        let outcomes = [("a", generated("", &[1, 2, 3, 2, 3])), ("b", generated("", &[1, 2, 3]))];
        let analysis = analyse_with(&trials, &outcomes);
        assert_eq!(summary(&analysis, 0.9, Metric::TailOnset).n, 1);
        assert_eq!(summary(&analysis, 0.9, Metric::TailShare).n, 2);
        let words = summary(&analysis, 0.9, Metric::SeqRepWords1);
        assert_eq!((words.n, words.estimate), (0, None));
    }

    #[test]
    fn prompts_are_the_clusters_of_the_interval() {
        let texts = ["so so so so", "one two three four", "a b c d a b c d"];
        let trials: Vec<_> = (0..2)
            .flat_map(|seed| [0, 1, 2].map(|text| trial(&text.to_string(), 0.9, &format!("prompt {text}"), seed)))
            .collect();
        let outcomes = [0, 1, 2].map(|text| (["0", "1", "2"][text], generated(texts[text], &[])));
        let both_seeds = analyse_with(&trials, &outcomes);
        let one_seed = analyse_with(&trials[..3], &outcomes);
        let estimate = |analysis| summary(analysis, 0.9, Metric::RepetitionScore).estimate.unwrap();
        // A second seed that brings the same texts brings no certainty.
        assert_eq!(estimate(&both_seeds), estimate(&one_seed));
        assert!(estimate(&one_seed).interval.is_some());
    }

    #[test]
    fn trials_of_several_cells_may_share_a_record() {
        let trials = [trial("a", 0.1, "p", 0), trial("a", 0.9, "p", 0)];
        let analysis = analyse_with(&trials, &[("a", generated("so so so so", &[]))]);
        for temperature in [0.1, 0.9] {
            assert_eq!(summary(&analysis, temperature, Metric::RepetitionScore).n, 1);
        }
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let texts: Vec<String> = (0..60).map(|i| format!("{} so so {} so so", i % 7, i % 3)).collect();
        let names: Vec<String> = (0..60).map(|i| i.to_string()).collect();
        let trials: Vec<_> =
            (0..60).map(|i| trial(&names[i], (i % 4) as f32, &format!("prompt {}", i % 6), i as u32)).collect();
        let tokens = |i: usize| [1, 2, i as i32 % 5, 4, i as i32 % 2, 4];
        let outcomes: Vec<_> = (0..60).map(|i| (names[i].as_str(), generated(&texts[i], &tokens(i)))).collect();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| analyse_with(&trials, &outcomes))
        };
        assert_eq!(on(1), on(3));
    }
}
