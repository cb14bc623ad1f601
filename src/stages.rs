//! Runs the stages of a diagnosis: each one's experiment is written beside its run's folder, and run as `moe-sweep run`
//! would. Must not know what a stage is for, nor which comes next.

use std::path::{Path, PathBuf};

use miette::Diagnostic;

use crate::diagnosis::{Answer, Frame, Stage};
use crate::engine::kernels::Kernels;
use crate::event::RunEvent;
use crate::journal::record::TrialRecord;
use crate::prepare::{PrepareError, PrepareOptions, Prepared, RunSpec, prepare};
use crate::run_dir::{RunDirError, write_whole};
use crate::runner::RunOptions;
use crate::signals::Watch;
use crate::sweep::{SweepError, Swept, sweep};

/// Where and how the stages of a diagnosis are run.
pub struct Session<'a> {
    pub frame: &'a Frame,
    /// In which each stage has an experiment file and a run's folder.
    pub directory: &'a Path,
    pub kernels: Option<Kernels>,
    pub prepare: PrepareOptions<'a>,
    /// Asked anew for each stage: free memory changes.
    pub run: &'a dyn Fn() -> RunOptions,
    pub watch: &'a Watch,
    pub on_stage: &'a mut dyn FnMut(&Stage),
    pub on_event: &'a mut dyn FnMut(RunEvent<'_>),
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
    #[error("{n} of the texts of {path} failed, so nothing can be said", path = .path.display())]
    #[diagnostic(help("its journal says why; moe-sweep run {path}.toml --out {path} --retry-failed tries them again, then diagnose goes on", path = .path.display()))]
    Failed { n: usize, path: PathBuf },
    /// Somebody asked for an end. What was finished stays.
    #[error("interrupted: the same command goes on from the texts that are finished")]
    Interrupted,
}

impl Session<'_> {
    /// Makes the texts of a stage that are not there yet.
    ///
    /// # Errors
    /// When it can't be run, does not come to its end, or texts of it failed.
    pub fn answer(&mut self, stage: &Stage) -> Result<Answer, StageError> {
        (self.on_stage)(stage);
        let name = stage.name();
        let failed = |source| StageError::Create { path: self.directory.to_owned(), source };
        std::fs::create_dir_all(self.directory).map_err(failed)?;
        let experiment = self.directory.join(format!("{name}.toml"));
        write_whole(&experiment, stage.toml(self.frame).as_bytes())?;
        let out = self.directory.join(&name);
        let spec = RunSpec {
            experiment,
            out: Some(out.clone()),
            seed_offset: 0,
            shard: None,
            substitute: None,
            kernels: self.kernels,
        };
        let Prepared::Ready(ready) = prepare(&spec, self.prepare, self.watch)? else {
            return Err(StageError::Interrupted);
        };
        let results = match sweep(*ready, &self.made, (self.run)(), self.watch, self.on_event)? {
            Swept::Complete(results) => results,
            Swept::Crashed(_, error) => return Err(error.into()),
            Swept::Interrupted => return Err(StageError::Interrupted),
        };
        let n = results.n_without_score();
        if n > 0 {
            return Err(StageError::Failed { n, path: out });
        }
        let answer = Answer::of(stage, &results.analysis, self.frame.alpha);
        self.made.extend(results.contents.records.into_values());
        Ok(answer)
    }
}
