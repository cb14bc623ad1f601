//! Makes a run ready from an experiment's file: the file is read, the models are found, hashed, surveyed, fitted into
//! memory and quantised.
//!
//! Owns everything that can be refused before the first byte of a run is written. Must not know how trials are run, nor
//! what is written of them.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use crate::domain::TrialId;
use crate::engine::kernels::Kernels;
use crate::experiment::{Experiment, Overrides, Served, Server, Source};
use crate::journal::FailedTrials;
use crate::message::say;
use crate::model::findings::Examination;
use crate::model::memory::Room;
use crate::model::{Anatomy, ModelFiles};
use crate::plan::{Design, Part, Plan, PlanError, Shard};
use crate::run_dir::RunDir;
use crate::seal::Trust;
use crate::signals::Watch;
use crate::worker::Executable;

mod absent;
mod duration;
mod error;
mod files;
mod fit;
mod read;
mod shard;
mod study;
mod survey;

pub use error::{PrepareError, UnfitStudy};
pub use files::{NOTHING_YET, Quantiser};
pub use read::{LoadError, LoadedStudy, load_models, load_study};
pub use shard::{WhichShardError, which_shard};
pub use study::{ArmFileError, ReadyStudy, arm_files, prepare_study};

use error::{Misfit, Misfits};
use files::NoFile;
use read::{Loaded, load_experiment};
use survey::{Absent, Probing, Survey, SurveyRequest, WhereAbsent, survey};

/// What is to be run, and where to.
#[derive(Clone, Debug)]
pub struct RunSpec {
    /// The experiment file.
    pub experiment: PathBuf,
    /// What stands in the place of what the file says.
    pub overrides: Overrides,
    /// The run's directory; by default one that is named after the experiment.
    pub out: Option<PathBuf>,
    /// Added to every seed.
    pub seed_offset: u32,
    /// The part of the plan that is to be run; all of it where there is none.
    pub shard: Option<Shard>,
    /// Asked in place of the grid's models.
    pub substitute: Option<Substitute>,
    /// What multiplies quantised weights; the quickest that works where there is none.
    pub kernels: Option<Kernels>,
}

/// A server in the place of the grid's models.
#[derive(Clone, Debug)]
pub struct Substitute {
    pub server: Server,
    /// What it calls every model; by default as the experiment does.
    pub served_as: Option<String>,
}

/// What a sweep is made ready with.
#[derive(Clone, Copy, Debug)]
pub struct PrepareOptions<'a> {
    /// Where quantised files are kept.
    pub cache: &'a Path,
    pub threads: u32,
    /// What free memory must leave room for.
    pub room: Room,
    pub failed: FailedTrials,
    pub trust: Trust,
}

/// A sweep that was looked at and planned.
pub struct PlannedSweep {
    pub design: Design,
    /// The experiment file as it was given.
    pub text: String,
    pub plan: Plan,
    /// Of the models that have a header, by id.
    pub anatomies: BTreeMap<String, Anatomy>,
    /// What is wrong by these headers.
    pub examinations: BTreeMap<String, Examination>,
    /// Models that are not here: what is said of them is what would be, and none of it can be run.
    pub absent: Vec<Absent>,
    pub directory: RunDir,
    /// Our own executable, which is also the worker.
    pub executable: Executable,
}

/// A sweep that is ready to run.
pub struct ReadySweep {
    pub planned: PlannedSweep,
    /// The file of every model that is still to be loaded.
    pub files: ModelFiles,
    pub failed: FailedTrials,
    pub trust: Trust,
}

/// What became of getting ready.
pub enum Prepared {
    Ready(Box<ReadySweep>),
    Interrupted,
}

/// Reads the experiment, looks at its models, plans it and makes the files that its models are loaded from. Nothing is
/// written into the run's directory.
///
/// # Errors
/// When the experiment, or a model, can't be used, or a model does not fit in free memory.
pub fn prepare(spec: &RunSpec, options: PrepareOptions<'_>, watch: &Watch) -> Result<Prepared, PrepareError> {
    let planned = look(spec, Some(options.room), Probing::Full, WhereAbsent::Refuse)?;
    let done = planned.done(options.failed, options.trust)?;
    let quantiser =
        Quantiser { executable: &planned.executable, cache: options.cache, threads: options.threads, watch };
    let files = match quantiser.files(&planned.plan, &done) {
        Ok(files) => files,
        Err(NoFile::Interrupted) => return Ok(Prepared::Interrupted),
        Err(NoFile::Failed(error)) => return Err(error.into()),
    };
    fit::all_must_fit(&planned.plan, &files, &done, options.room)?;
    Ok(Prepared::Ready(Box::new(ReadySweep { planned, files, failed: options.failed, trust: options.trust })))
}

/// Reads the experiment, looks at its models and plans it; writes nothing, and tries no server. For models that are not
/// here, what is known of their shape stands in.
///
/// # Errors
/// When the experiment, or a model, can't be used; also for a model that is not here and has no shape.
pub fn plan(spec: &RunSpec) -> Result<PlannedSweep, PrepareError> {
    look(spec, None, Probing::None, WhereAbsent::StandIn)
}

/// With `room`, refuses models for which free memory leaves less, unless a run
/// has begun before: its trials may all be done.
fn look(
    spec: &RunSpec,
    room: Option<Room>,
    probing: Probing,
    where_absent: WhereAbsent,
) -> Result<PlannedSweep, PrepareError> {
    let file = &spec.experiment;
    let Loaded { mut experiment, text } = load_experiment(file, &spec.overrides)?;
    let moved = experiment.grid.offset_seeds(spec.seed_offset);
    moved.map_err(|why| PrepareError::SeedOffset { file: file.clone(), why })?;
    if let Some(substitute) = &spec.substitute {
        put_in_place(&mut experiment, substitute)?;
    }
    let of_servers = Plan::server_misfits(&experiment);
    if !of_servers.is_empty() {
        return Err(misfits(file, of_servers));
    }
    let executable = executable(spec.kernels)?;
    if let (Some(shard), Some(_)) = (spec.shard, &experiment.sequential) {
        return Err(PrepareError::ShardOfSequential { file: file.clone(), shard });
    }
    let directory = RunDir::new(spec.directory(&experiment.name));
    let room = room.filter(|_| !directory.has_journal());
    let request = SurveyRequest::of_sweep(&experiment, room);
    let Survey { surveyed, anatomies, examinations, absent } =
        survey(&request, file, &executable, probing, where_absent)?;
    executable.warnings().iter().for_each(|warning| say(warning));
    let plan = Plan::new(&experiment, &surveyed).map_err(|errors| misfits(file, errors))?;
    let mut design = Design::new(&experiment, &plan);
    let plan = match spec.shard {
        None => plan,
        Some(shard) => {
            let (part, trials) = plan.shard(shard);
            if part.loads.is_empty() {
                return Err(PrepareError::EmptyShard { shard });
            }
            design.part = Some(Part { shard, trials });
            part
        }
    };
    Ok(PlannedSweep { design, text, plan, anatomies, examinations, absent, directory, executable })
}

impl RunSpec {
    /// Returns the run's folder: what was typed, or `results/NAME` for the experiment's name; for a shard, a folder in
    /// that.
    pub fn directory(&self, experiment: &str) -> PathBuf {
        self.out.clone().unwrap_or_else(|| {
            let whole = Path::new("results").join(experiment);
            self.shard.map_or_else(|| whole.clone(), |shard| whole.join(shard.directory()))
        })
    }
}

impl PlannedSweep {
    /// Refuses a plan with models that are not here.
    ///
    /// # Errors
    /// The first of them.
    pub fn all_here(self) -> Result<(), PrepareError> {
        self.absent.into_iter().next().map_or(Ok(()), |absent| Err(absent.error.into()))
    }

    /// The trials that earlier runs have made, and that need not be made again.
    fn done(&self, failed: FailedTrials, trust: Trust) -> Result<HashSet<TrialId>, PrepareError> {
        if !self.directory.path().is_dir() {
            return Ok(HashSet::new());
        }
        Ok(self.directory.records(trust)?.done(failed))
    }
}

/// Puts a server in the place of all the grid's models.
///
/// # Errors
/// When it is said to run a chain of its own that the grid does not have.
fn put_in_place(
    experiment: &mut Experiment,
    Substitute { server, served_as }: &Substitute,
) -> Result<(), PrepareError> {
    let chains = &experiment.grid.chains;
    if let Some(own) = &server.own_chain
        && !chains.iter().any(|chain| chain.id == *own)
    {
        let known = chains.iter().map(|chain| chain.id.clone()).collect();
        return Err(PrepareError::OwnChain { chain: own.clone(), known });
    }
    for model in &mut experiment.grid.models {
        let name = served_as.clone().unwrap_or_else(|| model.id.clone());
        (model.sha256, model.size_bytes) = (None, None);
        model.source = Source::Server(Box::new(Served { server: server.clone(), name }));
    }
    Ok(())
}

/// Everything that keeps an experiment from being run on its models as they were found.
fn misfits(file: &Path, errors: Vec<PlanError>) -> PrepareError {
    let errors = errors.into_iter().map(Misfit).collect();
    PrepareError::Misfits(Misfits { path: file.to_owned(), errors })
}

/// Our own executable, which is also the worker, with `kernels` or those that are the quickest.
///
/// # Errors
/// When the system does not tell where it is.
pub fn executable(kernels: Option<Kernels>) -> Result<Executable, PrepareError> {
    let path = std::env::current_exe().map_err(PrepareError::Executable)?;
    Ok(Executable::new(path, kernels))
}

/// Returns `$XDG_CACHE_HOME/moe-sweep`, or where the system keeps such things.
pub fn default_cache() -> PathBuf {
    dirs::cache_dir().unwrap_or_else(std::env::temp_dir).join("moe-sweep")
}
