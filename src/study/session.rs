//! Owns a session: one arm of a model in a worker, loaded, asked to generate and to follow. Must not know what is made
//! of the answers.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use miette::Diagnostic;

use crate::domain::{Generate, Generation, LoadKey, OpOffload};
use crate::engine::trace::{TraceText, TraceWork, Traced};
use crate::engine::{LoadMode, LoadSettings, Samplers, Sharing, Strategy, Ticket, Work};
use crate::experiment::Arm;
use crate::model::ModelFile;
use crate::worker::protocol::{Reply, Request};
use crate::worker::{Cause, Death, Exchange, Executable, Heard, Limits, Unanswered, Worker, kernels_for};

#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum SessionError {
    #[error("cannot start the worker {executable}")]
    Spawn { executable: PathBuf, source: std::io::Error },
    #[error("{model}, {arm}: {reason}")]
    #[diagnostic(help("run the same command to retry; `moe-sweep model inspect` checks the file"))]
    Died { model: String, arm: Arm, reason: String },
    #[error("{model}, {arm}: memory is short: {reason}")]
    #[diagnostic(help("free memory or reduce the context, and run the same command again"))]
    OutOfMemory { model: String, arm: Arm, reason: String },
    #[error("{model}, {arm}: no progress for {} s", silence.as_secs())]
    #[diagnostic(help("wait longer with --stall-timeout SECONDS"))]
    Stalled { model: String, arm: Arm, silence: Duration },
    #[error("interrupted")]
    Interrupted,
}

/// What every session needs.
pub struct Workplace<'a> {
    pub executable: &'a Executable,
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
        // The survey has found that those that are wanted can be used.
        let _ = kernels_for(place.executable, &file.path);
        let worker = Worker::start(place.executable, arm.numerics)
            .map_err(|source| SessionError::Spawn { executable: place.executable.path().to_owned(), source })?;
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
            load_mode: LoadMode::Auto,
        };
        session.ask(&Request::Load(settings), |reply| match reply {
            Reply::Loaded { .. } => Heard::Answer(()),
            other => Heard::out_of_turn(&other),
        })?;
        Ok(session)
    }

    /// Generates every job of `work`, and returns the texts in the order of their tickets.
    ///
    /// # Errors
    /// When the worker fails.
    pub fn generate(&mut self, work: Work) -> Result<Vec<(Ticket, Generation)>, SessionError> {
        let mut generations = Vec::new();
        self.ask(&Request::Generate(work), |reply| match reply {
            Reply::Started { .. } => Heard::Event,
            Reply::Finished { ticket, generation, .. } => {
                generations.push((ticket, generation));
                Heard::Event
            }
            Reply::Idle => Heard::Answer(()),
            other => Heard::out_of_turn(&other),
        })?;
        generations.sort_by_key(|(ticket, _)| *ticket);
        Ok(generations)
    }

    /// Follows the texts of `work`, and returns what was seen in their order.
    ///
    /// # Errors
    /// When the worker fails.
    pub fn trace(&mut self, work: TraceWork) -> Result<Vec<Traced>, SessionError> {
        let tickets: Vec<Ticket> = work.texts.iter().map(|text: &TraceText| text.ticket).collect();
        self.ask(&Request::Trace(work), |reply| match reply {
            Reply::Traced(traced) if traced.iter().map(|text| text.ticket).eq(tickets.iter().copied()) => {
                Heard::Answer(traced)
            }
            other => Heard::out_of_turn(&other),
        })
    }

    /// Asks the worker for something, and `hear`s all that is more than a sign of life.
    fn ask<T>(&mut self, request: &Request, mut hear: impl FnMut(Reply) -> Heard<T>) -> Result<T, SessionError> {
        let Workplace { interrupted, stall_timeout, .. } = *self.place;
        let limits = Limits { interrupted: Some(interrupted), silence: Some(stall_timeout) };
        let answer = Exchange::begin(&mut self.worker, request, limits).answer(|reply| match reply {
            Reply::Worked(_) | Reply::Stepped => Heard::Event,
            reply => hear(reply),
        });
        answer.map_err(|unanswered| match unanswered {
            Unanswered::Interrupted => SessionError::Interrupted,
            Unanswered::Died(death) => self.died(death),
            Unanswered::OutOfTurn(words) => self.died(Death::own(words)),
            Unanswered::Silent(silence) => SessionError::Stalled { model: self.model.clone(), arm: self.arm, silence },
        })
    }

    fn died(&self, Death { reason, cause, .. }: Death) -> SessionError {
        let (model, arm) = (self.model.clone(), self.arm);
        match cause {
            Cause::Memory | Cause::Killed => SessionError::OutOfMemory { model, arm, reason },
            Cause::Own => SessionError::Died { model, arm, reason },
        }
    }
}
