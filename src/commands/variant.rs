//! Turns what was typed of a run's folder, seeds, shard and server into what is to be prepared.

use std::path::Path;

use miette::Diagnostic;

use super::typed_model::{is_path, plain_name};
use crate::cli::{KernelsArg, RunVariant, ServerOptions};
use crate::diagnosis::{NoLevel, typed_levels};
use crate::engine::http::{Detected, Undetected, detect};
use crate::engine::kernels::Kernels;
use crate::experiment::{Overrides, Picked, Server, server_url, shown_url};
use crate::prepare::{self, RunSpec, WhichShardError, which_shard};

/// An option's value that is none.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum VariantError {
    #[error("--server {url}: {why}")]
    Server { url: String, why: String },
    #[error("a server serves one model, but --model names {n}")]
    #[diagnostic(help("give --model once, with the name that the server uses for the model"))]
    ServedAsMany { n: usize },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Level(#[from] NoLevel),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Shard(#[from] WhichShardError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Undetected(#[from] Undetected),
}

/// Says what is to be run, and where to.
///
/// # Errors
/// When a shard or a server is not what it should be.
pub fn spec(experiment: &Path, variant: &RunVariant) -> Result<RunSpec, VariantError> {
    Ok(RunSpec {
        experiment: experiment.to_owned(),
        overrides: overrides(variant)?,
        out: variant.out.clone(),
        seed_offset: variant.seed_offset,
        shard: variant.shard.as_deref().map(which_shard).transpose()?,
        substitute: substitute(&variant.server, &variant.overrides.model)?,
        kernels: wanted(variant.kernels),
    })
}

/// What stands in the place of what the file says. With a server, --model is what that calls its model.
///
/// # Errors
/// When there is no such factor, or level of it.
pub fn overrides(variant: &RunVariant) -> Result<Overrides, NoLevel> {
    let typed = &variant.overrides;
    let models: &[String] = if variant.server.server.is_some() { &[] } else { &typed.model };
    Ok(Overrides {
        models: models.iter().map(|model| picked(model)).collect(),
        levels: typed.set.iter().map(|typed| typed_levels(typed)).collect::<Result<_, _>>()?,
        prompts: typed.limit.map(Into::into),
    })
}

fn picked(typed: &str) -> Picked {
    let path = Path::new(typed);
    if !is_path(typed) {
        return Picked::Named(typed.to_owned());
    }
    let id = plain_name(&path.file_stem().unwrap_or_default().to_string_lossy());
    Picked::File { id, path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()) }
}

/// Returns the kernels that are wanted; None where the choice is left to us.
pub fn wanted(kernels: KernelsArg) -> Option<Kernels> {
    match kernels {
        KernelsArg::Auto => None,
        KernelsArg::Ggml => Some(Kernels::Ggml),
        KernelsArg::Portable => Some(Kernels::Portable),
        KernelsArg::Avx2 => Some(Kernels::Avx2),
        KernelsArg::Avx512 => Some(Kernels::Avx512),
    }
}

/// The server that is asked in the place of a model's file, if one is; it is asked for its API where nobody says it.
fn substitute(typed: &ServerOptions, models: &[String]) -> Result<Option<prepare::Substitute>, VariantError> {
    let Some(mut server) = server(typed)? else { return Ok(None) };
    if typed.api.is_none() {
        let Detected { api, extensions, .. } = detect(&server, None)?;
        (server.api, server.extensions) = (api, extensions);
    }
    let served_as = match (&typed.served_as, models) {
        (Some(name), _) => Some(name.clone()),
        (None, []) => None,
        (None, [name]) => Some(name.clone()),
        (None, several) => return Err(VariantError::ServedAsMany { n: several.len() }),
    };
    Ok(Some(prepare::Substitute { server, served_as }))
}

/// The server that was typed, if one was; of OpenAI's API where nothing is said of it.
pub fn server(typed: &ServerOptions) -> Result<Option<Server>, VariantError> {
    let ServerOptions { server: Some(url), api, own_chain, key_env, .. } = typed else { return Ok(None) };
    let url = server_url(url).map_err(|why| VariantError::Server { url: shown_url(url), why: why.to_string() })?;
    let mut server = Server::new("server".to_owned(), url, api.unwrap_or_default());
    server.own_chain.clone_from(own_chain);
    server.key_env.clone_from(key_env);
    Ok(Some(server))
}
