//! Looking at the models before anything is planned: hashes, metadata, and
//! the tokens of every prompt, without loading weights.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::experiment::{Experiment, HubFile, Model, Source};
use crate::model::blake3_of;
use crate::plan::Surveyed;
use crate::worker::protocol::{Reply, Request};
use crate::worker::{Silence, Worker};

/// Reading metadata takes a fraction of a second; a worker that needs longer hangs.
const TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SurveyError {
    #[error("cannot read the model {id}, {path}")]
    #[diagnostic(help("correct its path, which starts from the directory of the file that states it, or fetch it"))]
    Read { id: String, path: PathBuf, source: std::io::Error },
    #[error("the model {id} is not fetched: {file}")]
    #[diagnostic(help("moe-sweep model fetch {id}"))]
    NotFetched { id: String, file: HubFile },
    #[error("the model {id}, {path}, has the SHA-256 {found}, not {stated}")]
    #[diagnostic(help("the file is damaged or another one: fetch it again, or correct sha256"))]
    WrongHash { id: String, path: PathBuf, stated: String, found: String },
    #[error("cannot use the model {id}, {path}: {reason}")]
    #[diagnostic(help("is it a whole GGUF file, of an architecture that this llama.cpp knows?"))]
    Unusable { id: String, path: PathBuf, reason: String },
    #[error("cannot start the worker {executable}")]
    Spawn { executable: PathBuf, source: std::io::Error },
}

/// Looks at every model of the grid.
///
/// # Errors
/// The first model that can't be used.
pub fn survey(experiment: &Experiment, executable: &Path) -> Result<BTreeMap<String, Surveyed>, SurveyError> {
    let models = experiment.grid.models.iter();
    models.map(|model| Ok((model.id.clone(), survey_model(model, experiment, executable)?))).collect()
}

fn survey_model(model: &Model, experiment: &Experiment, executable: &Path) -> Result<Surveyed, SurveyError> {
    let id = &model.id;
    let path = match &model.source {
        Source::Path(path) => path,
        Source::Hub(file) => return Err(SurveyError::NotFetched { id: id.clone(), file: file.clone() }),
    };
    let unreadable = |source| SurveyError::Read { id: id.clone(), path: path.clone(), source };
    let unusable = |reason| SurveyError::Unusable { id: id.clone(), path: path.clone(), reason };

    let size_bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if let Some(stated) = &model.sha256 {
        let found = sha256(path).map_err(unreadable)?;
        if found != *stated {
            return Err(SurveyError::WrongHash { id: id.clone(), path: path.clone(), stated: stated.clone(), found });
        }
    }
    let blake3 = blake3_of(path).map_err(unreadable)?;

    let mut worker = Worker::start(executable, experiment.generate.numerics)
        .map_err(|source| SurveyError::Spawn { executable: executable.to_owned(), source })?;
    let prompts = experiment.prompts.iter().map(|prompt| prompt.text.clone()).collect();
    worker.send(&Request::Inspect { path: path.clone(), prompts });
    match worker.receive(TIMEOUT) {
        Ok(Reply::Inspected { model: facts, engine, n_prompt_tokens }) => {
            Ok(Surveyed { path: path.clone(), commit: None, blake3, size_bytes, facts, engine, n_prompt_tokens })
        }
        Ok(other) => Err(unusable(format!("the worker answered out of turn: {other:?}"))),
        Err(Silence::Died(reason)) => Err(unusable(reason)),
        Err(Silence::TimedOut) => Err(unusable(format!("no answer within {} s", TIMEOUT.as_secs()))),
    }
}

fn sha256(path: &Path) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    loop {
        let chunk = file.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        hasher.update(chunk);
        let n = chunk.len();
        file.consume(n);
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
