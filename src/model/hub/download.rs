//! Brings files from the hub into the cache: resumed where they broke off, and checked before they get their names.

use super::cache::{Cached, RepoCache};
use super::client::{Client, Metadata};
use super::{HubError, HubSettings, cached};
use crate::experiment::{HubFile, Model};
use crate::model::download::{Access, FetchEvent, Held, MAX_FIRST_TRIES, Partial, Tries, receive};

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
            let ask = || self.client.metadata(self.file, &name, &revision);
            let metadata = Tries::up_to(MAX_FIRST_TRIES).until(ask, on_event)?;
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
            let (file, path) = (self.cache.open_incomplete(etag)?, self.cache.incomplete(etag));
            let mut partial = Partial::take_up(file, path, *size_bytes)?;
            on_event(FetchEvent::Started { name, size_bytes: *size_bytes, have_bytes: partial.have_bytes() });
            let contents = |from| self.client.contents(self.file, name, commit, from);
            receive(name, &mut partial, contents, HubError::from, on_event)?;
            partial.finish(name, metadata.sha256().or(stated))?;
            self.cache.complete(etag)?;
            on_event(FetchEvent::Done { name });
        }
        self.cache.link(commit, name, etag)
    }
}
