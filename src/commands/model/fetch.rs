//! `moe-sweep model fetch`: from the hub into its cache.

use miette::miette;

use super::super::{Failure, tell};
use super::{State, known_models, named, not_here, of_hub, settings};
use crate::cli::ModelFetchArgs;
use crate::exit_code::ExitCode;
use crate::experiment::Source;
use crate::model::hub::{self, Access, Held};
use crate::progress::FetchProgress;

pub fn fetch(args: &ModelFetchArgs) -> Result<ExitCode, Failure> {
    let models = named(&args.ids, known_models(&args.known)?)?;
    let mut settings = settings();
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
                fetched.map_err(of_hub)?.paths[0].clone()
            }
            Source::Server(served) => {
                let help = "a server loads its models itself: start it with this one".to_owned();
                let report = miette!(help = help, "the model {} is on the server {}", model.id, served.server.id);
                return Err(Failure::bad_setup(report));
            }
            Source::Path(path) => {
                if let State::Missing = State::of(model, &settings.cache) {
                    let help = "it is not of the hub: correct its path, or give hf and file".to_owned();
                    return Err(Failure::bad_setup(not_here(model, help)));
                }
                path.clone()
            }
        };
        // One a model as it comes, for a later one may fail.
        tell(&format!("{}\t{}\n", model.id, path.display()))?;
    }
    Ok(ExitCode::Ok)
}
