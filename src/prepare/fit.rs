//! Refuses, before anything is loaded, what can't fit in free memory.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use miette::Diagnostic;

use crate::domain::TrialId;
use crate::engine::{EngineFacts, EngineKind};
use crate::hardware::available_memory_bytes;
use crate::model::gguf::Gguf;
use crate::model::memory::{DoesNotFit, Estimate, Free, Room};
use crate::model::{Anatomy, HeaderError, ModelFiles, read_header};
use crate::plan::Plan;

#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum MemoryError {
    #[error("the model {model}, {path}, does not fit in memory: {refused}")]
    #[diagnostic(help("{}", refused.advice()))]
    DoesNotFit { model: String, path: PathBuf, refused: Box<DoesNotFit> },
    #[error("cannot use the model {model}: {error}")]
    #[diagnostic(forward(error))]
    Header { model: String, error: HeaderError },
}

/// Reads the file's header and what it tells; None for a scripted model, which has none.
///
/// # Errors
/// When it is no whole GGUF file, or no model.
pub fn header_of(path: &Path) -> Result<Option<(Gguf, Anatomy)>, HeaderError> {
    if EngineKind::of(path) == EngineKind::Scripted {
        return Ok(None);
    }
    read_header(path).map(Some)
}

/// Reads what the file's header tells; None for a scripted model.
///
/// # Errors
/// When it is no whole GGUF file, or no model.
pub fn anatomy_of(path: &Path) -> Result<Option<Anatomy>, HeaderError> {
    Ok(header_of(path)?.map(|(_, anatomy)| anatomy))
}

/// Memory that is free; None where the system does not tell. An accelerator's
/// is not known, and llama.cpp says itself when it is too small.
fn free(engine: &EngineFacts) -> Option<Free> {
    let device_bytes = (!engine.accelerators.is_empty()).then_some(u64::MAX);
    available_memory_bytes().map(|host_bytes| Free { host_bytes, device_bytes })
}

/// Refuses a model that fits in none of these ways.
///
/// # Errors
/// With figures, and what would fit.
pub fn must_fit(
    model: &str,
    path: &Path,
    engine: &EngineFacts,
    ways: impl IntoIterator<Item = Estimate>,
    room: Room,
) -> Result<(), MemoryError> {
    let Some(free) = free(engine) else { return Ok(()) };
    let mut worst = Ok(());
    for way in ways {
        worst = way.fits(free, room);
        if worst.is_ok() {
            break;
        }
    }
    worst.map_err(|refused| MemoryError::DoesNotFit {
        model: model.to_owned(),
        path: path.to_owned(),
        refused: Box::new(refused),
    })
}

/// Refuses a plan whose loads that are still to run don't all fit.
///
/// # Errors
/// The first that does not fit.
pub fn all_must_fit(plan: &Plan, files: &ModelFiles, done: &HashSet<TrialId>, room: Room) -> Result<(), MemoryError> {
    for load in plan.loads.iter().filter(|load| !load.is_done(done)) {
        let key = load.key.clone();
        let Some(file) = files.get(&(key.model().to_owned(), key.quant())) else { continue };
        let anatomy =
            anatomy_of(&file.path).map_err(|error| MemoryError::Header { model: key.model().to_owned(), error })?;
        if let Some(anatomy) = anatomy {
            let estimate = Estimate::of_load(&anatomy, &key, plan.generate);
            must_fit(&key.to_string(), &file.path, &load.surveyed.engine, [estimate], room)?;
        }
    }
    Ok(())
}
