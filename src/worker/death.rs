//! Says how a worker ended: in words, and whose doing it was.

use std::fmt;

/// The end of a worker that was not asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// How it ended, and its last words.
    pub reason: String,
    pub cause: Cause,
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
    /// The worker's own doing.
    pub fn own(reason: String) -> Self {
        Self { reason, cause: Cause::Own }
    }
}

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
