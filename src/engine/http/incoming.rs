//! Takes in the bytes of an answer, out of which every secret is scrubbed before anything is cut, read or kept, and for
//! which nobody waits longer than is said.
//!
//! The only place where a server's bytes become text. Knows nothing of what the text says.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::Body;

use super::lines::Lines;
use super::patience::Patience;
use crate::secret::Secrets;

/// What comes after the end of an answer is read for so long, that the connection can be used again: the mark of
/// a body's end is under way with it.
const AFTER_THE_END: Duration = Duration::from_millis(50);
const AFTER_THE_END_BYTES: u64 = 64 * 1024;

/// The body of an answer.
pub struct Incoming {
    body: Box<dyn Read>,
    secrets: Arc<Secrets>,
    patience: Patience,
}

/// The body of an answer, a line at a time.
pub struct IncomingLines {
    lines: Lines<io::Take<Box<dyn Read>>>,
    line: Vec<u8>,
    secrets: Arc<Secrets>,
    patience: Patience,
}

/// Why no more of a body came.
#[derive(Debug)]
pub struct Lost(pub String);

impl Incoming {
    /// `patience` must be that of the agent that asked.
    pub fn new(body: Body, secrets: &Arc<Secrets>, patience: &Patience) -> Self {
        // Lengths are limited where it is known for what.
        let body = Box::new(body.into_with_config().limit(u64::MAX).reader());
        Self { body, secrets: Arc::clone(secrets), patience: patience.clone() }
    }

    /// All of it, if it is there by a moment; None if it has more than `limit` bytes.
    ///
    /// # Errors
    /// When it broke off, or was not there in time.
    pub fn whole(self, limit: usize, by: Instant) -> Result<Option<String>, Lost> {
        self.patience.set(Some(by));
        let mut bytes = Vec::new();
        let read = self.body.take(limit as u64 + 1).read_to_end(&mut bytes);
        read.map_err(|error| Lost(self.secrets.text(error.to_string().as_bytes())))?;
        Ok((bytes.len() <= limit).then(|| self.secrets.text(&bytes)))
    }

    /// As much of it as is there by a moment, and `limit` bytes at the most.
    pub fn beginning(self, limit: usize, by: Instant) -> String {
        self.patience.set(Some(by));
        let mut bytes = Vec::new();
        // What could be read of it counts.
        let _ = self.body.take(limit as u64).read_to_end(&mut bytes);
        self.secrets.text(&bytes)
    }

    /// Its lines, of which `limit` bytes at the most are read.
    pub fn lines(self, limit: usize) -> IncomingLines {
        let Self { body, secrets, patience } = self;
        IncomingLines { lines: Lines::new(body.take(limit as u64)), line: Vec::new(), secrets, patience }
    }
}

impl IncomingLines {
    /// The next line without its end, if all of it is there by a moment; None where there is none.
    ///
    /// # Errors
    /// When the body broke off, or the line was not there in time.
    pub fn next(&mut self, by: Instant) -> Result<Option<String>, Lost> {
        self.patience.set(Some(by));
        match self.lines.read(&mut self.line) {
            Ok(true) => Ok(Some(self.secrets.text(&self.line))),
            Ok(false) => Ok(None),
            Err(error) => Err(Lost(self.secrets.text(error.to_string().as_bytes()))),
        }
    }

    /// Whether as much was read as may be.
    pub fn is_exhausted(&self) -> bool {
        self.lines.source().limit() == 0
    }

    /// Nothing more of it is wanted.
    pub fn finish(self) {
        self.patience.set(Some(Instant::now() + AFTER_THE_END));
        let mut rest = self.lines.into_source().into_inner().take(AFTER_THE_END_BYTES);
        // Whatever comes of it: a connection that can't be used again is closed.
        let _ = io::copy(&mut rest, &mut io::sink());
    }
}
