//! Makes an engine of servers: texts are asked for over the network.
//!
//! Owns the APIs' languages, concurrency, patience. Must not know what the
//! trials are for. What a server does with a request is not known here, only
//! what it says and what `probe` sees.
//!
//! A failure is the trial's own (the server refuses this request, time and
//! again), or the server's (it is not there any more), which ends the work
//! and leaves the rest to a later run.

mod answer;
mod client;
mod defaults;
mod detect;
mod halves;
mod identity;
mod incoming;
mod lines;
mod mapping;
mod patience;
mod probe;
mod request;
mod retry;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use itertools::Itertools as _;

use answer::Answer;
use client::{Client, RequestError};
pub use defaults::sayable;
pub use detect::{Detected, Undetected, detect};
pub use identity::ServerFacts;
pub use mapping::{Dialect, Expressed, Inexpressible, Loss, express, request_revision, sampling_fields};
pub use probe::{Finding, Findings, Probed};
use request::{Ask, Wanted, ask};
use retry::{ATTEMPTS, BROKEN_OFF_ATTEMPTS, pause};

use super::{Effort, Engine, EngineError, EngineFacts, Group, Job, Observer, Ticket, Timing, Work};
use crate::domain::Generation;
use crate::experiment::Served;

/// How often the parent hears that we are still here.
const SIGN_OF_LIFE: Duration = Duration::from_millis(500);
/// How often a pause is interrupted to see whether anybody still wants the text.
const NAP: Duration = Duration::from_millis(50);

/// A pause before a text is asked for again is told of from so much on: below, nobody would notice.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// A model behind a server, asked for a text at a time.
pub struct HttpEngine {
    served: Served,
    /// Tokens that a prompt and its text may have together.
    context: u32,
    client: Client,
    /// That asked for texts before, and have connections.
    others: Vec<HttpEngine>,
}

/// Hears of pauses: why a text is asked for again, and after how long.
pub type OnPause<'a> = &'a dyn Fn(&str, Duration);

impl HttpEngine {
    /// # Errors
    /// When the key is missing.
    pub fn new(served: &Served, context: u32) -> Result<Self, EngineError> {
        let client = Client::new(&served.server).map_err(EngineError::Server)?;
        Ok(Self { served: served.clone(), context, client, others: vec![] })
    }

    /// One that can ask while this one does.
    fn another(&self) -> Self {
        let Self { served, context, client, .. } = self;
        Self { served: served.clone(), context: *context, client: client.another(), others: vec![] }
    }

    /// What the server says it is.
    ///
    /// # Errors
    /// When it can't be reached, refuses, or does not know the model.
    pub fn facts(&self) -> Result<(ServerFacts, EngineFacts), EngineError> {
        let facts = identity::identify(&self.served, &self.client)?;
        let engine = EngineFacts {
            fingerprint: facts.fingerprint(&self.served),
            kernels: None,
            accelerators: vec![],
            variance: None,
        };
        Ok((facts, engine))
    }

    /// Asks until there is an answer, or there will be none.
    fn text(
        &self,
        wanted: Wanted<'_>,
        wanted_still: &dyn Fn() -> bool,
        on_pause: OnPause<'_>,
    ) -> Result<(Generation, Timing), Ended> {
        let ask =
            ask(&self.served, wanted).map_err(|error| Ended::Failed { reason: error.to_string(), attempts: 1 })?;
        let (answer, timing) = self.answer(&ask, wanted.max_tokens, wanted_still, on_pause)?;
        Ok((answer.into_generation(ask.api, wanted.max_tokens), timing))
    }

    /// The same, as the server says it.
    fn answer(
        &self,
        ask: &Ask,
        max_tokens: u32,
        wanted_still: &dyn Fn() -> bool,
        on_pause: OnPause<'_>,
    ) -> Result<(Answer, Timing), Ended> {
        let patience = Duration::from_secs(self.served.server.patience_s.into());
        // Nobody is waited for longer than an answer is.
        let longest_pause = Duration::from_secs(self.served.server.answer_s.into());
        let mut attempts = Attempts::default();
        while wanted_still() {
            let begun = Instant::now();
            let mut first = None;
            let answer = self.client.ask(ask, max_tokens, || first = Some(begun.elapsed().as_secs_f64()));
            let pause = match answer {
                Ok(answer) => return Ok((answer, timing(begun, first))),
                Err(RequestError::BrokenOff { answer, .. }) if attempts.broke_off() => {
                    return Ok((*answer, timing(begun, first)));
                }
                Err(error) => {
                    let reason = error.to_string();
                    let pause = attempts.after(error, patience)?.min(longest_pause);
                    if pause >= WORTH_TELLING {
                        on_pause(&reason, pause);
                    }
                    pause
                }
            };
            let until = Instant::now() + pause;
            while wanted_still() && Instant::now() < until {
                thread::sleep(NAP.min(until - Instant::now().min(until)));
            }
        }
        Err(Ended::Unwanted)
    }
}

/// From the first piece on, as for texts made here; how many were made beside it is not known.
fn timing(begun: Instant, first_token_seconds: Option<f64>) -> Timing {
    let seconds = begun.elapsed().as_secs_f64() - first_token_seconds.unwrap_or(0.0);
    Timing { seconds, batch: 0, first_token_seconds }
}

/// Why there is no text.
enum Ended {
    /// Of this text there will be none.
    Failed { reason: String, attempts: u32 },
    /// The server is gone.
    Gone(String),
    /// Nobody wants it any more.
    Unwanted,
}

/// What was tried so far for one text.
#[derive(Default)]
struct Attempts {
    made: u32,
    broken_off: u32,
    /// Since when the server can't be reached.
    unreachable_since: Option<Instant>,
}

impl Attempts {
    /// Counts an answer that broke off; true when that was its last chance.
    fn broke_off(&mut self) -> bool {
        self.broken_off += 1;
        self.broken_off >= BROKEN_OFF_ATTEMPTS
    }

    /// How long to wait before it is asked again.
    fn after(&mut self, error: RequestError, patience: Duration) -> Result<Duration, Ended> {
        self.made += 1;
        if !matches!(error, RequestError::Unreachable { .. }) {
            self.unreachable_since = None;
        }
        match error {
            RequestError::Unreachable { .. } => {
                let since = *self.unreachable_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= patience {
                    Err(Ended::Gone(error.to_string()))
                } else {
                    Ok(pause(self.made, None))
                }
            }
            RequestError::Passing { retry_after, .. } if self.made < ATTEMPTS => Ok(pause(self.made, retry_after)),
            RequestError::BrokenOff { .. } => Ok(pause(1, None)),
            RequestError::Passing { .. }
            | RequestError::Lasting(_)
            | RequestError::Denied(_)
            | RequestError::NoPage(_) => Err(Ended::Failed { reason: error.to_string(), attempts: self.made }),
        }
    }
}

/// What the threads tell.
enum Event {
    Started(Ticket),
    Finished(Ticket, Box<Generation>, Timing),
    Failed { ticket: Ticket, reason: String, attempts: u32 },
    Pausing { reason: String, pause: Duration },
    Gone(String),
}

impl HttpEngine {
    /// Asks for texts until there are no more to ask for; runs on several threads.
    fn serve(&self, queue: &Queue, events: &Sender<Event>) {
        let wanted_still = || !queue.abandoned.load(Ordering::Relaxed);
        let on_pause = |reason: &str, pause| {
            let _ = events.send(Event::Pausing { reason: reason.to_owned(), pause });
        };
        while let Some((group, job)) = queue.next() {
            let ticket = job.ticket;
            let wanted = Wanted {
                prompt: &group.prompt,
                key: &group.key,
                chain: &job.chain,
                seed: job.seed,
                max_tokens: queue.work.max_tokens,
                context: self.context,
            };
            // An error tells that nobody listens, which `next` will know.
            let _ = events.send(Event::Started(ticket));
            let event = match self.text(wanted, &wanted_still, &on_pause) {
                Ok((generation, timing)) => Event::Finished(ticket, Box::new(generation), timing),
                Err(Ended::Failed { reason, attempts }) => Event::Failed { ticket, reason, attempts },
                Err(Ended::Gone(reason)) => Event::Gone(reason),
                Err(Ended::Unwanted) => return,
            };
            let _ = events.send(event);
        }
    }
}

/// The texts that nobody asks for yet.
struct Queue {
    work: Work,
    /// By group and job.
    left: Mutex<VecDeque<(usize, usize)>>,
    abandoned: AtomicBool,
}

impl Queue {
    fn new(work: &Work) -> Self {
        // For each prompt in an order of its own: the last texts of all have fewer beside them, and a server may write
        // others then, which must not always befall the same arm.
        let place = |group: &Group, job: usize| blake3::hash(format!("{job} {}", group.prompt).as_bytes());
        let jobs = |(at, group): (usize, &Group)| {
            let order = (0..group.jobs.len()).sorted_by_cached_key(|&job| *place(group, job).as_bytes());
            order.map(move |job| (at, job))
        };
        let left = work.groups.iter().enumerate().flat_map(jobs).collect();
        Self { work: work.clone(), left: Mutex::new(left), abandoned: AtomicBool::new(false) }
    }

    fn len(&self) -> usize {
        self.left.lock().expect("no thread panics").len()
    }

    fn next(&self) -> Option<(&Group, &Job)> {
        let next = self.left.lock().expect("no thread panics").pop_front();
        let (group, job) = next.filter(|_| !self.abandoned.load(Ordering::Relaxed))?;
        let group = &self.work.groups[group];
        Some((group, &group.jobs[job]))
    }
}

/// Tells the observer what the threads tell, until all of them have ended.
fn tell(events: &Receiver<Event>, observer: &mut dyn Observer) -> Result<(), EngineError> {
    loop {
        let told = match events.recv_timeout(SIGN_OF_LIFE) {
            Ok(Event::Started(ticket)) => observer.started(ticket),
            Ok(Event::Finished(ticket, generation, timing)) => observer.finished(ticket, *generation, timing),
            Ok(Event::Failed { ticket, reason, attempts }) => observer.failed(ticket, reason, attempts),
            Ok(Event::Pausing { reason, pause }) => observer.pausing(reason, pause),
            Ok(Event::Gone(reason)) => return Err(EngineError::Unreachable(reason)),
            Err(RecvTimeoutError::Timeout) => observer.worked(Effort::default()),
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        told.map_err(EngineError::Abandoned)?;
    }
}

impl Engine for HttpEngine {
    fn generate(&mut self, work: &Work, observer: &mut dyn Observer) -> Result<(), EngineError> {
        let queue = Arc::new(Queue::new(work));
        let (sender, events) = channel();
        let mut threads = Vec::new();
        for _ in 0..queue.len().min(self.served.server.concurrency as usize) {
            let engine = self.others.pop().unwrap_or_else(|| self.another());
            let (queue, sender) = (Arc::clone(&queue), sender.clone());
            let serve = move || {
                engine.serve(&queue, &sender);
                engine
            };
            match thread::Builder::new().spawn(serve) {
                Ok(thread) => threads.push(thread),
                Err(error) if threads.is_empty() => {
                    return Err(EngineError::Server(format!("cannot start a thread to query it: {error}")));
                }
                // As many requests at a time as there is room for.
                Err(_) => break,
            }
        }
        drop(sender);
        let told = tell(&events, observer);
        if told.is_err() {
            // Threads that wait for the server are not waited for: nobody wants what they will have.
            queue.abandoned.store(true, Ordering::Relaxed);
            return told;
        }
        for thread in threads {
            match thread.join() {
                Ok(engine) => self.others.push(engine),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod fuzz;
