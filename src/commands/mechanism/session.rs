//! One arm of a model in a worker: loaded, asked to generate and to follow.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use miette::Diagnostic;

use crate::domain::LoadKey;
use crate::engine::trace::{TraceText, TraceWork, Traced};
use crate::engine::{Generation, LoadSettings, Samplers, Sharing, Strategy, Ticket, Work};
use crate::experiment::{Arm, Generate, OpOffload};
use crate::model::ModelFile;
use crate::worker::protocol::{Reply, Request};
use crate::worker::{Cause, Death, Silence, Worker};

/// How often an interruption is looked for.
const POLL: Duration = Duration::from_millis(100);

#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum SessionError {
    #[error("cannot start the worker {executable}")]
    Spawn { executable: PathBuf, source: std::io::Error },
    #[error("{model}, {arm}: {reason}")]
    #[diagnostic(help("the same command tries again; `moe-sweep model inspect` looks at the file"))]
    Died { model: String, arm: Arm, reason: String },
    #[error("{model}, {arm}: memory is short: {reason}")]
    #[diagnostic(help("free memory, or give a smaller context: the same command tries again"))]
    OutOfMemory { model: String, arm: Arm, reason: String },
    #[error("{model}, {arm}: no sign of life for {} s", silence.as_secs())]
    #[diagnostic(help("wait longer with --stall-timeout SECONDS"))]
    Stalled { model: String, arm: Arm, silence: Duration },
    #[error("interrupted")]
    Interrupted,
}

/// What every session needs.
pub struct Workplace<'a> {
    pub executable: &'a Path,
    pub interrupted: &'a AtomicBool,
    pub stall_timeout: Duration,
    pub threads: u32,
}

/// A model loaded in one arm's way.
pub struct Session<'a> {
    place: &'a Workplace<'a>,
    worker: Worker,
    model: String,
    arm: Arm,
}

impl<'a> Session<'a> {
    /// Loads `file`.
    ///
    /// # Errors
    /// When it can't be loaded.
    pub fn load(
        place: &'a Workplace<'a>,
        model: &str,
        file: &ModelFile,
        arm: Arm,
        generate: Generate,
    ) -> Result<Self, SessionError> {
        let worker = Worker::start(place.executable, arm.numerics)
            .map_err(|source| SessionError::Spawn { executable: place.executable.to_owned(), source })?;
        let mut session = Self { place, worker, model: model.to_owned(), arm };
        let settings = LoadSettings {
            path: file.path.clone(),
            blake3: file.blake3.clone(),
            // An arm's experts are computed where they lie, however many texts are side by side.
            levels: LoadKey::usual(model).with(arm.quant).with(arm.offload).with(OpOffload::Off),
            numerics: arm.numerics,
            context: generate.context,
            strategy: Strategy::one_lane(file.size_bytes, place.threads, arm.width),
            samplers: Samplers::Fast,
            sharing: Sharing::Trie,
        };
        session.worker.send(&Request::Load(settings));
        match session.reply()? {
            Reply::Loaded { .. } => Ok(session),
            other => Err(session.out_of_turn(&other)),
        }
    }

    /// Generates every job of `work`; in the order of their tickets.
    ///
    /// # Errors
    /// When the worker fails.
    pub fn generate(&mut self, work: Work) -> Result<Vec<(Ticket, Generation)>, SessionError> {
        self.worker.send(&Request::Generate(work));
        let mut generations = Vec::new();
        loop {
            match self.reply()? {
                Reply::Started { .. } => {}
                Reply::Finished { ticket, generation, .. } => generations.push((ticket, generation)),
                Reply::Idle => break,
                other => return Err(self.out_of_turn(&other)),
            }
        }
        generations.sort_by_key(|(ticket, _)| *ticket);
        Ok(generations)
    }

    /// Follows the texts of `work`, in their order.
    ///
    /// # Errors
    /// When the worker fails.
    pub fn trace(&mut self, work: TraceWork) -> Result<Vec<Traced>, SessionError> {
        let tickets: Vec<Ticket> = work.texts.iter().map(|text: &TraceText| text.ticket).collect();
        self.worker.send(&Request::Trace(work));
        match self.reply()? {
            Reply::Traced(traced) if traced.iter().map(|text| text.ticket).eq(tickets) => Ok(traced),
            other => Err(self.out_of_turn(&other)),
        }
    }

    /// The next reply that is more than a sign of life.
    fn reply(&mut self) -> Result<Reply, SessionError> {
        let mut heard = Instant::now();
        loop {
            if self.place.interrupted.load(Ordering::Relaxed) {
                return Err(SessionError::Interrupted);
            }
            match self.worker.receive(POLL) {
                Ok(Reply::Worked(_)) => heard = Instant::now(),
                Ok(reply) => return Ok(reply),
                Err(Silence::Died(death)) => return Err(self.died(death)),
                Err(Silence::TimedOut) if heard.elapsed() < self.place.stall_timeout => {}
                Err(Silence::TimedOut) => {
                    let (model, arm, silence) = (self.model.clone(), self.arm, self.place.stall_timeout);
                    return Err(SessionError::Stalled { model, arm, silence });
                }
            }
        }
    }

    fn out_of_turn(&self, reply: &Reply) -> SessionError {
        self.died(Death::own(format!("the worker answered out of turn: {reply:?}")))
    }

    fn died(&self, Death { reason, cause }: Death) -> SessionError {
        let (model, arm) = (self.model.clone(), self.arm);
        match cause {
            Cause::Memory | Cause::Killed => SessionError::OutOfMemory { model, arm, reason },
            Cause::Own => SessionError::Died { model, arm, reason },
        }
    }
}
