//! Makes a study ready from its file: what `plan` and `run` both begin with, and the file of every arm.

use std::collections::BTreeMap;

use miette::Diagnostic;

use super::error::UnfitStudy;
use super::files::{FileError, NoFile, Quantiser};
use super::fit::{MemoryError, anatomy_of, must_fit};
use super::read::LoadedStudy;
use super::survey::{Probing, Survey, SurveyRequest, WhereAbsent, survey};
use super::{PrepareError, RunSpec, executable, misfits};
use crate::engine::EngineKind;
use crate::experiment::{Arm, Study, Subject};
use crate::model::memory::{Estimate, Room};
use crate::model::{HeaderError, ModelFile};
use crate::plan::{OnDisk, Surveyed, study_misfits};
use crate::run_dir::RunDir;
use crate::study::ArmFile;
use crate::worker::Executable;

/// A study that is ready to run.
pub struct ReadyStudy {
    pub study: Study,
    pub surveyed: BTreeMap<String, Surveyed>,
    /// The experiment file as it was given.
    pub text: String,
    /// Our own executable, which is also the worker.
    pub executable: Executable,
    pub directory: RunDir,
}

/// Why the file of an arm can't be had.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum ArmFileError {
    #[error("interrupted")]
    Interrupted,
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Header(#[from] HeaderError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Memory(#[from] MemoryError),
}

/// Looks at the models, and refuses what can't be run on them; writes nothing.
///
/// # Errors
/// Says what stands in the way, and how to clear it.
pub fn prepare_study(spec: &RunSpec, loaded: LoadedStudy) -> Result<ReadyStudy, PrepareError> {
    let (file, LoadedStudy { mut study, text }) = (&spec.experiment, loaded);
    for (option, given) in [("--shard", spec.shard.is_some()), ("--server", spec.substitute.is_some())] {
        if given {
            return Err(UnfitStudy::ForSweeps { option, file: file.clone(), kind: study.kind() }.into());
        }
    }
    let moved = study.offset_seeds(spec.seed_offset);
    moved.map_err(|why| PrepareError::SeedOffset { file: file.clone(), why })?;
    let executable = executable(spec.kernels)?;
    let directory = RunDir::new(spec.directory(&study.name));
    let Survey { surveyed, .. } =
        survey(&SurveyRequest::of_study(&study), file, &executable, Probing::None, WhereAbsent::Refuse)?;
    let errors = study_misfits(&study, &surveyed);
    if !errors.is_empty() {
        return Err(misfits(file, errors));
    }
    refuse_opaque(&study, &surveyed)?;
    Ok(ReadyStudy { study, surveyed, text, executable, directory })
}

/// Refuses models that can't be looked into.
fn refuse_opaque(study: &Study, surveyed: &BTreeMap<String, Surveyed>) -> Result<(), UnfitStudy> {
    for model in &study.models {
        let gguf = surveyed[&model.id].file().filter(|file| EngineKind::of(&file.path) == EngineKind::Llama);
        let Some(OnDisk { facts, .. }) = gguf else {
            return Err(UnfitStudy::Opaque { model: model.id.clone() });
        };
        if matches!(study.subject, Subject::Routing(_)) && facts.n_expert == 0 {
            return Err(UnfitStudy::Dense { model: model.id.clone() });
        }
    }
    Ok(())
}

/// Finds the files of all arms, and makes those that are quantised, before anything is followed.
///
/// # Errors
/// The first that can't be made, or does not fit in free memory.
pub fn arm_files(
    quantiser: &Quantiser<'_>,
    study: &Study,
    surveyed: &BTreeMap<String, Surveyed>,
) -> Result<Vec<ArmFile>, ArmFileError> {
    let mut files = Vec::new();
    for model in &study.models {
        let surveyed = &surveyed[&model.id];
        let Some(found) = surveyed.file() else { continue };
        for &arm in study.arms() {
            let file =
                quantiser.file(&model.id, found, surveyed, arm.quant, arm.numerics).map_err(|error| match error {
                    NoFile::Interrupted => ArmFileError::Interrupted,
                    NoFile::Failed(error) => ArmFileError::File(error),
                })?;
            refuse_too_large(study, &model.id, surveyed, arm, &file)?;
            files.push(ArmFile { model: model.id.clone(), arm, file });
        }
    }
    Ok(files)
}

fn refuse_too_large(
    study: &Study,
    model: &str,
    surveyed: &Surveyed,
    arm: Arm,
    file: &ModelFile,
) -> Result<(), ArmFileError> {
    let Some(anatomy) = anatomy_of(&file.path)? else { return Ok(()) };
    let estimate = Estimate::of(&anatomy, arm.offload, study.generate.context);
    let room = Room { batch: arm.width, ..Room::LEAST };
    Ok(must_fit(model, &file.path, &surveyed.engine, [estimate], room)?)
}
