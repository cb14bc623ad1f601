//! `moe-sweep model verify`: what is on disk against its SHA-256.

use std::path::{Path, PathBuf};

use miette::miette;

use super::super::{Failure, tell};
use super::{State, known_models, named, not_here, settings};
use crate::cli::ModelVerifyArgs;
use crate::exit_code::ExitCode;
use crate::experiment::{Model, Source};
use crate::model::hub::blob_name;
use crate::model::sha256_of;

/// How a file compares.
enum Finding {
    Right,
    /// Nobody states a hash.
    Unstated,
    Wrong {
        expected: String,
    },
}

pub fn verify(args: &ModelVerifyArgs) -> Result<ExitCode, Failure> {
    let known = known_models(&args.known)?;
    let models = if args.all { known } else { named(&args.ids, known)? };
    let cache = settings().cache;
    let mut wrong: Vec<(&Model, PathBuf)> = Vec::new();
    for model in &models {
        let state = State::of(model, &cache);
        if state.paths().is_empty() && !args.all {
            let help = match &model.source {
                Source::Path(_) => "correct its path".to_owned(),
                Source::Server(_) => "a server's files can't be hashed from here".to_owned(),
                Source::Hub(_) => format!("fetch it: moe-sweep model fetch {}", model.id),
            };
            return Err(Failure::bad_setup(not_here(model, help)));
        }
        for (index, path) in state.paths().iter().enumerate() {
            let stated = model.sha256.as_deref().filter(|_| index == 0);
            let (found, finding) = compare(path, stated)?;
            let said = match finding {
                Finding::Right => format!("ok, SHA-256 {found}"),
                Finding::Unstated => format!("SHA-256 {found}, and none is stated to compare it with"),
                Finding::Wrong { expected } => {
                    wrong.push((model, path.clone()));
                    format!("WRONG, SHA-256 {found} and not {expected}")
                }
            };
            tell(&format!("{}  {}: {said}\n", model.id, path.display()))?;
        }
    }
    match &wrong[..] {
        [] => Ok(ExitCode::Ok),
        wrong => Err(Failure::bad_setup(damaged(wrong))),
    }
}

/// A file's SHA-256, beside the one that is stated or that the hub gave it.
fn compare(path: &Path, stated: Option<&str>) -> Result<(String, Finding), Failure> {
    let found = sha256_of(path)
        .map_err(|error| Failure::bad_setup(miette!("cannot read the model {}: {error}", path.display())))?;
    let theirs = blob_name(path).filter(|name| name.len() == 64);
    let mut expected = stated.map(str::to_owned).into_iter().chain(theirs).peekable();
    let finding = match (expected.peek().is_none(), expected.find(|expected| *expected != found)) {
        (true, _) => Finding::Unstated,
        (_, None) => Finding::Right,
        (_, Some(expected)) => Finding::Wrong { expected },
    };
    Ok((found, finding))
}

fn damaged(wrong: &[(&Model, PathBuf)]) -> miette::Report {
    let mut ids: Vec<_> = wrong.iter().map(|(model, _)| model.id.as_str()).collect();
    ids.dedup();
    let from_hub = wrong.iter().any(|(model, _)| matches!(model.source, Source::Hub(_)));
    let help = match from_hub {
        true => format!("fetch again: moe-sweep model fetch --force {}", ids.join(" ")),
        false => "put the right file there, or correct sha256".to_owned(),
    };
    miette!(help = help, "damaged, or another file: {}", ids.join(", "))
}
