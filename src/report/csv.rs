//! Writes the CSV files: one row a trial, one row a cell and metric, one row a timing.
//!
//! `trials.csv` and `cells.csv` are byte-identical for the same experiment;
//! what varies from run to run stands in `timings.csv`. A missing value is an
//! empty field, never 0; a float is the shortest text that reads back the same.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::analysis::sequential::Look;
use crate::analysis::{Analysis, CellSummary, ScoredTrial, Sequential, TrialResult};
use crate::domain::{Cell, Factor, LoadKey, Seed, Trial, TrialId};
use crate::experiment::Prompt;
use crate::hardware::Ceiling;
use crate::metrics::{Metric, Scores, TextPart};
use crate::report::table::Table;
use crate::results::Spared;
use crate::stats::{Dispersion, Effect, Interval};

/// One line of `timings.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct TimingRow<'a> {
    pub what: Timed<'a>,
    pub seconds: Option<f64>,
    /// Sequences decoded together.
    pub rows: Option<u32>,
    /// Tokens that were asked for.
    pub tokens: Option<u64>,
    /// Tokens that went through the model for them.
    pub evaluated_tokens: Option<u64>,
    /// The fewest that could have.
    pub distinct_prefixes: Option<u64>,
    /// From the beginning of the prompt's evaluation to the first token.
    pub first_token_seconds: Option<f64>,
    pub saved: Option<Saved>,
    /// Products of a weight with an activation, and what the machine can do at most.
    pub products: Option<Products>,
}

/// What of a machine's speed was used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Products {
    pub per_s: f64,
    /// None where it was not measured.
    pub ceiling: Option<Ceiling>,
}

/// Tokens that need not be evaluated, by the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Of a prompt, for its second text and each after it.
    pub by_prompts: u64,
    /// With which an earlier text of the prompt begins too.
    pub by_beginnings: u64,
    /// With which an earlier prompt begins too; None where it is not known.
    pub by_heads: Option<u64>,
    pub by_stopping: Option<Spared>,
}

/// What took the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timed<'a> {
    Trial(&'a TrialId),
    /// A model's loading.
    Load(&'a LoadKey),
    /// A loaded model's steps in one run.
    Products(&'a LoadKey),
    /// All that a loaded model did, in all runs.
    Work(&'a LoadKey),
    /// A loaded model's texts made one at a time.
    Alone(&'a LoadKey),
    /// The whole run, by the experiment's name.
    Run(&'a str),
}

impl<'a> TimingRow<'a> {
    /// A row that says nothing yet.
    pub fn of(what: Timed<'a>) -> Self {
        Self {
            what,
            seconds: None,
            rows: None,
            tokens: None,
            evaluated_tokens: None,
            distinct_prefixes: None,
            first_token_seconds: None,
            saved: None,
            products: None,
        }
    }
}

/// Writes `trials.csv`: a row a trial, in plan order. `unseen_by` names what can't see whether the
/// text repeats itself: `words` (the finding's), `characters`, or both. `draw_seed` is what the sampler was seeded
/// with, to make the text again elsewhere. `group` is the prompt's, where any of the `prompts` has one.
pub fn write_trials(
    analysis: &Analysis,
    prompts: &[Prompt],
    draw_seed: impl Fn(&Trial) -> Option<Seed>,
    out: impl Write,
) -> io::Result<()> {
    let mut table = Table::new(out);
    let columns = ["prompt", "seed", "status", "stop", "n_prompt_tokens", "n_tokens", "unseen_by", "draw_seed"];
    let groups: BTreeMap<&str, &str> =
        prompts.iter().filter_map(|prompt| Some((&*prompt.id, prompt.group.as_deref()?))).collect();
    let column = (!groups.is_empty()).then_some("group");
    let columns = columns.into_iter().chain(column).chain(Metric::ALL.map(Metric::name));
    table.row(["trial_id"].into_iter().chain(Factor::NAMES).chain(columns))?;
    for scored in &analysis.trials {
        let group = column.map(|_| groups.get(&*scored.trial.prompt).copied().unwrap_or_default());
        table.row(trial_fields(scored, draw_seed(&scored.trial), group))?;
    }
    table.flush()
}

/// Writes `cells.csv`: a row a cell and metric, in plan order; then a row a cell
/// for what is no mean of texts' metrics: `p_loop`, `score_without_loop` and
/// `self_repetition`, whose n is texts, texts and prompts. `se` and `icc` are those of [`Dispersion`], to pool runs and
/// to plan the next: `icc` is empty where no prompt has two texts. `n_empty` counts the cell's texts that
/// have no answer, which is never a clean text.
pub fn write_cells(analysis: &Analysis, out: impl Write) -> io::Result<()> {
    let mut table = Table::new(out);
    let columns = ["metric", "n", "n_empty", "mean", "ci_low", "ci_high", "level", "median", "n_prompts", "se", "icc"];
    table.row(Factor::NAMES.into_iter().chain(columns))?;
    let n_empty = empty_answers(analysis);
    let n_empty = |cell| n_empty.get(cell).copied().unwrap_or(0);
    for CellSummary { cell, metric, n, spread, estimate } in &analysis.cells {
        let mean = estimate.map(|e| e.mean);
        let median = estimate.map(|e| e.median);
        let row = CellRow { metric: metric.name(), n: *n, n_empty: n_empty(cell), spread: *spread, mean, median };
        table.row(row.fields(cell, estimate.and_then(|e| e.interval)))?;
    }
    for profile in &analysis.profiles {
        let effect = |metric, n, spread, effect: Option<Effect>| {
            let n_empty = n_empty(&profile.cell);
            let row = CellRow { metric, n, n_empty, spread, mean: effect.map(|e| e.estimate), median: None };
            row.fields(&profile.cell, effect.map(|e| e.interval))
        };
        let two = profile.two_part;
        let (n_texts, loops) = two.map_or_else(Default::default, |two| (two.n_texts, two.spread_of_loops));
        table.row(effect("p_loop", n_texts, loops, two.map(|two| two.loops)))?;
        let (n_free, free) =
            two.map_or_else(Default::default, |two| (two.n_texts - two.n_loops, two.spread_without_loop));
        table.row(effect("score_without_loop", n_free, free, two.and_then(|two| two.score_without_loop)))?;
        let alike = profile.spread_of_self_repetition;
        table.row(effect("self_repetition", alike.n_prompts, alike, profile.self_repetition))?;
    }
    table.flush()
}

/// Writes `sequential.csv`: a row a prompt and hypothesis, in the order of the looks. `e` is the evidence for
/// the claim or against it, whichever is more, and p = min(1, 1 / the greatest e so far). A hypothesis that was let go of
/// has no more rows.
pub fn write_looks(sequential: &Sequential, out: impl Write) -> io::Result<()> {
    let mut table = Table::new(out);
    table.row(["t", "prompt", "hypothesis", "e", "p", "state"])?;
    for (place, prompt) in sequential.prompts.iter().enumerate() {
        for path in &sequential.paths {
            let Some(&Look { ln_e, p, state }) = path.looks.get(place) else { continue };
            let e = ln_e.exp().min(f64::MAX);
            let t = (place + 1).to_string();
            table.row([&t, prompt, &path.hypothesis, &e.to_string(), &p.to_string(), &state.to_string()])?;
        }
    }
    table.flush()
}

/// Writes `onset.csv`: for each cell, the share of texts without a loop after so many tokens, or
/// characters, a row a step of the survival curve.
pub fn write_onsets(analysis: &Analysis, out: impl Write) -> io::Result<()> {
    let mut table = Table::new(out);
    let columns = ["unit", "time", "without_loop", "ci_low", "ci_high", "level", "n_at_risk", "n_onsets", "se"];
    table.row(Factor::NAMES.into_iter().chain(columns))?;
    for profile in &analysis.profiles {
        for step in profile.onset.iter().flat_map(|curve| &curve.steps) {
            let of = step.interval;
            let limits = [of.map(|of| of.low), of.map(|of| of.high), of.map(|of| of.level)].map(or_empty);
            let numbers = [step.time.to_string(), step.survival.to_string()].into_iter().chain(limits);
            let counts = [step.n_at_risk, step.n_onsets].map(|count| count.to_string());
            let se = [or_empty(step.standard_error)];
            let unit = [analysis.onset_unit.to_string()];
            table.row(factor_fields(&profile.cell).into_iter().chain(unit).chain(numbers).chain(counts).chain(se))?;
        }
    }
    table.flush()
}

/// Writes `parts.csv`: thought and answer of each text that has a thought, a row each, scored by
/// themselves. Metrics of tokens are empty: which tokens are whose is not known.
pub fn write_parts(analysis: &Analysis, out: impl Write) -> io::Result<()> {
    let mut table = Table::new(out);
    let columns = ["prompt", "seed", "part", "n_chars", "unseen_by"];
    table.row(["trial_id"].into_iter().chain(Factor::NAMES).chain(columns).chain(Metric::ALL.map(Metric::name)))?;
    for ScoredTrial { trial, apart, .. } in &analysis.trials {
        let Some(apart) = apart else { continue };
        let parts = [
            (TextPart::Thought, &apart.thought, &apart.thought_scores),
            (TextPart::Answer, &apart.answer, &apart.answer_scores),
        ];
        for (part, text, scores) in parts {
            let mut fields = vec![trial.id.to_string()];
            fields.extend(factor_fields(&trial.cell));
            fields.extend([trial.prompt.clone(), or_empty(trial.seed), part.to_string()]);
            fields.extend([text.chars().count().to_string(), unseen_by(scores)]);
            fields.extend(Metric::ALL.map(|metric| or_empty(scores.get(metric))));
            table.row(fields)?;
        }
    }
    table.flush()
}

fn unseen_by(scores: &Scores) -> String {
    scores.unseen_by().collect::<Vec<_>>().join(" ")
}

fn empty_answers(analysis: &Analysis) -> BTreeMap<&Cell, usize> {
    let mut counts = BTreeMap::new();
    for scored in &analysis.trials {
        let is_empty =
            scored.scores_of(TextPart::Whole).is_some_and(|scores| scores.get(Metric::EmptyAnswer) == Some(1.0));
        *counts.entry(&scored.trial.cell).or_default() += usize::from(is_empty);
    }
    counts
}

/// Writes `timings.csv`: a row for each thing that was timed.
pub fn write_timings<'a>(rows: impl IntoIterator<Item = TimingRow<'a>>, out: impl Write) -> io::Result<()> {
    let mut table = Table::new(out);
    table.row([
        "kind",
        "id",
        "seconds",
        "rows",
        "tokens",
        "tokens_per_second",
        "evaluated_tokens",
        "distinct_prefixes",
        "first_token_seconds",
        "saved_by_shared_prompts",
        "saved_by_shared_beginnings",
        "saved_by_shared_heads",
        "texts_not_needed",
        "saved_by_stopping",
        "products_per_second",
        "share_of_float_products",
        "share_of_byte_products",
    ])?;
    for row in rows {
        let (kind, id) = match row.what {
            Timed::Trial(id) => ("trial", id.to_string()),
            Timed::Work(key) => ("work", key.to_string()),
            Timed::Load(key) => ("load", key.to_string()),
            Timed::Products(key) => ("products", key.to_string()),
            Timed::Alone(key) => ("alone", key.to_string()),
            Timed::Run(experiment) => ("run", experiment.to_owned()),
        };
        let seconds = row.seconds.filter(|&seconds| seconds > 0.0);
        let spared = row.saved.and_then(|saved| saved.by_stopping);
        let rate = row.tokens.zip(seconds).map(|(tokens, seconds)| tokens as f64 / seconds);
        table.row([
            kind,
            &id,
            &or_empty(row.seconds),
            &or_empty(row.rows),
            &or_empty(row.tokens),
            &or_empty(rate),
            &or_empty(row.evaluated_tokens),
            &or_empty(row.distinct_prefixes),
            &or_empty(row.first_token_seconds),
            &or_empty(row.saved.map(|saved| saved.by_prompts)),
            &or_empty(row.saved.map(|saved| saved.by_beginnings)),
            &or_empty(row.saved.and_then(|saved| saved.by_heads)),
            &or_empty(spared.map(|spared| spared.texts)),
            &or_empty(spared.map(|spared| spared.tokens)),
            &or_empty(row.products.map(|products| products.per_s)),
            &or_empty(row.products.and_then(|products| Some(products.per_s / products.ceiling?.floats_per_s))),
            &or_empty(row.products.and_then(|products| Some(products.per_s / products.ceiling?.bytes_per_s))),
        ])?;
    }
    table.flush()
}

/// `group` is `None` where there is no such column.
fn trial_fields(
    ScoredTrial { trial, result, .. }: &ScoredTrial,
    draw_seed: Option<Seed>,
    group: Option<&str>,
) -> Vec<String> {
    let (generation, scores) = match result {
        TrialResult::Scored { generation, scores } => (Some(generation), *scores),
        TrialResult::Censored { generation, .. } => (Some(generation), Scores::default()),
        TrialResult::Failed(_) | TrialResult::Missing => (None, Scores::default()),
    };
    let mut fields = vec![trial.id.to_string()];
    fields.extend(factor_fields(&trial.cell));
    fields.extend([
        trial.prompt.clone(),
        or_empty(trial.seed),
        result.status().to_owned(),
        or_empty(generation.map(|g| g.stop.name())),
        or_empty(generation.and_then(|g| g.n_prompt_tokens)),
        or_empty(generation.and_then(|g| g.n_tokens())),
        if matches!(result, TrialResult::Scored { .. }) { unseen_by(&scores) } else { String::new() },
        or_empty(draw_seed),
    ]);
    fields.extend(group.map(str::to_owned));
    fields.extend(Metric::ALL.map(|metric| or_empty(scores.get(metric))));
    fields
}

/// Of the columns [`Factor::NAMES`].
fn factor_fields(cell: &Cell) -> Vec<String> {
    cell.levels().map(ToString::to_string).collect()
}

struct CellRow<'a> {
    metric: &'a str,
    n: usize,
    n_empty: usize,
    spread: Dispersion,
    mean: Option<f64>,
    median: Option<f64>,
}

impl CellRow<'_> {
    fn fields(self, cell: &Cell, interval: Option<Interval>) -> impl Iterator<Item = String> + use<> {
        let values = [
            self.metric.to_owned(),
            self.n.to_string(),
            self.n_empty.to_string(),
            or_empty(self.mean),
            or_empty(interval.map(|i| i.low)),
            or_empty(interval.map(|i| i.high)),
            or_empty(interval.map(|i| i.level)),
            or_empty(self.median),
            self.spread.n_prompts.to_string(),
            or_empty(self.spread.standard_error),
            or_empty(self.spread.icc),
        ];
        factor_fields(cell).into_iter().chain(values)
    }
}

fn or_empty(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Quant;
    use crate::report::sample;

    fn text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn trials_have_a_row_each_and_no_zero_for_what_is_missing() {
        insta::assert_snapshot!(text(|out| write_trials(&sample::tiny(), &[], |trial| trial.seed, out)));
    }

    #[test]
    fn the_groups_of_prompts_have_a_column_where_there_are_any() {
        let analysis = sample::tiny();
        let id = |place: usize| analysis.trials[place].trial.prompt.clone();
        let other = analysis.trials.iter().map(|scored| scored.trial.prompt.clone()).find(|prompt| *prompt != id(0));
        let prompt = |id: String, group: Option<&str>| Prompt { text: id.clone(), id, group: group.map(str::to_owned) };
        let prompts = [prompt(id(0), Some("trained")), prompt(other.unwrap(), None)];
        let rows = text(|out| write_trials(&analysis, &prompts, |trial| trial.seed, out));
        let mut reader = ::csv::Reader::from_reader(rows.as_bytes());
        let headers = reader.headers().unwrap().clone();
        let column = headers.iter().position(|column| column == "group").unwrap();
        assert_eq!(&headers[column - 1], "draw_seed");
        let found: Vec<String> = reader.records().map(|row| row.unwrap()[column].to_owned()).collect();
        let of = |scored: &ScoredTrial| if scored.trial.prompt == id(0) { "trained" } else { "" };
        assert_eq!(found, analysis.trials.iter().map(of).collect::<Vec<_>>());
        let without = text(|out| write_trials(&analysis, &[prompt(id(0), None)], |trial| trial.seed, out));
        assert_eq!(without, text(|out| write_trials(&analysis, &[], |trial| trial.seed, out)));
    }

    #[test]
    fn cells_have_a_row_for_each_metric() {
        insta::assert_snapshot!(text(|out| write_cells(&sample::tiny(), out)));
    }

    #[test]
    fn timings_take_trials_loads_and_the_run() {
        let analysis = sample::tiny();
        let id = &analysis.trials[0].trial.id;
        let load = LoadKey::usual("tiny").with(Quant::Q8_0);
        let rows = [
            TimingRow { seconds: Some(0.5), rows: Some(32), tokens: Some(100), ..TimingRow::of(Timed::Trial(id)) },
            TimingRow { seconds: Some(0.0), tokens: Some(0), ..TimingRow::of(Timed::Load(&load)) },
            TimingRow {
                tokens: Some(200),
                evaluated_tokens: Some(130),
                distinct_prefixes: Some(120),
                saved: Some(Saved {
                    by_prompts: 50,
                    by_beginnings: 30,
                    by_heads: None,
                    by_stopping: Some(Spared { texts: 3, tokens: 60 }),
                }),
                ..TimingRow::of(Timed::Work(&load))
            },
            TimingRow {
                seconds: Some(10.0),
                evaluated_tokens: Some(130),
                products: Some(Products {
                    per_s: 30e9,
                    ceiling: Some(Ceiling { floats_per_s: 40e9, bytes_per_s: 150e9, memory_bytes_per_s: 9e9 }),
                }),
                ..TimingRow::of(Timed::Products(&load))
            },
            TimingRow {
                products: Some(Products { per_s: 2.5e9, ceiling: None }),
                ..TimingRow::of(Timed::Products(&load))
            },
            TimingRow { seconds: Some(12.25), ..TimingRow::of(Timed::Run("temperature")) },
        ];
        insta::assert_snapshot!(text(|out| write_timings(rows, out)));
    }

    #[test]
    fn floats_read_back_the_same() {
        let mut analysis = sample::tiny();
        let mean = 0.1_f64 + 0.2;
        analysis.cells[0].estimate.as_mut().unwrap().mean = mean;
        let csv = text(|out| write_cells(&analysis, out));
        let mut reader = ::csv::Reader::from_reader(csv.as_bytes());
        let column = reader.headers().unwrap().iter().position(|name| name == "mean").unwrap();
        let field = &reader.records().next().unwrap().unwrap()[column];
        assert_eq!(field.parse::<f64>().unwrap().to_bits(), mean.to_bits());
    }
}
