//! Estimates the memory that a model will take: weights, cache, buffers.
//!
//! Pure, from an [`Anatomy`]. An upper bound that is near where it is large:
//! `tests/llama/memory.rs` holds it against what llama.cpp allocates.

use serde::Serialize;

use super::Anatomy;
use super::anatomy::KvHeads;
use crate::domain::{Generate, LoadKey, Offload, cache_share};

mod fit;
mod room;

pub use fit::DoesNotFit;
pub use room::{Free, Room};

/// llama.cpp gives every sequence a cache of a multiple of so many tokens
/// (`llama_context`'s constructor).
const CACHE_STEP: u64 = 256;
/// Tokens that are evaluated at once, at most: llama.cpp's default
/// `n_ubatch`, which the engine keeps.
const PHYSICAL_BATCH: u64 = 512;
/// Bytes of an F32, which all activations are.
const F32: u64 = 4;
/// Bytes of an F16: a key's or a value's number in the cache.
const F16: u64 = 2;
/// What a context takes whatever the model: graphs, tables, threads.
const CONTEXT_BYTES: u64 = 16 << 20;

/// What a model takes with `offload` and `context`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    #[serde(skip)]
    pub offload: Offload,
    /// Tokens of context for each sequence.
    pub context: u32,
    pub weights: Placement,
    /// In F16, as llama.cpp keeps it, unless a load says otherwise. None where the metadata does not tell of
    /// heads: a recurrent model.
    pub kv_bytes_per_sequence: Option<u64>,
    /// For one context that evaluates a single sequence: see [`Estimate::compute_bytes`].
    pub compute_bytes: u64,
    #[serde(skip)]
    vocabulary: u64,
    #[serde(skip)]
    parameters: u64,
    /// With all experts on the host.
    #[serde(skip)]
    offloaded: Placement,
}

/// Where weights are. Without an accelerator all of them are on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Placement {
    pub device_bytes: u64,
    pub host_bytes: u64,
}

impl Placement {
    /// With an accelerator: everything on it, but for the token embedding
    /// (llama.cpp keeps the input layer on the host) and the experts that
    /// `offload` moves.
    pub fn of(anatomy: &Anatomy, offload: Offload) -> Self {
        let weights = &anatomy.weights;
        let experts = match offload {
            Offload::None => 0,
            Offload::All => weights.expert_bytes,
            Offload::Layers(n) => {
                let moved = weights.by_layer.iter().filter(|layer| layer.layer < n);
                moved.fold(0_u64, |sum, layer| sum.saturating_add(layer.expert_bytes))
            }
        };
        let host_bytes = weights.embedding_bytes.saturating_add(experts).min(weights.bytes);
        Self { device_bytes: weights.bytes - host_bytes, host_bytes }
    }

    pub fn bytes(self) -> u64 {
        self.device_bytes.saturating_add(self.host_bytes)
    }
}

impl Estimate {
    pub fn of(anatomy: &Anatomy, offload: Offload, context: u32) -> Self {
        Self {
            offload,
            context,
            weights: Placement::of(anatomy, offload),
            kv_bytes_per_sequence: kv_bytes(anatomy, context),
            compute_bytes: graph_bytes(anatomy, context),
            vocabulary: anatomy.vocabulary_size.unwrap_or(0),
            parameters: anatomy.parameters.total,
            offloaded: Placement::of(anatomy, Offload::All),
        }
    }

    /// What a load of an experiment takes.
    pub fn of_load(anatomy: &Anatomy, key: &LoadKey, generate: Generate) -> Self {
        Self::of(anatomy, key.offload(), key.context(generate)).with_cache(cache_share(*key.get(), *key.get()))
    }

    /// The same with a cache of other types, which takes such a share of one in F16.
    #[must_use]
    fn with_cache(self, share: f64) -> Self {
        let kv_bytes_per_sequence = self.kv_bytes_per_sequence.map(|bytes| (bytes as f64 * share) as u64);
        Self { kv_bytes_per_sequence, ..self }
    }

    /// The buffers of a context: the largest graph, and the logits of
    /// `sequences`.
    pub fn compute_bytes(&self, sequences: u64) -> u64 {
        let logits = product([sequences, self.vocabulary, F32]);
        self.compute_bytes.saturating_add(logits)
    }

    pub fn kv_bytes(&self, sequences: u64) -> u64 {
        product([self.kv_bytes_per_sequence.unwrap_or(0), sequences])
    }

    /// Everything together.
    pub fn total_bytes(&self, room: Room) -> u64 {
        let each = self.kv_bytes(room.sequences()).saturating_add(self.compute_bytes(room.sequences()));
        self.weights.bytes().saturating_add(product([each, room.lanes.into()]))
    }
}

fn padded(context: u32) -> u64 {
    u64::from(context).next_multiple_of(CACHE_STEP)
}

/// A sequence's cache: context × Σ over layers of key-value heads × (key +
/// value width) × 2 bytes (`llama_kv_cache`'s constructor).
///
/// Layers with a sliding window count in full: the engine leaves `swa_full` at
/// its default, and llama.cpp then gives them as much as the others. Without
/// flash attention every layer's values are as wide as the widest layer's.
fn kv_bytes(anatomy: &Anatomy, context: u32) -> Option<u64> {
    let attention = &anatomy.attention;
    let layers = anatomy.layers?;
    let (key, value) = (attention.key_length?, attention.value_length?);
    let (heads, widest) = match attention.kv_heads.as_ref()? {
        KvHeads::Same(heads) => (product([*heads, layers]), *heads),
        KvHeads::EachLayer(heads) => {
            (heads.iter().fold(0, |sum: u64, &n| sum.saturating_add(n)), heads.iter().copied().max().unwrap_or(0))
        }
    };
    // Layers without attention, in a hybrid model, have no values either.
    let with_attention = match attention.kv_heads.as_ref()? {
        KvHeads::Same(_) => layers,
        KvHeads::EachLayer(heads) => heads.iter().filter(|&&n| n > 0).count() as u64,
    };
    // With latent attention the keys' cache serves for the values.
    let values = if attention.latent { 0 } else { product([with_attention, widest, value]) };
    Some(product([padded(context), product([heads, key]).saturating_add(values), F16]))
}

/// A bound on the graph's buffer for a full physical batch: the logits of all
/// its tokens, with the larger of attention and feed-forward. For a graph without flash
/// attention, which not every back end and model has; with it there are no scores.
///
/// llama.cpp reuses a graph's memory, so the peak is where most is alive at
/// once; without flash attention that is the scores of all heads, which the
/// softmax overwrites, or the rows of the experts. It reserves for as many
/// outputs as tokens (`llama_context::sched_reserve`).
fn graph_bytes(anatomy: &Anatomy, context: u32) -> u64 {
    let tokens = PHYSICAL_BATCH.min(padded(context));
    let or_0 = |n: Option<u64>| n.unwrap_or(0);
    let embedding = or_0(anatomy.embedding_length);
    let heads = or_0(anatomy.attention.heads);
    let cache = padded(context);
    let scores = product([heads, cache]);
    let dense = product([3, or_0(anatomy.feed_forward_length)]);
    let experts = anatomy.experts.as_ref().map_or(0, |experts| {
        let width = experts.feed_forward_length.or(anatomy.feed_forward_length).unwrap_or(0);
        let each = product([3, width]).saturating_add(product([2, embedding]));
        product([or_0(experts.used), each])
    });
    let widths = [
        or_0(anatomy.vocabulary_size),
        // The mask, which lives as long as the graph; one more for layers with a window.
        if anatomy.attention.sliding_window.is_some() { cache.saturating_mul(2) } else { cache },
        // The residual stream and what a layer makes of it: queries, keys, values.
        product([8, embedding]),
        scores.max(dense.saturating_add(experts)),
    ];
    let width = widths.into_iter().fold(0, u64::saturating_add);
    product([tokens, width, F32]).saturating_add(CONTEXT_BYTES)
}

/// Saturates: a file may claim any number.
fn product<const N: usize>(factors: [u64; N]) -> u64 {
    // Not in order: 0 × anything is 0, whatever overflowed before.
    if factors.contains(&0) { 0 } else { factors.into_iter().fold(1, u64::saturating_mul) }
}
