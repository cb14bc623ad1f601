//! From a study's file to a study that is ready: what `plan` and `run` both begin with, and the file of every arm.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use miette::Diagnostic;

use super::Failure;
use super::files::{FileError, Maker, NotMade};
use super::load::LoadedStudy;
use super::memory::{HeaderError, MemoryError, anatomy_of, must_fit};
use super::setup::{executable, misfits};
use super::survey::{Probing, Survey, Wanted, survey};
use crate::cli::Place;
use crate::engine::EngineKind;
use crate::experiment::{Arm, Kind, Study, Subject};
use crate::journal;
use crate::model::ModelFile;
use crate::model::memory::Room;
use crate::plan::{OnDisk, Surveyed, study_misfits};
use crate::study::ArmFile;

/// A study that is ready to run.
pub struct ReadyStudy {
    pub study: Study,
    pub surveyed: BTreeMap<String, Surveyed>,
    /// The experiment file as it was given.
    pub text: String,
    /// Our own executable, which is also the worker.
    pub executable: PathBuf,
    /// The run's directory.
    pub directory: PathBuf,
}

/// Why a study can't be run as it was asked for.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum UnfitStudy {
    #[error("{option} is for sweeps, and {} is of the kind {kind}", file.display())]
    #[diagnostic(help("leave it out"))]
    ForSweeps { option: &'static str, file: PathBuf, kind: Kind },
    #[error("{}: {why}", file.display())]
    #[diagnostic(help("choose a smaller --seed-offset"))]
    SeedOffset { file: PathBuf, why: String },
    #[error("the model {model} can't be looked into")]
    #[diagnostic(help("name the GGUF file of a model: only llama.cpp in this process hands over logits and experts"))]
    Opaque { model: String },
    #[error("the model {model} is dense: it has no experts and no routing")]
    #[diagnostic(help("leave it out of [grid] model: routing is for mixture-of-experts models"))]
    Dense { model: String },
    #[error("{} holds the results of a sweep", directory.display())]
    #[diagnostic(help("choose another one with --out DIR"))]
    Sweep { directory: PathBuf },
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
pub fn set_up(file: &Path, place: &Place, loaded: LoadedStudy) -> Result<ReadyStudy, Failure> {
    let LoadedStudy { mut study, text } = loaded;
    for (option, given) in [("--shard", &place.shard), ("--server", &place.elsewhere.server)] {
        if given.is_some() {
            return Err(UnfitStudy::ForSweeps { option, file: file.to_owned(), kind: study.kind() }.into());
        }
    }
    study.offset_seeds(place.seed_offset).map_err(|why| UnfitStudy::SeedOffset { file: file.to_owned(), why })?;
    let executable = executable()?;
    let directory = place.out.clone().unwrap_or_else(|| Path::new("results").join(&study.name));
    let Survey { surveyed, .. } = survey(&Wanted::by_study(&study), file, &executable, Probing::None)?;
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

/// Refuses a directory that a sweep has written to.
///
/// # Errors
/// When it holds a journal.
pub fn refuse_sweep(directory: &Path) -> Result<(), UnfitStudy> {
    match directory.join(journal::FILE_NAME).exists() {
        true => Err(UnfitStudy::Sweep { directory: directory.to_owned() }),
        false => Ok(()),
    }
}

/// The files of all arms, made before anything is followed.
///
/// # Errors
/// The first that can't be made, or does not fit in free memory.
pub fn arm_files(
    maker: &Maker<'_>,
    study: &Study,
    surveyed: &BTreeMap<String, Surveyed>,
) -> Result<Vec<ArmFile>, ArmFileError> {
    let mut files = Vec::new();
    for model in &study.models {
        let surveyed = &surveyed[&model.id];
        let Some(found) = surveyed.file() else { continue };
        for &arm in study.arms() {
            let file =
                maker.file(&model.id, found, surveyed, arm.quant, arm.numerics).map_err(|error| match error {
                    NotMade::Interrupted => ArmFileError::Interrupted,
                    NotMade::Failed(error) => ArmFileError::File(error),
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
    let needs = (study.generate.context, Room { rows: arm.width, ..Room::LEAST });
    Ok(must_fit(model, &file.path, &anatomy, &surveyed.engine, &[arm.offload], needs)?)
}
