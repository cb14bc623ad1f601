//! The diagnosis for an issue tracker: the screen, then everything that was tried.

use std::fmt::Write as _;

use super::screen::screen;
use super::shown::Shown;
use super::words::{changes, difference, share};
use crate::diagnosis::{Remedy, Tried};
use crate::report::number::percent;
use crate::screen::Layout;

pub fn markdown(shown: &Shown<'_>) -> String {
    let diagnosis = shown.diagnosis;
    let mut out =
        format!("# Why {} loops\n\n```text\n{}```\n", shown.frame.model, screen(shown).laid_out(Layout::FILE));
    let _ = write!(
        out,
        "\n## Everything that was tried\n\nAgainst {} as it is run, {}. Differences are in points of the share of texts that \
         end in a loop, over prompts, with 95 % intervals as description.\n\n| change | loops | difference | prompts | \
         within |\n|---|---|---|---|---|\n",
        shown.frame.model,
        share(&diagnosis.as_run)
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
