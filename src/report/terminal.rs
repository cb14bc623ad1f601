//! The summary of a run on the terminal: a line a cell, then one text of a
//! low and one of a high temperature, side by side.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::levels::Arm;
use super::neutralise;
use super::tally::Tally;
use crate::analysis::{Analysis, CellSummary, ScoredTrial, TrialResult};
use crate::experiment::Temperature;
use crate::metrics::Metric;

/// Columns of the whole summary, and of one of the two texts in it.
const WIDTH: usize = 100;
const COLUMN: usize = 48;
/// Columns that stand for a score of 1.
const BAR: usize = 30;

/// The summary of an analysis, `notes` at its end.
pub fn summary(analysis: &Analysis, notes: &[String]) -> String {
    let mut out = String::new();
    for arm in Arm::all(analysis) {
        let Arm { model, chain, offload } = arm;
        let _ = writeln!(out, "{} · {} · offload {offload}", neutralise(model), neutralise(chain));
        let of_arm =
            |summary: &&CellSummary| summary.metric == Metric::RepetitionScore && Arm::of(&summary.cell) == arm;
        for summary in analysis.cells.iter().filter(of_arm) {
            let _ = writeln!(out, "{}", line(summary));
        }
        out.push('\n');
    }
    if let Some(pair) = Pair::choose(analysis) {
        out += &pair.side_by_side();
        out.push('\n');
    }
    let _ = writeln!(out, "{}", Tally::of(&analysis.trials).sentence());
    for note in notes {
        let options = textwrap::Options::new(WIDTH).initial_indent("note: ").subsequent_indent("      ");
        let _ = writeln!(out, "{}", textwrap::fill(&neutralise(note), options));
    }
    out
}

fn line(summary: &CellSummary) -> String {
    let (t, n) = (summary.cell.temperature, summary.n);
    let Some(estimate) = summary.estimate else { return format!("  T {t:<5} no scored trial") };
    let interval = estimate.interval.map_or_else(
        || "too few prompts for an interval".to_owned(),
        |interval| format!("[{:.3}, {:.3}]", interval.low, interval.high),
    );
    let bar = "█".repeat((estimate.mean * BAR as f64).round() as usize);
    format!("  T {t:<5} {:.3} {interval:<16} n {n:<5} {bar}", estimate.mean).trim_end().to_owned()
}

/// Two texts of the same model, chain, prompt and seed.
struct Pair<'a> {
    low: Sample<'a>,
    high: Sample<'a>,
}

struct Sample<'a> {
    scored: &'a ScoredTrial,
    text: &'a str,
    score: f64,
}

impl<'a> Pair<'a> {
    /// Of the first model, chain and offload: the lowest and the highest
    /// temperature, and the prompt whose score at the highest is the median.
    fn choose(analysis: &'a Analysis) -> Option<Self> {
        let first = Arm::of(&analysis.trials.first()?.trial.cell);
        let of_first = || analysis.trials.iter().filter(|scored| Arm::of(&scored.trial.cell) == first);
        let temperatures = || of_first().map(|scored| scored.trial.cell.temperature);
        let (lowest, highest) = (temperatures().min()?, temperatures().max()?);
        let at = |temperature: Temperature| {
            of_first().filter(move |scored| scored.trial.cell.temperature == temperature).filter_map(Sample::of)
        };
        let mut highs: Vec<_> = at(highest).collect();
        highs.sort_by(|a, b| a.score.total_cmp(&b.score));
        let middle = highs.len() / 2;
        let high = highs.into_iter().nth(middle)?;
        let same = |low: &Sample<'_>| {
            let (low, high) = (&low.scored.trial, &high.scored.trial);
            low.prompt == high.prompt && low.seed == high.seed
        };
        let low = at(lowest).find(same)?;
        (lowest != highest).then_some(Self { low, high })
    }

    fn side_by_side(&self) -> String {
        let trial = &self.high.scored.trial;
        let seed = trial.seed.map_or(String::new(), |seed| format!(", seed {seed}"));
        let mut out = format!(
            "prompt {}{seed}, whose score at T {} is the median one of {}:\n",
            neutralise(&trial.prompt),
            trial.cell.temperature,
            neutralise(&trial.cell.chain),
        );
        let (left, right) = (self.low.column(), self.high.column());
        for row in 0..left.len().max(right.len()) {
            let cell = |column: &[String]| column.get(row).cloned().unwrap_or_default();
            let (left, right) = (cell(&left), cell(&right));
            let gap = " ".repeat(COLUMN.saturating_sub(left.width()));
            let _ = writeln!(out, "  {}", format!("{left}{gap}  {right}").trim_end());
        }
        out
    }
}

impl<'a> Sample<'a> {
    fn of(scored: &'a ScoredTrial) -> Option<Self> {
        match &scored.result {
            TrialResult::Scored { generation, scores } => {
                Some(Self { scored, text: &generation.text, score: scores.get(Metric::RepetitionScore)? })
            }
            TrialResult::Failed(_) | TrialResult::Missing => None,
        }
    }

    fn column(&self) -> Vec<String> {
        let head = format!("T {}: score {:.3}", self.scored.trial.cell.temperature, self.score);
        let text = neutralise(self.text.trim());
        let lines = textwrap::wrap(&text, COLUMN - 2);
        std::iter::once(head).chain(lines.into_iter().map(Into::into)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::summary;
    use crate::report::sample;

    #[test]
    fn a_summary_shows_cells_and_two_texts() {
        insta::assert_snapshot!(summary(&sample::tiny(), &["a note".to_owned()]));
    }
}
