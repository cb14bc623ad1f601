//! Is `moe-sweep compare`, which shows two runs beside each other, cell by cell.

use std::path::Path;

use super::{Failure, and_next, print_json, tell, trust};
use crate::analysis;
use crate::check::{Aspect, alike_but_for, baseline_of};
use crate::cli::{Allowed, CompareArgs};
use crate::exit_code::ExitCode;
use crate::report::comparison::{About, Answer, text};
use crate::report::html::{FOOT, comparison_page};
use crate::report::next::after_compare;
use crate::results::Results;
use crate::run_dir::{RunDir, found, write_named};

/// Prints two runs beside each other.
///
/// # Errors
/// When a directory is no run's, or the runs differ in what `--allow` does not name.
pub fn compare(args: &CompareArgs) -> Result<ExitCode, Failure> {
    let metric = args.metric;
    let trust = trust(args.custody);
    let read = |run: &Path| Ok::<_, Failure>(Results::from(RunDir::new(found(run)).read(trust)?));
    let (a, b) = (read(&args.base)?, read(&args.other)?);
    let allowed: Vec<_> = args.allow.iter().map(|allowed| aspect(*allowed)).collect();
    let mut notes = alike_but_for(&allowed, &baseline_of(&a).facts, &baseline_of(&b).facts)?;
    for (name, run) in [("A", &a), ("B", &b)] {
        notes.extend(run.custody.iter().map(|note| format!("{name}: {note}")));
    }
    let comparison = analysis::compare(&a.analysis, &b.analysis, metric);
    let [a, b] = [&args.base, &args.other].map(|directory| directory.display().to_string());
    let about = About { a: &a, b: &b, metric: metric.name(), notes: &notes };
    if let Some(path) = &args.html {
        write_named(path, comparison_page(&comparison, about).as_bytes(), FOOT)?;
    }
    if args.json {
        return print_json(&Answer { a: &a, b: &b, metric, comparison: &comparison, notes: &notes });
    }
    let next = after_compare(&args.base, &args.other, args.html.as_deref());
    tell(and_next(text(&comparison, about), Some(next)))
}

fn aspect(allowed: Allowed) -> Aspect {
    match allowed {
        Allowed::Hardware => Aspect::Hardware,
        Allowed::Settings => Aspect::Settings,
        Allowed::Engine => Aspect::Engine,
        Allowed::Models => Aspect::Models,
        Allowed::Chains => Aspect::Chains,
    }
}
