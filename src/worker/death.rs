//! Says how a worker ended: in words, and whose doing it was.

use std::fmt;
use std::process::ExitStatus;
use std::time::Duration;

#[cfg(unix)]
use nix::sys::signal::Signal;

/// The end of a worker that was not asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// How it ended, and its last words.
    pub reason: String,
    pub cause: Cause,
    pub way: Way,
}

/// How it ended, as far as two deaths can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// By the signal of this number.
    Signal(i32),
    /// By itself, with this status; None where it is not known.
    Exit(Option<i32>),
    /// It said why it could not go on.
    Said(String),
    /// It was silent for too long, and was ended.
    Silent,
}

/// Whose doing it was, as far as that can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// There was not enough memory, it said.
    Memory,
    /// It was killed from without (SIGKILL), which is what the kernel does where memory runs out.
    Killed,
    /// Its own: an error, an abort, a crash, silence.
    Own,
}

/// What llama.cpp, ggml, the drivers, the C++, OpenMP and Rust libraries and the system say where memory, or room for
/// a thread's stack, can't be had; in small letters. llama.cpp has no error code for it.
const WANTS: [&str; 12] = [
    "bad_alloc",
    "cannot allocate memory",
    "failed to allocate",
    "failed to spawn thread",
    "insufficient memory",
    "memory allocation of",
    "out of memory",
    "outofdevicememory",
    "outofhostmemory",
    "resource temporarily unavailable",
    "thread creation failed",
    "unable to allocate",
];

impl Death {
    /// The worker's own doing, in its words or ours.
    pub fn own(reason: String) -> Self {
        Self { way: Way::Said(reason.clone()), reason, cause: Cause::Own }
    }

    /// The worker said nothing for so long, and was ended.
    pub fn silent(silence: Duration) -> Self {
        let reason = format!("the worker made no progress for {} s and was ended", silence.as_secs());
        Self { reason, cause: Cause::Own, way: Way::Silent }
    }
}

impl Way {
    pub(super) fn of(status: ExitStatus) -> Self {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Self::Signal(signal);
        }
        Self::Exit(status.code())
    }

    /// Whether somebody ended it whom it could not refuse.
    pub(super) fn is_kill(&self) -> bool {
        *self == Self::Signal(KILL)
    }

    /// Whether machine code brought it about: an instruction that the machine does not have, an address that is not
    /// there, a check that failed.
    pub fn is_crash(&self) -> bool {
        matches!(self, Self::Signal(signal) if CRASHES.contains(signal))
    }

    /// Whether two deaths may have one cause. Where memory is written over, it is left to chance which crash follows.
    pub fn is_like(&self, other: &Self) -> bool {
        self == other || (self.is_crash() && other.is_crash())
    }
}

#[cfg(unix)]
const KILL: i32 = Signal::SIGKILL as i32;
#[cfg(unix)]
const CRASHES: [i32; 5] = [
    Signal::SIGILL as i32,
    Signal::SIGSEGV as i32,
    Signal::SIGBUS as i32,
    Signal::SIGFPE as i32,
    Signal::SIGABRT as i32,
];
/// No process ends by a signal there.
#[cfg(not(unix))]
const KILL: i32 = 0;
#[cfg(not(unix))]
const CRASHES: [i32; 0] = [];

impl Cause {
    /// What the last words tell; they are looked at in the order of what they prove.
    pub(super) fn of(last_words: &str, killed: bool) -> Self {
        let words = last_words.to_lowercase();
        if WANTS.iter().any(|want| words.contains(want)) {
            Self::Memory
        } else if killed {
            Self::Killed
        } else {
            Self::Own
        }
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn crashes_are_alike_and_other_deaths_are_only_like_themselves() {
        let [segv, ill, kill] =
            [Signal::SIGSEGV, Signal::SIGILL, Signal::SIGKILL].map(|signal| Way::Signal(signal as i32));
        assert!(segv.is_like(&ill) && segv.is_crash());
        assert!(kill.is_like(&kill) && kill.is_kill() && !kill.is_like(&segv));
        let [said, other] = ["no", "never"].map(|words| Death::own(words.to_owned()).way);
        assert!(said.is_like(&said) && !said.is_like(&other) && !said.is_like(&segv) && !said.is_crash());
        assert!(!Way::Silent.is_like(&Way::Exit(Some(1))));
    }

    #[test]
    fn want_of_memory_is_told_from_other_deaths() {
        // As they were seen, of workers whose memory was limited.
        for words in [
            "llama_model_load: error loading model: error loading model vocabulary: std::bad_alloc",
            "llama_init_from_model: failed to initialize the context: failed to allocate buffer for kv cache",
            "memory allocation of 152 bytes failed",
            "ggml_aligned_malloc: insufficient memory (attempted to allocate  19.73 MB)",
            "thread 'main' panicked: The global thread pool has not been initialized.: ThreadPoolBuildError { kind: \
             IOError(Os { code: 11, kind: WouldBlock, message: \"Resource temporarily unavailable\" }) }",
            "C++ found no memory: std::bad_alloc\nfatal runtime error: Rust cannot catch foreign exceptions, aborting",
        ] {
            assert_eq!(Cause::of(words, false), Cause::Memory, "{words}");
        }
        assert_eq!(Cause::of("the worker died, signal: 9 (SIGKILL)", true), Cause::Killed);
        assert_eq!(Cause::of("cannot load the model m.gguf: llama.cpp refused it", false), Cause::Own);
    }
}
