//! Runs what of a plan the journal does not have: plan − journal → trials. It emits [`RunEvent`]s, prints nothing and
//! knows no metric.
//!
//! Each load key gets a worker of its own. When one dies, the trials that
//! were in flight are tried again by halves, until the one that kills is alone;
//! dying alone after dying in company it is recorded as failed, and the sweep
//! goes on. A death for want of memory is nobody's: the model is loaded again, for fewer
//! texts together, and in the end what was not tried stays open.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::domain::{LoadKey, TrialId};
use crate::engine::{Effort, Footprint, Limits, LoadMode, LoadSettings, Samplers, Sharing, Strategy};
use crate::event::RunEvent;
use crate::experiment::Source;
use crate::journal::record::{Failure, Outcome, TrialRecord};
use crate::journal::{Journal, JournalError};
use crate::model::{ModelFile, ModelFiles};
use crate::plan::{Load, Plan};
use crate::worker::protocol::{Reply, Request};
use crate::worker::{self, Cause, Death, Exchange, Heard, POLL, Unanswered, Worker};

mod pending;
mod probe;
mod shortage;

use pending::Pending;
use probe::Probe;
pub use probe::{ProbeReport, Speed};
use shortage::Shortage;

/// A trial, or a model's loading, that kills its worker this often has failed.
const MAX_ATTEMPTS: u32 = 2;

/// What a plan is run with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The executable whose `worker` subcommand is the worker.
    pub executable: PathBuf,
    /// For every model and quantisation of the plan that is still to run.
    pub files: ModelFiles,
    pub options: RunOptions,
}

/// How a plan is run, as far as it changes no text.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions {
    /// What each load's strategy is chosen within.
    pub limits: Limits,
    pub samplers: Samplers,
    pub sharing: Sharing,
    pub load_mode: LoadMode,
    /// A worker that gives no sign of life for so long is ended.
    pub stall_timeout: Duration,
    /// How long memory is waited for in all, each time that a model finds too little.
    pub memory_patience: Duration,
}

/// What was done, for the manifest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunReport {
    pub ending: Ending,
    pub loads: Vec<LoadReport>,
    /// Trials computed by this run, failures included.
    pub trials_done: usize,
    pub effort: Effort,
    pub seconds: f64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    #[default]
    Complete,
    /// Somebody asked to stop; the journal holds everything that was finished.
    Interrupted,
    /// A server is gone, and why that is thought; the journal holds everything
    /// that was finished, and its other trials have not failed.
    Unreachable(String),
    /// There is not enough memory, and how that showed; as above.
    OutOfMemory(String),
}

/// The loading of one load key's model.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadReport {
    pub key: LoadKey,
    /// What was loaded; None where a server did it.
    pub file: Option<ModelFile>,
    /// 1, unless a worker died, or a run in parts came back to it.
    pub times: u32,
    /// None where a server decides.
    pub strategy: Option<Strategy>,
    pub effort: Effort,
    /// The last time's duration, from the worker's start; with the file's hash.
    pub seconds: f64,
    /// The last time's duration of the engine's loading alone.
    pub engine_seconds: f64,
    /// Where the model is; None where the engine holds no weights.
    pub footprint: Option<Footprint>,
    /// None where the sweep was interrupted first.
    pub probe: Option<ProbeReport>,
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("cannot start the worker {executable}")]
    Spawn { executable: PathBuf, source: std::io::Error },
}

/// Runs every trial of the plan whose id is not in `done`.
///
/// # Errors
/// When the journal can't be written or no worker can be started. What is in
/// the journal by then stays.
pub fn run(
    plan: &Plan,
    done: &HashSet<TrialId>,
    journal: &mut Journal,
    settings: &Settings,
    interrupted: &AtomicBool,
    on_event: &mut dyn FnMut(RunEvent<'_>),
) -> Result<RunReport, RunError> {
    let mut run = Run::begin(plan, done, journal, settings, interrupted, on_event);
    run.part(plan)?;
    Ok(run.end())
}

/// A run that takes its plan in parts, one after the other. A model that the next part begins with stays loaded.
pub struct Run<'r> {
    plan: &'r Plan,
    /// Trials that are in the journal.
    done: HashSet<TrialId>,
    journal: &'r mut Journal,
    settings: &'r Settings,
    interrupted: &'r AtomicBool,
    on_event: &'r mut dyn FnMut(RunEvent<'_>),
    begun: Instant,
    report: RunReport,
    /// The model that is loaded.
    worker: Option<(LoadKey, Worker)>,
    /// Of the load key being swept, once it was loaded.
    load_report: Option<LoadReport>,
    /// Of the load key being swept.
    probe: Probe,
}

impl<'r> Run<'r> {
    /// Begins a run of which the trials in `done` are in the journal already.
    pub fn begin(
        plan: &'r Plan,
        done: &HashSet<TrialId>,
        journal: &'r mut Journal,
        settings: &'r Settings,
        interrupted: &'r AtomicBool,
        on_event: &'r mut dyn FnMut(RunEvent<'_>),
    ) -> Self {
        let distinct: HashSet<_> = plan.trials().map(|trial| &trial.id).collect();
        let already_done = distinct.iter().filter(|id| done.contains(**id)).count();
        let mut made = done.clone();
        let makes_some = |load: &&Load| {
            let makes_some = !Pending::new(load, &made).is_empty();
            made.extend(load.planned().map(|planned| planned.trial.id.clone()));
            makes_some
        };
        let loads = plan.loads.iter().filter(makes_some).count();
        on_event(RunEvent::Started { trials: distinct.len(), already_done, loads });
        Self {
            plan,
            done: done.clone(),
            journal,
            settings,
            interrupted,
            on_event,
            begun: Instant::now(),
            report: RunReport::default(),
            worker: None,
            load_report: None,
            probe: Probe::default(),
        }
    }

    /// Runs what is left of a part of the plan. After an ending that is not [`Ending::Complete`] there is no
    /// point in another part.
    ///
    /// # Errors
    /// When the journal can't be written or no worker can be started. What is in
    /// the journal by then stays.
    pub fn part(&mut self, part: &Plan) -> Result<&Ending, RunError> {
        let is_loaded = |load: &&Load| self.worker.as_ref().is_some_and(|(key, _)| *key == load.key);
        let (loaded, others): (Vec<_>, Vec<_>) = part.loads.iter().partition(is_loaded);
        for load in loaded.into_iter().chain(others) {
            // Only now: two models of one file have the same trials, and the first has made them.
            let pending = Pending::new(load, &self.done);
            if pending.is_empty() {
                continue;
            }
            let place = self.report.loads.iter().position(|report| report.key == load.key);
            self.load_report = place.map(|place| self.report.loads[place].clone());
            let ending = self.sweep(load, pending)?;
            match (place, self.load_report.take()) {
                (Some(place), Some(report)) => self.report.loads[place] = report,
                (_, report) => self.report.loads.extend(report),
            }
            if ending != Ending::Complete {
                self.report.ending = ending;
                break;
            }
        }
        Ok(&self.report.ending)
    }

    pub fn end(mut self) -> RunReport {
        self.report.seconds = self.begun.elapsed().as_secs_f64();
        (self.on_event)(match self.report.ending {
            Ending::Complete => RunEvent::Finished,
            Ending::Interrupted | Ending::Unreachable(_) | Ending::OutOfMemory(_) => RunEvent::Interrupted,
        });
        self.report
    }
}

/// Why waiting for a reply was given up.
enum NoReply {
    Interrupted,
    /// The worker is gone; why.
    Died(Death),
    /// The server is.
    Gone(String),
}

impl<'r> Run<'r> {
    /// Runs the pending trials of one load key.
    fn sweep(&mut self, load: &Load, mut pending: Pending<'_>) -> Result<Ending, RunError> {
        let probed = self.load_report.as_ref().is_some_and(|report| report.probe.is_some());
        self.probe = if probed { Probe::default() } else { Probe::of(&pending.all_left()) };
        let key = load.key.clone();
        let mut worker = self.worker.take().filter(|(loaded, _)| *loaded == key).map(|(_, worker)| worker);
        let mut fruitless_deaths = 0;
        let mut shortage = Shortage::default();
        while let Some(work) = pending.next_work(self.plan.generate) {
            let before = pending.left();
            let swept = match &mut worker {
                Some(worker) => self.generate(worker, work, &mut pending)?,
                none => match self.load(load, &shortage)? {
                    Ok(loaded) => self.generate(none.insert(loaded), work, &mut pending)?,
                    Err(no_reply) => Err(no_reply),
                },
            };
            let Death { reason, cause } = match swept {
                Ok(()) => continue,
                Err(NoReply::Interrupted) => return Ok(Ending::Interrupted),
                Err(NoReply::Gone(reason)) => return Ok(Ending::Unreachable(reason)),
                // By the same hand, perhaps.
                Err(NoReply::Died(_)) if self.interrupted.load(Ordering::Relaxed) => return Ok(Ending::Interrupted),
                Err(NoReply::Died(death)) => death,
            };
            worker = None;
            let progressed = pending.left() < before;
            if progressed {
                shortage.is_over();
            }
            if cause == Cause::Memory || (cause == Cause::Killed && !pending.any_in_flight()) {
                pending.acquit_in_flight();
                match self.wait_for_memory(load, &mut shortage, &reason) {
                    Ending::Complete => continue,
                    ending => return Ok(ending),
                }
            }
            let nobody_to_blame = !progressed && !pending.any_in_flight();
            fruitless_deaths = if nobody_to_blame { fruitless_deaths + 1 } else { 0 };
            let doomed = pending.blame_in_flight(MAX_ATTEMPTS);
            (self.on_event)(RunEvent::WorkerDied { reason: &reason, again: pending.n_suspects() });
            self.fail(doomed.as_slice(), &reason, &mut pending)?;
            if fruitless_deaths == MAX_ATTEMPTS {
                let rest = pending.all_left();
                self.fail(&rest, &reason, &mut pending)?;
            }
        }
        if let Some(worker) = worker.as_mut().filter(|_| !probed) {
            self.repeat_some(worker, &pending);
        }
        self.worker = worker.map(|worker| (key, worker));
        Ok(Ending::Complete)
    }

    /// Waits before the model is loaded again, for fewer texts together. [`Ending::Complete`] when that is worth a try.
    fn wait_for_memory(&mut self, load: &Load, shortage: &mut Shortage, reason: &str) -> Ending {
        let Some(pause) = shortage.pause(self.settings.options.memory_patience) else {
            return Ending::OutOfMemory(shortage.words(reason));
        };
        let (model, quant) = (load.key.model().to_owned(), load.key.quant());
        // A server's model has no file here, and no strategy.
        let file = self.settings.files.get(&(model, quant));
        let less = shortage.ask_for_less(self.plan.generate.numerics);
        let strategy = file.filter(|_| less).map(|file| self.strategy(load, file, shortage));
        (self.on_event)(RunEvent::ShortOfMemory { reason, pause, strategy });
        let until = Instant::now() + pause;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            if self.interrupted.load(Ordering::Relaxed) {
                return Ending::Interrupted;
            }
            thread::sleep(left.min(POLL));
        }
        Ending::Complete
    }

    /// How a model is spread over cores and memory.
    fn strategy(&self, load: &Load, file: &ModelFile, shortage: &Shortage) -> Strategy {
        let (plan, limits) = (self.plan, self.settings.options.limits);
        // As for the whole plan, of which this may be a part.
        let whole = plan.loads.iter().find(|whole| whole.key == load.key).unwrap_or(load);
        shortage.strategy(Strategy::choose(whole.shape(file.size_bytes, plan.generate), limits), limits)
    }

    /// Has the worker make a few texts again, each alone. An interruption or a
    /// death ends this, no more: every text is in the journal.
    fn repeat_some(&mut self, worker: &mut Worker, pending: &Pending<'_>) {
        let mut again = Vec::new();
        for ticket in self.probe.tickets() {
            let request = Request::Generate(pending.work(&[ticket], self.plan.generate));
            let done = Exchange::begin(worker, &request, self.limits()).answer(|reply| {
                match reply {
                    Reply::Finished { ticket, generation, timing } => again.push((ticket, generation, timing)),
                    Reply::Pausing { reason, seconds } => {
                        (self.on_event)(RunEvent::Pausing { reason: &reason, seconds });
                    }
                    Reply::Idle => return Heard::Answer(()),
                    Reply::Unreachable { .. } => return Heard::out_of_turn(&reply),
                    _ => {}
                }
                Heard::Event
            });
            if done.is_err() {
                return;
            }
        }
        let report = self.probe.compare(&again);
        if let Some(warning) = report.warning() {
            (self.on_event)(RunEvent::Warning { text: &warning });
        }
        if let Some(load) = &mut self.load_report {
            load.probe = Some(report);
        }
    }

    /// Starts a worker and has it load the model.
    fn load(&mut self, load: &Load, shortage: &Shortage) -> Result<Result<Worker, NoReply>, RunError> {
        let Settings { executable, options: RunOptions { samplers, sharing, load_mode, .. }, .. } = self.settings;
        let generate = self.plan.generate;
        let key = load.key.clone();
        let (request, file, strategy) = match &load.model.source {
            Source::Server(served) => {
                let (served, context) = (served.as_ref().clone(), generate.context);
                (Request::Connect { served, context }, None, None)
            }
            Source::Path(_) | Source::Hub(_) | Source::Packages(_) => {
                let file = &self.settings.files[&(key.model().to_owned(), key.quant())];
                let strategy = self.strategy(load, file, shortage);
                let settings = LoadSettings {
                    path: file.path.clone(),
                    blake3: file.blake3.clone(),
                    levels: key.clone(),
                    numerics: generate.numerics,
                    context: generate.context,
                    strategy,
                    samplers: *samplers,
                    sharing: *sharing,
                    load_mode: *load_mode,
                };
                (Request::Load(settings), Some(file.clone()), Some(strategy))
            }
        };
        (self.on_event)(RunEvent::LoadStarted { key: &key, strategy });
        let begun = Instant::now();
        let mut worker = Worker::start(executable, generate.numerics)
            .map_err(|source| RunError::Spawn { executable: executable.clone(), source })?;
        let loaded = Exchange::begin(&mut worker, &request, self.limits()).answer(|reply| match reply {
            Reply::Loaded { footprint, seconds } => Heard::Answer(Ok((footprint, seconds))),
            Reply::Unreachable { reason } => Heard::Answer(Err(NoReply::Gone(reason))),
            other => Heard::out_of_turn(&other),
        });
        let (footprint, engine_seconds) = match loaded.map_err(NoReply::from).flatten() {
            Ok(loaded) => loaded,
            Err(no_reply) => return Ok(Err(no_reply)),
        };
        let seconds = begun.elapsed().as_secs_f64();
        let earlier = self.load_report.take();
        let (times, effort) =
            earlier.as_ref().map_or((1, Effort::default()), |earlier| (earlier.times + 1, earlier.effort));
        (self.on_event)(RunEvent::Loaded { key: &key, seconds });
        let probe = earlier.and_then(|earlier| earlier.probe);
        self.load_report =
            Some(LoadReport { key, file, times, strategy, effort, seconds, engine_seconds, footprint, probe });
        Ok(Ok(worker))
    }

    /// Has the worker do some work and puts every finished trial into the journal.
    fn generate(
        &mut self,
        worker: &mut Worker,
        work: crate::engine::Work,
        pending: &mut Pending<'_>,
    ) -> Result<Result<(), NoReply>, RunError> {
        let mut exchange = Exchange::begin(worker, &Request::Generate(work), self.limits());
        loop {
            // One write and one fsync for all that is there.
            let replies = match exchange.replies() {
                Ok(replies) => replies,
                Err(unanswered) => return Ok(Err(unanswered.into())),
            };
            let mut records = Vec::new();
            let mut ended = None;
            for reply in replies {
                match reply {
                    Reply::Started { ticket } => pending.started(ticket),
                    Reply::Finished { ticket, generation, timing } => {
                        self.probe.keep(ticket, &generation);
                        let outcome = Outcome::Generated(generation);
                        records.push((ticket, TrialRecord { id: pending.id(ticket), outcome, timing }));
                    }
                    Reply::GivenUp { ticket, reason, attempts } => {
                        let outcome = Outcome::Failed(Failure { reason, attempts });
                        let timing = Default::default();
                        records.push((ticket, TrialRecord { id: pending.id(ticket), outcome, timing }));
                    }
                    Reply::Worked(effort) => {
                        self.report.effort += effort;
                        if let Some(load) = &mut self.load_report {
                            load.effort += effort;
                        }
                        (self.on_event)(RunEvent::Evaluated { tokens: effort.evaluated_tokens });
                    }
                    Reply::Pausing { reason, seconds } => {
                        (self.on_event)(RunEvent::Pausing { reason: &reason, seconds });
                    }
                    Reply::Idle => ended = Some(Ok(())),
                    Reply::Unreachable { reason } => ended = Some(Err(NoReply::Gone(reason))),
                    other => ended = Some(Err(Unanswered::out_of_turn(&other).into())),
                }
            }
            self.record(records, pending)?;
            if let Some(ended) = ended {
                return Ok(ended);
            }
        }
    }

    /// What ends an exchange with the worker.
    fn limits(&self) -> worker::Limits<'r> {
        worker::Limits { interrupted: Some(self.interrupted), silence: Some(self.settings.options.stall_timeout) }
    }

    fn fail(&mut self, tickets: &[u32], reason: &str, pending: &mut Pending<'_>) -> Result<(), RunError> {
        let records = tickets.iter().map(|&ticket| {
            let failure = Failure { reason: reason.to_owned(), attempts: MAX_ATTEMPTS };
            let outcome = Outcome::Failed(failure);
            (ticket, TrialRecord { id: pending.id(ticket), outcome, timing: Default::default() })
        });
        let records = records.collect();
        self.record(records, pending)
    }

    fn record(&mut self, records: Vec<(u32, TrialRecord)>, pending: &mut Pending<'_>) -> Result<(), RunError> {
        if records.is_empty() {
            return Ok(());
        }
        let (tickets, records): (Vec<_>, Vec<_>) = records.into_iter().unzip();
        self.journal.append(&records)?;
        self.report.trials_done += records.len();
        self.done.extend(records.iter().map(|record| record.id.clone()));
        for (ticket, record) in tickets.into_iter().zip(&records) {
            let trial = pending.finished(ticket);
            (self.on_event)(RunEvent::TrialDone { trial, record });
        }
        Ok(())
    }
}

impl From<Unanswered> for NoReply {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Interrupted => Self::Interrupted,
            Unanswered::Died(death) => Self::Died(death),
            Unanswered::OutOfTurn(words) => Self::Died(Death::own(words)),
            Unanswered::Silent(silence) => Self::Died(Death::own(format!(
                "the worker gave no sign of life for {} s and was ended",
                silence.as_secs()
            ))),
        }
    }
}
