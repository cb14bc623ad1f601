//! Is `moe-sweep model inspect`, which says what a model file is, from its header.

use std::path::{Path, PathBuf};

use super::super::typed_model::is_path;
use super::super::{Failure, print_json, tell};
use super::known_models;
use crate::cli::{Known, ModelInspectArgs};
use crate::domain::Offload;
use crate::engine::EngineKind;
use crate::exit_code::ExitCode;
use crate::model::findings::examine;
use crate::model::memory::Estimate;
use crate::model::{Caches, HeaderError, Location, NotHere, named, read_header};
use crate::report::models::{Inspected, describe};

pub fn inspect(args: &ModelInspectArgs) -> Result<ExitCode, Failure> {
    let path = find(&args.model, &args.known)?;
    if EngineKind::of(&path) == EngineKind::Scripted {
        return Err(HeaderError::Scripted { path }.into());
    }
    let (gguf, anatomy) = read_header(&path)?;
    let examination = examine(&gguf, &anatomy);
    let estimate = Estimate::of(&anatomy, Offload::None, args.context);
    if args.json {
        return print_json(&Inspected::new(&gguf, &examination, &anatomy, &estimate));
    }
    tell(describe(&gguf, &examination, &anatomy, &estimate))
}

/// A path is taken as it is; anything else is a model's name first.
pub fn find(name: &str, known: &Known) -> Result<PathBuf, Failure> {
    let path = Path::new(name);
    if is_path(name) {
        return Ok(path.to_owned());
    }
    let models = known_models(known)?;
    if !models.iter().any(|model| model.id == name) && path.exists() {
        return Ok(path.to_owned());
    }
    let model = named(&[name.to_owned()], &models)?.remove(0);
    let location = Location::of(&model, &Caches::from_env());
    let remedy = || format!("correct its path, or fetch it: moe-sweep model fetch {}", model.id);
    Ok(location.paths().first().cloned().ok_or_else(|| NotHere::new(&model, remedy()))?)
}
