//! Owns what a model's file says of itself, as far as plans and reports ask for it.

use serde::{Deserialize, Serialize};

use super::chat_form::{ChatForm, RenderedForm};
use crate::metrics::Markers;

/// What a model's file says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    pub architecture: String,
    pub n_layer: u32,
    /// Experts of a layer; 0 for a dense model.
    pub n_expert: u32,
    pub n_expert_used: u32,
    pub n_vocab: u32,
    /// The context length the model was trained for; 0 where the file does not tell.
    pub n_ctx_train: u32,
    /// How that length was reached, where positions were scaled.
    pub rope_scaling: Option<RopeScaling>,
    /// What surrounds a prompt in `template = "chat"`, where that was asked for.
    pub chat: Option<Box<ChatForm>>,
    /// What surrounds a prompt in `template = "jinja"`, for each way in which that was asked for.
    pub rendered: Vec<RenderedForm>,
    /// Between what the model writes its thought, where its chat template says so.
    pub thought_markers: Option<Markers>,
    /// Of use before a run only, as `cache` is.
    #[serde(default, skip_serializing_if = "OwnTemplate::is_absent")]
    pub own_template: OwnTemplate,
    /// What the cache takes for one token; None where the file does not tell.
    pub cache_bytes_per_token: Option<u64>,
    pub cache: CacheFacts,
}

/// Whether a model's file has a chat template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OwnTemplate {
    /// As far as is known.
    #[default]
    Absent,
    There,
}

impl OwnTemplate {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_absent(&self) -> bool {
        *self == Self::Absent
    }
}

/// How what the model has read is kept, as far as settings hang on it. Of use before a run only: a manifest does not keep it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CacheFacts {
    /// Numbers of a head's key and of its value; None where the file does not tell, or layers differ.
    pub key_length: Option<u32>,
    pub value_length: Option<u32>,
    pub kv: KeysAndValues,
    pub memory: Memory,
    /// Tokens that layers with a sliding window look back on; None where the file names none.
    pub window: Option<u32>,
}

/// How a cache holds keys and values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeysAndValues {
    #[default]
    Apart,
    /// In one, as multi-head latent attention has them: they have one type.
    Together,
}

/// What a model keeps of the tokens that it has read, as far as some can be forgotten and the others moved up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Memory {
    /// Of each its key and value, and llama.cpp can turn a key to another position.
    #[default]
    Movable,
    /// The same, but llama.cpp can't: a token has several positions (M-RoPE), or layers differ in theirs.
    Fixed,
    /// One state of them all, alone or beside keys and values.
    State,
}

/// How a model's positions were scaled to a longer context.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RopeScaling {
    /// llama.cpp's name: `linear`, `yarn`, `longrope`; files of models with LongRoPE often name none.
    pub kind: Option<String>,
    pub factor: Option<f32>,
    /// The context before it was scaled.
    pub original_context: Option<u32>,
}

impl RopeScaling {
    pub fn is_long_rope(&self) -> bool {
        self.kind.as_deref().is_none_or(|kind| kind == "longrope")
    }

    pub fn is_yarn(&self) -> bool {
        self.kind.as_deref() == Some("yarn")
    }
}
