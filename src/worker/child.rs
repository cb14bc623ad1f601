//! Is `moe-sweep worker`: it serves one model until its stdin ends.
//!
//! When it ends, the parent is gone or wants no more: the process ends with it, whatever else it waits for.

use std::cell::RefCell;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::protocol::{Reply, Request};
use super::supervisor::wanted_messages;
use crate::domain::Generation;
use crate::engine::http::HttpEngine;
use crate::engine::kernels::{Kernels, KernelsFinding};
use crate::engine::llama::{self, Llama, LlamaEngine, Model, footprint, try_kernels};
use crate::engine::scripted::ScriptedEngine;
use crate::engine::{Effort, Engine, EngineError, EngineKind, LoadSettings, Observer, Ticket, Timing};
use crate::exit_code::ExitCode;
use crate::experiment::Served;
use crate::model::blake3_of;
use crate::plain::neutralise;
use crate::signals;

/// How often the parent hears of progress.
const HEARTBEAT: Duration = Duration::from_millis(200);

#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("cannot hear of requests or tell of replies: {0}")]
    Talk(#[from] io::Error),
    #[error("not a request: {0}")]
    Parse(#[from] serde_json::Error),
    #[error("a request out of turn: {0}")]
    OutOfTurn(&'static str),
}

/// Serves requests from `input`, replies on `output`; a failure is told to the
/// parent before it is returned. Ends the process when `input` ends.
///
/// # Errors
/// When a request can't be served.
pub fn serve(
    kernels: Option<Kernels>,
    input: impl Read + Send + 'static,
    output: &mut (impl Write + Send),
) -> Result<(), WorkerError> {
    signals::bind_to_parent()?;
    signals::leave_to_parent()?;
    let input = &Inlet::of(input);
    let mut outlet = Outlet {
        output,
        unreported: Effort::default(),
        last_heartbeat: Instant::now(),
        texts_begun: 0,
        tokens_drawn: 0,
    };
    llama::tell(wanted_messages().unwrap_or_default());
    let served = serve_requests(kernels, input, &mut outlet);
    if let Err(error) = &served {
        let reason = error.to_string();
        let reply = match error {
            WorkerError::Engine(EngineError::Unreachable(_)) => Reply::Unreachable { reason },
            _ => Reply::Failed { reason },
        };
        // If the parent is gone there is nobody left to tell.
        let _ = outlet.send(&reply);
    }
    served
}

fn serve_requests(
    kernels: Option<Kernels>,
    input: &Inlet,
    outlet: &mut Outlet<impl Write + Send>,
) -> Result<(), WorkerError> {
    let kernels = || kernels.ok_or(WorkerError::OutOfTurn("no kernels are chosen"));
    match input.next()? {
        Request::Inspect { path, questions } => {
            let (engine, (model, prompt_counts)) = match EngineKind::of(&path) {
                EngineKind::Llama => {
                    let llama = Llama::start(kernels()?)?;
                    (llama.facts(), llama.inspect(&path, &questions)?)
                }
                EngineKind::Scripted => (ScriptedEngine::facts(), ScriptedEngine::inspect(&path, &questions)?),
            };
            Ok(outlet.send(&Reply::Inspected { model, engine, prompt_counts })?)
        }
        Request::CheckGrammar { path, grammar } => {
            if EngineKind::of(&path) == EngineKind::Llama {
                Llama::start(kernels()?)?.check_grammar(&path, &grammar)?;
            }
            Ok(outlet.send(&Reply::CheckedGrammar)?)
        }
        Request::InspectServer { served, context } => serve_probe(&served, context, input, outlet),
        Request::ProbeServer(_) => Err(WorkerError::OutOfTurn("no server is known")),
        Request::Devices => Ok(outlet.send(&Reply::Devices(Llama::start(Kernels::Ggml)?.devices()))?),
        Request::TryKernels(kernels) => Ok(outlet.send(&Reply::TriedKernels(tried(kernels)?))?),
        Request::Pace { threads } => Ok(outlet.send(&Reply::Pace(Llama::start(kernels()?)?.pace(threads)))?),
        Request::Bench { threads } => Ok(outlet.send(&Reply::Bench(Llama::start(kernels()?)?.bench(threads)))?),
        Request::Ceiling { threads } => Ok(outlet.send(&Reply::Ceiling(Llama::start(kernels()?)?.ceiling(threads)))?),
        Request::Quantise(quantisation) => {
            Llama::start(Kernels::Ggml)?.quantise(&quantisation)?;
            Ok(outlet.send(&Reply::Quantised)?)
        }
        Request::Load(settings) if hash_of(&settings)? != settings.blake3 => {
            Err(EngineError::Changed { path: settings.path }.into())
        }
        Request::Load(settings) => match EngineKind::of(&settings.path) {
            EngineKind::Llama => serve_llama(kernels()?, &settings, input, outlet),
            EngineKind::Scripted => {
                let begun = Instant::now();
                let mut engine = ScriptedEngine::load(&settings.path, settings.strategy)?;
                let loaded = Reply::Loaded { footprint: None, seconds: begun.elapsed().as_secs_f64() };
                serve_work(&mut engine, &loaded, input, outlet)
            }
        },
        Request::Connect { served, context } => {
            let loaded = Reply::Loaded { footprint: None, seconds: 0.0 };
            serve_work(&mut HttpEngine::new(&served, context)?, &loaded, input, outlet)
        }
        Request::Reuse(_) | Request::Generate(_) | Request::Trace(_) => {
            Err(WorkerError::OutOfTurn("no model is loaded"))
        }
    }
}

fn hash_of(settings: &LoadSettings) -> Result<String, EngineError> {
    blake3_of(&settings.path)
        .map_err(|error| EngineError::Load { path: settings.path.clone(), reason: error.to_string() })
}

/// For tests: kernels that are to fail, such as `avx512=crash,avx2=deviate`.
const FAULTY_KERNELS: &str = "MOE_SWEEP_FAULTY_KERNELS";

fn tried(kernels: Kernels) -> Result<KernelsFinding, EngineError> {
    let faults = std::env::var(FAULTY_KERNELS).unwrap_or_default();
    match faults.split(',').filter_map(|fault| fault.split_once('=')).find(|(name, _)| *name == kernels.to_string()) {
        Some((_, "crash")) => std::process::abort(),
        Some(_) => Ok(KernelsFinding::Deviate { format: "Q4_0".to_owned() }),
        None => try_kernels(kernels),
    }
}

/// Says what a server is, and, if it is asked to, tries what it honours.
fn serve_probe(
    served: &Served,
    context: u32,
    input: &Inlet,
    outlet: &mut Outlet<impl Write + Send>,
) -> Result<(), WorkerError> {
    let http = HttpEngine::new(served, context)?;
    let (server, engine) = http.facts()?;
    outlet.send(&Reply::InspectedServer { server: server.clone(), engine })?;
    match input.next()? {
        Request::ProbeServer(questions) => {
            let telling = RefCell::new(&mut *outlet);
            let findings = http.probe(&server, &questions, &|reason, pause| {
                // If the parent is gone there is nobody left to tell.
                let _ = telling.borrow_mut().pausing(reason.to_owned(), pause);
            })?;
            Ok(outlet.send(&Reply::ProbedServer(findings))?)
        }
        _ => Err(WorkerError::OutOfTurn("a server is inspected")),
    }
}

fn serve_llama(
    kernels: Kernels,
    settings: &LoadSettings,
    input: &Inlet,
    outlet: &mut Outlet<impl Write + Send>,
) -> Result<(), WorkerError> {
    let llama = Llama::start(kernels)?;
    let begun = Instant::now();
    let model = Model::load(&llama, settings)?;
    let seconds = begun.elapsed().as_secs_f64();
    let loaded = Reply::Loaded { footprint: Some(footprint(&llama, &model, settings)?), seconds };
    serve_work(&mut LlamaEngine::new(&llama, &model, settings), &loaded, input, outlet)
}

fn serve_work(
    engine: &mut dyn Engine,
    loaded: &Reply,
    input: &Inlet,
    outlet: &mut Outlet<impl Write + Send>,
) -> Result<(), WorkerError> {
    outlet.send(loaded)?;
    loop {
        match input.next()? {
            Request::Generate(work) => {
                engine.generate(&work, outlet)?;
                outlet.report_effort()?;
                outlet.send(&Reply::Idle)?;
            }
            Request::Reuse(settings) => {
                let footprint = engine.reuse(&settings)?;
                outlet.send(&Reply::Loaded { footprint, seconds: 0.0 })?;
            }
            Request::Trace(work) => {
                let traced = engine.trace(&work, outlet)?;
                outlet.send(&Reply::Traced(traced))?;
            }
            Request::Inspect { .. }
            | Request::CheckGrammar { .. }
            | Request::InspectServer { .. }
            | Request::ProbeServer(_)
            | Request::Devices
            | Request::TryKernels(_)
            | Request::Pace { .. }
            | Request::Bench { .. }
            | Request::Ceiling { .. }
            | Request::Quantise(_)
            | Request::Load(_)
            | Request::Connect { .. } => {
                return Err(WorkerError::OutOfTurn("a model is loaded already"));
            }
        }
    }
}

/// The way from the parent.
struct Inlet(Receiver<String>);

impl Inlet {
    /// Reads on a thread of its own, so that the end is seen while a request is served. What waits for a disk,
    /// a server or another thread then is not waited for.
    fn of(input: impl Read + Send + 'static) -> Self {
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(input).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    // Served to the end: the process ends by itself.
                    return;
                }
            }
            signals::end_process(ExitCode::Ok)
        });
        Self(lines)
    }

    /// Waits for a request.
    fn next(&self) -> Result<Request, WorkerError> {
        let line = self.0.recv().map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        Ok(serde_json::from_str(&line)?)
    }
}

/// The way to the parent.
struct Outlet<W> {
    output: W,
    unreported: Effort,
    last_heartbeat: Instant,
    texts_begun: u64,
    tokens_drawn: u64,
}

impl<W: Write> Outlet<W> {
    fn send(&mut self, reply: &Reply) -> io::Result<()> {
        let mut line = serde_json::to_vec(reply)?;
        line.push(b'\n');
        self.output.write_all(&line)?;
        self.output.flush()
    }

    fn report_effort(&mut self) -> io::Result<()> {
        let effort = std::mem::take(&mut self.unreported);
        self.send(&Reply::Worked(effort))
    }
}

impl<W: Write + Send> Observer for Outlet<W> {
    fn started(&mut self, ticket: Ticket) -> io::Result<()> {
        self.texts_begun += 1;
        self.send(&Reply::Started { ticket })
    }

    fn finished(&mut self, ticket: Ticket, generation: Generation, timing: Timing) -> io::Result<()> {
        self.send(&Reply::Finished { ticket, generation, timing })
    }

    fn failed(&mut self, ticket: Ticket, reason: String, attempts: u32) -> io::Result<()> {
        // It can quote what a server sent, escape sequences included.
        let reason = neutralise(&reason).into_owned();
        self.send(&Reply::GivenUp { ticket, reason, attempts })
    }

    fn pausing(&mut self, reason: String, pause: Duration) -> io::Result<()> {
        let reason = neutralise(&reason).into_owned();
        self.send(&Reply::Pausing { reason, seconds: pause.as_secs_f64() })
    }

    fn worked(&mut self, effort: Effort) -> io::Result<()> {
        self.unreported += effort;
        // A text's first token comes from its prompt. Where there are more tokens than texts, one has a second.
        let all_at_first_step = self.tokens_drawn <= self.texts_begun;
        self.tokens_drawn += effort.fast_draws + effort.llama_draws;
        if all_at_first_step && self.tokens_drawn > self.texts_begun {
            self.send(&Reply::Stepped)?;
        }
        if self.last_heartbeat.elapsed() >= HEARTBEAT {
            self.last_heartbeat = Instant::now();
            self.report_effort()?;
        }
        Ok(())
    }
}
