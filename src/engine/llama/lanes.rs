//! Several contexts on one model, each decoding prompts of its own.
//!
//! A small model's matrices are too small to share: threads would wait for
//! each other longer than they compute. So each core gets a context with one
//! thread, and every prompt begins in one of them as a whole, so that its texts
//! share their evaluations until they part; a lane that runs out of work gets
//! half of another one's texts, where that changes none of them ([`Pool`]).

use std::sync::Mutex;
use std::thread;

use super::decode::{Lane, Moved};
use super::pool::Pool;
use super::{Llama, Model, trace};
use crate::domain::Generation;
use crate::engine::strategy::portions;
use crate::engine::{
    Effort, Engine, EngineError, LoadSettings, Observer, Strategy, Ticket, Timing, TraceWork, Traced, Work,
};

/// Texts together from which on a small model is worth several threads that sleep while they wait:
/// between one, which takes 7 times as long on four threads, and 72, which take half as long.
const WORTH_SHARING: usize = 8;

/// A loaded model, and how it is to be used.
pub struct LlamaEngine<'m> {
    llama: &'m Llama,
    model: &'m Model,
    settings: LoadSettings,
}

impl<'m> LlamaEngine<'m> {
    pub fn new(llama: &'m Llama, model: &'m Model, settings: &LoadSettings) -> Self {
        Self { llama, model, settings: settings.clone() }
    }
}

impl Engine for LlamaEngine<'_> {
    fn generate(&mut self, work: &Work, observer: &mut dyn Observer) -> Result<(), EngineError> {
        let settings = self.settings.for_work(work);
        let lanes = settings.strategy.lanes as usize;
        let observer = Mutex::new(observer);
        let pool = Pool::new(&work.groups, lanes, settings.numerics);
        let run = |number: usize| {
            let _present = Present(&pool);
            let done = Lane::new(self.llama, self.model, &settings)
                .and_then(|mut lane| lane.generate(work, number, &pool, &mut Shared(&observer)));
            if done.is_err() {
                pool.stop();
            }
            done
        };
        thread::scope(|scope| {
            let others: Vec<_> = (1..lanes).map(|lane| scope.spawn(move || run(lane))).collect();
            let first = run(0);
            let others =
                others.into_iter().map(|lane| lane.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            others.fold(first, Result::and)
        })
    }

    fn trace(&mut self, work: &TraceWork, observer: &mut dyn Observer) -> Result<Vec<Traced>, EngineError> {
        trace::trace(self.llama, self.model, &self.settings, work, observer)
    }
}

impl LoadSettings {
    /// For less work than lanes: fewer lanes, and where they have many texts more threads in
    /// each. For fewer texts than sequences: fewer, whose caches need not be cleared.
    fn for_work(&self, work: &Work) -> Self {
        let Strategy { lanes, threads, rows } = self.strategy;
        let texts = work.groups.iter().map(|group| group.jobs.len());
        let all: usize = texts.clone().sum();
        let fewer = portions(self.numerics, work.groups.len() as u32, all as u32).clamp(1, lanes);
        let shares = texts.max().is_some_and(|widest| widest >= WORTH_SHARING);
        let threads = if shares { lanes * threads / fewer } else { threads };
        let rows = rows.min(all as u32).max(1);
        Self { strategy: Strategy { lanes: fewer, threads, rows }, ..self.clone() }
    }
}

/// A lane at work: should it panic, the others must not wait for it.
struct Present<'p, 'w>(&'p Pool<'w, Moved<'w>>);

impl Drop for Present<'_, '_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}

/// One observer for all lanes.
struct Shared<'a, 'o>(&'a Mutex<&'o mut dyn Observer>);

impl Shared<'_, '_> {
    fn tell<T>(&self, tell: impl FnOnce(&mut dyn Observer) -> T) -> T {
        tell(*self.0.lock().expect("no observer panics"))
    }
}

impl Observer for Shared<'_, '_> {
    fn started(&mut self, ticket: Ticket) -> std::io::Result<()> {
        self.tell(|observer| observer.started(ticket))
    }

    fn finished(&mut self, ticket: Ticket, generation: Generation, timing: Timing) -> std::io::Result<()> {
        self.tell(|observer| observer.finished(ticket, generation, timing))
    }

    fn failed(&mut self, ticket: Ticket, reason: String, attempts: u32) -> std::io::Result<()> {
        self.tell(|observer| observer.failed(ticket, reason, attempts))
    }

    fn worked(&mut self, effort: Effort) -> std::io::Result<()> {
        self.tell(|observer| observer.worked(effort))
    }
}
