//! Turns texts into numbers: scores of trials, summaries of cells.
//!
//! Pure. Knows metrics and stats, never the engine or the journal's files.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::domain::{Cell, Factor, Generation, Stop, Trial, TrialId};
use crate::experiment::{Hypothesis, Prompt, Settings};
use crate::journal::record::{Failure, Outcome};
use crate::metrics::{Markers, Metric, Scores, TextPart, Written, score, score_written};
use crate::plan::{Design, Doubt, Sequence};
use crate::stats::{Dispersion, Interval};

mod answer;
mod attribution;
mod blindness;
mod cells;
mod comparison;
mod doubts;
mod groups;
mod host_experts;
mod mean;
mod outlook;
mod parting;
mod profile;
mod recommend;
mod sampled;
pub mod sequential;
mod sharing;
mod verdict;
mod windows;

pub use answer::{AskedBy, Change, Course, RunAnswer, Says, Side, Texts};
pub use attribution::{Attribution, FactorTotal, SourceShare};
pub use blindness::Blindness;
pub use comparison::{Comparison, Parted, Row, compare};
pub use groups::Groups;
pub use host_experts::{Computed, HostExperts, Uncounted};
pub use outlook::{Each, Needed, Outlook, Quantity, Sight, Source as SpreadSource, Spread, Unseen, outlooks};
pub use parting::Unit;
pub use profile::{CellProfile, OnsetUnit};
pub use recommend::{Advice, AtTemperature, CleanChain, Limits, Measure, Recommendation, Standing, recommend};
pub use sequential::{Looks, Sequential};
pub use sharing::{Sharing, sharing};
pub use verdict::{Conclusion, LevelVerdict, NamedEffect, RULES, TestKind, Verdict, p_in_words, verdicts};
pub use windows::loops_beyond_last_n;

/// Everything that the reports show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Analysis {
    /// In plan order, one for each trial of the plan.
    pub trials: Vec<ScoredTrial>,
    /// In plan order, metrics in the order of [`Metric::ALL`].
    pub cells: Vec<CellSummary>,
    /// In the order of `cells`.
    pub profiles: Vec<CellProfile>,
    /// Of the prompts: the strata of the intervals.
    pub groups: Groups,
    /// What the profiles' onsets are counted in.
    pub onset_unit: OnsetUnit,
    /// Factors whose levels are the same computation: see [`Design::inert`].
    pub inert: Vec<Factor>,
    /// In file order.
    pub verdicts: Vec<Verdict>,
    /// `None` where fewer than two factors vary, or a note says why there is none.
    pub attribution: Option<Attribution>,
    /// Of an experiment that stops as soon as its hypotheses are decided: then `trials` are those of the
    /// prompts that it looked at.
    pub sequential: Option<Sequential>,
    pub notes: Vec<String>,
}

/// What is asked of the trials.
#[derive(Clone, Copy, Debug, Default)]
pub struct Questions<'a> {
    pub hypotheses: &'a [Hypothesis],
    pub settings: Settings,
    /// Those that the trials are of, with their groups.
    pub prompts: &'a [Prompt],
    /// Factors whose levels are the same computation: see [`Design::inert`].
    pub inert: &'a [Factor],
    /// What servers do not honour: see [`Design::doubts`].
    pub doubts: &'a [Doubt],
    /// Between what each model writes its thought: see [`Design::thought_markers`].
    pub thought_markers: Option<&'a BTreeMap<String, Markers>>,
    /// The loads whose experts a device may have computed although they are on the host.
    pub host_experts: &'a [HostExperts],
    /// How its prompts are looked at one by one, if they are.
    pub sequential: Option<&'a Sequence>,
}

impl<'a> From<&'a Design> for Questions<'a> {
    fn from(design: &'a Design) -> Self {
        let Design { hypotheses, settings, prompts, inert, doubts, thought_markers, sequential, part, .. } = design;
        // A part of the trials decides nothing.
        let hypotheses: &[_] = if part.is_some() { &[] } else { hypotheses };
        let thought_markers = Some(thought_markers);
        Self {
            hypotheses,
            settings: *settings,
            prompts,
            inert,
            doubts,
            thought_markers,
            host_experts: &[],
            sequential: sequential.as_ref(),
        }
    }
}

/// A trial of the plan and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredTrial {
    pub trial: Trial,
    pub result: TrialResult,
    /// Of a text that has a thought: thought and answer, each for itself.
    pub apart: Option<Box<Apart>>,
}

/// The parts of a text, and the scores of each; tokens are not told apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Apart {
    pub thought: String,
    pub thought_scores: Scores,
    pub answer: String,
    pub answer_scores: Scores,
}

impl ScoredTrial {
    /// A trial whose text has no thought.
    pub fn new(trial: Trial, result: TrialResult) -> Self {
        Self { trial, result, apart: None }
    }

    /// The scores of a part of its text, if it counts and has that part.
    pub fn scores_of(&self, part: TextPart) -> Option<&Scores> {
        let TrialResult::Scored { scores, .. } = &self.result else { return None };
        match (part, &self.apart) {
            (TextPart::Whole, _) | (TextPart::Answer, None) => Some(scores),
            (TextPart::Thought, None) => None,
            (TextPart::Thought, Some(apart)) => Some(&apart.thought_scores),
            (TextPart::Answer, Some(apart)) => Some(&apart.answer_scores),
        }
    }
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

impl TrialResult {
    /// The one word for it: in `trials.csv`, on the page, on the terminal.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Scored { .. } => "ok",
            Self::Censored { .. } => "censored",
            Self::Failed(_) => "failed",
            Self::Missing => "missing",
        }
    }
}

/// One metric over the trials of one cell.
#[derive(Clone, Debug, PartialEq)]
pub struct CellSummary {
    pub cell: Cell,
    pub metric: Metric,
    /// Trials that have the metric.
    pub n: usize,
    /// Of their values.
    pub spread: Dispersion,
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
    let markers = |trial: &Trial| questions.thought_markers?.get(trial.cell.model());
    let scored = |trial: &Trial| score_trial(trial, outcome_of(&trial.id), markers(trial));
    let planned = trials;
    let mut trials: Vec<_> = planned.par_iter().map(scored).collect();
    let sequential = sequential::decide(planned, questions, &trials);
    if let Some(sequential) = &sequential {
        trials.retain(|scored| sequential.used(&scored.trial));
    }
    let mut notes = doubts::notes(&trials);
    notes.extend(sequential.iter().flat_map(|sequential| sequential.notes.clone()));
    notes.extend(
        Blindness::of(questions.settings.metric, TextPart::Whole, &trials).if_forbids().map(|blind| blind.to_string()),
    );
    let attribution = attribution::attribute(&trials, questions.settings).unwrap_or_else(|error| {
        notes.push(format!("the variation is not attributed to the factors: {error}"));
        None
    });
    let onset_unit = OnsetUnit::of(&trials);
    let groups = Groups::of(questions.prompts);
    Analysis {
        cells: cells::summarise(&trials, &groups),
        profiles: profile::profiles(&trials, &groups, onset_unit),
        groups,
        onset_unit,
        inert: questions.inert.to_vec(),
        verdicts: decided(&trials, questions, sequential.as_ref()),
        attribution,
        sequential,
        notes,
        trials,
    }
}

/// By the looks, where the experiment has them, over the prompts that were looked at.
fn decided(trials: &[ScoredTrial], questions: Questions<'_>, sequential: Option<&Sequential>) -> Vec<Verdict> {
    let Some(sequential) = sequential else { return verdict::verdicts(trials, questions) };
    let is_looked_at = |scored: &&ScoredTrial| sequential.prompts.contains(&scored.trial.prompt);
    let looked: Cow<'_, [ScoredTrial]> = match sequential.ending {
        sequential::Ending::Open => trials.iter().filter(is_looked_at).cloned().collect(),
        sequential::Ending::Decided | sequential::Ending::Spent => Cow::Borrowed(trials),
    };
    let mut verdicts = verdict::verdicts(&looked, questions);
    sequential::overrule(&mut verdicts, sequential, questions, &looked);
    verdicts
}

fn score_trial(trial: &Trial, outcome: Option<&Outcome>, markers: Option<&Markers>) -> ScoredTrial {
    let generation = match outcome {
        Some(Outcome::Generated(generation)) => generation,
        Some(Outcome::Failed(failure)) => return ScoredTrial::new(trial.clone(), TrialResult::Failed(failure.clone())),
        None => return ScoredTrial::new(trial.clone(), TrialResult::Missing),
    };
    let written = Written::of(&generation.text, generation.thought.as_deref(), markers);
    let scores = score_written(&written, generation.tokens.as_deref());
    let apart = written.thought.as_deref().map(|thought| {
        let answer = &*written.answer;
        let (thought_scores, answer_scores) = (score(thought, None), score(answer, None));
        Box::new(Apart { thought: thought.to_owned(), thought_scores, answer: answer.to_owned(), answer_scores })
    });
    let generation = generation.clone();
    let result = match generation.stop {
        Stop::Cut => TrialResult::Censored { generation, scores },
        Stop::Repetition => TrialResult::Scored { generation, scores: scores.of_a_loop() },
        Stop::Eos | Stop::MaxTokens | Stop::Context | Stop::Grammar | Stop::Unknown => {
            TrialResult::Scored { generation, scores }
        }
    };
    ScoredTrial { trial: trial.clone(), result, apart }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::domain::{Seed, Temperature};

    fn id(name: &str) -> TrialId {
        TrialId::known(name)
    }

    pub fn trial(name: &str, temperature: f32, prompt: &str, seed: u32) -> Trial {
        let cell = Cell::usual("tiny", "pure", Temperature::new(temperature).unwrap());
        Trial { id: id(name), cell, prompt: prompt.to_owned(), seed: Seed::new(seed) }
    }

    pub fn generated(text: &str, tokens: &[i32]) -> Outcome {
        let (text, tokens) = (text.to_owned(), tokens.to_vec());
        Outcome::Generated(Generation::of_tokens(1, tokens, text, Stop::MaxTokens))
    }

    fn analyse_with(trials: &[Trial], outcomes: &[(&str, Outcome)]) -> Analysis {
        let outcomes: HashMap<TrialId, &Outcome> = outcomes.iter().map(|(name, outcome)| (id(name), outcome)).collect();
        analyse(trials, Questions::default(), |id| outcomes.get(id).copied())
    }

    fn summary(analysis: &Analysis, temperature: f32, metric: Metric) -> &CellSummary {
        let wanted = |s: &&CellSummary| s.cell.temperature().get() == temperature && s.metric == metric;
        analysis.cells.iter().find(wanted).unwrap()
    }

    #[test]
    fn cells_stand_in_plan_order_with_every_metric() {
        // The plan may go through the cells prompt by prompt, in file order.
        let trials = [trial("a", 0.9, "p", 0), trial("b", 0.1, "p", 0), trial("c", 0.9, "q", 0)];
        let analysis = analyse_with(&trials, &[]);
        assert!(analysis.trials.iter().map(|scored| &scored.trial).eq(&trials));
        let columns = analysis.cells.iter().map(|s| (s.cell.temperature().get(), s.metric));
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
        const NAMES: [&str; 6] = ["0", "1", "2", "3", "4", "5"];
        let texts = ["so so so so", "one two three four", "a b c d a b c d"];
        let of_seed = |seed| (0..6).map(move |text| trial(NAMES[text], 0.9, &format!("prompt {text}"), seed));
        let trials: Vec<_> = (0..2).flat_map(of_seed).collect();
        let outcomes: Vec<_> = (0..6).map(|text| (NAMES[text], generated(texts[text % 3], &[]))).collect();
        let both_seeds = analyse_with(&trials, &outcomes);
        let one_seed = analyse_with(&trials[..6], &outcomes);
        let summary = |analysis| summary(analysis, 0.9, Metric::RepetitionScore).clone();
        let (both, one) = (summary(&both_seeds), summary(&one_seed));
        // A second seed that brings the same texts brings no certainty.
        assert_eq!(both.estimate, one.estimate);
        assert!(one.estimate.unwrap().interval.is_some());
        assert_eq!((both.spread.n_prompts, both.spread.icc, one.spread.icc), (6, Some(1.0), None));
        assert!((both.spread.standard_error.unwrap() - one.spread.standard_error.unwrap()).abs() < 1e-12);
    }

    /// Texts of one group repeat themselves, more or less; those of the other do not.
    #[test]
    fn groups_of_prompts_are_the_strata_of_the_intervals() {
        let names: Vec<String> = (0..24).map(|place| place.to_string()).collect();
        let text = |place: usize| match (place < 12, place.is_multiple_of(4)) {
            (true, false) => "so so so so".to_owned(),
            _ => "one two three four".to_owned(),
        };
        let trials: Vec<_> = (0..24).map(|i| trial(&names[i], 0.9, &format!("prompt {i}"), 0)).collect();
        let outcomes: HashMap<TrialId, Outcome> = (0..24).map(|i| (id(&names[i]), generated(&text(i), &[]))).collect();
        let prompts = |group: fn(usize) -> Option<String>| -> Vec<Prompt> {
            let prompt = |i: usize| Prompt { id: format!("prompt {i}"), text: i.to_string(), group: group(i) };
            (0..24).map(prompt).collect()
        };
        let of = |prompts: &[Prompt]| {
            let analysis = analyse(&trials, Questions { prompts, ..Questions::default() }, |id| outcomes.get(id));
            let found = summary(&analysis, 0.9, Metric::RepetitionScore).clone();
            (found, analysis)
        };
        let (pooled, all) = of(&[]);
        let (strata, _) = of(&prompts(|i| Some((i / 12).to_string())));
        let mean = |summary: &CellSummary| summary.estimate.unwrap().mean;
        assert_eq!(mean(&strata), mean(&pooled));
        let error = |summary: &CellSummary| summary.spread.standard_error.unwrap();
        // Of the first group nine score 0.5 and three 0, so that Σ(d − d̄)² is 0.5625: √(23/24 × 12/11 × 0.5625) / 24.
        assert!((error(&strata) - 0.031_952_3).abs() < 1e-6);
        assert!(error(&strata) < 0.9 * error(&pooled), "{}", error(&pooled));
        let low = |summary: &CellSummary| summary.estimate.unwrap().interval.unwrap().low;
        assert!(low(&strata) > low(&pooled), "{} {}", low(&strata), low(&pooled));
        // One group, or prompts that name none, is no group at all.
        assert_eq!(of(&prompts(|_| None)).1, all);
        assert_eq!(of(&prompts(|_| Some("all".to_owned()))).1.cells, all.cells);
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
