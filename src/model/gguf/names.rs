//! Reads names in a header, and says how much of one a message shows.

use std::io::{Read, Seek};

use super::error::Problem;
use super::source::{Fault, Source};

pub(super) fn name<R: Read + Seek>(source: &mut Source<R>, what: &'static str, most: u64) -> Result<String, Fault> {
    let begin = source.position();
    let bad = |problem| Fault::Bad { offset: begin, problem };
    let bytes = source.length(what)?;
    if bytes > most {
        return Err(bad(Problem::TooLong { what, bytes, most }));
    }
    let bytes = source.bytes(what, bytes)?;
    String::from_utf8(bytes).map_err(|error| bad(Problem::NotUtf8 { what, shown: shown_bytes(error.as_bytes()) }))
}

/// The first characters of a name, for a message.
pub(super) fn shown(name: &str) -> String {
    const MOST: usize = 64;
    let mut shown: String = name.chars().take(MOST).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    shown
}

pub(super) fn shown_bytes(bytes: &[u8]) -> String {
    shown(&String::from_utf8_lossy(bytes))
}
