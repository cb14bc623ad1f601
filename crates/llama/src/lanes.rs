//! Runs several contexts on one model, each decoding prompts of its own.
//!
//! A small model's matrices are too small to share: threads would wait for
//! each other longer than they compute. So each core gets a context with one
//! thread, and every prompt begins in one of them as a whole, so that its texts
//! share their evaluations until they part; a lane that runs out of work gets
//! half of another one's texts, where that changes none of them ([`Pool`]).

use std::io;
use std::sync::Mutex;
use std::thread;

use crate::decode::{Lane, Moved};
use crate::pool::Pool;
use crate::{Done, Error, Generation, Llama, Model, Observer, Settings, Ticket, Timing, Work};

/// Generates every job of `work` in the lanes that `settings` name, and reports each one as it begins and ends.
///
/// # Errors
/// When llama.cpp can't go on, or nobody listens any more; jobs that have not been reported finished have no result
/// then.
pub fn generate(
    llama: &Llama,
    model: &Model,
    settings: &Settings,
    work: &Work,
    observer: &mut dyn Observer,
) -> Result<(), Error> {
    let lanes = settings.strategy.lanes as usize;
    let observer = Mutex::new(observer);
    let pool = Pool::new(&work.groups, lanes, settings.numerics);
    let run = |number: usize| {
        let _present = Present(&pool);
        let done = Lane::new(llama, model, settings)
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
    fn started(&mut self, ticket: Ticket) -> io::Result<()> {
        self.tell(|observer| observer.started(ticket))
    }

    fn finished(&mut self, ticket: Ticket, generation: Generation, timing: Timing) -> io::Result<()> {
        self.tell(|observer| observer.finished(ticket, generation, timing))
    }

    fn worked(&mut self, done: Done<'_>) -> io::Result<()> {
        self.tell(|observer| observer.worked(done))
    }
}
