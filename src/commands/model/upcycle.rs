//! Is `moe-sweep model upcycle`, which makes a mixture of experts of a dense model.

use super::super::{Failure, tell};
use super::inspect::find;
use crate::cli::ModelUpcycleArgs;
use crate::engine::{EngineKind, llama};
use crate::exit_code::ExitCode;
use crate::model::HeaderError;
use crate::model::upcycle::{Rewriter, Upcycling, upcycle as make};
use crate::report::models::upcycled;
use crate::signals::Watch;

pub fn upcycle(args: &ModelUpcycleArgs) -> Result<ExitCode, Failure> {
    let path = find(&args.model, &args.known)?;
    if EngineKind::of(&path) == EngineKind::Scripted {
        return Err(HeaderError::Scripted { path }.into());
    }
    let watch = Watch::at_once_from_now("interrupted: nothing was written")?;
    watch.cleanly();
    let request = Upcycling {
        source: &path,
        target: &args.out,
        experts: args.experts,
        used: args.used,
        noise: args.noise,
        seed: args.seed,
    };
    let rewriter = llama::block_codec().map(|codec| Rewriter { takes: codec.takes, rewrite: codec.rewrite });
    let made = make(&request, rewriter, watch.asked())?;
    tell(&upcycled(&request, &made))
}
