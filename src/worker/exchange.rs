//! Holds one exchange with a worker: a request, and its replies until the answer that is wanted.
//!
//! Owns how long a worker is listened to: until it answers, dies or is silent for too long, or somebody asks to stop.
//! Must not know what the request is for.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::death::Death;
use super::protocol::{Reply, Request};
use super::supervisor::{ReceiveError, Worker};

/// How often an interruption is looked for while nothing happens.
pub const POLL: Duration = Duration::from_millis(100);

/// What ends an exchange from our side.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits<'a> {
    /// Set where somebody asks to stop.
    pub interrupted: Option<&'a AtomicBool>,
    /// How long the worker may be silent, counted from its last reply; for as long as it likes where there is none.
    pub silence: Option<Duration>,
}

/// A request that was sent, whose replies come.
pub struct Exchange<'a> {
    worker: &'a mut Worker,
    limits: Limits<'a>,
}

/// What a reply is to the one who asked.
pub enum Heard<T> {
    /// What was wanted: the exchange is over.
    Answer(T),
    /// Something on the way to it.
    Event,
    /// Nothing that belongs here, in words ([`Heard::out_of_turn`]).
    OutOfTurn(String),
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Somebody asked to stop.
    Interrupted,
    /// The worker has ended.
    Died(Death),
    /// It has said nothing for so long.
    Silent(Duration),
    /// It said what does not belong here, in words.
    OutOfTurn(String),
}

impl<'a> Limits<'a> {
    /// A worker may be silent for `silence`, and nobody asks to stop.
    pub fn silence(silence: Duration) -> Self {
        Self { interrupted: None, silence: Some(silence) }
    }

    /// A worker may be silent for as long as it likes, until somebody asks to stop.
    pub fn interruption(interrupted: &'a AtomicBool) -> Self {
        Self { interrupted: Some(interrupted), silence: None }
    }
}

impl<'a> Exchange<'a> {
    /// Sends `request`. A worker that can't take it has died, which its next reply tells.
    pub fn begin(worker: &'a mut Worker, request: &Request, limits: Limits<'a>) -> Self {
        worker.send(request);
        Self { worker, limits }
    }

    /// Waits for the answer; `hear` says of each reply what it is.
    ///
    /// # Errors
    /// When there is none.
    pub fn answer<T>(mut self, mut hear: impl FnMut(Reply) -> Heard<T>) -> Result<T, Unanswered> {
        loop {
            match hear(self.reply()?) {
                Heard::Answer(answer) => return Ok(answer),
                Heard::Event => {}
                Heard::OutOfTurn(words) => return Err(Unanswered::OutOfTurn(words)),
            }
        }
    }

    /// Waits for the next reply, and takes with it all that are there by then.
    ///
    /// # Errors
    /// When there is none.
    pub fn replies(&mut self) -> Result<Vec<Reply>, Unanswered> {
        let mut replies = vec![self.reply()?];
        replies.extend(std::iter::from_fn(|| self.worker.receive_ready()));
        Ok(replies)
    }

    fn reply(&mut self) -> Result<Reply, Unanswered> {
        let Limits { interrupted, silence } = self.limits;
        let begun = Instant::now();
        loop {
            if interrupted.is_some_and(|asked| asked.load(Ordering::Relaxed)) {
                return Err(Unanswered::Interrupted);
            }
            match (self.worker.receive(POLL), silence) {
                (Ok(reply), _) => return Ok(reply),
                (Err(ReceiveError::Died(death)), _) => return Err(Unanswered::Died(death)),
                (Err(ReceiveError::TimedOut), Some(silence)) if begun.elapsed() >= silence => {
                    return Err(Unanswered::Silent(silence));
                }
                (Err(ReceiveError::TimedOut), _) => {}
            }
        }
    }
}

impl<T> Heard<T> {
    /// The worker said `reply`, which does not belong here.
    pub fn out_of_turn(reply: &Reply) -> Self {
        Self::OutOfTurn(out_of_turn(reply))
    }
}

impl Unanswered {
    /// The worker said `reply`, which does not belong here.
    pub fn out_of_turn(reply: &Reply) -> Self {
        Self::OutOfTurn(out_of_turn(reply))
    }
}

fn out_of_turn(reply: &Reply) -> String {
    format!("the worker answered out of turn: {reply:?}")
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("interrupted"),
            Self::Died(death) => f.write_str(&death.reason),
            Self::Silent(silence) => write!(f, "no answer within {} s", silence.as_secs()),
            Self::OutOfTurn(words) => f.write_str(words),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::path::Path;

    use super::super::executable::Executable;
    use super::*;
    use crate::domain::Numerics;

    /// A worker that ends at once, whatever it is asked.
    fn ended() -> Worker {
        Worker::start(&Executable::new("/bin/false".into(), None), Numerics::Invariant).expect("it starts")
    }

    /// A worker that takes requests and says nothing.
    fn silent(folder: &Path) -> Worker {
        let script = folder.join("silent");
        std::fs::write(&script, "#!/bin/sh\nwhile read -r line; do :; done\n").expect("it is written");
        let runnable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&script, runnable).expect("it may be run");
        Worker::start(&Executable::new(script, None), Numerics::Invariant).expect("it starts")
    }

    fn ask(worker: &mut Worker, limits: Limits<'_>) -> Unanswered {
        let exchange = Exchange::begin(worker, &Request::Devices, limits);
        exchange.answer(|reply| Heard::<()>::out_of_turn(&reply)).expect_err("nothing answers")
    }

    #[test]
    fn a_worker_that_has_ended_is_told_from_one_that_is_silent_and_from_an_interruption() {
        let died = ask(&mut ended(), Limits::silence(Duration::from_secs(60)));
        assert!(matches!(died, Unanswered::Died(_)), "{died}");
        let folder = tempfile::tempdir().expect("there is room");
        let brief = Duration::from_millis(10);
        assert_eq!(ask(&mut silent(folder.path()), Limits::silence(brief)), Unanswered::Silent(brief));
        let asked = AtomicBool::new(true);
        assert_eq!(ask(&mut silent(folder.path()), Limits::interruption(&asked)), Unanswered::Interrupted);
    }
}
