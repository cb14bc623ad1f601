//! From an experiment file to a plan: what `plan` and `run` both begin with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use miette::{Diagnostic, Report, miette};

use super::Failure;
use super::load::load_experiment;
use super::survey::{Survey, survey};
use crate::cli::Place;
use crate::journal;
use crate::model::Anatomy;
use crate::model::memory::Room;
use crate::plan::{Design, Plan, PlanError};

/// An experiment that is ready to run.
pub struct Setup {
    pub design: Design,
    /// The experiment file as it was given.
    pub text: String,
    pub plan: Plan,
    /// Of the models that have a header, by id.
    pub anatomies: BTreeMap<String, Anatomy>,
    /// The run's directory.
    pub directory: PathBuf,
    /// Our own executable, which is also the worker.
    pub executable: PathBuf,
}

/// Everything that keeps an experiment from being run on these models.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{path} can't be run on these models", path = path.display())]
struct Misfits {
    path: PathBuf,
    #[related]
    errors: Vec<Misfit>,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error(transparent)]
struct Misfit(PlanError);

/// Reads the experiment, looks at its models and plans it; writes nothing.
/// With `room`, refuses models for which free memory leaves less, unless a run
/// has begun before: its trials may all be done.
///
/// # Errors
/// When the experiment, or a model, can't be used.
pub fn set_up(experiment_file: &Path, place: &Place, room: Option<Room>) -> Result<Setup, Failure> {
    let loaded = load_experiment(experiment_file).map_err(Failure::bad_setup)?;
    let mut experiment = loaded.experiment;
    experiment.grid.offset_seeds(place.seed_offset).map_err(|error| {
        Failure::bad_setup(miette!(help = "choose a smaller --seed-offset", "{}: {error}", experiment_file.display()))
    })?;
    let executable = executable()?;
    let directory = place.out.clone().unwrap_or_else(|| Path::new("results").join(&experiment.name));
    let room = room.filter(|_| !directory.join(journal::FILE_NAME).exists());
    let Survey { surveyed, anatomies } =
        survey(&experiment, experiment_file, &executable, room).map_err(Failure::bad_setup)?;
    let plan = Plan::new(&experiment, &surveyed).map_err(|errors| {
        let errors = errors.into_iter().map(Misfit).collect();
        Failure::bad_setup(Misfits { path: experiment_file.to_owned(), errors })
    })?;
    Ok(Setup { design: Design::new(&experiment, &plan), text: loaded.text, plan, anatomies, directory, executable })
}

/// Our own executable, which is also the worker.
///
/// # Errors
/// When the system does not tell.
pub fn executable() -> Result<PathBuf, Failure> {
    std::env::current_exe()
        .map_err(|error| Failure::internal(Report::msg(format!("cannot find the running program: {error}"))))
}
