//! Decides which signals ask a command to end, and what it does then.
//!
//! A command that is not watched ends by them, as the system has it: nothing of it needs more. A watched one
//! ends at once, with its own exit code and words, or cleanly where something is at work that is worth an end.
//! What was inherited as ignored stays so: `nohup` and a shell's background jobs rely on it.
//!
//! Must not know what is interrupted.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::exit_code::ExitCode;
use crate::message::say_soon;

mod deadline;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as system;
#[cfg(not(unix))]
mod elsewhere;
#[cfg(not(unix))]
use elsewhere as system;

pub use deadline::Deadline;
pub use system::{bind_to_parent, end_process, leave_to_parent, make_children_known};

/// What a signal does.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// It ends the process, with these words.
    AtOnce(&'static str),
    /// The first asks for an end, a second one ends the process.
    Cleanly,
}

/// Signals can't be watched for.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch for Ctrl-C: {0}")]
pub struct WatchError(#[from] io::Error);

/// Waits for signals on a thread of its own, until the process ends.
#[derive(Clone, Debug)]
pub struct Watch {
    manner: Arc<Mutex<Manner>>,
    /// A signal came.
    heard: Arc<AtomicBool>,
    asked: Arc<AtomicBool>,
}

impl Watch {
    /// From now on a signal ends the process at once, and it says `words`. Once in a process.
    ///
    /// # Errors
    /// When the system lets no signal be caught.
    pub fn at_once_from_now(words: &'static str) -> Result<Self, WatchError> {
        let manner = Arc::new(Mutex::new(Manner::AtOnce(words)));
        let watch = Self { manner, heard: Arc::default(), asked: Arc::default() };
        let heard = watch.clone();
        system::on_signal(move || heard.hear())?;
        Ok(watch)
    }

    /// From now on a signal asks for an end, which `asked` tells.
    pub fn cleanly(&self) {
        *self.manner() = Manner::Cleanly;
    }

    /// From now on a signal ends the process at once; if one has come by now, so does this.
    pub fn at_once(&self, words: &'static str) {
        // Held, so that a signal comes either before or after.
        let mut manner = self.manner();
        if self.heard.load(Ordering::Relaxed) {
            end(words);
        }
        *manner = Manner::AtOnce(words);
    }

    /// Asks for an end as a signal would; says whether nobody had before.
    pub fn ask_for_an_end(&self) -> bool {
        !self.asked.swap(true, Ordering::Relaxed)
    }

    /// Takes back what [`Self::ask_for_an_end`] asked for; says whether it could, for no signal has come.
    pub fn go_on(&self) -> bool {
        self.asked.store(false, Ordering::Relaxed);
        let heard = self.heard.load(Ordering::Relaxed);
        self.asked.fetch_or(heard, Ordering::Relaxed);
        !heard
    }

    /// Whether an end was asked for.
    pub fn asked(&self) -> &AtomicBool {
        &self.asked
    }

    fn hear(&self) {
        match *self.manner() {
            Manner::AtOnce(words) => end(words),
            Manner::Cleanly if self.heard.swap(true, Ordering::Relaxed) => end("interrupted twice: ended at once"),
            Manner::Cleanly => self.asked.store(true, Ordering::Relaxed),
        }
    }

    fn manner(&self) -> MutexGuard<'_, Manner> {
        // Nothing in it can be half done.
        self.manner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the process as interrupted. Its workers notice by themselves.
fn end(words: &'static str) -> ! {
    say_soon(words);
    end_process(ExitCode::Interrupted)
}
