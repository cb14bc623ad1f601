//! Has a worker load what a load key asks for. Must not know trials.

use std::time::Instant;

use super::{LoadReport, NoReply, Run, RunError, RunOptions, Settings, Shortage};
use crate::engine::{Effort, LoadSettings};
use crate::event::RunEvent;
use crate::experiment::Source;
use crate::model::{products_per_token, read_header};
use crate::plan::Load;
use crate::worker::protocol::{Reply, Request};
use crate::worker::{Exchange, Heard, Worker, kernels_for};

impl Run<'_> {
    /// Starts a worker and has it load the model; or has one go on that has the weights already.
    pub(super) fn load(
        &mut self,
        load: &Load,
        shortage: &Shortage,
        reused: Option<Worker>,
    ) -> Result<Result<Worker, NoReply>, RunError> {
        let Settings { executable, options: RunOptions { samplers, sharing, load_mode, .. }, .. } = self.settings;
        let generate = self.plan.generate;
        let key = load.key.clone();
        let context = key.context(generate);
        // One that asks a server holds no weights that would have to be loaded again.
        let reused = reused.filter(|_| !matches!(load.model.source, Source::Server(_)));
        let (request, file, strategy) = match &load.model.source {
            Source::Server(served) => {
                let served = served.at_width(*key.get());
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
                    context,
                    strategy,
                    samplers: *samplers,
                    sharing: *sharing,
                    load_mode: *load_mode,
                };
                let request = if reused.is_some() { Request::Reuse(settings) } else { Request::Load(settings) };
                (request, Some(file.clone()), Some(strategy))
            }
        };
        (self.on_event)(RunEvent::LoadStarted { key: &key, strategy });
        let begun = Instant::now();
        // The survey has found that those that are wanted can be used.
        let kernels = file.as_ref().and_then(|file| kernels_for(executable, &file.path).ok().flatten()).cloned();
        let times = u32::from(reused.is_none());
        let start = || Worker::start(executable, generate.numerics);
        let spawn = |source| RunError::Spawn { executable: executable.path().to_owned(), source };
        let mut worker = reused.map_or_else(start, Ok).map_err(spawn)?;
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
        (self.on_event)(RunEvent::Loaded { key: &key, seconds });
        let header = file.as_ref().and_then(|file| read_header(&file.path).ok());
        self.load_report = Some(LoadReport {
            key,
            file,
            kernels,
            times: times + earlier.as_ref().map_or(0, |earlier| earlier.times),
            strategy,
            effort: earlier.as_ref().map_or(Effort::default(), |earlier| earlier.effort),
            generating_seconds: earlier.as_ref().map_or(0.0, |earlier| earlier.generating_seconds),
            products_per_token: header
                .and_then(|(gguf, anatomy)| products_per_token(&gguf.tensors, &anatomy.parameters)),
            seconds,
            engine_seconds,
            footprint,
            probe: earlier.and_then(|earlier| earlier.probe),
        });
        Ok(Ok(worker))
    }
}
