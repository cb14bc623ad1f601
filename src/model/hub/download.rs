//! Brings files from the hub into the cache: resumed where they broke off, and checked before they get their names.

use std::fs::File;
use std::io::Write;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::cache::{Cached, RepoCache};
use super::client::{Client, Contents, Metadata};
use super::{Access, HubError, HubSettings, cached};
use crate::experiment::{HubFile, Model};
use crate::model::hash::Sha256;

/// Requests that fail one after the other, without a byte between them, before
/// we give up: fewer as long as nothing has been fetched.
const MAX_TRIES: u32 = 7;
const MAX_FIRST_TRIES: u32 = 3;
/// Before the second request; doubled before each of the next.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const CHUNK_BYTES: usize = 1 << 18;
/// What comes in slower than this has broken off: by bytes every now and then a file has no end.
const LEAST_BYTES: u64 = 64 * 1024;
const IN_TIME: Duration = Duration::from_secs(60);

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
    Retrying { reason: &'a HubError, pause: Duration },
    /// A file is complete and has the right hash.
    Done { name: &'a str },
    /// A file was in the cache.
    Kept { name: &'a str },
}

/// What to do with a file that is cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    Keep,
    /// Fetch it again: what is there may be damaged.
    Replace,
}

/// Brings all files of a model into the cache, and says where they are.
///
/// What breaks off goes on from where it was, in this call or a later one. A
/// file has its final name only when its size and its SHA-256 are those that
/// the hub and the catalogue state.
///
/// # Errors
/// When the hub does not have it, does not give it, or gives something else.
pub fn fetch(
    settings: &HubSettings,
    model: &Model,
    file: &HubFile,
    held: Held,
    on_event: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<Cached, HubError> {
    let not_there = || HubError::Offline { file: file.clone(), cache: settings.cache.clone() };
    if settings.access == Access::Offline {
        let found = cached(&settings.cache, file).ok_or_else(not_there)?;
        file.parts().iter().for_each(|name| on_event(FetchEvent::Kept { name }));
        return Ok(found);
    }
    let hub = Fetcher { client: Client::new(settings), cache: RepoCache::new(&settings.cache, &file.repo), file };
    let parts = hub.metadata(on_event)?;
    check_stated(model, &parts)?;
    for (index, (name, metadata)) in parts.iter().enumerate() {
        let stated = model.sha256.as_deref().filter(|_| index == 0);
        hub.bring(name, metadata, stated, held, on_event)?;
    }
    hub.cache.set_commit(&file.revision, &parts[0].1.commit)?;
    cached(&settings.cache, file).ok_or_else(not_there)
}

/// What the catalogue states must be what the hub has, before 40 GB come in.
fn check_stated(model: &Model, parts: &[(String, Metadata)]) -> Result<(), HubError> {
    let (name, first) = &parts[0];
    if let (Some(stated), Some(theirs)) = (&model.sha256, first.sha256())
        && stated != theirs
    {
        let (name, stated, theirs) = (name.clone(), stated.clone(), theirs.to_owned());
        return Err(HubError::AnotherFile { name, stated, theirs });
    }
    let found = parts.iter().map(|(_, metadata)| metadata.size_bytes).sum();
    match model.size_bytes {
        Some(expected) if expected != found => Err(HubError::WrongSize { name: name.clone(), expected, found }),
        _ => Ok(()),
    }
}

struct Fetcher<'a> {
    client: Client<'a>,
    cache: RepoCache,
    file: &'a HubFile,
}

impl Fetcher<'_> {
    /// What the hub says of every part, all at the same commit.
    fn metadata(&self, on_event: &mut dyn FnMut(FetchEvent<'_>)) -> Result<Vec<(String, Metadata)>, HubError> {
        let mut parts: Vec<(String, Metadata)> = Vec::new();
        for name in self.file.parts() {
            let revision = parts.first().map_or(self.file.revision.clone(), |(_, first)| first.commit.clone());
            let mut tries = Tries::up_to(MAX_FIRST_TRIES);
            let metadata = loop {
                match self.client.metadata(self.file, &name, &revision) {
                    Ok(metadata) => break metadata,
                    Err(error) => tries.pause(error, on_event)?,
                }
            };
            parts.push((name, metadata));
        }
        Ok(parts)
    }

    /// One file into the cache.
    fn bring(
        &self,
        name: &str,
        metadata: &Metadata,
        stated: Option<&str>,
        held: Held,
        on_event: &mut dyn FnMut(FetchEvent<'_>),
    ) -> Result<(), HubError> {
        let Metadata { commit, etag, size_bytes } = metadata;
        let _lock = self.cache.lock(etag, || on_event(FetchEvent::Waiting { name }))?;
        let blob = self.cache.blob(etag);
        let there = std::fs::metadata(&blob).is_ok_and(|data| data.len() == *size_bytes);
        if there && held == Held::Keep {
            on_event(FetchEvent::Kept { name });
        } else {
            let mut partial = Partial::open(&self.cache, etag, *size_bytes)?;
            on_event(FetchEvent::Started { name, size_bytes: *size_bytes, have_bytes: partial.have_bytes });
            self.receive(name, metadata, &mut partial, on_event)?;
            partial.finish(name, metadata.sha256().or(stated))?;
            self.cache.complete(etag)?;
            on_event(FetchEvent::Done { name });
        }
        self.cache.link(commit, name, etag)
    }

    /// What is missing of a file, however often the connection breaks.
    fn receive(
        &self,
        name: &str,
        metadata: &Metadata,
        partial: &mut Partial,
        on_event: &mut dyn FnMut(FetchEvent<'_>),
    ) -> Result<(), HubError> {
        let mut tries = Tries::up_to(MAX_TRIES);
        while partial.have_bytes < metadata.size_bytes {
            let before = partial.have_bytes;
            let received = self
                .client
                .contents(self.file, name, &metadata.commit, before)
                .and_then(|contents| partial.append(name, contents, on_event));
            if partial.have_bytes >= before + LEAST_BYTES {
                tries = Tries::up_to(MAX_TRIES);
            }
            if let Err(error) = received {
                tries.pause(error, on_event)?;
            }
        }
        Ok(())
    }
}

/// Failures in a row.
struct Tries {
    failed: u32,
    limit: u32,
}

impl Tries {
    fn up_to(limit: u32) -> Self {
        Self { failed: 0, limit }
    }

    /// Waits before the next request, longer each time.
    ///
    /// # Errors
    /// The error itself, when another request would not help.
    fn pause(&mut self, error: HubError, on_event: &mut dyn FnMut(FetchEvent<'_>)) -> Result<(), HubError> {
        self.failed += 1;
        if !error.is_passing() || self.failed == self.limit {
            return Err(error);
        }
        let pause = FIRST_PAUSE * 2_u32.pow(self.failed - 1);
        on_event(FetchEvent::Retrying { reason: &error, pause });
        sleep(pause);
        Ok(())
    }
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

/// A file that is coming in, and the hash of what is there of it.
struct Partial {
    file: File,
    path: std::path::PathBuf,
    hash: Sha256,
    have_bytes: u64,
    size_bytes: u64,
}

impl Partial {
    /// Takes up what an earlier call left.
    fn open(cache: &RepoCache, etag: &str, size_bytes: u64) -> Result<Self, HubError> {
        let (file, path) = (cache.open_incomplete(etag)?, cache.incomplete(etag));
        let mut partial = Self { file, path, hash: Sha256::new(), have_bytes: 0, size_bytes };
        let length = partial.file.metadata().map_err(HubError::io("read", &partial.path))?.len();
        if length > size_bytes {
            partial.restart()?;
        } else {
            partial.have_bytes = length;
            partial.hash.update_all(&mut partial.file).map_err(HubError::io("read", &partial.path))?;
        }
        Ok(partial)
    }

    fn restart(&mut self) -> Result<(), HubError> {
        self.file.set_len(0).map_err(HubError::io("write", &self.path))?;
        (self.hash, self.have_bytes) = (Sha256::new(), 0);
        Ok(())
    }

    fn append(
        &mut self,
        name: &str,
        mut contents: Contents,
        on_event: &mut dyn FnMut(FetchEvent<'_>),
    ) -> Result<(), HubError> {
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
                let reason = format!("it gave more than the {} bytes that {name} has", self.size_bytes);
                self.restart()?;
                return Err(HubError::NotTheHub { url: name.to_owned(), reason });
            }
            self.file.write_all(&chunk[..n]).map_err(HubError::io("write", &self.path))?;
            self.hash.update(&chunk[..n]);
            self.have_bytes += n as u64;
            on_event(FetchEvent::Progress { have_bytes: self.have_bytes });
            if pace.is_lost(self.have_bytes, Instant::now()) {
                return Err(broken(name, &format!("less than {LEAST_BYTES} bytes came in {} s", IN_TIME.as_secs())));
            }
        }
        match self.size_bytes - self.have_bytes {
            0 => Ok(()),
            missing => Err(broken(name, &format!("it broke off {missing} bytes before the end"))),
        }
    }

    /// Compares the hash, and sees that the contents outlast a power failure.
    fn finish(self, name: &str, sha256: Option<&str>) -> Result<(), HubError> {
        let found = self.hash.hexadecimal();
        if let Some(expected) = sha256.filter(|expected| *expected != found) {
            std::fs::remove_file(&self.path).map_err(HubError::io("remove", &self.path))?;
            return Err(HubError::WrongHash { name: name.to_owned(), expected: expected.to_owned(), found });
        }
        self.file.sync_all().map_err(HubError::io("write", &self.path))
    }
}

fn broken(name: &str, reason: &str) -> HubError {
    HubError::Connection { url: name.to_owned(), reason: reason.to_owned() }
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
        assert!(!pace.is_lost(6 + LEAST_BYTES, after(118)), "and begins anew");
        assert!(pace.is_lost(6 + LEAST_BYTES, after(119)));
    }
}
