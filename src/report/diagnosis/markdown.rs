//! The diagnosis for an issue tracker: the screen, then everything that was tried.

use std::fmt::Write as _;

use super::screen::screen;
use super::shown::Shown;
use super::words::{changes, difference, share, what_they_do};
use crate::diagnosis::{Remedy, Tried};
use crate::report::number::percent;
use crate::screen::Layout;

pub fn markdown(shown: &Shown<'_>) -> String {
    let diagnosis = shown.diagnosis;
    let mut out =
        format!("# Why {} loops\n\n```text\n{}```\n", shown.frame.model, screen(shown).laid_out(Layout::FILE));
    let _ = write!(
        out,
        "\n## Everything that was tried\n\nCompared with {} as it is run, {}. Differences are percentage points of \
         the share of texts that {}, over prompts; the 95 % intervals are descriptive.\n\n| change | {} \
         | difference | prompts | within |\n|---|---|---|---|---|\n",
        shown.frame.model,
        share(&diagnosis.as_run),
        what_they_do(diagnosis.counted),
        diagnosis.counted,
    );
    for Remedy { switches, after, outcome, .. } in &diagnosis.remedies {
        let n = outcome.prompts;
        let _ =
            writeln!(out, "| **{}** | {} | {} | {n} fresh | |", changes(switches), share(after), difference(outcome));
    }
    for Tried { switches, outcome, rate } in &diagnosis.others {
        let within = outcome.within.map(|within| format!("±{}", percent(within))).unwrap_or_default();
        let n = outcome.prompts;
        let _ = writeln!(out, "| {} | {} | {} | {n} | {within} |", changes(switches), share(rate), difference(outcome));
    }
    let _ = write!(out, "\n| stage | arms | texts |\n|---|---|---|\n");
    for stage in &diagnosis.stages {
        let _ = writeln!(out, "| {} | {} | {} |", stage.name, stage.arms, stage.texts);
    }
    let version = env!("CARGO_PKG_VERSION");
    let _ = write!(out, "\nmoe-sweep {version}; each stage is an experiment in {}.\n", shown.directory.display());
    out
}
