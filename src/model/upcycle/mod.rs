//! Upcycles: makes a mixture of experts of a dense model, by copying its feed-forward blocks.
//!
//! Owns what the mixture consists of and what is random in it, and that it is written whole or not at all. Without noise
//! the experts are the dense block byte for byte, and the weights of those that a token uses sum to 1: the mixture
//! computes what the dense model does and is routed ([`Routing`] says how exactly). It tells what routing does from what
//! another model does. Must not know how weights are held in blocks: whoever wants noise brings that ([`Rewriter`]).
//!
//! - `recipe`: which architectures, as which mixtures
//! - `pieces`: which tensors, made of which
//! - `noise`: what is drawn
//! - `keys`: what its metadata say of it
//! - `output`: the file

use std::path::Path;
use std::sync::atomic::AtomicBool;

mod error;
pub mod keys;
mod noise;
mod output;
mod pieces;
mod recipe;

pub use error::UpcycleError;

use super::gguf::{Draft, Header, Layout, Value, read_layout};
use super::{parts, sha256_of};
use output::Output;
use pieces::{Content, Piece, pieces};
use recipe::{Graph, Recipe, recipe_of};

/// What is to be made of which file.
#[derive(Clone, Copy, Debug)]
pub struct Upcycling<'a> {
    /// The dense model.
    pub source: &'a Path,
    /// The mixture, of which there must be no file yet.
    pub target: &'a Path,
    /// In each layer.
    pub experts: u32,
    /// For a token.
    pub used: u32,
    /// How far the experts are from the dense block, relative to its rows; 0 copies its bytes.
    pub noise: f64,
    /// Of the routers and of the noise.
    pub seed: u64,
}

/// How a mixture's routers are drawn, and with it how near copies are to the dense model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routing {
    /// As many experts as a token uses have one random row between them, so that a token takes all of a group or none,
    /// each with the same weight. With 1 or 2 used, summing the copies rounds nothing: F, or F/2 + F/2.
    Groups,
    /// Each expert has a random row of its own, since they make no whole groups. The sum of copies is rounded, and what is
    /// rounded is quantised again in each layer: a quantised model's texts part from the dense model's.
    Independent,
}

impl Upcycling<'_> {
    /// How the routers are drawn.
    pub fn routing(&self) -> Routing {
        if self.experts.is_multiple_of(self.used) { Routing::Groups } else { Routing::Independent }
    }
}

/// Changes weights in the type that they have, by ids of ggml's types.
#[derive(Clone, Copy, Debug)]
pub struct Rewriter {
    /// Whether rows of the type can be changed.
    pub takes: fn(u32) -> bool,
    /// Turns a row into numbers, has them changed, and turns them back.
    pub rewrite: fn(u32, &mut [u8], Change<'_>),
}

/// Changes the numbers of a row.
type Change<'a> = &'a mut dyn FnMut(&mut [f32]);

/// A mixture that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upcycled {
    /// The architecture that its file names.
    pub architecture: &'static str,
    pub layers: u64,
    pub bytes: u64,
    /// Of experts, all layers together.
    pub expert_bytes: u64,
    /// Of the dense model, lower-case hexadecimal.
    pub from_sha256: String,
    pub sha256: String,
}

/// Makes a mixture. One tensor of the dense model is in memory at most.
///
/// # Errors
/// When the file is no dense model of a known architecture, the noise can't be added, or the mixture can't be written; no
/// file is left then. When `stop` is set meanwhile.
pub fn upcycle(
    request: &Upcycling<'_>,
    rewriter: Option<Rewriter>,
    stop: &AtomicBool,
) -> Result<Upcycled, UpcycleError> {
    let Upcycling { source, target, experts, used, noise, .. } = *request;
    if used > experts {
        return Err(UpcycleError::TooManyUsed { used, experts });
    }
    if target.symlink_metadata().is_ok() {
        return Err(UpcycleError::Exists { path: target.to_owned() });
    }
    let (header, layout) = read_layout(source)?;
    let (architecture, recipe) = look_up(source, &header)?;
    let shape =
        |problem| UpcycleError::Shape { path: source.to_owned(), architecture: architecture.to_owned(), problem };
    let pieces = pieces(&header, architecture, recipe, experts).map_err(shape)?;
    let rewriter = match noise {
        0.0 => None,
        _ => Some(fit(rewriter, source, &pieces)?),
    };
    let unreadable = |error| UpcycleError::Read { path: source.to_owned(), source: error };
    let from_sha256 = sha256_of(source).map_err(unreadable)?;
    let draft = draft(request, &header, &layout, (architecture, recipe), &pieces, &from_sha256)?;
    let (bytes, sha256) =
        Output { request, header: &header, layout: &layout, rewriter, stop }.write(&draft, &pieces)?;
    let of_experts = pieces.iter().filter(|piece| matches!(piece.content, Content::Experts { .. }));
    let layers = pieces.iter().filter(|piece| piece.content == Content::Router).count() as u64;
    let expert_bytes = of_experts.map(|piece| piece.bytes).sum();
    Ok(Upcycled { architecture: recipe.architecture, layers, bytes, expert_bytes, from_sha256, sha256 })
}

/// The model's architecture, and what is made of it.
fn look_up<'h>(path: &Path, header: &'h Header) -> Result<(&'h str, Recipe), UpcycleError> {
    let path = || path.to_owned();
    let number = |key: &str| header.metadata.get(key).and_then(Value::unsigned);
    if parts(&path()).len() > 1 || number("split.count").is_some_and(|count| count > 1) {
        return Err(UpcycleError::Split { path: path() });
    }
    let architecture = header.metadata.get("general.architecture").and_then(Value::text);
    let architecture = architecture.filter(|name| !name.is_empty());
    let architecture = architecture.ok_or_else(|| UpcycleError::NoArchitecture { path: path() })?;
    let count = number(&format!("{architecture}.expert_count")).filter(|&count| count > 0);
    let expert = header.tensors.iter().find(|tensor| super::is_expert(&tensor.name));
    let found = count.map(|count| format!("{count} experts per layer"));
    if let Some(found) = found.or_else(|| Some(format!("it has {}", expert?.name))) {
        return Err(UpcycleError::Mixture { path: path(), found });
    }
    let unknown = || {
        let (path, architecture) = (path(), architecture.to_owned());
        match architecture.starts_with("gemma") {
            true => UpcycleError::Gemma { path, architecture },
            false => UpcycleError::Architecture { path, architecture },
        }
    };
    Ok((architecture, recipe_of(architecture).ok_or_else(unknown)?))
}

/// The rewriter, if it takes all that is to be changed.
fn fit(rewriter: Option<Rewriter>, path: &Path, pieces: &[Piece]) -> Result<Rewriter, UpcycleError> {
    let rewriter = rewriter.ok_or(UpcycleError::WithoutLlama)?;
    let of_experts = pieces.iter().filter(|piece| matches!(piece.content, Content::Experts { .. }));
    match { of_experts }.find(|piece| !(rewriter.takes)(piece.tensor_type.id())) {
        None => Ok(rewriter),
        Some(Piece { name, tensor_type, .. }) => {
            Err(UpcycleError::Unwritable { path: path.to_owned(), tensor: name.clone(), tensor_type: *tensor_type })
        }
    }
}

/// A value of the metadata.
enum Stated {
    Number(u32),
    True,
}

/// llama.cpp's number for weights by softmax, `LLAMA_EXPERT_GATING_FUNC_TYPE_SOFTMAX`.
const SOFTMAX: u32 = 1;

/// The keys of the mixture's architecture that say how it routes.
fn routing_keys(request: &Upcycling<'_>, header: &Header, dense: &str, graph: Graph) -> Vec<(&'static str, Stated)> {
    use Stated::{Number, True};
    let mut keys = vec![("expert_count", Number(request.experts)), ("expert_used_count", Number(request.used))];
    if graph != Graph::Plain {
        let width = header.metadata.get(&format!("{dense}.feed_forward_length")).and_then(Value::unsigned);
        // `pieces` has found it, and that tensors are so wide.
        keys.push(("expert_feed_forward_length", Number(width.unwrap_or_default() as u32)));
    }
    if graph == Graph::Glm {
        keys.push(("expert_shared_count", Number(1)));
        keys.push(("expert_gating_func", Number(SOFTMAX)));
        keys.push(("expert_weights_norm", True));
    }
    keys
}

/// The mixture's header: the dense model's keys under the mixture's architecture, and what was done.
fn draft(
    request: &Upcycling<'_>,
    header: &Header,
    layout: &Layout,
    (dense, recipe): (&str, Recipe),
    pieces: &[Piece],
    from_sha256: &str,
) -> Result<Draft, UpcycleError> {
    let unreadable = |error| UpcycleError::Read { path: request.source.to_owned(), source: error };
    let mut draft = Draft::new(layout.alignment);
    let own = |key: &str| format!("{}.{key}", recipe.architecture);
    draft.text("general.architecture", recipe.architecture);
    let routing = routing_keys(request, header, dense, recipe.graph);
    let mut file = std::fs::File::open(request.source).map_err(unreadable)?;
    for place in &layout.keys {
        let of_architecture = place.key.strip_prefix(dense).filter(|rest| rest.starts_with('.'));
        let key = of_architecture.map_or(place.key.clone(), |rest| format!("{}{rest}", recipe.architecture));
        if key == "general.architecture" || routing.iter().any(|(routing, _)| own(routing) == key) {
            continue;
        }
        draft.raw(&key, &output::read(&mut file, place.value.clone()).map_err(unreadable)?);
    }
    for (key, value) in routing {
        match value {
            Stated::Number(number) => draft.u32(&own(key), number),
            Stated::True => draft.truth(&own(key)),
        }
    }
    draft.text(keys::FROM_SHA256, from_sha256);
    draft.u32(keys::EXPERTS, request.experts);
    draft.u32(keys::USED, request.used);
    draft.f64(keys::NOISE, request.noise);
    draft.u64(keys::SEED, request.seed);
    for Piece { name, dims, tensor_type, bytes, .. } in pieces {
        draft.tensor(name, dims, *tensor_type, *bytes).ok_or(UpcycleError::TooLarge)?;
    }
    Ok(draft)
}
