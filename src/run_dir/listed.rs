//! Lists what lies among the results: runs, studies and diagnoses, and how far each of them has come.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::Serialize;
use serde_json::Value;
use strum::{Display, EnumString};

use super::error::RunDirError;
use super::found::{RESULTS, is_run};
use super::{Output, RunDir, names};
use crate::journal::{self, FailedTrials};
use crate::manifest::RunEntry;
use crate::regular_file;
use crate::seal::Trust;

/// A folder among the results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its path below the folder that was listed.
    pub name: String,
    pub path: PathBuf,
    pub kind: Kind,
    pub state: State,
    /// None where there is no plan that says how many there are to be.
    pub trials: Option<Trials>,
    /// When it was last written to; None where the file system does not tell.
    pub changed_unix_s: Option<u64>,
}

/// What made the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumString, Serialize)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Kind {
    Sweep,
    Divergence,
    Routing,
    /// Its stages are runs in folders below.
    Diagnosis,
}

/// How far it has come.
#[derive(Clone, Debug, PartialEq, Eq, Display, Serialize)]
#[serde(rename_all = "lowercase", tag = "state", content = "why")]
#[strum(serialize_all = "lowercase")]
pub enum State {
    /// A process is at work in it.
    Running,
    /// Nothing is left to do.
    Finished,
    /// It was stopped or killed; the same command continues from there.
    Interrupted,
    /// It came to its end, and trials of it failed or are missing.
    Incomplete,
    /// A file in it can't be read, and why.
    Unreadable(String),
}

/// What became of the trials that a run is to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Trials {
    pub planned: usize,
    /// Those that have a text.
    pub done: usize,
    pub failed: usize,
}

impl Listed {
    /// Reads the file that keeps what it came to; None where there is none yet.
    pub fn answer(&self) -> Option<Vec<u8>> {
        match self.kind {
            Kind::Diagnosis => regular_file::read(&self.path.join(names::DIAGNOSIS)).ok(),
            Kind::Sweep | Kind::Divergence | Kind::Routing => RunDir::new(&self.path).read_output(Output::Answer),
        }
    }
}

/// Lists a folder of results, the one that was changed last first; of the folder of a run, that run alone.
///
/// # Errors
/// When the folder can't be read. That there are no results yet is no error.
pub fn listed(directory: &Path) -> Result<Vec<Listed>, RunDirError> {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    if let Some(own) = look(directory, &name) {
        return Ok(vec![own]);
    }
    let unreadable = |error| RunDirError::NoFolder { path: directory.to_owned(), error };
    let folders = match folders_in(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && directory == Path::new(RESULTS) => vec![],
        folders => folders.map_err(unreadable)?,
    };
    let mut all: Vec<_> = folders.iter().flat_map(|(name, path)| look_into(path, name)).collect();
    all.sort_by(|a, b| b.changed_unix_s.cmp(&a.changed_unix_s).then_with(|| a.name.cmp(&b.name)));
    Ok(all)
}

/// The folder, or else those in it: shards lie a level lower.
fn look_into(path: &Path, name: &str) -> Vec<Listed> {
    if let Some(own) = look(path, name) {
        return vec![own];
    }
    let inside = folders_in(path).unwrap_or_default();
    inside.iter().filter_map(|(below, path)| look(path, &format!("{name}/{below}"))).collect()
}

/// What the folder is of; None where it is nothing of ours.
fn look(path: &Path, name: &str) -> Option<Listed> {
    let listed = |kind, state, trials, file: &str| Listed {
        name: name.to_owned(),
        path: path.to_owned(),
        kind,
        state,
        trials,
        changed_unix_s: changed_unix_s(&path.join(file)),
    };
    if is_run(path) {
        let (state, trials) = of_sweep(path);
        return Some(listed(Kind::Sweep, state, trials, names::JOURNAL));
    }
    if let Ok(json) = regular_file::read(&path.join(names::STUDY)) {
        let kind = serde_json::from_slice(&json).ok().and_then(|json: Value| json["kind"].as_str()?.parse().ok())?;
        return Some(listed(kind, State::Finished, None, names::STUDY));
    }
    let stages = stages_in(path);
    let is_done = path.join(names::DIAGNOSIS).is_file();
    let last = stages.last().and_then(|stage| stage.file_name()?.to_str()).unwrap_or_default();
    let file = if is_done { names::DIAGNOSIS.to_owned() } else { format!("{last}/{}", names::JOURNAL) };
    let state = match stages.iter().any(|stage| journal::in_use(&stage.join(names::JOURNAL))) {
        true => State::Running,
        false if is_done => State::Finished,
        false => State::Interrupted,
    };
    (is_done || !stages.is_empty()).then(|| listed(Kind::Diagnosis, state, None, &file))
}

fn of_sweep(path: &Path) -> (State, Option<Trials>) {
    // Whoever lists runs wants to see those that were changed, too.
    let kept = match RunDir::new(path).read_held(Trust::Edits) {
        Ok(kept) => kept,
        Err(error) => return (State::Unreadable(error.to_string()), None),
    };
    let own = kept.design.own_trials();
    let done = own.iter().filter(|trial| kept.contents.has_text(&trial.id)).count();
    let with_record = kept.contents.done(FailedTrials::Keep);
    let failed = own.iter().filter(|trial| with_record.contains(&trial.id)).count() - done;
    let last = kept.manifest.runs.last();
    let stops_early = kept.design.sequential.is_some();
    let state = match () {
        () if journal::in_use(&path.join(names::JOURNAL)) => State::Running,
        () if done == own.len() => State::Finished,
        () if last.is_none_or(RunEntry::was_stopped) => State::Interrupted,
        () if stops_early && failed == 0 && last.is_some_and(RunEntry::is_complete) => State::Finished,
        () => State::Incomplete,
    };
    (state, Some(Trials { planned: own.len(), done, failed }))
}

/// The runs of a diagnosis's stages, in their order: a number and what it is of, with its experiment beside it.
fn stages_in(path: &Path) -> Vec<PathBuf> {
    let is_stage = |name: &str, folder: &Path| {
        let number = name.split_once('-').map(|(number, _)| number.parse::<u32>());
        matches!(number, Some(Ok(_))) && is_run(folder) && folder.with_added_extension("toml").is_file()
    };
    let mut stages = folders_in(path).unwrap_or_default();
    stages.retain(|(name, folder)| is_stage(name, folder));
    stages.into_iter().map(|(_, folder)| folder).collect()
}

/// The folders in a folder, by name.
fn folders_in(path: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        if let Some(name) = path.file_name().filter(|_| path.is_dir()) {
            folders.push((name.to_string_lossy().into_owned(), path));
        }
    }
    folders.sort();
    Ok(folders)
}

fn changed_unix_s(file: &Path) -> Option<u64> {
    let changed = fs::metadata(file).ok()?.modified().ok()?;
    Some(changed.duration_since(UNIX_EPOCH).ok()?.as_secs())
}
