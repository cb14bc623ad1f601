//! Tells a gate's outcome to whoever wants to hear of it.

use std::io::{self, Write as _};
use std::path::Path;

use super::{Failure, and_next, baseline, print, tell};
use crate::check::{Gate, GateStatus};
use crate::cli::{CheckArgs, Inconclusive};
use crate::message::warn;
use crate::report::gate::{self as words, About};
use crate::report::html::{FOOT, gate_page};
use crate::report::next::{Gated, Next, after_check};
use crate::run_dir::{GATE, RESULTS, write_named};

/// Tells it to files, to JUnit's readers, to GitHub and to the terminal or a program.
///
/// # Errors
/// When one of these can't be written.
pub fn announce(args: &CheckArgs, run: &Path, gate: &Gate, about: &About<'_>) -> Result<(), Failure> {
    let path = args.json_out.clone().unwrap_or_else(|| run.join(GATE));
    let json = words::json(gate, about);
    write_named(&path, &json, "\"baseline\"")?;
    if let Some(path) = &args.html {
        write_named(path, gate_page(gate, about).as_bytes(), FOOT)?;
    }
    if let Some(path) = &args.junit {
        write_named(path, words::junit(gate, about)?.as_bytes(), "moe-sweep check")?;
    }
    if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) {
        let path = Path::new(&path);
        append(path, &words::step_summary(gate, about)).map_err(|error| Failure::no_step_summary(path, &error))?;
    }
    if args.json {
        print(|out| out.write_all(&json))?
    } else {
        tell(and_next(words::text(gate, about), next(args, run, gate.outcome)))?
    };
    if std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true") {
        let annotations = words::annotations(gate, about);
        match args.json {
            // GitHub reads them on stderr, too, and stdout is the program's that reads the object.
            true => annotations.lines().for_each(warn),
            false => print(|out| out.write_all(annotations.as_bytes())).map(|_| ())?,
        }
    }
    if gate.outcome == GateStatus::Inconclusive && args.inconclusive == Inconclusive::Warn {
        warn("warning: the gate is inconclusive; use more prompts, or --confirm");
    }
    Ok(())
}

/// What helps after the outcome.
fn next(args: &CheckArgs, run: &Path, outcome: GateStatus) -> Option<Next> {
    let baseline = &baseline::found(&args.baseline);
    // A baseline is called as the run is that it was saved of, unless somebody said otherwise.
    let of = baseline.file_stem().map(|name| Path::new(RESULTS).join(name)).filter(|of| of.is_dir() && of != run);
    let (page, is_confirmed) = (args.html.as_deref(), args.confirm.is_some());
    after_check(Gated { outcome, run, baseline, base_run: of.as_deref(), page, is_confirmed })
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    std::fs::OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}
