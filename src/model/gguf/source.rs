//! Reads bytes of a file in order. Nothing is allocated, and no length believed, before the bytes that remain have been
//! asked.

use std::io::{self, Read, Seek};

use super::error::Problem;

/// What went wrong while a header was read.
#[derive(Debug)]
pub(super) enum Fault {
    Io(io::Error),
    Bad { offset: u64, problem: Problem },
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

pub(super) struct Source<R> {
    reader: io::BufReader<R>,
    position: u64,
    /// The file's length when it was opened.
    end: u64,
}

impl<R: Read + Seek> Source<R> {
    pub fn new(reader: R, end: u64) -> Self {
        Self { reader: io::BufReader::with_capacity(1 << 16, reader), position: 0, end }
    }

    pub fn position(&self) -> u64 {
        self.position
    }

    pub fn end(&self) -> u64 {
        self.end
    }

    pub fn left(&self) -> u64 {
        self.end - self.position
    }

    /// A problem that begins at the current position.
    pub fn fault(&self, problem: Problem) -> Fault {
        Fault::Bad { offset: self.position, problem }
    }

    fn require(&self, what: &'static str, needed: u64) -> Result<(), Fault> {
        let left = self.left();
        if needed > left {
            return Err(self.fault(Problem::Ends { what, needed, left, end: self.end }));
        }
        Ok(())
    }

    /// The file may have shrunk since its length was asked.
    fn fill(&mut self, what: &'static str, bytes: &mut [u8]) -> Result<(), Fault> {
        let needed = bytes.len() as u64;
        self.require(what, needed)?;
        match self.reader.read_exact(bytes) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.fault(Problem::Ends { what, needed, left: 0, end: self.position }))
            }
            Err(error) => Err(error.into()),
            Ok(()) => {
                self.position += needed;
                Ok(())
            }
        }
    }

    /// A little-endian number of up to 8 bytes, in 8.
    pub fn number(&mut self, what: &'static str, width: u64) -> Result<[u8; 8], Fault> {
        let mut bytes = [0; 8];
        self.fill(what, &mut bytes[..width as usize])?;
        Ok(bytes)
    }

    pub fn u32(&mut self, what: &'static str) -> Result<u32, Fault> {
        Ok(u64::from_le_bytes(self.number(what, 4)?) as u32)
    }

    pub fn u64(&mut self, what: &'static str) -> Result<u64, Fault> {
        Ok(u64::from_le_bytes(self.number(what, 8)?))
    }

    pub fn bytes(&mut self, what: &'static str, length: u64) -> Result<Vec<u8>, Fault> {
        self.require(what, length)?;
        let mut bytes = vec![0; length as usize];
        self.fill(what, &mut bytes)?;
        Ok(bytes)
    }

    /// A text's length, which its bytes follow; they are known to be there.
    pub fn length(&mut self, what: &'static str) -> Result<u64, Fault> {
        let length = self.u64(what)?;
        self.require(what, length)?;
        Ok(length)
    }

    pub fn skip(&mut self, what: &'static str, length: u64) -> Result<(), Fault> {
        self.require(what, length)?;
        // A file is shorter than 2^63 bytes, and `length` is within it.
        self.reader.seek_relative(length as i64)?;
        self.position += length;
        Ok(())
    }

    /// Refuses a count whose items can't all be there, each taking at least
    /// `item_bytes`.
    pub fn count(&self, what: &'static str, found: u64, item_bytes: u64, limit: u64) -> Result<(), Fault> {
        let left = self.left();
        let most = (left / item_bytes).min(limit);
        if found > most {
            return Err(self.fault(Problem::TooMany { what, found, most, left }));
        }
        Ok(())
    }
}
