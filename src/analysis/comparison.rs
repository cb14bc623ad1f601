//! Puts two runs beside each other: texts of the same cell, prompt and seed.
//!
//! Owns which texts are paired and what is computed of the pairs. Whether two runs may be
//! compared is the command's affair, how the outcome is shown `report`'s.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::parting::{Likeness, Unit, likeness};
use super::{Analysis, TrialResult};
use crate::domain::{Cell, Generation, Seed, Stop};
use crate::metrics::{Metric, Scores};
use crate::stats::{Kinds, Measured, Pair, PromptPairs, Range, SignTest, holm, mean, median, test_difference};

/// A run compared with another, by cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// In the order of A.
    pub rows: Vec<Row>,
    /// Texts that the other run lacks.
    pub only_in_a: usize,
    pub only_in_b: usize,
}

/// A cell's texts in both runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    #[serde(flatten)]
    pub cell: Cell,
    /// Texts that both have.
    pub n_paired: usize,
    /// Of these, the ones that are the same in both.
    pub n_identical: usize,
    /// Of the identical ones, those of which a server does not say why they ended: that is not compared.
    pub n_end_unknown: usize,
    /// Where the others part: an entry for each unit that they were compared in.
    pub parted: Vec<Parted>,
    /// Of the pairs, those with a score in both: what follows is computed of them.
    pub n_scored: usize,
    pub mean_a: Option<f64>,
    pub mean_b: Option<f64>,
    /// B less A; missing for fewer than two prompts, its interval for fewer than six.
    pub difference: Option<Measured>,
    /// After Holm over the cells.
    pub p_holm: Option<f64>,
}

/// How much texts that differ have in common before they part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parted {
    pub unit: Unit,
    pub n: usize,
    pub median: f64,
    pub least: usize,
    pub most: usize,
}

/// Compares the texts of `a` and `b`, and their scores by `metric`.
pub fn compare(a: &Analysis, b: &Analysis, metric: Metric) -> Comparison {
    let (of_a, of_b) = (texts(a), texts(b));
    let mut cells: Vec<(&Cell, Pairs)> = Vec::new();
    let mut places: BTreeMap<&Cell, usize> = BTreeMap::new();
    let mut paired = BTreeSet::new();
    for scored in &a.trials {
        let trial = &scored.trial;
        let key = (&trial.cell, &*trial.prompt, trial.seed);
        let (Some(one), Some(other)) = (of_a.get(&key), of_b.get(&key)) else { continue };
        if !paired.insert(key) {
            continue;
        }
        let place = *places.entry(&trial.cell).or_insert_with(|| {
            cells.push((&trial.cell, Pairs::default()));
            cells.len() - 1
        });
        cells[place].1.add(&trial.prompt, *one, *other, metric);
    }
    let lacking = |of: &Texts, other: &Texts| of.keys().filter(|key| !other.contains_key(*key)).count();
    Comparison { rows: rows(&cells, metric), only_in_a: lacking(&of_a, &of_b), only_in_b: lacking(&of_b, &of_a) }
}

type Texts<'a> = BTreeMap<(&'a Cell, &'a str, Option<Seed>), Text<'a>>;

/// A text; its scores where they count.
#[derive(Clone, Copy)]
struct Text<'a> {
    generation: &'a Generation,
    scores: Option<&'a Scores>,
}

fn texts<'a>(of: &'a Analysis) -> Texts<'a> {
    let text = |result: &'a TrialResult| match result {
        TrialResult::Scored { generation, scores } => Some(Text { generation, scores: Some(scores) }),
        TrialResult::Censored { generation, .. } => Some(Text { generation, scores: None }),
        TrialResult::Failed(_) | TrialResult::Missing => None,
    };
    let keyed = of.trials.iter().filter_map(|scored| {
        let trial = &scored.trial;
        Some(((&trial.cell, &*trial.prompt, trial.seed), text(&scored.result)?))
    });
    keyed.collect()
}

/// What both runs have of a cell.
#[derive(Default)]
struct Pairs<'a> {
    n_paired: usize,
    n_identical: usize,
    n_end_unknown: usize,
    parted: BTreeMap<Unit, Vec<usize>>,
    /// By prompt.
    scores: BTreeMap<&'a str, PromptPairs>,
}

impl<'a> Pairs<'a> {
    fn add(&mut self, prompt: &'a str, a: Text<'_>, b: Text<'_>, metric: Metric) {
        self.n_paired += 1;
        match likeness(a.generation, b.generation) {
            Likeness::Identical => {
                self.n_identical += 1;
                let untold = [a, b].iter().any(|text| text.generation.stop == Stop::Unknown);
                self.n_end_unknown += usize::from(untold);
            }
            Likeness::Parted(parting) => self.parted.entry(parting.unit).or_default().push(parting.after),
        }
        let score = |text: Text<'_>| {
            let (scores, value) = (text.scores?, text.scores?.get(metric)?);
            let loops = scores.loops_by(metric, value);
            Some((value, Kinds { loops, free: !loops }))
        };
        if let (Some((base, of_base)), Some((other, of_other))) = (score(a), score(b)) {
            let prompt = self.scores.entry(prompt).or_default();
            prompt.pairs.push(Pair { base, other });
            (prompt.base, prompt.other) = (prompt.base.and(of_base), prompt.other.and(of_other));
        }
    }
}

fn rows(cells: &[(&Cell, Pairs<'_>)], metric: Metric) -> Vec<Row> {
    let range = if metric.ends_at_1() { Range::Unit } else { Range::Unbounded };
    let test = |(_, pairs): &(&Cell, Pairs<'_>)| {
        let prompts: Vec<_> = pairs.scores.values().filter_map(PromptPairs::difference).collect();
        // The same texts have the same scores, of these prompts and all others.
        let range = if pairs.n_identical == pairs.n_paired { Range::Unbounded } else { range };
        test_difference(&prompts, 0.0, range).ok()
    };
    let tests: Vec<Option<SignTest>> = cells.iter().map(test).collect();
    let p: Vec<f64> = tests.iter().flatten().map(|test| test.p.p).collect();
    let mut adjusted = holm(&p).expect("p-values lie from 0 to 1").into_iter();
    let row = |((cell, pairs), test): (&(&Cell, Pairs<'_>), Option<SignTest>)| {
        let scores: Vec<Pair> = pairs.scores.values().flat_map(|prompt| &prompt.pairs).copied().collect();
        let of = |side: fn(&Pair) -> f64| mean(&scores.iter().map(side).collect::<Vec<_>>());
        Row {
            cell: (*cell).clone(),
            n_paired: pairs.n_paired,
            n_identical: pairs.n_identical,
            n_end_unknown: pairs.n_end_unknown,
            parted: pairs.parted.iter().filter_map(|(&unit, after)| parted(unit, after)).collect(),
            n_scored: scores.len(),
            mean_a: of(|pair| pair.base),
            mean_b: of(|pair| pair.other),
            difference: test.map(|test| test.mean),
            p_holm: test.and_then(|_| adjusted.next()),
        }
    };
    cells.iter().zip(tests).map(row).collect()
}

fn parted(unit: Unit, after: &[usize]) -> Option<Parted> {
    let median = median(&after.iter().map(|&count| count as f64).collect::<Vec<_>>())?;
    let (least, most) = after.iter().min().zip(after.iter().max())?;
    Some(Parted { unit, n: after.len(), median, least: *least, most: *most })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::ScoredTrial;
    use crate::domain::{Temperature, Trial};
    use crate::journal::format::Failure;
    use crate::metrics;

    fn trial(prompt: &str, seed: u32) -> Trial {
        let cell = Cell::usual("tiny", "pure", Temperature::new(0.5).unwrap());
        let id = serde_json::from_value("x".into()).unwrap();
        Trial { id, cell, prompt: prompt.to_owned(), seed: Seed::new(seed) }
    }

    fn run(results: Vec<TrialResult>) -> Analysis {
        let prompts = ["one", "two", "three"];
        let trials = (0..)
            .zip(results)
            .map(|(i, result)| ScoredTrial::new(trial(prompts[i % prompts.len()], (i / prompts.len()) as u32), result));
        Analysis { trials: trials.collect(), ..Analysis::default() }
    }

    fn said(text: &str, stop: Stop) -> TrialResult {
        let generation = Generation { tokens: None, ..Generation::of_tokens(1, vec![], text.to_owned(), stop) };
        let scores = metrics::score(text, None);
        match stop {
            Stop::Cut => TrialResult::Censored { generation, scores },
            _ => TrialResult::Scored { generation, scores },
        }
    }

    fn of_tokens(tokens: &[i32]) -> TrialResult {
        let text: String = tokens.iter().map(|token| format!("{token} ")).collect();
        let scores = metrics::score(&text, Some(tokens));
        TrialResult::Scored { generation: Generation::of_tokens(1, tokens.to_vec(), text, Stop::MaxTokens), scores }
    }

    fn only_row(a: Vec<TrialResult>, b: Vec<TrialResult>) -> Row {
        let comparison = compare(&run(a), &run(b), Metric::RepetitionScore);
        let [row] = &comparison.rows[..] else { panic!("one cell was compared: {comparison:?}") };
        row.clone()
    }

    #[test]
    fn texts_without_tokens_that_differ_are_not_identical() {
        let row = only_row(
            vec![said("a b c d", Stop::Eos), said("so so so so", Stop::Eos)],
            vec![said("a b c x", Stop::Eos), said("so so so so", Stop::Eos)],
        );
        assert_eq!((row.n_paired, row.n_identical), (2, 1));
        assert_eq!(row.parted, [Parted { unit: Unit::Characters, n: 1, median: 6.0, least: 6, most: 6 }]);
    }

    #[test]
    fn units_are_not_mixed() {
        let row = only_row(
            vec![of_tokens(&[1, 2, 3]), said("abc", Stop::Eos), of_tokens(&[5, 5, 5, 5])],
            vec![of_tokens(&[1, 2, 4]), said("abd", Stop::Eos), of_tokens(&[5, 5, 5, 5, 5, 5])],
        );
        let tokens = Parted { unit: Unit::Tokens, n: 2, median: 3.0, least: 2, most: 4 };
        let characters = Parted { unit: Unit::Characters, n: 1, median: 2.0, least: 2, most: 2 };
        assert_eq!(row.parted, [tokens, characters]);
    }

    #[test]
    fn a_cut_text_is_compared_and_scored_in_no_mean() {
        let row = only_row(
            vec![said("so so so so", Stop::Eos), said("a b", Stop::Cut)],
            vec![said("so so so so", Stop::Eos), said("a b", Stop::Eos)],
        );
        assert_eq!((row.n_paired, row.n_identical, row.n_scored), (2, 1, 1));
        assert_eq!((row.mean_a, row.mean_b), (Some(0.5), Some(0.5)));
    }

    #[test]
    fn a_mean_of_no_scores_is_missing() {
        let row = only_row(vec![said("a", Stop::Cut)], vec![said("a", Stop::Cut)]);
        assert_eq!((row.n_identical, row.n_scored), (1, 0));
        assert_eq!((row.mean_a, row.mean_b, row.difference, row.p_holm), (None, None, None, None));
    }

    #[test]
    fn an_end_that_is_not_told_is_counted() {
        let row = only_row(
            vec![said("a", Stop::Unknown), said("b", Stop::Eos), said("c", Stop::Unknown)],
            vec![said("a", Stop::Eos), said("b", Stop::Eos), said("d", Stop::Eos)],
        );
        assert_eq!((row.n_identical, row.n_end_unknown), (2, 1));
    }

    #[test]
    fn texts_that_one_run_lacks_are_counted() {
        let failed = TrialResult::Failed(Failure { reason: "it died".to_owned(), attempts: 1 });
        let (a, b) = (run(vec![of_tokens(&[1]), failed]), run(vec![TrialResult::Missing, of_tokens(&[1])]));
        let comparison = compare(&a, &b, Metric::RepetitionScore);
        assert_eq!((comparison.rows.len(), comparison.only_in_a, comparison.only_in_b), (0, 1, 1));
    }
}
