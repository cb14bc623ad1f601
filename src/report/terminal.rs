//! Shows the summary of a run on the terminal: a line a cell, then one text of a low and one of a high temperature,
//! side by side.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::answer::{Line, Said};
use super::levels::Arm;
use super::tally::Tally;
use crate::analysis::{Analysis, CellSummary, ScoredTrial, TrialResult, Verdict};
use crate::domain::{Cell, Seed, Temperature};
use crate::metrics::Metric;
use crate::plain::neutralise;

/// Columns of the whole summary, and of one of the two texts in it.
const WIDTH: usize = 100;
const COLUMN: usize = 48;
/// Columns that stand for a score of 1.
const BAR: usize = 30;
/// Lines of a text that are shown.
const LINES: usize = 24;

/// The summary of an analysis: its answer first, `notes` at its end.
pub fn summary(said: &Said, analysis: &Analysis, notes: &[String]) -> String {
    let mut out = answer(said);
    let planned = planned_trials(analysis);
    for arm in Arm::all(analysis) {
        let _ = writeln!(out, "{}", neutralise(&arm.title()));
        let of_arm =
            |summary: &&CellSummary| summary.metric == Metric::RepetitionScore && Arm::of(&summary.cell) == arm;
        for summary in analysis.cells.iter().filter(of_arm) {
            let _ = writeln!(out, "{}", line(summary, planned.get(&summary.cell).copied()));
        }
        out.push('\n');
    }
    if let Some(pair) = Pair::choose(analysis) {
        out += &pair.side_by_side();
        out.push('\n');
    }
    for verdict in &analysis.verdicts {
        out += &verdict_lines(verdict);
    }
    if let Some(sequential) = &analysis.sequential {
        let _ = writeln!(out, "{}\n", filled(&sequential.sentence(), "sequential: "));
    }
    if let Some(attribution) = &analysis.attribution {
        let _ = writeln!(out, "{}\n", filled(&attribution.sentence, "attribution: "));
    }
    let _ = writeln!(out, "{}", Tally::of(&analysis.trials).sentence());
    for note in notes {
        let _ = writeln!(out, "{}", filled(note, "note: "));
    }
    out
}

/// The headline, and what stands under it.
fn answer(Said { headline, lines }: &Said) -> String {
    let head = |head: &str| format!("{head:<13}");
    let mut out = filled(headline, &head("ANSWER"));
    for Line { head: name, text } in lines {
        out.push('\n');
        out += &filled(text, &head(name));
    }
    out + "\n\n"
}

/// The outcome and the claim, then what was found.
fn verdict_lines(verdict: &Verdict) -> String {
    let outcome = verdict.outcome.to_string().to_uppercase();
    let claim = filled(&format!("{} ({})", verdict.claim, verdict.id), &format!("{outcome:<13}"));
    let indent = " ".repeat(13);
    let options = textwrap::Options::new(WIDTH).initial_indent(&indent).subsequent_indent(&indent);
    let found = textwrap::fill(&neutralise(&verdict.sentence), options);
    format!("{claim}\n{found}\n\n")
}

/// Text that hangs from its first word's column.
fn filled(text: &str, head: &str) -> String {
    let indent = " ".repeat(head.width());
    let options = textwrap::Options::new(WIDTH).initial_indent(head).subsequent_indent(&indent);
    textwrap::fill(&neutralise(text), options)
}

fn planned_trials(analysis: &Analysis) -> BTreeMap<&Cell, usize> {
    let mut planned = BTreeMap::new();
    for scored in &analysis.trials {
        *planned.entry(&scored.trial.cell).or_default() += 1;
    }
    planned
}

fn line(summary: &CellSummary, planned: Option<usize>) -> String {
    let t = summary.cell.temperature();
    let n = match planned {
        Some(planned) if planned > summary.n => format!("{} of {planned}", summary.n),
        _ => summary.n.to_string(),
    };
    let Some(estimate) = summary.estimate else { return format!("  T {t:<5} no scored trial") };
    let interval = estimate.interval.map_or_else(
        || "too few prompts for an interval".to_owned(),
        |interval| format!("[{:.3}, {:.3}]", interval.low, interval.high),
    );
    let bar = "█".repeat((estimate.mean * BAR as f64).round() as usize);
    format!("  T {t:<5} {:.3} {interval:<16} n {n:<10} {bar}", estimate.mean).trim_end().to_owned()
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

    fn side_by_side(&self) -> String {
        let trial = &self.high.scored.trial;
        let seed = trial.seed.map_or(String::new(), |seed| format!(", seed {seed}"));
        let mut out = format!(
            "prompt {}{seed}, with the median score at T {} of {}:\n",
            neutralise(&trial.prompt),
            trial.cell.temperature(),
            neutralise(&format!("{} · {}", trial.cell.model(), trial.cell.chain())),
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

    fn column(&self) -> Vec<String> {
        let head = format!("T {}: score {:.3}", self.scored.trial.cell.temperature(), self.score);
        let mut column = vec![head];
        for line in self.text.trim().lines() {
            let line = neutralise(line);
            column.extend(textwrap::wrap(&line, COLUMN - 2).into_iter().map(String::from));
        }
        if column.len() > 1 + LINES {
            column.truncate(1 + LINES);
            column.push("…".to_owned());
        }
        column
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr as _;

    use super::{Said, WIDTH, summary};
    use crate::analysis::{Analysis, Questions, RunAnswer, TrialResult};
    use crate::report::answer::said;
    use crate::report::sample;

    fn said_of(analysis: &Analysis) -> Said {
        said(&RunAnswer::of(analysis, Questions::default()), "tiny")
    }

    #[test]
    fn a_summary_shows_cells_and_two_texts() {
        insta::assert_snapshot!(summary(&said_of(&sample::tiny()), &sample::tiny(), &["a note".to_owned()]));
    }

    #[test]
    fn what_a_model_writes_cannot_steer_the_terminal() {
        let mut analysis = sample::tiny();
        for scored in &mut analysis.trials {
            if let TrialResult::Scored { generation, .. } = &mut scored.result {
                generation.text = format!("\u{1b}[2J\u{9b}31m\u{202e}gnp.exe\r{}\n\n更大", "a".repeat(5000));
            }
        }
        let summary = summary(&said_of(&analysis), &analysis, &[]);
        assert!(summary.contains(r"\u{1b}[2J\u{9b}31m\u{202e}") && summary.contains(r"gnp.exe\raaa"), "{summary}");
        assert!(summary.lines().all(|line| !line.contains(char::is_control) && line.width() <= WIDTH));
        assert!(summary.lines().count() < 60);
    }

    #[test]
    fn nothing_planned_is_said() {
        let empty = Analysis::default();
        let summary = summary(&said_of(&empty), &empty, &[]);
        assert!(summary.starts_with("ANSWER       No text yet\n") && summary.ends_with("no trials\n"), "{summary}");
    }
}
