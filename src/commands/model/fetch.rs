//! Is `moe-sweep model fetch`, which brings a model from the hub into the hub's cache.

use super::super::{Failure, tell};
use super::known_models;
use crate::cli::ModelFetchArgs;
use crate::exit_code::ExitCode;
use crate::experiment::Source;
use crate::model::hub::{self, Access, Held, HubSettings};
use crate::model::{Location, NotHere, named};
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
            Source::Hub(file) => {
                let mut progress = FetchProgress::new();
                let fetched = hub::fetch(&settings, model, file, held, &mut |event| progress.on_event(event));
                drop(progress);
                fetched?.paths[0].clone()
            }
            Source::Server(_) => {
                return Err(NotHere::new(model, "a server loads its models itself: start it with this one").into());
            }
            Source::Path(path) => {
                if let Location::Missing = Location::of(model, &settings.cache) {
                    let remedy = "it is not of the hub: correct its path, or give hf and file";
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
