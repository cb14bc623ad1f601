//! The runs in a folder as `moe-sweep ls` shows them: two lines each, and as JSON.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use textwrap::WrapAlgorithm;

use crate::plain::neutralise;
use crate::run_dir::{Kind, Listed, State, Trials};

/// The version of what `--json` prints.
const SCHEMA: u32 = 1;
/// How much of an answer is shown, and how far it is indented.
const WIDTH: usize = 80;
const INDENT: &str = "    ";

/// What is shown of one folder.
pub struct Row {
    pub listed: Listed,
    /// The first words of its answer, where it has one.
    pub headline: Option<String>,
}

/// All of them, in the shape in which `--json` prints them.
#[derive(Serialize)]
pub struct Written<'a> {
    schema: u32,
    runs: Vec<Run<'a>>,
}

#[derive(Serialize)]
struct Run<'a> {
    name: &'a str,
    path: String,
    kind: Kind,
    #[serde(flatten)]
    state: &'a State,
    trials: Option<Trials>,
    changed_unix_s: Option<u64>,
    headline: Option<&'a str>,
}

/// The headline that an answer says, or a diagnosis, in the file that keeps it.
pub fn headline_in(json: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Kept {
        headline: String,
    }
    serde_json::from_slice::<Kept>(json).ok().map(|kept| kept.headline)
}

impl<'a> Written<'a> {
    pub fn of(rows: &'a [Row]) -> Self {
        let run = |Row { listed, headline }: &'a Row| {
            let Listed { name, path, kind, state, trials, changed_unix_s } = listed;
            let (path, headline) = (path.display().to_string(), headline.as_deref());
            Run { name, path, kind: *kind, state, trials: *trials, changed_unix_s: *changed_unix_s, headline }
        };
        Self { schema: SCHEMA, runs: rows.iter().map(run).collect() }
    }
}

/// The same in words; `now_unix_s` is when they are said.
pub fn text(rows: &[Row], now_unix_s: u64) -> String {
    let rows: Vec<_> = rows.iter().map(|row| (cells(&row.listed, now_unix_s), row)).collect();
    let width = |column: usize| rows.iter().map(|(cells, _)| cells[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut text = String::new();
    for (cells, row) in &rows {
        let padded: Vec<_> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{}", padded.join("  ").trim_end());
        let below = match &row.listed.state {
            State::Unreadable(why) => Some(why),
            _ => row.headline.as_ref(),
        };
        if let Some(below) = below {
            let _ = writeln!(text, "{INDENT}{}", first_words(&neutralise(below)));
        }
    }
    text
}

fn cells(listed: &Listed, now_unix_s: u64) -> [String; 5] {
    let trials = listed.trials.map_or_else(String::new, |Trials { planned, done, failed }| {
        let rest = if failed > 0 { format!(", {failed} failed") } else { " trials".to_owned() };
        format!("{done} of {planned}{rest}")
    });
    let age = listed.changed_unix_s.map(|changed| age(now_unix_s.saturating_sub(changed)));
    let name = neutralise(&listed.name).into_owned();
    [name, listed.kind.to_string(), listed.state.to_string(), trials, age.unwrap_or_default()]
}

/// As many whole words as have room.
fn first_words(text: &str) -> String {
    let width = WIDTH - INDENT.len() - " …".chars().count();
    let lines = textwrap::wrap(text, textwrap::Options::new(width).wrap_algorithm(WrapAlgorithm::FirstFit));
    let first = lines.first().map(ToString::to_string).unwrap_or_default();
    if lines.len() > 1 { format!("{first} …") } else { first }
}

/// How long ago that was, in its largest unit.
fn age(seconds: u64) -> String {
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute")];
    match units.into_iter().find(|(unit_s, _)| seconds >= *unit_s) {
        None => "just now".to_owned(),
        Some((unit_s, unit)) => {
            let n = seconds / unit_s;
            format!("{n} {unit}{} ago", if n == 1 { "" } else { "s" })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn row(name: &str, kind: Kind, state: State, trials: Option<Trials>, ago_s: u64, headline: Option<&str>) -> Row {
        let listed = Listed {
            name: name.to_owned(),
            path: PathBuf::from("results").join(name),
            kind,
            state,
            trials,
            changed_unix_s: Some(1_000_000 - ago_s),
        };
        Row { listed, headline: headline.map(str::to_owned) }
    }

    #[test]
    fn two_lines_a_run_within_80_columns() {
        let trials = |done, failed| Some(Trials { planned: 768, done, failed });
        let long =
            "Repetition rises with the temperature: 31 % [20, 54] of word trigrams repeat at T 0.1, 86 % at T 0.9";
        let unreadable = State::Unreadable("cannot read plan.json: it is \u{1b}[2J cut".to_owned());
        let rows = [
            row("temperature", Kind::Sweep, State::Finished, trials(768, 0), 59, Some(long)),
            row("t/shard-1-of-2", Kind::Sweep, State::Incomplete, trials(700, 68), 60, Some("No loop")),
            row("diagnose-m", Kind::Diagnosis, State::Interrupted, None, 7200, None),
            row("old", Kind::Sweep, unreadable, None, 90_000, None),
        ];
        let expected = [
            "temperature     sweep      finished     768 of 768 trials      just now",
            "    Repetition rises with the temperature: 31 % [20, 54] of word trigrams …",
            "t/shard-1-of-2  sweep      incomplete   700 of 768, 68 failed  1 minute ago",
            "    No loop",
            "diagnose-m      diagnosis  interrupted                         2 hours ago",
            "old             sweep      unreadable                          1 day ago",
            "    cannot read plan.json: it is \\u{1b}[2J cut",
        ];
        assert_eq!(text(&rows, 1_000_000).lines().collect::<Vec<_>>(), expected);
    }
}
