//! Writing a run's files: each whole or not at all.

use std::fs::Permissions;
use std::io::{self, Write};
use std::path::Path;

use miette::{IntoDiagnostic, WrapErr};

use super::finished::Finished;
use super::provenance::provenance;
use super::setup::Setup;
use super::timings::{timings, work, work_in_words};
use super::{Failure, placement, plain};
use crate::analysis::{Analysis, HostExperts, TrialResult};
use crate::exit_code::ExitCode;
use crate::manifest::{self, Manifest};
use crate::plan::Design;
use crate::regular_file;
use crate::report::csv;
use crate::report::html::{self, Report};
use crate::report::plot::{Caption, HEADLINE_FIGURE, figures};
use crate::report::{terminal, verdicts};

/// What a finished run says on stdout, and its exit code.
pub struct Summary {
    pub text: String,
    pub code: ExitCode,
}

/// Puts the experiment file and a first manifest into the run's directory, so
/// that even a run that dies tells what it was.
///
/// # Errors
/// When they can't be written, or an earlier manifest can't be read.
pub fn begin(setup: &Setup) -> Result<Manifest, Failure> {
    let earlier = read_manifest(&setup.directory)?;
    let mut manifest = Manifest::new(&setup.design.name, &setup.plan);
    manifest.runs = earlier.map_or_else(Vec::new, |manifest| manifest.runs);
    write_whole(&setup.directory.join("experiment.toml"), setup.text.as_bytes())?;
    write_whole(&setup.directory.join(Design::FILE_NAME), &setup.design.to_json())?;
    write_manifest(&setup.directory, &manifest)?;
    Ok(manifest)
}

/// # Errors
/// When it can't be written.
pub fn write_manifest(directory: &Path, manifest: &Manifest) -> Result<(), Failure> {
    let mut json = serde_json::to_vec_pretty(manifest).expect("a manifest is plain data");
    json.push(b'\n');
    write_whole(&directory.join(manifest::FILE_NAME), &json)
}

/// The manifest of earlier runs in a directory, if there is one.
///
/// # Errors
/// When there is one that can't be read.
pub fn read_manifest(directory: &Path) -> Result<Option<Manifest>, Failure> {
    let path = directory.join(manifest::FILE_NAME);
    let read = match regular_file::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).into_diagnostic(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).into_diagnostic(),
    };
    read.wrap_err_with(|| format!("cannot read {}: move it away, and the next run writes a new one", path.display()))
        .map_err(Failure::bad_setup)
}

/// Writes every table and plot of a run.
///
/// # Errors
/// When a file can't be written.
pub fn write_outputs(directory: &Path, finished: &Finished) -> Result<Summary, Failure> {
    let Finished { design, manifest, contents, analysis } = finished;
    write_table(directory, "trials.csv", |out| {
        csv::write_trials(analysis, &design.prompts, |trial| design.draw_seed(trial), out)
    })?;
    write_table(directory, "cells.csv", |out| csv::write_cells(analysis, out))?;
    write_table(directory, "onset.csv", |out| csv::write_onsets(analysis, out))?;
    if analysis.trials.iter().any(|scored| scored.apart.is_some()) {
        write_table(directory, "parts.csv", |out| csv::write_parts(analysis, out))?;
    }
    if let Some(sequential) = &analysis.sequential {
        write_table(directory, "sequential.csv", |out| csv::write_looks(sequential, out))?;
    }
    let work = work(analysis, contents, manifest);
    write_table(directory, "timings.csv", |out| csv::write_timings(timings(analysis, contents, manifest, &work), out))?;

    write_table(directory, "verdicts.json", |out| {
        verdicts::write(&design.name, design.question.as_deref(), analysis, out)
    })?;

    let caption = Caption { experiment: &design.name, note: design.caveat.as_deref() };
    let figures = figures(analysis, caption).map_err(|error| Failure::internal(plain(error)))?;
    for figure in &figures {
        let png = figure.png().map_err(|error| Failure::internal(plain(error)))?;
        let plots = directory.join("plots");
        write_whole(&plots.join(&figure.name).with_extension("svg"), figure.svg.as_bytes())?;
        write_whole(&plots.join(&figure.name).with_extension("png"), &png)?;
    }
    let part = Vec::from_iter(design.part_note());
    let host_experts = placement::host_experts(manifest, contents.records.len());
    let taken_over = host_experts.iter().filter_map(HostExperts::note).collect();
    let notes = [design.notes.clone(), part, manifest.warnings(), taken_over, analysis.notes.clone()].concat();
    let provenance = provenance(design, manifest);
    let page = html::page(&Report { design, notes: &notes, analysis, figures: &figures, provenance: &provenance });
    write_whole(&directory.join("report.html"), page.as_bytes())?;

    let incomplete = analysis.trials.iter().any(|trial| !matches!(trial.result, TrialResult::Scored { .. }));
    let text = describe(directory, analysis, &notes, &(work_in_words(&work) + &placement::in_words(manifest)));
    Ok(Summary { text, code: if incomplete { ExitCode::Incomplete } else { ExitCode::Ok } })
}

/// The summary, and where to look next.
fn describe(directory: &Path, analysis: &Analysis, notes: &[String], work: &str) -> String {
    let directory = directory.display();
    let mut text = terminal::summary(analysis, notes);
    text += work;
    text += &format!(
        "results: {directory}\nplot:    {directory}/plots/{HEADLINE_FIGURE}.png\nreport:  {directory}/report.html\n"
    );
    text
}

pub(super) fn write_table(
    directory: &Path,
    name: &str,
    write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut table = Vec::new();
    write(&mut table).expect("writing to memory does not fail");
    write_whole(&directory.join(name), &table)
}

/// Writes a file by way of a temporary one beside it, so that a reader, or a
/// crash, sees the old contents or the new.
///
/// # Errors
/// When it can't be written.
pub fn write_whole(path: &Path, contents: &[u8]) -> Result<(), Failure> {
    let directory = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        parent => parent.expect("a file lies in a directory"),
    };
    let written = std::fs::create_dir_all(directory).and_then(|()| temporary(directory)).and_then(|mut file| {
        file.write_all(contents)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)
    });
    written
        .map(|_| ())
        .into_diagnostic()
        .wrap_err_with(|| {
            format!("cannot write {}: finished trials are safe, the same command goes on from them", path.display())
        })
        .map_err(Failure::internal)
}

fn temporary(directory: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // As any new file: readable by others where the umask lets them.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(Permissions::from_mode(0o666));
    }
    builder.tempfile_in(directory)
}
