//! Is `moe-sweep model`: a subcommand for each thing that is done with models that have a name.

use super::Failure;
use crate::cli::{Known, ModelCommand};
use crate::exit_code::ExitCode;
use crate::experiment::Model;
use crate::prepare::load_models;

mod fetch;
mod inspect;
mod list;
mod upcycle;
mod verify;

pub use inspect::find;

pub fn execute(command: &ModelCommand) -> Result<ExitCode, Failure> {
    match command {
        ModelCommand::List(args) => list::list(args),
        ModelCommand::Inspect(args) => inspect::inspect(args),
        ModelCommand::Fetch(args) => fetch::fetch(args),
        ModelCommand::Verify(args) => verify::verify(args),
        ModelCommand::Upcycle(args) => upcycle::upcycle(args),
    }
}

/// The models that `known` describes.
fn known_models(known: &Known) -> Result<Vec<Model>, Failure> {
    Ok(load_models(known.experiment.as_deref())?)
}
