//! Looks at the models before anything is planned: hashes, metadata, and the tokens of every prompt, without loading
//! weights.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::absent::stand_in;
use super::fit::{MemoryError, header_of, must_fit};
use crate::domain::{Chain, Generate, LoadKey, ModelFacts, PromptKey, Quant, Step};
use crate::engine::{EngineFacts, EngineKind, Grammar, PromptCounts, Questions};
use crate::experiment::{Experiment, Model, Prompt, Served, Source, Study, Subject};
use crate::message::say;
use crate::model::findings::{Examination, examine};
use crate::model::gguf::Gguf;
use crate::model::memory::{Estimate, Room};
use crate::model::{Anatomy, Caches, HeaderError, Location, blake3_of, parts, sampling_of, sha256_of};
use crate::plan::{OnDisk, Origin, Surveyed};
use crate::progress::pausing;
use crate::worker::protocol::{Reply, Request};
use crate::worker::{
    Cause, Death, Exchange, Executable, Heard, Limits, Unanswered, UnusableKernels, Worker, kernels_for,
};

/// Reading metadata takes a fraction of a second; a worker that needs longer hangs.
const TIMEOUT: Duration = Duration::from_secs(60);
/// A server is asked for some twenty short texts.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1800);

#[cfg(feature = "llama")]
const UNUSABLE: &str = "is it a whole GGUF file, of an architecture that this llama.cpp knows?";
#[cfg(not(feature = "llama"))]
const UNUSABLE: &str = crate::engine::llama::REMEDY;

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SurveyError {
    #[error("cannot read the model {id}, {path}")]
    #[diagnostic(help("correct its path, which is relative to the file that states it, or fetch the model"))]
    Read { id: String, path: PathBuf, source: std::io::Error },
    #[error("the model {id} is not fetched: {file}")]
    #[diagnostic(help(
        "fetch it first: moe-sweep model fetch {id} --experiment {experiment}",
        experiment = experiment.display()
    ))]
    NotFetched { id: String, file: String, experiment: PathBuf },
    #[error("the model {id}, {path}, has the SHA-256 {found}, not the stated {stated}")]
    #[diagnostic(help("the file is damaged or is another file: fetch it again, or correct sha256"))]
    WrongHash { id: String, path: PathBuf, stated: String, found: String },
    #[error("cannot use the model {id}, {path}: {reason}")]
    #[diagnostic(help("{UNUSABLE}"))]
    Unusable { id: String, path: PathBuf, reason: String },
    #[error("cannot read the model {id}, {path}, because memory is short: {reason}")]
    #[diagnostic(help("free memory, and run the same command again"))]
    OutOfMemory { id: String, path: PathBuf, reason: String },
    #[error("cannot use the model {id}: {error}")]
    #[diagnostic(forward(error))]
    Header { id: String, error: HeaderError },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Memory(#[from] MemoryError),
    #[error("cannot use the model {id} on the server {server}, {url}: {reason}")]
    #[diagnostic(help("is the server running, and is api correct? docs/servers.md has an example for each"))]
    UnusableServer { id: String, server: String, url: String, reason: String },
    #[error("{experiment}: cannot read the grammar of the chain {chain} for the model {id}: {reason}", experiment = experiment.display())]
    #[diagnostic(help(
        "correct it, in GBNF as described by llama.cpp's grammars/README.md; to allow any JSON object use the step \
         \"json\""
    ))]
    Grammar { experiment: PathBuf, id: String, chain: String, reason: String },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Kernels(#[from] UnusableKernels),
    #[error("cannot start the worker {executable}")]
    Spawn { executable: PathBuf, source: std::io::Error },
}

/// What was found of each model, by its id.
#[derive(Default)]
pub struct Survey {
    pub surveyed: BTreeMap<String, Surveyed>,
    /// Of models that have a header.
    pub anatomies: BTreeMap<String, Anatomy>,
    /// What is wrong by these headers.
    pub examinations: BTreeMap<String, Examination>,
    /// Models that are not here, and for which a description of their shape stands in above.
    pub absent: Vec<Absent>,
}

/// A model that is not here, and what is said where it is needed.
pub struct Absent {
    pub model: Model,
    pub error: SurveyError,
}

/// What becomes of a model that is not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhereAbsent {
    Refuse,
    /// Plan with what its shape tells, where one is stated.
    StandIn,
}

/// What models are looked at for.
pub struct SurveyRequest<'a> {
    pub models: &'a [Model],
    pub prompts: &'a [Prompt],
    pub chains: &'a [Chain],
    pub keys: Vec<PromptKey>,
    pub generate: Generate,
    /// The least room that free memory must leave beside the weights of a model's own file, in one of these loads of it
    /// at least; None where files are still to be made, or a run has begun before.
    pub room: Option<(Room, Vec<LoadKey>)>,
}

impl<'a> SurveyRequest<'a> {
    /// Makes the request for a sweep.
    pub fn of_sweep(experiment: &'a Experiment, room: Option<Room>) -> Self {
        let Experiment { grid, prompts, generate, .. } = experiment;
        let whole_files = matches!(grid.levels_of()[..], [Quant::Source]);
        Self {
            models: &grid.models,
            prompts,
            chains: &grid.chains,
            keys: grid.prompt_keys(),
            generate: *generate,
            room: room.filter(|_| whole_files).map(|room| (room, grid.load_keys())),
        }
    }

    /// Makes the request for a study. Each arm's file must fit, which is looked at when it is made.
    pub fn of_study(study: &'a Study) -> Self {
        let Study { models, prompts, generate, subject, .. } = study;
        let chains = match subject {
            Subject::Divergence => &[][..],
            Subject::Routing(sampling) => &sampling.chains,
        };
        Self { models, prompts, chains, keys: vec![study.prompt_key()], generate: *generate, room: None }
    }

    fn questions(&self) -> Questions {
        Questions { prompts: self.prompts.iter().map(|prompt| prompt.text.clone()).collect(), keys: self.keys.clone() }
    }
}

/// Looks at every model of the request.
///
/// # Errors
/// The first model that can't be used.
pub fn survey(
    request: &SurveyRequest<'_>,
    experiment_file: &Path,
    executable: &Executable,
    probing: Probing,
    where_absent: WhereAbsent,
) -> Result<Survey, SurveyError> {
    let mut survey = Survey::default();
    // All of them first: hashing the ones that are there can take minutes.
    let mut models = Vec::new();
    for model in request.models {
        match locate(model, experiment_file) {
            Ok(located) => models.push((model, located)),
            Err(error) => {
                let stand_in = match where_absent {
                    WhereAbsent::StandIn => stand_in(model, request.prompts, &request.keys, executable),
                    WhereAbsent::Refuse => None,
                };
                let Some((surveyed, anatomy)) = stand_in else { return Err(error) };
                survey.surveyed.insert(model.id.clone(), surveyed);
                survey.anatomies.insert(model.id.clone(), anatomy);
                survey.absent.push(Absent { model: model.clone(), error });
            }
        }
    }
    for (model, located) in models {
        let (surveyed, header) = match located {
            Located::File { path, commit } => survey_file(model, &path, commit, request, experiment_file, executable)?,
            Located::Server(served) => (survey_server(model, served, request, executable, probing)?, None),
        };
        survey.surveyed.insert(model.id.clone(), surveyed);
        if let Some((gguf, anatomy)) = header {
            survey.examinations.insert(model.id.clone(), examine(&gguf, &anatomy));
            survey.anatomies.insert(model.id.clone(), anatomy);
        }
    }
    Ok(survey)
}

/// Whether servers are tried before they are asked for anything that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probing {
    Full,
    /// They are asked what they are.
    None,
}

/// Where a model is.
enum Located<'a> {
    File {
        path: PathBuf,
        /// The one that it is of, where it is the hub's.
        commit: Option<String>,
    },
    Server(&'a Served),
}

fn locate<'a>(model: &'a Model, experiment_file: &Path) -> Result<Located<'a>, SurveyError> {
    let file = match &model.source {
        Source::Path(path) => return Ok(Located::File { path: path.clone(), commit: None }),
        Source::Server(served) => return Ok(Located::Server(served)),
        Source::Hub(file) => file.to_string(),
        Source::Packages(packages) => packages.to_string(),
    };
    match Location::of(model, &Caches::from_env()) {
        Location::Cached { paths, commit, .. } => Ok(Located::File { path: paths[0].clone(), commit: Some(commit) }),
        Location::Unpacked { paths, .. } => Ok(Located::File { path: paths[0].clone(), commit: None }),
        _ => Err(SurveyError::NotFetched { id: model.id.clone(), file, experiment: experiment_file.to_owned() }),
    }
}

fn survey_file(
    model: &Model,
    path: &Path,
    commit: Option<String>,
    request: &SurveyRequest<'_>,
    experiment_file: &Path,
    executable: &Executable,
) -> Result<(Surveyed, Option<(Gguf, Anatomy)>), SurveyError> {
    let id = &model.id;
    let unreadable = |source| SurveyError::Read { id: id.clone(), path: path.to_owned(), source };

    let sizes = parts(path).into_iter().map(|part| std::fs::metadata(part).map(|data| data.len()));
    let size_bytes = sizes.sum::<Result<u64, _>>().map_err(unreadable)?;
    let header = header_of(path).map_err(|error| SurveyError::Header { id: id.clone(), error })?;
    let sampling = sampling_of(path, header.as_ref().map(|(gguf, _)| gguf), request.generate.context);
    let (facts, engine, prompt_counts) = ask_worker(model, path, request, executable)?;
    check_grammars(model, path, request, experiment_file, executable)?;
    // Before the hashes: of what can't be loaded they can take minutes.
    if let (Some((_, anatomy)), Some((room, keys))) = (&header, &request.room) {
        let loads = keys.iter().filter(|key| key.model() == id);
        must_fit(id, path, &engine, loads.map(|key| Estimate::of_load(anatomy, key, request.generate)), *room)?;
    }
    if let Some(stated) = &model.sha256 {
        let found = sha256_of(path).map_err(unreadable)?;
        if found != *stated {
            return Err(SurveyError::WrongHash {
                id: id.clone(),
                path: path.to_owned(),
                stated: stated.clone(),
                found,
            });
        }
    }
    let blake3 = blake3_of(path).map_err(unreadable)?;

    let origin = Origin::File(OnDisk { path: path.to_owned(), commit, size_bytes, facts, sampling, prompt_counts });
    Ok((Surveyed { origin, blake3, engine }, header))
}

fn survey_server(
    model: &Model,
    served: &Served,
    request: &SurveyRequest<'_>,
    executable: &Executable,
    probing: Probing,
) -> Result<Surveyed, SurveyError> {
    let unusable = |reason| SurveyError::UnusableServer {
        id: model.id.clone(),
        server: served.server.id.clone(),
        url: served.server.url.clone(),
        reason,
    };
    let mut worker = Worker::start(executable, request.generate.numerics)
        .map_err(|source| SurveyError::Spawn { executable: executable.path().to_owned(), source })?;
    let context = request.generate.context;
    let limits = Limits::silence(PROBE_TIMEOUT);
    let unanswered = |unanswered: Unanswered| unusable(unanswered.to_string());
    let question = Request::InspectServer { served: served.clone(), context };
    let inspected = Exchange::begin(&mut worker, &question, limits).answer(|reply| match reply {
        Reply::InspectedServer { server, engine } => Heard::Answer((server, engine)),
        other => Heard::out_of_turn(&other),
    });
    let (facts, engine) = inspected.map_err(unanswered)?;
    let mut findings = None;
    // The plan refuses a server whose context is too small: it need not be tried first.
    if probing == Probing::Full && facts.has_room_for(context) {
        let question = Request::ProbeServer(request.questions());
        let probed = Exchange::begin(&mut worker, &question, limits).answer(|reply| match reply {
            Reply::ProbedServer(found) => Heard::Answer(found),
            Reply::Pausing { reason, seconds } => {
                say(&pausing(&reason, seconds));
                Heard::Event
            }
            other => Heard::out_of_turn(&other),
        });
        findings = Some(probed.map_err(unanswered)?);
    }
    let blake3 = blake3::hash(engine.fingerprint.as_bytes()).to_hex().to_string();
    Ok(Surveyed { origin: Origin::Server { facts, findings }, blake3, engine })
}

/// Has llama.cpp read the grammars of the chains, in a worker each, for one that it can't read ends the worker.
fn check_grammars(
    model: &Model,
    path: &Path,
    request: &SurveyRequest<'_>,
    experiment_file: &Path,
    executable: &Executable,
) -> Result<(), SurveyError> {
    if EngineKind::of(path) == EngineKind::Scripted {
        return Ok(());
    }
    for (chain, grammar) in request.chains.iter().flat_map(grammars) {
        let mut worker = Worker::start(executable, request.generate.numerics)
            .map_err(|source| SurveyError::Spawn { executable: executable.path().to_owned(), source })?;
        let question = Request::CheckGrammar { path: path.to_owned(), grammar };
        let checked = Exchange::begin(&mut worker, &question, Limits::silence(TIMEOUT)).answer(|reply| match reply {
            Reply::CheckedGrammar => Heard::Answer(()),
            other => Heard::out_of_turn(&other),
        });
        checked.map_err(|unanswered| SurveyError::Grammar {
            experiment: experiment_file.to_owned(),
            id: model.id.clone(),
            chain: chain.to_owned(),
            reason: unanswered.to_string(),
        })?;
    }
    Ok(())
}

/// The grammars that a chain states, beside its name.
fn grammars(chain: &Chain) -> impl Iterator<Item = (&str, Grammar)> {
    chain.steps.iter().filter_map(|step| match step {
        Step::Grammar { grammar, root } => Some((&*chain.id, Grammar { grammar: grammar.clone(), root: root.clone() })),
        _ => None,
    })
}

/// What the engine says of the model: a file that it does not survive ends the
/// worker only.
fn ask_worker(
    model: &Model,
    path: &Path,
    request: &SurveyRequest<'_>,
    executable: &Executable,
) -> Result<(ModelFacts, EngineFacts, PromptCounts), SurveyError> {
    let unusable = |reason| SurveyError::Unusable { id: model.id.clone(), path: path.to_owned(), reason };
    kernels_for(executable, path)?;
    let mut worker = Worker::start(executable, request.generate.numerics)
        .map_err(|source| SurveyError::Spawn { executable: executable.path().to_owned(), source })?;
    let question = Request::Inspect { path: path.to_owned(), questions: request.questions() };
    let inspected = Exchange::begin(&mut worker, &question, Limits::silence(TIMEOUT)).answer(|reply| match reply {
        Reply::Inspected { model: facts, engine, prompt_counts } => Heard::Answer((facts, engine, prompt_counts)),
        other => Heard::out_of_turn(&other),
    });
    inspected.map_err(|unanswered| match unanswered {
        Unanswered::Died(Death { reason, cause: Cause::Memory | Cause::Killed, .. }) => {
            SurveyError::OutOfMemory { id: model.id.clone(), path: path.to_owned(), reason }
        }
        other => unusable(other.to_string()),
    })
}
