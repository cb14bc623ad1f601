//! `moe-sweep run` of a divergence or routing experiment: arms are loaded one
//! after the other, follow the same tokens, and are compared.
//!
//! There is no journal: a rerun computes anew, and replaces files only by
//! whole ones.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use miette::miette;

use super::Failure;
use super::run::{cache, threads};
use crate::cli::{PlanArgs, RunArgs, RunVariant};
use crate::domain::Numerics;
use crate::engine::EngineKind;
use crate::exit_code::ExitCode;
use crate::experiment::{Arm, Kind, Mechanism};
use crate::message::say_soon;
use crate::model::ModelFile;
use crate::model::memory::Room;
use crate::plan::{OnDisk, Surveyed};
use crate::prepare::{
    LoadedMechanism, Maker, NOTHING_YET, NotMade, Probing, Survey, anatomy_of, executable, must_fit, offset_seeds,
    refuse_misfits, survey,
};
use crate::report::html::{self, Findings};
use crate::report::plot::Figure;
use crate::run_dir::{EXPERIMENT, Output, RunDir, RunDirError, STUDY, write_whole};
use crate::signals::Watch;

use scratch::Scratch;
use session::{Session, SessionError, Workplace};

mod divergence;
mod plan;
mod provenance;
mod routing;
mod scratch;
mod session;

/// What an interruption says: there is no journal.
const STOPPED: &str = "interrupted: the same command computes the experiment anew";

/// Runs the experiment; its exit code and what to say of it.
///
/// # Errors
/// When it can't be run, or a model fails.
pub fn run(args: &RunArgs, loaded: LoadedMechanism) -> Result<(ExitCode, String), Failure> {
    let watch = Watch::at_once_from_now(NOTHING_YET)?;
    match conduct(args, loaded, &watch) {
        Ok(summary) => Ok((ExitCode::Ok, summary)),
        Err(Stop::Interrupted) => {
            say_soon(STOPPED);
            Ok((ExitCode::Interrupted, String::new()))
        }
        Err(Stop::Failed(failure)) => Err(*failure),
    }
}

/// Why it goes no further.
enum Stop {
    Interrupted,
    Failed(Box<Failure>),
}

fn conduct(args: &RunArgs, loaded: LoadedMechanism, watch: &Watch) -> Result<String, Stop> {
    let Ready { mechanism, surveyed, text, executable, directory } =
        get_ready(&args.experiment, &args.variant, loaded)?;
    RunDir::new(&directory).is_for_study(&text)?;
    let cache = cache(args);
    let threads = threads(args);
    let stall_timeout = Duration::from_secs(u64::from(args.stall_timeout.get()));
    let run = Run {
        mechanism: &mechanism,
        surveyed: &surveyed,
        maker: Maker { executable: &executable, cache: &cache, threads, watch },
        place: Workplace { executable: &executable, interrupted: watch.asked(), stall_timeout, threads },
        scratch: Scratch::open(&directory).map_err(bad_setup)?,
        directory,
    };
    let files = run.files()?;
    watch.cleanly();
    let found = match mechanism.kind {
        Kind::Divergence => divergence::run(&run, &files)?,
        Kind::Routing => routing::run(&run, &files)?,
        Kind::Sweep => unreachable!("resolving a mechanism experiment refuses a sweep"),
    };
    run.scratch.clear().map_err(bad_setup)?;
    // Files are replaced whole, so there is nothing to end cleanly.
    watch.at_once(STOPPED);
    for table in &found.tables {
        write_whole(&run.directory.join(table.name), &table.csv)?;
    }
    run.write_figures(&found.figures)?;
    // With the tables, so that they never stand beside those of another run.
    write_whole(&run.directory.join(EXPERIMENT), text.as_bytes())?;
    write_whole(&run.directory.join(STUDY), &provenance::json(&mechanism, &surveyed, &files))?;
    let variances = variances(&mechanism, &surveyed);
    write_whole(&run.directory.join(Output::Report.file_name()), page(&run, &found, &variances).as_bytes())?;
    let report = run.directory.join(Output::Report.file_name());
    Ok(format!("{}{variances}report:  {}\n", found.summary, report.display()))
}

/// What an experiment came to.
struct Found {
    /// In the order in which the page shows them.
    tables: Vec<Table>,
    figures: Vec<Figure>,
    /// For the terminal.
    summary: String,
}

/// A table of results.
struct Table {
    /// Its file's.
    name: &'static str,
    csv: Vec<u8>,
    /// Over it on the page; None where it is too long for one.
    title: Option<&'static str>,
}

impl Table {
    fn shown(name: &'static str, title: &'static str, write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Self {
        Self { title: Some(title), ..Self::kept(name, write) }
    }

    fn kept(name: &'static str, write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Self {
        let mut csv = Vec::new();
        write(&mut csv).expect("writing to memory does not fail");
        Self { name, csv, title: None }
    }
}

fn page(run: &Run<'_>, found: &Found, variances: &str) -> String {
    let experiment = &run.mechanism.experiment;
    let shown = found.tables.iter().filter_map(|table| Some((table.title?, table.name, table.csv.as_slice())));
    let notes: BTreeSet<_> = experiment.grid.models.iter().filter_map(|model| model.note.clone()).collect();
    let variances = variances.lines().map(|line| line.trim_start_matches("note: ").to_owned());
    html::findings_page(&Findings {
        name: &experiment.name,
        question: experiment.question.as_deref(),
        notes: &notes.into_iter().chain(variances).collect::<Vec<_>>(),
        tables: &shown.collect::<Vec<_>>(),
        figures: &found.figures,
        facts: &provenance::facts(run.mechanism, run.surveyed),
    })
}

/// What `plan` and `run` both begin with.
struct Ready {
    mechanism: Mechanism,
    surveyed: BTreeMap<String, Surveyed>,
    text: String,
    executable: PathBuf,
    /// The run's directory.
    directory: PathBuf,
}

/// Why invariant numerics are none in this build, if they are asked for.
fn variances(mechanism: &Mechanism, surveyed: &BTreeMap<String, Surveyed>) -> String {
    let arms = std::iter::once(&mechanism.base).chain(&mechanism.others);
    let asked = arms.into_iter().any(|arm| arm.numerics == Numerics::Invariant);
    let why: BTreeSet<_> = surveyed.values().filter_map(|found| found.engine.variance.as_deref()).collect();
    let note = |why: &str| format!("note: numerics = \"invariant\" does not hold: {why}\n");
    if asked { why.into_iter().map(note).collect() } else { String::new() }
}

/// Looks at the models, and refuses what can't be run on them; writes nothing.
fn get_ready(file: &Path, place: &RunVariant, loaded: LoadedMechanism) -> Result<Ready, Failure> {
    let LoadedMechanism { mut mechanism, text } = loaded;
    for (option, given) in [("--shard", &place.shard), ("--server", &place.server.server)] {
        if given.is_some() {
            let message = format!("{option} is for sweeps, and {} is of the kind {}", file.display(), mechanism.kind);
            return Err(Failure::usage(miette!(help = "leave it out", "{message}")));
        }
    }
    let experiment = &mut mechanism.experiment;
    offset_seeds(experiment, file, place.seed_offset)?;
    let executable = executable()?;
    let directory = place.out.clone().unwrap_or_else(|| Path::new("results").join(&experiment.name));
    let Survey { surveyed, .. } = survey(experiment, file, &executable, None, Probing::None)?;
    refuse_misfits(experiment, file, &surveyed)?;
    refuse_opaque(&mechanism, &surveyed)?;
    Ok(Ready { mechanism, surveyed, text, executable, directory })
}

/// Refuses models that can't be looked into.
fn refuse_opaque(mechanism: &Mechanism, surveyed: &BTreeMap<String, Surveyed>) -> Result<(), Failure> {
    for model in &mechanism.experiment.grid.models {
        let gguf = surveyed[&model.id].file().filter(|file| EngineKind::of(&file.path) == EngineKind::Llama);
        let Some(OnDisk { facts, .. }) = gguf else {
            let help = "name the GGUF file of a model: only llama.cpp in this process hands over logits and experts";
            return Err(Failure::bad_setup(miette!(help = help, "the model {} can't be looked into", model.id)));
        };
        if mechanism.kind == Kind::Routing && facts.n_expert == 0 {
            let help = "leave it out of [grid] model: routing is for mixture-of-experts models";
            let message = format!("the model {} is dense: it has no experts and no routing", model.id);
            return Err(Failure::bad_setup(miette!(help = help, "{message}")));
        }
    }
    Ok(())
}

/// What would run.
///
/// # Errors
/// When it can't be run.
pub fn plan(args: &PlanArgs, loaded: LoadedMechanism) -> Result<String, Failure> {
    let ready = get_ready(&args.experiment, &args.variant, loaded)?;
    let described = plan::describe(&ready.mechanism, &ready.surveyed, &ready.directory);
    Ok(described + &variances(&ready.mechanism, &ready.surveyed))
}

/// Everything that a comparison needs.
struct Run<'a> {
    mechanism: &'a Mechanism,
    surveyed: &'a BTreeMap<String, Surveyed>,
    maker: Maker<'a>,
    place: Workplace<'a>,
    scratch: Scratch,
    directory: PathBuf,
}

/// The file of a model's arm.
struct ArmFile {
    model: String,
    arm: Arm,
    file: ModelFile,
}

impl Run<'_> {
    /// The files of all arms, made before anything is followed.
    fn files(&self) -> Result<Vec<ArmFile>, Stop> {
        let Mechanism { experiment, base, others, .. } = self.mechanism;
        let mut files = Vec::new();
        for model in &experiment.grid.models {
            let surveyed = &self.surveyed[&model.id];
            let Some(found) = surveyed.file() else { continue };
            for &arm in std::iter::once(base).chain(others) {
                let made = self.maker.file(&model.id, found, surveyed, arm.quant, arm.numerics);
                let file = made.map_err(|error| match error {
                    NotMade::Interrupted => Stop::Interrupted,
                    NotMade::Failed(error) => bad_setup(error),
                })?;
                self.refuse_too_large(&model.id, arm, &file)?;
                files.push(ArmFile { model: model.id.clone(), arm, file });
            }
        }
        Ok(files)
    }

    fn refuse_too_large(&self, model: &str, arm: Arm, file: &ModelFile) -> Result<(), Stop> {
        let Some(anatomy) = anatomy_of(&file.path).map_err(bad_setup)? else { return Ok(()) };
        let needs = (self.mechanism.experiment.generate.context, Room { batch: arm.width, ..Room::LEAST });
        let engine = &self.surveyed[model].engine;
        must_fit(model, &file.path, &anatomy, engine, &[arm.offload], needs).map_err(bad_setup)
    }

    /// Stops where somebody has asked for it: between texts, for whatever takes long.
    fn heed(&self) -> Result<(), Stop> {
        if self.place.interrupted.load(Ordering::Relaxed) { Err(Stop::Interrupted) } else { Ok(()) }
    }

    fn load(&self, files: &[ArmFile], model: &str, arm: Arm) -> Result<Session<'_>, Stop> {
        let file = files.iter().find(|file| file.model == model && file.arm == arm).expect("every arm has a file");
        Ok(Session::load(&self.place, model, &file.file, arm, self.mechanism.experiment.generate)?)
    }

    /// Why an arm is the same computation as the base but for what `offload`
    /// can't do here.
    fn same_placement(&self, model: &str, other: &Arm) -> Option<String> {
        plan::same_as_base(self.mechanism, &self.surveyed[model], other)
    }

    fn write_figures(&self, figures: &[Figure]) -> Result<(), Stop> {
        let plots = self.directory.join("plots");
        for figure in figures {
            let png = figure.png().map_err(|error| Failure::internal(super::plain(error)))?;
            write_whole(&plots.join(&figure.name).with_extension("svg"), figure.svg.as_bytes())?;
            write_whole(&plots.join(&figure.name).with_extension("png"), &png)?;
        }
        Ok(())
    }
}

fn bad_setup(report: impl Into<miette::Report>) -> Stop {
    Failure::bad_setup(report).into()
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl From<RunDirError> for Stop {
    fn from(error: RunDirError) -> Self {
        Failure::from(error).into()
    }
}

impl From<SessionError> for Stop {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Interrupted => Self::Interrupted,
            error @ SessionError::OutOfMemory { .. } => {
                Failure { code: ExitCode::Incomplete, report: error.into() }.into()
            }
            error => Failure::internal(error).into(),
        }
    }
}
