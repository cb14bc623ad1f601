//! Reads an experiment from disk, with the prompts and the catalogue that it refers to.

use std::path::{Path, PathBuf};

use miette::Diagnostic;

use crate::experiment::{
    BadExperiment, Experiment, Kind, Model, Overrides, Problems, RawChain, RawPrompts, Study, Surroundings, Unreadable,
    grammar_files, kind_of, parse, parse_study, resolve, resolve_models, resolve_servers, resolve_study,
};
use crate::model;
use crate::regular_file;
use crate::text_file::{EncodingFault, decode};

/// The directory of the catalogue, when it is not to be looked for.
const MODELS_VARIABLE: &str = "MOE_SWEEP_MODELS";
const CATALOGUE: &str = "catalog.toml";

/// An experiment and the text it was read from.
pub struct Loaded {
    pub experiment: Experiment,
    pub text: String,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum LoadError {
    #[error("cannot read the experiment {path}")]
    #[diagnostic(help("give the path of an experiment file, a TOML file in UTF-8"))]
    Experiment { path: PathBuf, source: std::io::Error },
    #[error("{path} is a model, not an experiment file")]
    #[diagnostic(help(
        "to find out why it loops: moe-sweep diagnose {path}\nto run an experiment on it: moe-sweep run EXPERIMENT --model {path}",
        path = path.display()
    ))]
    Model { path: PathBuf },
    #[error("cannot read {what} {path}, line {line}: {fault}", line = fault.line())]
    #[diagnostic(help("{}", fault.remedy()))]
    Encoding { what: &'static str, path: PathBuf, fault: EncodingFault },
    #[error("cannot read the catalogue {path}")]
    #[diagnostic(help("{MODELS_VARIABLE} must name a directory with a {CATALOGUE}, or not be set"))]
    Catalogue { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Bad(#[from] BadExperiment),
}

/// Reads and resolves an experiment file, with what stands in the place of what it says.
///
/// # Errors
/// When a file can't be read, or the experiment can't be run as it stands.
pub fn load_experiment(path: &Path, overrides: &Overrides) -> Result<Loaded, LoadError> {
    let (name, text) = overridden(path, overrides)?;
    let raw = parse(&name, &text)?;
    let experiment = resolve(&name, &text, &raw, &surroundings(path, raw.prompts.get_ref(), &raw.chain)?)?;
    Ok(Loaded { experiment, text })
}

/// A study and the text it was read from.
pub struct LoadedStudy {
    pub study: Study,
    pub text: String,
}

/// Reads and resolves an experiment file of another kind than a sweep; None
/// for a sweep.
///
/// # Errors
/// When a file can't be read, or the experiment can't be run as it stands.
pub fn load_study(path: &Path, overrides: &Overrides) -> Result<Option<LoadedStudy>, LoadError> {
    let (name, text) = overridden(path, overrides)?;
    if kind_of(&name, &text)? == Kind::Sweep {
        return Ok(None);
    }
    let raw = parse_study(&name, &text)?;
    let study = resolve_study(&name, &text, &raw, &surroundings(path, raw.prompts.get_ref(), &raw.chain)?)?;
    Ok(Some(LoadedStudy { study, text }))
}

/// The text of an experiment file, with what stands in the place of what it says; and what it is called in messages.
fn overridden(path: &Path, overrides: &Overrides) -> Result<(String, String), LoadError> {
    let text = experiment_text(path)?;
    let file = path.display();
    let name = if overrides.is_empty() { file.to_string() } else { format!("{file} with the command line's settings") };
    Ok((name, overrides.put_into(&text)))
}

fn experiment_text(path: &Path) -> Result<String, LoadError> {
    let unreadable = |source| LoadError::Experiment { path: path.to_owned(), source };
    // A model has gigabytes, which are not read to say so.
    if regular_file::begins_with(path, model::gguf::MAGIC).map_err(unreadable)? {
        return Err(LoadError::Model { path: path.to_owned() });
    }
    let bytes = regular_file::read(path).map_err(unreadable)?;
    text_of("the experiment", path, &bytes)
}

fn text_of(what: &'static str, path: &Path, bytes: &[u8]) -> Result<String, LoadError> {
    let text = decode(bytes).map_err(|fault| LoadError::Encoding { what, path: path.to_owned(), fault })?;
    Ok(text.to_owned())
}

/// The text of a file that an experiment names.
fn text_beside(path: &Path) -> Result<String, Unreadable> {
    let remedy = "the path is relative to the experiment file".to_owned();
    let bytes = regular_file::read(path).map_err(|error| Unreadable { why: error.to_string(), remedy })?;
    let text = decode(&bytes)
        .map_err(|fault| Unreadable { why: format!("line {}: {fault}", fault.line()), remedy: fault.remedy() })?;
    Ok(text.to_owned())
}

/// What an experiment file refers to.
fn surroundings(path: &Path, prompts: &RawPrompts, chains: &[RawChain]) -> Result<Surroundings, LoadError> {
    let directory = std::path::absolute(path)
        .map_err(|source| LoadError::Experiment { path: path.to_owned(), source })?
        .parent()
        .expect("a file that was read lies in a directory")
        .to_owned();
    let prompts_file = prompts.file.as_ref().map(|file| text_beside(&directory.join(file.get_ref())));
    let grammars = grammar_files(chains).map(|file| (file.clone(), text_beside(&directory.join(file)))).collect();
    Ok(Surroundings { catalogue: catalogue(&directory)?, directory, prompts_file, grammars })
}

/// Lists the models that can be named: those of an experiment, if one is given, and
/// of the catalogue that it sees; else of the one that the working directory sees.
///
/// # Errors
/// When a file can't be read, or describes a model wrongly.
pub fn load_models(experiment: Option<&Path>) -> Result<Vec<Model>, LoadError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        |source| LoadError::Experiment { path, source }
    };
    let Some(path) = experiment else {
        return catalogue(&std::env::current_dir().map_err(unreadable(Path::new(".")))?);
    };
    let text = experiment_text(path)?;
    let name = path.display().to_string();
    let raw = parse(&name, &text)?;
    let path = std::path::absolute(path).map_err(unreadable(path))?;
    let directory = path.parent().expect("a file that was read lies in a directory");
    let mut problems = Problems::new(&name, &text);
    let servers = resolve_servers(&raw.server, &mut problems);
    let models = resolve_models(&raw.model, &servers, directory, &mut problems);
    let mut models = problems.none_or(Some(models))?;
    let theirs = catalogue(directory)?;
    models.extend(theirs.into_iter().filter(|known| !raw.model.iter().any(|model| *model.id.get_ref() == known.id)));
    Ok(models)
}

/// The catalogue: the one that the environment names, or the nearest
/// `models/catalog.toml` beside or above the experiment; none is fine.
fn catalogue(directory: &Path) -> Result<Vec<Model>, LoadError> {
    let path = match std::env::var_os(MODELS_VARIABLE) {
        Some(models) => Some(Path::new(&models).join(CATALOGUE)),
        None => directory.ancestors().map(|above| above.join("models").join(CATALOGUE)).find(|path| path.is_file()),
    };
    let Some(path) = path else { return Ok(vec![]) };
    let bytes = regular_file::read(&path).map_err(|source| LoadError::Catalogue { path: path.clone(), source })?;
    let text = text_of("the catalogue", &path, &bytes)?;
    let home = path.parent().expect("a catalogue lies in a directory");
    Ok(model::parse(&path.display().to_string(), &text, home)?)
}
