//! Makes the page's JSON, which the table of trials and the viewer of texts read.
//!
//! Owns its shape (`page/data.js` reads it). Texts that several trials share
//! stand in it once. Numbers are rounded to millionths: `trials.csv` has all digits.

use std::collections::{BTreeMap, HashMap};

use serde::{Serialize, Serializer};

use crate::analysis::{Apart, ScoredTrial, TrialResult};
use crate::domain::{Cell, Factor, Generation};
use crate::experiment::Prompt;
use crate::metrics::{Looping, Metric, Scores, tail_cycle};

#[derive(Debug, Serialize)]
pub struct Data<'a> {
    /// In the order of `trials.csv`'s columns.
    factors: Vec<&'static str>,
    metrics: Vec<&'static str>,
    cells: Vec<CellData<'a>>,
    prompts: Vec<PromptData<'a>>,
    /// Cell, prompt, seed, outcome: indices but for the seed.
    trials: Vec<(usize, usize, Option<u32>, usize)>,
    outcomes: Vec<OutcomeData<'a>>,
}

/// Levels as words, by factor, for a person to choose among.
#[derive(Debug)]
struct CellData<'a>(&'a Cell);

impl Serialize for CellData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.levels().map(|level| (level.factor().name(), level.to_string())))
    }
}

#[derive(Debug, Serialize)]
struct PromptData<'a> {
    id: &'a str,
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct OutcomeData<'a> {
    id: &'a str,
    status: &'static str,
    #[serde(flatten)]
    text: Option<TextData<'a>>,
    /// Why there is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct TextData<'a> {
    stop: &'static str,
    n_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thought: Option<&'a str>,
    /// The answer, where there is a thought.
    text: &'a str,
    /// None where the text counts for nothing, as it was cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<Vec<Option<f64>>>,
    tail: Option<Tail>,
}

/// The cycle in which a text ends: where it lies in the text, in UTF-16 units,
/// and what the metrics say of it, in tokens.
#[derive(Debug, PartialEq, Serialize)]
struct Tail {
    start: usize,
    period: usize,
    /// None where they are not known: then the copies are of characters.
    tokens: Option<f64>,
    copies: f64,
}

impl<'a> Data<'a> {
    /// `prompts` holds the texts of the trials' prompts; one that it lacks is shown without a text.
    pub fn new(trials: &'a [ScoredTrial], prompts: &'a [Prompt]) -> Self {
        let known: HashMap<_, _> = prompts.iter().map(|prompt| (prompt.id.as_str(), prompt)).collect();
        let (mut cells, mut asked, mut outcomes) = (Numbered::new(), Numbered::new(), Numbered::new());
        let mut rows = Vec::with_capacity(trials.len());
        for scored in trials {
            let trial = &scored.trial;
            let prompt = trial.prompt.as_str();
            rows.push((
                cells.of(&trial.cell, || CellData(&trial.cell)),
                asked.of(prompt, || PromptData {
                    id: prompt,
                    text: known.get(prompt).map(|prompt| &*prompt.text),
                    group: known.get(prompt).and_then(|prompt| prompt.group.as_deref()),
                }),
                trial.seed.map(|seed| seed.get()),
                // Trials of the same id have the same outcome.
                outcomes.of(&trial.id, || OutcomeData::new(scored)),
            ));
        }
        Self {
            factors: Factor::NAMES.into_iter().chain(["prompt", "seed"]).collect(),
            metrics: Metric::ALL.map(Metric::name).to_vec(),
            cells: cells.items,
            prompts: asked.items,
            trials: rows,
            outcomes: outcomes.items,
        }
    }
}

impl<'a> OutcomeData<'a> {
    fn new(scored: &'a ScoredTrial) -> Self {
        let (text, reason) = match &scored.result {
            TrialResult::Scored { generation, scores } => {
                let shown = Metric::ALL.iter().map(|&metric| scores.get(metric).map(rounded)).collect();
                (Some(TextData::new(generation, scored.apart.as_deref(), scores, Some(shown))), None)
            }
            TrialResult::Censored { generation, scores } => {
                (Some(TextData::new(generation, scored.apart.as_deref(), scores, None)), None)
            }
            TrialResult::Failed(failure) => (None, Some(&*failure.reason)),
            TrialResult::Missing => (None, None),
        };
        Self { id: scored.trial.id.as_str(), status: scored.result.status(), text, reason }
    }
}

impl<'a> TextData<'a> {
    fn new(
        generation: &'a Generation,
        apart: Option<&'a Apart>,
        scores: &Scores,
        shown: Option<Vec<Option<f64>>>,
    ) -> Self {
        let text = apart.map_or(&*generation.text, |apart| &*apart.answer);
        Self {
            stop: generation.stop.name(),
            n_tokens: generation.n_tokens(),
            thought: apart.map(|apart| &*apart.thought),
            text,
            scores: shown,
            tail: Tail::of(text, scores, apart.is_some()),
        }
    }
}

impl Tail {
    /// The tokens of a text that ends in a cycle of tokens are not kept apart in it; but then
    /// its characters end in a cycle too, which covers that of the tokens and at
    /// most a few characters more. Where the tokens are not known, or are a thought's as well, the
    /// cycle of the characters is shown if it is a loop.
    fn of(text: &str, scores: &Scores, has_thought: bool) -> Option<Self> {
        let units: Vec<u16> = text.encode_utf16().collect();
        let cycle = tail_cycle(&units)?;
        let (start, period) = (cycle.onset, cycle.period);
        let tokens = scores.get(Metric::TailPeriod).filter(|_| !has_thought);
        match (tokens, scores.get(Metric::TailCopies)) {
            (Some(tokens), Some(copies)) => Some(Self { start, period, tokens: Some(tokens), copies: rounded(copies) }),
            _ if scores.get(Metric::TailShare).is_some() && !has_thought => None,
            _ if Looping::of(text).ends_in_loop => {
                Some(Self { start, period, tokens: None, copies: rounded(cycle.copies()) })
            }
            _ => None,
        }
    }
}

/// Things numbered in the order in which their keys first come.
struct Numbered<K, T> {
    items: Vec<T>,
    numbers: BTreeMap<K, usize>,
}

impl<K: Ord, T> Numbered<K, T> {
    fn new() -> Self {
        Self { items: Vec::new(), numbers: BTreeMap::new() }
    }

    fn of(&mut self, key: K, item: impl FnOnce() -> T) -> usize {
        *self.numbers.entry(key).or_insert_with(|| {
            self.items.push(item());
            self.items.len() - 1
        })
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::score;
    use crate::report::sample;

    #[test]
    fn the_data_of_a_few_trials() {
        let analysis = sample::tiny();
        let prompts = [Prompt { id: "p01".to_owned(), text: "Once </script>".to_owned(), group: None }];
        let data = Data::new(&analysis.trials, &prompts);
        insta::assert_snapshot!(serde_json::to_string_pretty(&data).unwrap());
    }

    #[test]
    fn a_tail_lies_where_the_text_repeats() {
        // 😀 is two UTF-16 units.
        let text = "😀 so it is to be to be to be";
        let tail = Tail::of(text, &score(text, Some(&[9, 8, 7, 1, 2, 1, 2, 1, 2])), false);
        assert_eq!(tail, Some(Tail { start: 11, period: 6, tokens: Some(2.0), copies: 3.0 }));
        assert_eq!(Tail::of("no end in sight", &score("no end in sight", Some(&[1, 2, 3, 4])), false), None);
        let looping = "it goes on ".repeat(12);
        let tail = Tail::of(&looping, &score(&looping, None), false);
        assert_eq!(tail, Some(Tail { start: 0, period: 11, tokens: None, copies: 12.0 }));
        assert_eq!(Tail::of("to be to be", &score("to be to be", None), false), None);
    }

    #[test]
    fn trials_of_one_id_share_their_outcome() {
        let mut analysis = sample::tiny();
        let first = analysis.trials[0].clone();
        analysis.trials.push(first);
        let data = Data::new(&analysis.trials, &[]);
        assert_eq!(data.trials.last().unwrap().3, data.trials[0].3);
        assert_eq!(data.outcomes.len(), analysis.trials.len() - 1);
    }
}
