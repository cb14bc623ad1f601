//! Finds the file of every model that is to be loaded. Quantised ones are made first, each by a worker of its own.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use crate::domain::{Numerics, Quant, TrialId};
use crate::engine::Quantisation;
use crate::message::say;
use crate::model::{ModelFile, ModelFiles, QuantisedError, QuantisedFiles, Recipe};
use crate::plan::{OnDisk, Plan, Surveyed};
use crate::signals::Watch;
use crate::worker::protocol::{Reply, Request};
use crate::worker::{Cause, Death, Exchange, Executable, Heard, Limits, Unanswered, Worker};

/// What an interruption says before the first text.
pub const NOTHING_YET: &str = "interrupted: nothing was computed yet; run the same command to start again";

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum FileError {
    #[error("cannot quantise the model {model} to {quant}: {reason}")]
    #[diagnostic(help("exclude this quant for it with [[grid.exclude]], or name a file in F32, F16 or BF16"))]
    Quantise { model: String, quant: Quant, reason: String },
    #[error("cannot quantise the model {model} to {quant}, because memory is short: {reason}")]
    #[diagnostic(help("free memory or lower --threads, and run the same command again"))]
    OutOfMemory { model: String, quant: Quant, reason: String },
    #[error("cannot store the model {model} as {quant} in {path}")]
    #[diagnostic(help("free disk space, or choose another directory with --cache DIR"))]
    Keep { model: String, quant: Quant, path: PathBuf, source: std::io::Error },
}

/// Why there is no file.
pub enum NoFile {
    Interrupted,
    Failed(FileError),
}

/// Finds models' files, and makes the quantised ones that are not kept yet.
pub struct Quantiser<'a> {
    /// Our own executable, which is also the worker.
    pub executable: &'a Executable,
    pub cache: &'a Path,
    pub threads: u32,
    pub watch: &'a Watch,
}

impl Quantiser<'_> {
    /// Finds the file of every model that has trials which are not in `done`, and makes those that are quantised.
    ///
    /// # Errors
    /// The first that can't be made, or was not for an interruption.
    pub fn files(&self, plan: &Plan, done: &HashSet<TrialId>) -> Result<ModelFiles, NoFile> {
        let mut files = ModelFiles::new();
        let mut seen = BTreeSet::new();
        for load in &plan.loads {
            let key = (load.model.id.clone(), load.key.quant());
            if load.is_done(done) || !seen.insert(key.clone()) {
                continue;
            }
            // A server's model has none here.
            let Some(found) = load.surveyed.file() else { continue };
            let numerics = plan.generate.numerics;
            let file = self.file(&load.model.id, found, &load.surveyed, load.key.quant(), numerics)?;
            files.insert(key, file);
        }
        Ok(files)
    }

    /// Finds a model's file at a quantisation, and makes it where it is not kept yet.
    ///
    /// # Errors
    /// When it can't be made, or was not for an interruption.
    pub fn file(
        &self,
        model: &str,
        found: &OnDisk,
        surveyed: &Surveyed,
        quant: Quant,
        numerics: Numerics,
    ) -> Result<ModelFile, NoFile> {
        let OnDisk { path, size_bytes, .. } = found;
        if quant == Quant::Source {
            let (blake3, size_bytes) = (surveyed.blake3.clone(), *size_bytes);
            return Ok(ModelFile { path: path.clone(), blake3, size_bytes });
        }
        let recipe = Recipe { model, source_blake3: &surveyed.blake3, quant, engine: &surveyed.engine.fingerprint };
        let made = QuantisedFiles::new(self.cache).get(&recipe, |target| {
            // What is half made is removed; hashing, before and after, leaves nothing.
            self.watch.cleanly();
            say(&format!("quantising {model} to {quant}, stored in {}", self.cache.display()));
            let source = path.clone();
            let quantisation = Quantisation { source, target: target.to_owned(), quant, threads: self.threads };
            let made = self.make(&quantisation, model, numerics);
            if !matches!(made, Err(NoFile::Interrupted)) {
                self.watch.at_once(NOTHING_YET);
            }
            made
        });
        made.map_err(|error| match error {
            QuantisedError::Io { path, source } => {
                NoFile::Failed(FileError::Keep { model: model.to_owned(), quant, path, source })
            }
            QuantisedError::Make(error) => error,
        })
    }

    fn make(&self, quantisation: &Quantisation, model: &str, numerics: Numerics) -> Result<(), NoFile> {
        let quant = quantisation.quant;
        let failed = |reason| NoFile::Failed(FileError::Quantise { model: model.to_owned(), quant, reason });
        let mut worker = Worker::start(self.executable, numerics).map_err(|error| {
            failed(format!("cannot start the worker {}: {error}", self.executable.path().display()))
        })?;
        // A large model takes minutes, and llama.cpp gives no sign of life meanwhile.
        let limits = Limits::interruption(self.watch.asked());
        let exchange = Exchange::begin(&mut worker, &Request::Quantise(quantisation.clone()), limits);
        let made = exchange.answer(|reply| match reply {
            Reply::Quantised => Heard::Answer(()),
            other => Heard::out_of_turn(&other),
        });
        made.map_err(|unanswered| match unanswered {
            Unanswered::Interrupted => NoFile::Interrupted,
            Unanswered::Died(Death { reason, cause: Cause::Memory | Cause::Killed, .. }) => {
                NoFile::Failed(FileError::OutOfMemory { model: model.to_owned(), quant, reason })
            }
            other => failed(other.to_string()),
        })
    }
}
