//! `moe-sweep report`: everything that a run writes, anew from its journal.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::finished::{read_held, read_run};
use super::outputs::{summary, write_outputs};
use super::{Failure, tell, trust};
use crate::analysis::{RULES, Verdict};
use crate::cli::ReportArgs;
use crate::exit_code::ExitCode;
use crate::journal::{self, Hold};
use crate::plain::neutralise;
use crate::regular_file;

pub fn report(args: &ReportArgs) -> Result<ExitCode, Failure> {
    // Held to the end: two writers would mix their tables.
    let hold = journal::hold(&args.directory);
    if let Hold::InUse = hold {
        let so_far = summary(&read_run(&args.directory, trust(args.custody))?);
        tell(&format!("{}nothing is written: the run that goes on writes these files when it ends\n", so_far.text))?;
        return Ok(ExitCode::Incomplete);
    }
    let finished = read_held(&args.directory, trust(args.custody))?;
    let former = Former::read(&args.directory);
    let summary = write_outputs(&args.directory, &finished)?;
    let note = former.and_then(|former| former.note(&finished.analysis.verdicts));
    tell(&(summary.text + &note.map_or_else(String::new, |note| format!("note: {}\n", neutralise(&note)))))?;
    Ok(summary.code)
}

/// What an earlier version of the program decided about the same texts.
#[derive(Deserialize)]
struct Former {
    /// Files before rules had a number were made by the first.
    #[serde(default = "first_rules")]
    rules: u32,
    verdicts: Vec<FormerVerdict>,
}

#[derive(Deserialize)]
struct FormerVerdict {
    id: String,
    outcome: String,
}

fn first_rules() -> u32 {
    1
}

impl Former {
    /// `None` where there is no such file, or none that can be read: it is written anew.
    fn read(directory: &Path) -> Option<Self> {
        serde_json::from_slice(&regular_file::read(&directory.join("verdicts.json")).ok()?).ok()
    }

    /// What other rules made of it; `None` where they are the same.
    fn note(&self, verdicts: &[Verdict]) -> Option<String> {
        if self.rules == RULES || verdicts.is_empty() {
            return None;
        }
        let now: BTreeMap<&str, String> =
            verdicts.iter().map(|verdict| (&*verdict.id, verdict.outcome.to_string())).collect();
        let change = |FormerVerdict { id, outcome }: &FormerVerdict| {
            let now = now.get(&**id).filter(|now| *now != outcome)?;
            Some(format!("{id} {outcome} → {now}"))
        };
        let changed: Vec<String> = self.verdicts.iter().filter_map(change).collect();
        let what = if changed.is_empty() { "no outcome changed".to_owned() } else { changed.join(", ") };
        let rules = self.rules;
        Some(format!(
            "verdicts were by rules {rules} and are decided anew by rules {RULES} (docs/statistics.md): {what}"
        ))
    }
}
