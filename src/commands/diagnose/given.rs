//! Finds the model and reads the prompts that a diagnosis is of.

use std::path::Path;

use miette::miette;

use super::super::Failure;
use super::super::model::find;
use super::super::typed_model::plain_name;
use crate::causes::Runtime;
use crate::cli::{DiagnoseArgs, Known as KnownModels};
use crate::diagnosis::{About, FEWEST, Known, Prompts, Setup, Target, about, built_in, shared_out};
use crate::domain::Finding;
use crate::engine::EngineKind;
use crate::experiment::parse_prompts;
use crate::model::findings::examine;
use crate::model::read_header;
use crate::regular_file;
use crate::text_file::decode;

/// A model, and what is known of it before a text is made.
pub struct Given {
    pub target: Target,
    /// What it is called in files and folders.
    pub name: String,
    pub about: About,
    /// What is wrong with its file.
    pub findings: Vec<Finding>,
    /// In whose words remedies are said.
    pub runtime: Runtime,
    pub as_run: Setup,
}

/// The model in a file that was named, whose texts have room in so many tokens.
pub fn in_file(args: &DiagnoseArgs, room_tokens: u32) -> Result<Given, Failure> {
    let like = args.like;
    let typed = args.model.as_deref().unwrap_or_default();
    let path = find(typed, &KnownModels { experiment: None })?;
    let path = std::path::absolute(&path).unwrap_or(path);
    let (about, findings) = match EngineKind::of(&path) {
        EngineKind::Scripted => (About { room_tokens, ..About::default() }, vec![]),
        _ => {
            let (gguf, anatomy) = read_header(&path)?;
            (about(&anatomy, Known::Unknown, room_tokens), examine(&gguf, &anatomy).findings)
        }
    };
    let name = plain_name(&path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default());
    let as_run = like.setup(&name, args.samplers.into()).ok_or_else(no_temperature)?;
    Ok(Given { target: Target::File(path), name, about, findings, runtime: like.runtime(), as_run })
}

/// What was typed as one is none.
pub fn no_temperature() -> Failure {
    Failure::usage(miette!(help = "give a number from 0 up", "--temperature is not a valid temperature"))
}

/// The built-in prompts, or those of a file.
pub fn prompts(file: Option<&Path>) -> Result<Prompts, Failure> {
    let Some(path) = file else { return Ok(built_in()) };
    let cannot = |why: String| {
        let help = "give a text file with one prompt per line, a JSON Lines file, or a JSON list";
        Failure::bad_setup(miette!(help = help, "cannot read the prompts {}: {why}", path.display()))
    };
    let bytes = regular_file::read(path).map_err(|error| cannot(error.to_string()))?;
    let text = decode(&bytes).map_err(|fault| cannot(format!("line {}: {fault}", fault.line())))?;
    let name = path.display().to_string();
    let read = parse_prompts(&name, text).map_err(|(line, why)| cannot(format!("line {line}: {why}")))?;
    let n = read.len();
    shared_out(read.into_iter().map(|(_, prompt)| prompt.text).collect()).ok_or_else(|| {
        let help = format!("give at least {FEWEST}: a third of them is kept to confirm what the others find");
        Failure::bad_setup(miette!(help = help, "{} has only {n} prompts, too few to show a cause", path.display()))
    })
}
