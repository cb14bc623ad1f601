//! Runs what of a plan the journal does not have: plan − journal → trials. It emits [`RunEvent`]s, prints nothing and
//! knows no metric.
//!
//! Each load key gets a worker of its own. When one dies, the trials that were in flight are tried again by halves, until
//! the one that kills is alone; dying alone after dying in company it is recorded as failed, and the sweep goes on. An
//! engine that dies whatever it is asked is found first (`crash`): its load key is given up. A death for want of memory is
//! nobody's: the model is loaded again, for fewer texts together, and in the end what was not tried stays open.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use itertools::Itertools as _;

use crate::domain::{Generate, LoadKey, TrialId};
use crate::engine::Strategy;
use crate::event::{Again, RunEvent};
use crate::experiment::Source;
use crate::journal::record::{Failure, Outcome, TrialRecord};
use crate::journal::{Contents, Journal, JournalError};
use crate::model::ModelFile;
use crate::plan::{Load, Plan, PromptTrials};
use crate::worker::protocol::{Reply, Request};
use crate::worker::{self, Cause, Death, Exchange, POLL, Unanswered, Worker};

mod ceiling;
mod crash;
mod load;
mod no_reply;
mod pending;
mod probe;
mod report;
mod settings;
mod shortage;

pub use crash::Crash;
use crash::Suspicion;
use no_reply::NoReply;
use pending::{Pending, Progress};
use probe::Probe;
pub use probe::{ProbeReport, Speed};
pub use report::{Ending, LoadReport, RunReport};
pub use settings::{RunOptions, Settings};
use shortage::Shortage;

/// A trial, or a model's loading, that kills its worker this often has failed.
const MAX_ATTEMPTS: u32 = 2;

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("cannot start the worker {executable}")]
    Spawn { executable: PathBuf, source: std::io::Error },
}

/// What earlier runs have left.
#[derive(Clone, Copy, Debug)]
pub struct Earlier<'a> {
    /// Trials that are in the journal, and need not run again.
    pub done: &'a HashSet<TrialId>,
    /// What the journal holds.
    pub contents: &'a Contents,
}

/// Runs every trial of the plan that earlier runs have not done.
///
/// # Errors
/// When the journal can't be written or no worker can be started. What is in
/// the journal by then stays.
pub fn run(
    plan: &Plan,
    earlier: Earlier<'_>,
    journal: &mut Journal,
    settings: &Settings,
    interrupted: &AtomicBool,
    on_event: &mut dyn FnMut(RunEvent<'_>),
) -> Result<RunReport, RunError> {
    let mut run = Run::begin(plan, earlier, journal, settings, interrupted, on_event);
    run.part(plan)?;
    Ok(run.end())
}

/// A run that takes its plan in parts, one after the other. A model that the next part begins with stays loaded.
pub struct Run<'r> {
    plan: &'r Plan,
    /// Trials that are in the journal.
    done: HashSet<TrialId>,
    /// Load keys whose model has made texts, or parts of them.
    stepped: HashSet<LoadKey>,
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
    /// Begins a run that goes on from what is in the journal already.
    pub fn begin(
        plan: &'r Plan,
        Earlier { done, contents }: Earlier<'_>,
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
        let has_text = |load: &&Load| load.planned().any(|planned| contents.has_text(&planned.trial.id));
        let stepped = plan.loads.iter().filter(has_text).map(|load| load.key.clone()).collect();
        let is_open = |prompt: &&PromptTrials| prompt.trials.iter().any(|planned| !done.contains(&planned.trial.id));
        let open = plan.loads.iter().flat_map(|load| &load.prompts).filter(is_open);
        let prompt_tokens = open.filter_map(|prompt| prompt.n_tokens).map(u64::from).sum();
        let (trials, max_tokens) = (distinct.len(), plan.generate.max_tokens);
        on_event(RunEvent::Started { trials, already_done, loads, prompt_tokens, max_tokens });
        Self {
            plan,
            done: done.clone(),
            stepped,
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
    /// point in another part: after [`Ending::Crashed`] neither, for a look takes the texts of all load keys.
    ///
    /// # Errors
    /// When the journal can't be written or no worker can be started. What is in
    /// the journal by then stays.
    pub fn part(&mut self, part: &Plan) -> Result<&Ending, RunError> {
        let loaded = self.worker.as_ref().map(|(key, _)| key);
        // First what is loaded, then what takes other contexts only.
        let far = |load: &&Load| (loaded != Some(&load.key), !loaded.is_some_and(|key| key.has_weights_of(&load.key)));
        let loads: Vec<_> = part.loads.iter().sorted_by_key(far).collect();
        let mut crashes = Vec::new();
        for load in loads {
            // Only now: two models of one file have the same trials, and the first has made them.
            let mut pending = Pending::new(load, &self.done);
            if pending.is_empty() {
                continue;
            }
            let place = self.report.loads.iter().position(|report| report.key == load.key);
            self.load_report = place.map(|place| self.report.loads[place].clone());
            if self.stepped.contains(&load.key) {
                pending.stepped();
            }
            let ending = self.sweep(load, &mut pending)?;
            if pending.progress() == Progress::Stepped {
                self.stepped.insert(load.key.clone());
            }
            match (place, self.load_report.take()) {
                (Some(place), Some(report)) => self.report.loads[place] = report,
                (_, report) => self.report.loads.extend(report),
            }
            match ending {
                Ending::Complete => {}
                Ending::Crashed(more) => crashes.extend(more),
                ending => {
                    self.report.ending = ending;
                    return Ok(&self.report.ending);
                }
            }
        }
        if !crashes.is_empty() {
            self.report.ending = Ending::Crashed(crashes);
        }
        Ok(&self.report.ending)
    }

    pub fn end(mut self) -> RunReport {
        self.report.seconds = self.begun.elapsed().as_secs_f64();
        self.report.ceiling = ceiling::measure(&self.report, self.settings, self.plan.generate.numerics);
        (self.on_event)(match self.report.ending {
            Ending::Complete | Ending::Crashed(_) => RunEvent::Finished,
            Ending::Interrupted | Ending::Unreachable(_) | Ending::OutOfMemory(_) => RunEvent::Interrupted,
        });
        self.report
    }
}

impl<'r> Run<'r> {
    /// Runs the pending trials of one load key.
    fn sweep(&mut self, load: &Load, pending: &mut Pending<'_>) -> Result<Ending, RunError> {
        let probed = self.load_report.as_ref().is_some_and(|report| report.probe.is_some());
        self.probe = if probed { Probe::default() } else { Probe::of(&pending.all_left()) };
        let key = load.key.clone();
        let (mut worker, mut reused) = match self.worker.take() {
            Some((loaded, worker)) if loaded == key => (Some(worker), None),
            Some((loaded, worker)) if loaded.has_weights_of(&key) => (None, Some(worker)),
            _ => (None, None),
        };
        let mut fruitless_deaths = 0;
        let mut shortage = Shortage::default();
        // What computes for a server is not here, and how far its texts are is not told.
        let mut suspicion = (!matches!(load.model.source, Source::Server(_))).then(Suspicion::default);
        loop {
            let cleared = |suspicion: &mut Suspicion| suspicion.is_refuted() || pending.progress() == Progress::Stepped;
            if let Some(cleared) = suspicion.take_if(cleared) {
                self.convict(cleared, pending)?;
            }
            let witness = suspicion.as_ref().and_then(|suspicion| suspicion.witness(pending));
            let Some(work) = pending.next_work(witness, self.plan.generate) else { break };
            let before = pending.left();
            let swept = match &mut worker {
                Some(worker) => self.generate(worker, work, pending)?,
                none => match self.load(load, &shortage, reused.take())? {
                    Ok(loaded) => self.generate(none.insert(loaded), work, pending)?,
                    Err(no_reply) => Err(no_reply),
                },
            };
            let death = match swept {
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
            let Death { ref reason, cause, .. } = death;
            if cause == Cause::Memory || (cause == Cause::Killed && !pending.any_in_flight()) {
                pending.acquit_in_flight();
                match self.wait_for_memory(load, &mut shortage, reason) {
                    Ending::Complete => continue,
                    ending => return Ok(ending),
                }
            }
            let nobody_to_blame = !progressed && !pending.any_in_flight();
            fruitless_deaths = if nobody_to_blame { fruitless_deaths + 1 } else { 0 };
            let crash = match &mut suspicion {
                _ if fruitless_deaths == MAX_ATTEMPTS => Crash::at_load(&key, &death, fruitless_deaths, pending.left()),
                Some(suspicion) if pending.progress() == Progress::None => suspicion.died(&key, &death, pending),
                _ => None,
            };
            if let Some(crash) = crash {
                (self.on_event)(RunEvent::GivenUp { key: &key, reason, open: pending.left() });
                return Ok(Ending::Crashed(vec![crash]));
            }
            let doomed = match witness {
                Some(_) => {
                    pending.blame_witness();
                    None
                }
                None => pending.blame_in_flight(MAX_ATTEMPTS),
            };
            let next = suspicion.as_ref().and_then(|suspicion| suspicion.witness(pending));
            let again = next.map_or_else(|| Again::Halves(pending.n_suspects()), |_| Again::Witness);
            (self.on_event)(RunEvent::WorkerDied { reason, again });
            self.fail(doomed.as_slice(), reason, pending)?;
            if fruitless_deaths == MAX_ATTEMPTS {
                let rest = pending.all_left();
                self.fail(&rest, reason, pending)?;
            }
        }
        if let Some(worker) = worker.as_mut().filter(|_| !probed) {
            self.repeat_some(worker, pending);
        }
        self.worker = worker.map(|worker| (key, worker));
        Ok(Ending::Complete)
    }

    /// Fails those that died alone, and in company, while the engine was suspected; it is no longer.
    fn convict(&mut self, suspicion: Suspicion, pending: &mut Pending<'_>) -> Result<(), RunError> {
        for (ticket, death) in suspicion.into_alone() {
            if pending.has_killed(ticket, MAX_ATTEMPTS) {
                self.fail(&[ticket], &death.reason, pending)?;
            }
        }
        Ok(())
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
        shortage.strategy(whole.strategy(file.size_bytes, plan.generate, limits), limits)
    }

    /// Has the worker make a few texts again.
    fn repeat_some(&mut self, worker: &mut Worker, pending: &Pending<'_>) {
        let generate = self.plan.generate;
        let evaluated = self.load_report.as_ref().map_or(0, |load| load.effort.evaluated_tokens);
        let work = |ticket, most: u32| {
            pending.work(&[ticket], Generate { max_tokens: generate.max_tokens.min(most), ..generate })
        };
        let Some(report) = self.probe.repeat(worker, self.limits(), evaluated, work, self.on_event) else { return };
        if let Some(warning) = report.warning() {
            (self.on_event)(RunEvent::Warning { text: &warning });
        }
        if let Some(load) = &mut self.load_report {
            load.probe = Some(report);
        }
    }

    /// Has the worker do some work and puts every finished trial into the journal.
    fn generate(
        &mut self,
        worker: &mut Worker,
        work: crate::engine::Work,
        pending: &mut Pending<'_>,
    ) -> Result<Result<(), NoReply>, RunError> {
        let begun = Instant::now();
        let generated = self.exchange(worker, work, pending);
        if let Some(load) = &mut self.load_report {
            load.generating_seconds += begun.elapsed().as_secs_f64();
        }
        generated
    }

    fn exchange(
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
                    Reply::Stepped => pending.stepped(),
                    Reply::Finished { ticket, generation, timing } => {
                        pending.stepped();
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
