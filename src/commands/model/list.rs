//! Is `moe-sweep model list`, which says what can be named, and what is here.

use super::super::{Failure, print_json, tell};
use super::known_models;
use crate::cli::ModelListArgs;
use crate::exit_code::ExitCode;
use crate::message::warn;
use crate::model::{Caches, Location};
use crate::report::models::{Row, table};

pub fn list(args: &ModelListArgs) -> Result<ExitCode, Failure> {
    let models = known_models(&args.known)?;
    let caches = Caches::from_env();
    let rows: Vec<_> = models.iter().map(|model| Row::new(model, &Location::of(model, &caches))).collect();
    if rows.is_empty() {
        warn(
            "no model has a name here: there is no models/catalog.toml in this directory or above it. \
             MOE_SWEEP_MODELS=DIR names a directory with a catalog.toml, and --experiment FILE adds the models of an \
             experiment file; `moe-sweep model inspect FILE` takes any GGUF file",
        );
    }
    if args.json { print_json(&rows) } else { tell(&table(&rows)) }
}
