//! Turns what was typed of a run's folder, seeds, shard and server into what is to be prepared.

use std::path::Path;

use miette::Diagnostic;

use crate::cli::{KernelsArg, RunVariant, ServerOptions};
use crate::engine::http::{Detected, Undetected, detect};
use crate::engine::kernels::Kernels;
use crate::experiment::{Server, server_url, shown_url};
use crate::prepare::{self, RunSpec, WhichShardError, which_shard};

/// An option's value that is none.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum VariantError {
    #[error("--server {url}: {why}")]
    Server { url: String, why: String },
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
        out: variant.out.clone(),
        seed_offset: variant.seed_offset,
        shard: variant.shard.as_deref().map(which_shard).transpose()?,
        substitute: substitute(&variant.server)?,
        kernels: wanted(variant.kernels),
    })
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
pub fn substitute(typed: &ServerOptions) -> Result<Option<prepare::Substitute>, VariantError> {
    let Some(mut server) = server(typed)? else { return Ok(None) };
    if typed.api.is_none() {
        let Detected { api, extensions, .. } = detect(&server, None)?;
        (server.api, server.extensions) = (api, extensions);
    }
    Ok(Some(prepare::Substitute { server, served_as: typed.served_as.clone() }))
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
