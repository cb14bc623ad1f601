//! Runs the stages of a diagnosis: each one's experiment is written beside its run's folder, and run as `moe-sweep run`
//! would. Must not know what a stage is for, nor which comes next.

mod budget;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use miette::Diagnostic;

use crate::diagnosis::{Answer, Extent, Frame, Refusal, Refuses, Stage};
use crate::domain::TrialId;
use crate::engine::kernels::Kernels;
use crate::event::RunEvent;
use crate::journal::record::{Outcome, TrialRecord};
use crate::prepare::{PrepareError, PrepareOptions, Prepared, RunSpec, prepare};
use crate::regular_file;
use crate::results::Results;
use crate::run_dir::{RunDir, RunDirError, write_whole};
use crate::runner::RunOptions;
use crate::signals::Watch;
use crate::sweep::{SweepError, Swept, sweep};

pub use budget::{Budget, Share, Spent};

/// Where and how the stages of a diagnosis are run.
pub struct Session<'a> {
    pub frame: &'a Frame,
    /// In which each stage has an experiment file and a run's folder.
    pub directory: &'a Path,
    pub kernels: Option<Kernels>,
    pub prepare: PrepareOptions<'a>,
    /// Asked again for each stage: free memory changes.
    pub run: &'a dyn Fn() -> RunOptions,
    pub watch: &'a Watch,
    pub on_stage: &'a mut dyn FnMut(&Stage),
    pub on_event: &'a mut dyn FnMut(RunEvent<'_>),
    pub spent: Spent,
    /// What earlier stages made, which later ones need not make again.
    pub made: Vec<TrialRecord>,
}

/// Why a stage came to no answer.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum StageError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Prepare(#[from] PrepareError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Sweep(#[from] SweepError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    RunDir(#[from] RunDirError),
    #[error("cannot create {path}", path = .path.display())]
    #[diagnostic(help("give another folder with --out"))]
    Create { path: PathBuf, source: std::io::Error },
    #[error("{n} of the texts of {path} failed, so there is no result", path = .path.display())]
    #[diagnostic(help("{path}/trials.jsonl says why; run the same command to retry them", path = .path.display()))]
    Failed { n: usize, path: PathBuf },
    /// Somebody asked for an end. What was finished stays.
    #[error("interrupted: run the same command to continue from the finished texts")]
    Interrupted,
}

impl Refuses for StageError {
    fn refusals(&self) -> Vec<Refusal> {
        let Self::Prepare(PrepareError::Misfits(misfits)) = self else { return vec![] };
        let refused = misfits.errors.iter().map(|misfit| misfit.0.refused());
        let named = refused.map(|refused| refused.map(|(levels, why)| Refusal { levels, why }));
        named.collect::<Option<_>>().unwrap_or_default()
    }
}

impl Session<'_> {
    /// Makes the texts of a stage that are not there yet, or as many as the budget allows.
    ///
    /// # Errors
    /// When it can't be run, does not come to its end, or texts of it failed.
    pub fn answer(&mut self, stage: &Stage) -> Result<Answer, StageError> {
        let failed = |source| StageError::Create { path: self.directory.to_owned(), source };
        std::fs::create_dir_all(self.directory).map_err(failed)?;
        let text = stage.toml(self.frame);
        let out = unclaimed(&self.directory.join(stage.name()), &text, experiment_of);
        let experiment = experiment_of(&out);
        write_whole(&experiment, text.as_bytes())?;
        let spec = RunSpec {
            experiment,
            overrides: Default::default(),
            out: Some(out.clone()),
            seed_offset: 0,
            shard: None,
            substitute: None,
            kernels: self.kernels,
        };
        let prepared = prepare(&spec, self.prepare, self.watch).map_err(StageError::from).inspect_err(|error| {
            // The stage is asked for without what is refused, and no experiment stays that can't be run.
            if !error.refusals().is_empty() {
                let _ = std::fs::remove_file(&spec.experiment);
            }
        })?;
        let Prepared::Ready(ready) = prepared else { return Err(StageError::Interrupted) };
        (self.on_stage)(stage);
        let share = if stage.kind.is_search() { Share::ButConfirmation } else { Share::All };
        let (mut is_cut_short, watch, spent) = (false, self.watch, &mut self.spent);
        let on_event = &mut |event: RunEvent<'_>| {
            if let RunEvent::TrialDone { .. } = event {
                spent.add_text();
            }
            // Somebody else's wish for an end is not the budget's.
            if !is_cut_short && spent.is_over(share) {
                is_cut_short = watch.ask_for_an_end();
            }
            let is_own_end = is_cut_short && matches!(event, RunEvent::Interrupted);
            (self.on_event)(if is_own_end { RunEvent::Finished } else { event });
        };
        let swept = sweep(*ready, &self.made, (self.run)(), watch, on_event)?;
        let is_cut_short = is_cut_short && watch.go_on();
        let (results, extent): (Results, Extent) = match swept {
            Swept::Complete(results) => (*results, Extent::Whole),
            Swept::Crashed(_, error) => return Err(error.into()),
            Swept::Interrupted if is_cut_short => {
                (RunDir::new(&out).read(self.prepare.trust)?.into(), Extent::CutShort)
            }
            Swept::Interrupted => return Err(StageError::Interrupted),
        };
        let n_failed = results.n_failed();
        if n_failed > 0 {
            return Err(StageError::Failed { n: n_failed, path: out });
        }
        let mut answer = Answer::of(stage, &results.analysis, self.frame.alpha, extent);
        let earlier: HashSet<TrialId> = self.made.iter().map(|record| record.id.clone()).collect();
        let records = results.contents.records.into_values();
        let n_before = self.made.len();
        // What failed before, and was not needed then, is no text.
        let is_new =
            |record: &TrialRecord| matches!(record.outcome, Outcome::Generated(_)) && !earlier.contains(&record.id);
        self.made.extend(records.filter(is_new));
        // Of those that an earlier stage made, each was made once.
        answer.n_texts = self.made.len() - n_before;
        Ok(answer)
    }
}

/// The file of the experiment that a run's folder is of.
fn experiment_of(out: &Path) -> PathBuf {
    PathBuf::from(format!("{}.toml", out.display()))
}

/// Whether it holds nothing but hidden files: whoever made it was killed before it wrote its experiment.
fn is_begun(folder: &Path) -> bool {
    let is_hidden = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with('.'))
    };
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.all(is_hidden))
}

/// The first folder, of `folder`, `folder-2` and so on, that is of an experiment with this text, or of none yet: what was
/// found under other settings stays, and what was begun under these goes on.
pub fn unclaimed(folder: &Path, text: &str, experiment_of: impl Fn(&Path) -> PathBuf) -> PathBuf {
    let name = |n: u32| match n {
        1 => folder.to_owned(),
        n => PathBuf::from(format!("{}-{n}", folder.display())),
    };
    let is_free = |folder: &PathBuf| match regular_file::read(&experiment_of(folder)) {
        Ok(bytes) => bytes == text.as_bytes(),
        Err(_) => !folder.exists() || is_begun(folder),
    };
    (1..).map(name).find(is_free).expect("there are more numbers than folders")
}

#[cfg(test)]
mod tests {
    use super::unclaimed;

    #[test]
    fn a_folder_is_taken_that_is_of_this_experiment_or_of_none() {
        let bench = tempfile::tempdir().unwrap();
        let folder = bench.path().join("x");
        let second = bench.path().join("x-2");
        let of = || unclaimed(&folder, "a = 1\n", |folder| folder.join("1.toml"));
        assert_eq!(of(), folder);
        // Killed before it wrote the experiment.
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join(".moe-sweep-x.tmp"), "a =").unwrap();
        assert_eq!(of(), folder);
        std::fs::write(folder.join("1.toml"), "a = 1\n").unwrap();
        assert_eq!(of(), folder);
        std::fs::write(folder.join("1.toml"), "a = 2\n").unwrap();
        assert_eq!(of(), second);
        // Somebody else's.
        std::fs::remove_file(folder.join("1.toml")).unwrap();
        std::fs::write(folder.join("notes.txt"), "mine").unwrap();
        assert_eq!(of(), second);
    }
}
