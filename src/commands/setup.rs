//! From an experiment file to a plan: what `plan` and `run` both begin with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use miette::{Diagnostic, Report, miette};
use strum::VariantNames as _;

use super::Failure;
use super::load::load_experiment;
use super::shard::which;
use super::survey::{Probing, Survey, Wanted, survey};
use crate::cli::{Elsewhere, Place};
use crate::exit_code::ExitCode;
use crate::experiment::{Api, Experiment, Served, Server, Source, server_url, shown_url};
use crate::journal;
use crate::model::Anatomy;
use crate::model::memory::Room;
use crate::plan::{Design, Part, Plan, PlanError};

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

/// Puts a server in the place of all the grid's models, if one is named.
fn ask_elsewhere(experiment: &mut Experiment, elsewhere: &Elsewhere) -> Result<(), Failure> {
    let Elsewhere { server: Some(url), api: Some(api), served_as, own_chain, key_env } = elsewhere else {
        return Ok(());
    };
    let bad = |option: &str, value: &str, why: &str| Failure::usage(miette!("{option} {value}: {why}"));
    let url = server_url(url).map_err(|why| bad("--server", &shown_url(url), why))?;
    let api: Api = api.parse().map_err(|_| bad("--api", api, &format!("use one of {}", Api::VARIANTS.join(", "))))?;
    let mut server = Server::new("server".to_owned(), url, api);
    server.own_chain.clone_from(own_chain);
    server.key_env.clone_from(key_env);
    for model in &mut experiment.grid.models {
        let name = served_as.clone().unwrap_or_else(|| model.id.clone());
        (model.sha256, model.size_bytes) = (None, None);
        model.source = Source::Server(Box::new(Served { server: server.clone(), name }));
    }
    Ok(())
}

/// Reads the experiment, looks at its models and plans it; writes nothing.
/// With `room`, refuses models for which free memory leaves less, unless a run
/// has begun before: its trials may all be done.
///
/// # Errors
/// When the experiment, or a model, can't be used.
pub fn set_up(experiment_file: &Path, place: &Place, room: Option<Room>, probing: Probing) -> Result<Setup, Failure> {
    let loaded = load_experiment(experiment_file).map_err(Failure::bad_setup)?;
    let mut experiment = loaded.experiment;
    experiment.grid.offset_seeds(place.seed_offset).map_err(|error| {
        Failure::bad_setup(miette!(help = "choose a smaller --seed-offset", "{}: {error}", experiment_file.display()))
    })?;
    ask_elsewhere(&mut experiment, &place.elsewhere)?;
    let of_servers = Plan::server_misfits(&experiment);
    if !of_servers.is_empty() {
        return Err(misfits(experiment_file, of_servers));
    }
    let executable = executable()?;
    let shard = place.shard.as_deref().map(which).transpose()?;
    if let (Some(shard), Some(_)) = (shard, &experiment.sequential) {
        return Err(Failure::bad_setup(miette!(
            help = "run it as a whole, without --shard; or remove [sequential], and all of its texts are made",
            "{}: {shard} can't be run, for [sequential] decides after each prompt whether to go on, and no shard has the \
             others' texts",
            experiment_file.display()
        )));
    }
    let directory = place.out.clone().unwrap_or_else(|| {
        let whole = Path::new("results").join(&experiment.name);
        shard.map_or_else(|| whole.clone(), |shard| whole.join(shard.directory()))
    });
    let room = room.filter(|_| !directory.join(journal::FILE_NAME).exists());
    let Survey { surveyed, anatomies } =
        survey(&Wanted::by_sweep(&experiment, room), experiment_file, &executable, probing)?;
    let plan = Plan::new(&experiment, &surveyed).map_err(|errors| misfits(experiment_file, errors))?;
    let mut design = Design::new(&experiment, &plan);
    let plan = match shard {
        None => plan,
        Some(shard) => {
            let (part, trials) = plan.shard(shard);
            if part.loads.is_empty() {
                let help = "there are more shards than prompts: ask for fewer";
                return Err(Failure {
                    code: ExitCode::NothingSelected,
                    report: miette!(help = help, "{shard} has no trials"),
                });
            }
            design.part = Some(Part { shard, trials });
            part
        }
    };
    Ok(Setup { design, text: loaded.text, plan, anatomies, directory, executable })
}

/// Everything that keeps an experiment from being run on its models as they were found.
pub fn misfits(file: &Path, errors: Vec<PlanError>) -> Failure {
    let errors = errors.into_iter().map(Misfit).collect();
    Failure::bad_setup(Misfits { path: file.to_owned(), errors })
}

/// Our own executable, which is also the worker.
///
/// # Errors
/// When the system does not tell.
pub fn executable() -> Result<PathBuf, Failure> {
    std::env::current_exe()
        .map_err(|error| Failure::internal(Report::msg(format!("cannot find the running program: {error}"))))
}
