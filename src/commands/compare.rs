//! `moe-sweep compare`: two runs, cell by cell.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use miette::miette;
use serde::Serialize;

use super::finished::{Finished, read_run};
use super::{Failure, baseline, print};
use crate::analysis::TrialResult;
use crate::check::Facts;
use crate::cli::{Allowed, CompareArgs};
use crate::engine::Generation;
use crate::exit_code::ExitCode;
use crate::experiment::Seed;
use crate::metrics::Metric;
use crate::plain::neutralise;
use crate::plan::Cell;
use crate::stats::{Effect, Pair, PairedContrast, holm, mean, median, paired_contrast};

/// Both runs' scores of a cell, by prompt; and what became of the texts that
/// both have.
#[derive(Default)]
struct Both<'a> {
    prompts: BTreeMap<&'a str, Vec<Pair>>,
    n_identical: usize,
    /// Index of the first token that differs, of texts that do.
    first_difference: Vec<f64>,
}

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    cell: Cell,
    n_paired: usize,
    n_identical: usize,
    /// Tokens before texts that differ part: the median and the range.
    parted_after: Option<[f64; 3]>,
    mean_a: f64,
    mean_b: f64,
    /// B less A; missing for fewer than two prompts.
    difference: Option<Effect>,
    /// After Holm over the cells.
    p_holm: Option<f64>,
}

#[derive(Serialize)]
struct Answer {
    a: String,
    b: String,
    metric: Metric,
    rows: Vec<Row>,
    only_in_a: usize,
    only_in_b: usize,
    notes: Vec<String>,
}

/// # Errors
/// When a directory is no run's, or the runs differ in what `--allow` does not name.
pub fn compare(args: &CompareArgs) -> Result<ExitCode, Failure> {
    let metric = Metric::from_name(&args.metric).ok_or_else(|| {
        let names = Metric::ALL.map(Metric::name).join(", ");
        Failure::bad_setup(miette!(help = format!("use one of: {names}"), "unknown metric {:?}", args.metric))
    })?;
    let (a, b) = (read_run(&args.base)?, read_run(&args.other)?);
    let notes = unlike(&baseline::of_run(&a).facts, &baseline::of_run(&b).facts, &args.allow)?;
    let (cells, only) = pair(&a, &b, metric);
    let answer = Answer {
        a: args.base.display().to_string(),
        b: args.other.display().to_string(),
        metric,
        rows: rows(&cells),
        only_in_a: only[0],
        only_in_b: only[1],
        notes,
    };
    print(|out| {
        if args.json {
            serde_json::to_writer_pretty(&mut *out, &answer)?;
            out.push(b'\n');
        } else {
            out.extend_from_slice(in_words(&answer).as_bytes());
        }
        Ok(())
    })
}

/// What differs and was allowed to.
///
/// # Errors
/// For what differs and was not.
fn unlike(a: &Facts, b: &Facts, allowed: &[Allowed]) -> Result<Vec<String>, Failure> {
    let shared = |a: &BTreeMap<String, String>, b: &BTreeMap<String, String>| {
        a.iter()
            .filter(|(id, value)| b.get(*id).is_some_and(|other| other != *value))
            .map(|(id, _)| id.clone())
            .collect::<Vec<_>>()
    };
    let found = [
        (
            Allowed::Hardware,
            "hardware",
            (a.cpus != b.cpus).then(|| format!("CPU: {} and {}", a.cpus.join(", "), b.cpus.join(", "))),
        ),
        (Allowed::Settings, "settings", (a.generate != b.generate).then(|| "[generate], numerics included".to_owned())),
        (
            Allowed::Engine,
            "engine",
            (a.engines != b.engines).then(|| format!("engine: {} and {}", a.engines.join(", "), b.engines.join(", "))),
        ),
        (
            Allowed::Models,
            "models",
            Some(shared(&a.models, &b.models))
                .filter(|ids| !ids.is_empty())
                .map(|ids| format!("model files called {}", ids.join(", "))),
        ),
        (
            Allowed::Chains,
            "chains",
            Some(shared(&a.chains, &b.chains))
                .filter(|ids| !ids.is_empty())
                .map(|ids| format!("chains called {}", ids.join(", "))),
        ),
    ];
    let differing = found.into_iter().filter_map(|(what, name, how)| Some((what, name, how?)));
    let (fine, refused): (Vec<_>, Vec<_>) = differing.partition(|(what, ..)| allowed.contains(what));
    if refused.is_empty() {
        return Ok(fine.into_iter().map(|(_, _, how)| format!("differs: {how}")).collect());
    }
    let names: Vec<_> = refused.iter().map(|(_, name, _)| *name).collect();
    let list: Vec<_> = refused.iter().map(|(_, _, how)| format!("  {how}")).collect();
    Err(Failure::bad_setup(miette!(
        help = format!("if that is what you want to compare: --allow {}", names.join(",")),
        "the runs differ in more than their texts:\n{}",
        list.join("\n")
    )))
}

type Key<'a> = (&'a Cell, &'a str, Option<Seed>);

/// Texts of the same coordinates in both; and how many only one has.
fn pair<'a>(a: &'a Finished, b: &'a Finished, metric: Metric) -> (Vec<(&'a Cell, Both<'a>)>, [usize; 2]) {
    fn texts(of: &Finished, metric: Metric) -> BTreeMap<Key<'_>, (&Generation, f64)> {
        let scored = of.analysis.trials.iter().filter_map(|scored| {
            let TrialResult::Scored { generation, scores } = &scored.result else { return None };
            let trial = &scored.trial;
            Some(((&trial.cell, &*trial.prompt, trial.seed), (generation, scores.get(metric)?)))
        });
        scored.collect()
    }
    let (of_a, of_b) = (texts(a, metric), texts(b, metric));
    let mut cells: Vec<(&Cell, Both)> = Vec::new();
    for scored in &a.analysis.trials {
        let trial = &scored.trial;
        let key = (&trial.cell, &*trial.prompt, trial.seed);
        let (Some((one, base)), Some((two, other))) = (of_a.get(&key), of_b.get(&key)) else { continue };
        let place = cells.iter().position(|(cell, _)| *cell == &trial.cell).unwrap_or_else(|| {
            cells.push((&trial.cell, Both::default()));
            cells.len() - 1
        });
        let both = &mut cells[place].1;
        both.prompts.entry(&trial.prompt).or_default().push(Pair { base: *base, other: *other });
        if one.tokens == two.tokens {
            both.n_identical += 1;
        } else {
            let parted = one.tokens.iter().zip(&two.tokens).take_while(|(one, two)| one == two).count();
            both.first_difference.push(parted as f64);
        }
    }
    let only = [
        of_a.keys().filter(|key| !of_b.contains_key(*key)).count(),
        of_b.keys().filter(|key| !of_a.contains_key(*key)).count(),
    ];
    (cells, only)
}

fn rows(cells: &[(&Cell, Both<'_>)]) -> Vec<Row> {
    let contrast = |(_, both): &(&Cell, Both<'_>)| paired_contrast(&both.prompts.values().collect::<Vec<_>>()).ok();
    let contrasts: Vec<Option<PairedContrast>> = cells.iter().map(contrast).collect();
    let p: Vec<f64> = contrasts.iter().flatten().map(|contrast| contrast.p.p).collect();
    let mut adjusted = holm(&p).expect("p-values lie from 0 to 1").into_iter();
    let row = |((cell, both), contrast): (&(&Cell, Both<'_>), Option<PairedContrast>)| {
        let pairs: Vec<Pair> = both.prompts.values().flatten().copied().collect();
        let of = |side: fn(&Pair) -> f64| mean(&pairs.iter().map(side).collect::<Vec<_>>()).unwrap_or_default();
        let parted = &both.first_difference;
        let ends = parted.iter().copied().reduce(f64::min).zip(parted.iter().copied().reduce(f64::max));
        Row {
            cell: (*cell).clone(),
            n_paired: pairs.len(),
            n_identical: both.n_identical,
            parted_after: median(parted).zip(ends).map(|(median, (least, most))| [median, least, most]),
            mean_a: of(|pair| pair.base),
            mean_b: of(|pair| pair.other),
            difference: contrast.map(|contrast| contrast.mean_difference),
            p_holm: contrast.and_then(|_| adjusted.next()),
        }
    };
    cells.iter().zip(contrasts).map(row).collect()
}

fn in_words(answer: &Answer) -> String {
    let mut out =
        format!("{} of B, {}, less A, {}; paired by cell, prompt and seed\n", answer.metric.name(), answer.b, answer.a);
    for row in &answer.rows {
        let _ = writeln!(out, "{}", neutralise(&row.cell.to_string()));
        let _ = write!(out, "  A {:.3}  B {:.3}", row.mean_a, row.mean_b);
        match (&row.difference, row.p_holm) {
            (Some(Effect { estimate, interval }), Some(p)) => {
                let _ = write!(out, "  difference {estimate:.3} [{:.3}, {:.3}], p {p:.4}", interval.low, interval.high);
            }
            _ => out += "  too few prompts for an interval",
        }
        let _ = write!(out, "; {} of {} texts identical", row.n_identical, row.n_paired);
        if let Some([median, least, most]) = row.parted_after {
            let _ = write!(out, ", the others part after {median} tokens ({least} to {most})");
        }
        out.push('\n');
    }
    if answer.rows.is_empty() {
        out += "they have no text of the same cell, prompt and seed\n";
    }
    for (count, run) in [(answer.only_in_a, "A"), (answer.only_in_b, "B")] {
        if count > 0 {
            let _ = writeln!(out, "note: {count} texts only {run} has are not compared");
        }
    }
    for note in &answer.notes {
        let _ = writeln!(out, "note: {}", neutralise(note));
    }
    out
}
