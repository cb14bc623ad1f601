//! Owns a file that is coming in: what is there of it, whether more comes fast enough, and its hash.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Contents, FetchEvent, TransferError};
use crate::model::hash::Sha256;

const CHUNK_BYTES: usize = 1 << 18;
/// What comes in slower than this has broken off: by bytes every now and then a file has no end.
pub(super) const LEAST_BYTES: u64 = 64 * 1024;
const IN_TIME: Duration = Duration::from_secs(60);

/// A file that is coming in, and the hash of what is there of it.
pub struct Partial {
    file: File,
    path: PathBuf,
    hash: Sha256,
    have_bytes: u64,
    size_bytes: u64,
}

impl Partial {
    /// Takes up what an earlier call left in `file`, which lies at `path`.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn take_up(file: File, path: PathBuf, size_bytes: u64) -> Result<Self, TransferError> {
        let mut partial = Self { file, path, hash: Sha256::new(), have_bytes: 0, size_bytes };
        let length = partial.file.metadata().map_err(TransferError::io("read", &partial.path))?.len();
        if length > size_bytes {
            partial.restart()?;
        } else {
            partial.have_bytes = length;
            partial.hash.update_all(&mut partial.file).map_err(TransferError::io("read", &partial.path))?;
        }
        Ok(partial)
    }

    pub fn have_bytes(&self) -> u64 {
        self.have_bytes
    }

    pub fn missing_bytes(&self) -> u64 {
        self.size_bytes - self.have_bytes
    }

    fn restart(&mut self) -> Result<(), TransferError> {
        self.file.set_len(0).map_err(TransferError::io("write", &self.path))?;
        (self.hash, self.have_bytes) = (Sha256::new(), 0);
        Ok(())
    }

    /// Takes in what comes, as far as it comes.
    ///
    /// # Errors
    /// When it breaks off, is more than there should be, or can't be written.
    pub fn append(
        &mut self,
        name: &str,
        mut contents: Contents,
        on_event: &mut dyn FnMut(FetchEvent<'_>),
    ) -> Result<(), TransferError> {
        if contents.from != self.have_bytes {
            self.restart()?;
        }
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut pace = Pace::new(self.have_bytes, Instant::now());
        loop {
            let n = contents.read(&mut chunk).map_err(|reason| broken(name, &reason))?;
            if n == 0 {
                break;
            }
            if self.have_bytes + n as u64 > self.size_bytes {
                let reason = format!("it sent more than the {} bytes of {name}", self.size_bytes);
                self.restart()?;
                return Err(TransferError::Nonsense { url: name.to_owned(), reason });
            }
            self.file.write_all(&chunk[..n]).map_err(TransferError::io("write", &self.path))?;
            self.hash.update(&chunk[..n]);
            self.have_bytes += n as u64;
            on_event(FetchEvent::Progress { have_bytes: self.have_bytes });
            if pace.is_lost(self.have_bytes, Instant::now()) {
                return Err(broken(
                    name,
                    &format!("fewer than {LEAST_BYTES} bytes arrived in {} s", IN_TIME.as_secs()),
                ));
            }
        }
        match self.missing_bytes() {
            0 => Ok(()),
            missing => Err(broken(name, &format!("it broke off {missing} bytes before the end"))),
        }
    }

    /// Compares the hash, and sees that the contents outlast a power failure.
    ///
    /// # Errors
    /// When the hash is another one, and the file is removed; when it can't be written.
    pub fn finish(self, name: &str, sha256: Option<&str>) -> Result<(), TransferError> {
        let found = self.hash.hexadecimal();
        if let Some(expected) = sha256.filter(|expected| *expected != found) {
            std::fs::remove_file(&self.path).map_err(TransferError::io("remove", &self.path))?;
            return Err(TransferError::WrongHash { name: name.to_owned(), expected: expected.to_owned(), found });
        }
        self.file.sync_all().map_err(TransferError::io("write", &self.path))
    }
}

fn broken(name: &str, reason: &str) -> TransferError {
    TransferError::Connection { url: name.to_owned(), reason: reason.to_owned() }
}

/// Whether bytes come in fast enough.
struct Pace {
    from_bytes: u64,
    since: Instant,
}

impl Pace {
    fn new(have_bytes: u64, now: Instant) -> Self {
        Self { from_bytes: have_bytes, since: now }
    }

    /// Whether too little came in since `LEAST_BYTES` last did.
    fn is_lost(&mut self, have_bytes: u64, now: Instant) -> bool {
        if have_bytes >= self.from_bytes + LEAST_BYTES {
            *self = Self::new(have_bytes, now);
        }
        now.duration_since(self.since) >= IN_TIME
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_drips_has_broken_off() {
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        let mut pace = Pace::new(5, begun);
        assert!(!pace.is_lost(6, after(59)));
        assert!(!pace.is_lost(5 + LEAST_BYTES, after(59)), "so much is enough");
        assert!(!pace.is_lost(6 + LEAST_BYTES, after(118)), "and begins again");
        assert!(pace.is_lost(6 + LEAST_BYTES, after(119)));
    }
}
