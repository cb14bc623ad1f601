//! Reads a model's shape out of its header, and where its bytes are.
//!
//! Pure: from a [`Gguf`] that was read. A file is whatever somebody put there,
//! so what is missing is None and sums saturate.

use serde::Serialize;

use super::file_type::file_type_name;
use super::gguf::{Gguf, List, TensorType, Value};
use super::upcycle::keys;

mod expected;
mod sums;

pub use sums::{is_expert, products_per_token};

/// A model, described. The names of the fields are those of
/// `moe-sweep model inspect --json` and stay.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Anatomy {
    pub architecture: String,
    pub name: Option<String>,
    /// `general.file_type` by llama.cpp's name for it.
    pub quantisation: Option<&'static str>,
    /// Of all parts together.
    pub file_bytes: u64,
    pub files: u64,
    pub layers: Option<u64>,
    pub embedding_length: Option<u64>,
    pub feed_forward_length: Option<u64>,
    pub context_length: Option<u64>,
    pub vocabulary_size: Option<u64>,
    pub attention: Attention,
    /// None for a dense model.
    pub experts: Option<Experts>,
    /// None for a model that `model upcycle` did not make.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upcycled: Option<UpcycledFrom>,
    pub tokenizer: Tokenizer,
    pub parameters: Parameters,
    pub weights: Weights,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attention {
    pub heads: Option<u64>,
    pub kv_heads: Option<KvHeads>,
    pub key_length: Option<u64>,
    pub value_length: Option<u64>,
    /// Keys and values are kept compressed, in what stands for the keys (MLA).
    pub latent: bool,
    /// Tokens that the layers with a window look back.
    pub sliding_window: Option<u64>,
}

/// Heads of keys and values.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum KvHeads {
    Same(u64),
    EachLayer(Vec<u64>),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Experts {
    pub count: u64,
    /// For each token.
    pub used: Option<u64>,
    /// Beside the routed ones, for every token.
    pub shared: Option<u64>,
    pub feed_forward_length: Option<u64>,
}

/// What `model upcycle` made a mixture of, and how.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UpcycledFrom {
    /// Of the dense model's file, lower-case hexadecimal.
    pub from_sha256: String,
    pub experts: u64,
    pub used: u64,
    /// Relative to the weights; 0 where experts are copies.
    pub noise: f64,
    pub seed: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tokenizer {
    /// llama.cpp's name: `gpt2` is byte-level BPE, `llama` SentencePiece.
    pub model: Option<String>,
    pub bos_id: Option<u64>,
    /// None where the file does not say: the tokenizer's kind decides.
    pub add_bos: Option<bool>,
    pub chat_template: Option<String>,
}

/// Numbers of weights.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parameters {
    pub total: u64,
    /// That a token meets: all but the routed experts, embeddings included, and
    /// of these the share that is used. None where that share is not told.
    pub active: Option<u64>,
    /// Of routed experts.
    pub expert: u64,
}

/// Bytes of weights; the file has a header beside them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Weights {
    pub bytes: u64,
    /// Of routed experts: what `offload` moves.
    pub expert_bytes: u64,
    pub other_bytes: u64,
    /// Of the token embedding, which llama.cpp keeps on the host at any rate.
    pub embedding_bytes: u64,
    /// The most bytes first.
    pub types: Vec<TypeShare>,
    pub by_layer: Vec<LayerBytes>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TypeShare {
    #[serde(rename = "type")]
    pub tensor_type: TensorType,
    pub tensors: u64,
    pub parameters: u64,
    pub bytes: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LayerBytes {
    pub layer: u32,
    pub expert_bytes: u64,
    pub other_bytes: u64,
}

/// Why a file is no language model.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum NoModel {
    #[error("its metadata lacks general.architecture")]
    NoArchitecture,
    #[error("it has no tensors, only a vocabulary")]
    NoTensors,
}

impl Anatomy {
    /// # Errors
    /// When the file is no model: an importance matrix, a vocabulary.
    pub fn of(gguf: &Gguf) -> Result<Self, NoModel> {
        let keys = Keys::of(gguf)?;
        if gguf.tensors.is_empty() {
            return Err(NoModel::NoTensors);
        }
        let experts = keys.number("expert_count").filter(|&count| count > 0).map(|count| Experts {
            count,
            used: keys.number("expert_used_count"),
            shared: keys.number("expert_shared_count"),
            feed_forward_length: keys.number("expert_feed_forward_length"),
        });
        let vocabulary = gguf.metadata.get("tokenizer.ggml.tokens").and_then(Value::list).map(|list| list.len);
        Ok(Self {
            architecture: keys.architecture.to_owned(),
            name: keys.text("general.name"),
            quantisation: keys.global("general.file_type").and_then(Value::unsigned).and_then(file_type_name),
            file_bytes: gguf.file_bytes,
            files: gguf.paths.len() as u64,
            layers: keys.number("block_count"),
            embedding_length: keys.number("embedding_length"),
            feed_forward_length: keys.most("feed_forward_length"),
            context_length: keys.number("context_length"),
            vocabulary_size: vocabulary.or_else(|| keys.number("vocab_size")),
            attention: attention(&keys),
            parameters: sums::parameters(&gguf.tensors, experts.as_ref()),
            experts,
            upcycled: upcycled(&keys),
            tokenizer: Tokenizer {
                model: keys.text("tokenizer.ggml.model"),
                bos_id: keys.global("tokenizer.ggml.bos_token_id").and_then(Value::unsigned),
                add_bos: keys.global("tokenizer.ggml.add_bos_token").and_then(Value::truth),
                chat_template: keys.text("tokenizer.chat_template"),
            },
            weights: sums::weights(&gguf.tensors),
        })
    }
}

/// Metadata by llama.cpp's naming: most keys begin with the architecture.
struct Keys<'a> {
    gguf: &'a Gguf,
    architecture: &'a str,
}

impl<'a> Keys<'a> {
    fn of(gguf: &'a Gguf) -> Result<Self, NoModel> {
        let architecture = gguf.metadata.get("general.architecture").and_then(Value::text);
        let architecture = architecture.filter(|name| !name.is_empty()).ok_or(NoModel::NoArchitecture)?;
        Ok(Self { gguf, architecture })
    }

    fn global(&self, key: &str) -> Option<&'a Value> {
        self.gguf.metadata.get(key)
    }

    fn text(&self, key: &str) -> Option<String> {
        self.global(key).and_then(Value::text).map(str::to_owned)
    }

    fn own(&self, key: &str) -> Option<&'a Value> {
        self.global(&format!("{}.{key}", self.architecture))
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.own(key).and_then(Value::unsigned)
    }

    fn each_layer(&self, key: &str) -> Option<Vec<u64>> {
        let List { integers, .. } = self.own(key)?.list()?;
        integers.as_ref()?.iter().map(|&n| u64::try_from(n).ok()).collect()
    }

    /// Where layers differ: the most.
    fn most(&self, key: &str) -> Option<u64> {
        self.number(key).or_else(|| self.each_layer(key)?.into_iter().max())
    }
}

/// None where a key is missing as well: whoever changed them made another model.
fn upcycled(held: &Keys<'_>) -> Option<UpcycledFrom> {
    let number = |key| held.global(key).and_then(Value::unsigned);
    Some(UpcycledFrom {
        from_sha256: held.text(keys::FROM_SHA256)?,
        experts: number(keys::EXPERTS)?,
        used: number(keys::USED)?,
        noise: held.global(keys::NOISE).and_then(Value::float)?,
        seed: number(keys::SEED)?,
    })
}

fn attention(keys: &Keys<'_>) -> Attention {
    let heads = keys.most("attention.head_count");
    let kv_heads = keys
        .number("attention.head_count_kv")
        .map(KvHeads::Same)
        .or_else(|| keys.each_layer("attention.head_count_kv").map(KvHeads::EachLayer));
    let width = || Some(keys.number("embedding_length")? / heads?.max(1));
    Attention {
        heads,
        // llama.cpp's default: a head of keys and values for each head.
        kv_heads: kv_heads.or(heads.map(KvHeads::Same)),
        key_length: keys.number("attention.key_length").or_else(width),
        value_length: keys.number("attention.value_length").or_else(width),
        latent: keys.number("attention.key_length_mla").is_some_and(|length| length > 0),
        sliding_window: keys.number("attention.sliding_window").filter(|&window| window > 0),
    }
}
