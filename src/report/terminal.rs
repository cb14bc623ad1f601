//! Shows the summary of a run on the terminal: a line a cell, then one text of a low and one of a high temperature,
//! side by side.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::answer::{Line, Said};
use super::levels::Arm;
use super::tally::Tally;
use crate::analysis::{Analysis, CellSummary, Conclusion, ScoredTrial, TrialResult, Verdict};
use crate::domain::{Cell, Seed, Temperature};
use crate::metrics::Metric;
use crate::screen::{Column, Lines, Tone};

/// Columns of the heads that stand before the answer and the verdicts.
const HEAD: usize = 13;
/// Rows of a text that are shown.
const ROWS: usize = 24;

/// The summary of an analysis: its answer first, `notes` at its end.
pub fn summary(said: &Said, analysis: &Analysis, notes: &[String]) -> Lines {
    let mut out = answer(said);
    out.blank();
    let planned = planned_trials(analysis);
    let arms = Arm::all(analysis);
    for &arm in &arms {
        out.heading(&arm.title(&arms));
        let of_arm =
            |summary: &&CellSummary| summary.metric == Metric::RepetitionScore && Arm::of(&summary.cell) == arm;
        for summary in analysis.cells.iter().filter(of_arm) {
            add_cell(summary, planned.get(&summary.cell).copied(), &mut out);
        }
        out.blank();
    }
    if let Some(pair) = Pair::choose(analysis) {
        pair.add_side_by_side(&mut out);
        out.blank();
    }
    for verdict in &analysis.verdicts {
        add_verdict(verdict, &mut out);
        out.blank();
    }
    if let Some(sequential) = &analysis.sequential {
        out.text("sequential: ", &sequential.sentence());
        out.blank();
    }
    if let Some(attribution) = &analysis.attribution {
        out.text("attribution: ", &attribution.sentence);
        out.blank();
    }
    out.text("", &Tally::of(&analysis.trials).sentence());
    for note in notes {
        out.text("note: ", note);
    }
    out
}

/// The headline, and what stands under it.
pub fn answer(Said { headline, lines }: &Said) -> Lines {
    let head = |head: &str| format!("{head:<HEAD$}");
    let mut out = Lines::default();
    out.toned((&head("ANSWER"), Tone::Heading), (headline, Tone::Heading));
    for Line { head: name, text } in lines {
        out.toned((&head(name), Tone::Heading), (text, Tone::Plain));
    }
    out
}

/// The outcome and the claim, then what was found.
fn add_verdict(verdict: &Verdict, out: &mut Lines) {
    let outcome = verdict.outcome.to_string().to_uppercase();
    let tone = match verdict.outcome {
        Conclusion::Supported => Tone::Yes,
        Conclusion::Refuted => Tone::No,
        Conclusion::Inconclusive => Tone::Open,
    };
    let claim = format!("{} ({})", verdict.claim, verdict.id);
    out.toned((&format!("{outcome:<HEAD$}"), tone), (&claim, Tone::Plain));
    out.text(&" ".repeat(HEAD), &verdict.sentence);
}

fn planned_trials(analysis: &Analysis) -> BTreeMap<&Cell, usize> {
    let mut planned = BTreeMap::new();
    for scored in &analysis.trials {
        *planned.entry(&scored.trial.cell).or_default() += 1;
    }
    planned
}

fn add_cell(summary: &CellSummary, planned: Option<usize>, out: &mut Lines) {
    let t = summary.cell.temperature();
    let n = match planned {
        Some(planned) if planned > summary.n => format!("{} of {planned}", summary.n),
        _ => summary.n.to_string(),
    };
    let Some(estimate) = summary.estimate else { return out.whole(&format!("  T {t:<5} no scored trial")) };
    let interval = estimate.interval.map_or_else(
        || "too few prompts".to_owned(),
        |interval| format!("[{:.3}, {:.3}]", interval.low, interval.high),
    );
    out.bar(&format!("  T {t:<5} {:.3} {interval:<16} n {n:<10} ", estimate.mean), estimate.mean);
}

/// Two texts of the same model, chain, prompt and seed.
struct Pair<'a> {
    low: Sample<'a>,
    high: Sample<'a>,
}

struct Sample<'a> {
    scored: &'a ScoredTrial,
    text: Cow<'a, str>,
    score: f64,
}

impl<'a> Pair<'a> {
    /// Of the first arm that has a pair.
    fn choose(analysis: &'a Analysis) -> Option<Self> {
        Arm::all(analysis).into_iter().find_map(|arm| Self::of(analysis, arm))
    }

    /// Of the lowest and the highest temperature: the prompt and seed whose
    /// score at the highest is the median (of an even number, the upper) of
    /// those that have a text at both.
    fn of(analysis: &'a Analysis, arm: Arm<'_>) -> Option<Self> {
        let of_arm = || analysis.trials.iter().filter(|scored| Arm::of(&scored.trial.cell) == arm);
        let temperatures = || of_arm().map(|scored| scored.trial.cell.temperature());
        let (lowest, highest) = (temperatures().min()?, temperatures().max()?);
        if lowest == highest {
            return None;
        }
        let at = |temperature: Temperature| {
            of_arm().filter(move |scored| scored.trial.cell.temperature() == temperature).filter_map(Sample::of)
        };
        let mut lows: HashMap<_, _> = at(lowest).map(|low| (low.draw(), low)).collect();
        let mut highs: Vec<_> = at(highest).filter(|high| lows.contains_key(&high.draw())).collect();
        highs.sort_by(|a, b| a.score.total_cmp(&b.score));
        let middle = highs.len() / 2;
        let high = highs.into_iter().nth(middle)?;
        Some(Self { low: lows.remove(&high.draw())?, high })
    }

    fn add_side_by_side(&self, out: &mut Lines) {
        let trial = &self.high.scored.trial;
        let seed = trial.seed.map_or(String::new(), |seed| format!(", seed {seed}"));
        let of = format!("{} · {}", trial.cell.model(), trial.cell.chain());
        let (prompt, t) = (&trial.prompt, trial.cell.temperature());
        out.text("", &format!("prompt {prompt}{seed}, whose score at T {t} is the median one of {of}:"));
        out.beside([self.low.column(), self.high.column()], ROWS);
    }
}

impl<'a> Sample<'a> {
    fn of(scored: &'a ScoredTrial) -> Option<Self> {
        match &scored.result {
            TrialResult::Scored { generation, scores } => {
                let text = match &scored.apart {
                    None => Cow::Borrowed(&*generation.text),
                    Some(apart) if apart.answer.trim().is_empty() => {
                        Cow::Owned(format!("(thought) {}\n(no answer)", apart.thought.trim()))
                    }
                    Some(apart) => {
                        Cow::Owned(format!("(thought) {}\n(answer) {}", apart.thought.trim(), apart.answer.trim()))
                    }
                };
                Some(Self { scored, text, score: scores.get(Metric::RepetitionScore)? })
            }
            TrialResult::Censored { .. } | TrialResult::Failed(_) | TrialResult::Missing => None,
        }
    }

    /// What the two texts of a pair have in common.
    fn draw(&self) -> (&'a str, Option<Seed>) {
        (&self.scored.trial.prompt, self.scored.trial.seed)
    }

    fn column(&self) -> Column {
        let head = format!("T {}: score {:.3}", self.scored.trial.cell.temperature(), self.score);
        Column { head, text: self.text.trim().to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr as _;

    use super::{Said, summary};
    use crate::analysis::{Analysis, Questions, RunAnswer, TrialResult};
    use crate::report::answer::said;
    use crate::report::sample;
    use crate::screen::{Colours, Layout, Lines};

    fn laid_out(lines: &Lines, width: usize) -> String {
        lines.laid_out(Layout { width, colours: Colours::None })
    }

    fn said_of(analysis: &Analysis) -> Said {
        said(&RunAnswer::of(analysis, Questions::default()), "tiny")
    }

    #[test]
    fn a_summary_shows_cells_and_two_texts() {
        let summary = summary(&said_of(&sample::tiny()), &sample::tiny(), &["a note".to_owned()]);
        insta::assert_snapshot!(laid_out(&summary, 100));
        insta::assert_snapshot!(laid_out(&summary, 60));
    }

    #[test]
    fn what_a_model_writes_cannot_steer_the_terminal() {
        let mut analysis = sample::tiny();
        for scored in &mut analysis.trials {
            if let TrialResult::Scored { generation, .. } = &mut scored.result {
                generation.text = format!("\u{1b}[2J\u{9b}31m\u{202e}gnp.exe\r{}\n\n更大", "a".repeat(5000));
            }
        }
        let summary = laid_out(&summary(&said_of(&analysis), &analysis, &[]), 100);
        assert!(summary.contains(r"\u{1b}[2J\u{9b}31m\u{202e}") && summary.contains(r"gnp.exe\raaa"), "{summary}");
        assert!(summary.lines().all(|line| !line.contains(char::is_control) && line.width() <= 100));
        assert!(summary.lines().count() < 60);
    }

    #[test]
    fn nothing_planned_is_said() {
        let empty = Analysis::default();
        let summary = laid_out(&summary(&said_of(&empty), &empty, &[]), 100);
        assert!(summary.starts_with("ANSWER       No text yet\n") && summary.ends_with("no trials\n"), "{summary}");
    }
}
