//! Owns how a manifest holds models, as each was placed.

use serde::{Deserialize, Serialize};

use super::server::ServerEntry;
use crate::format::{Levels, Markers, Unknown, both_ways};
use crate::{domain, experiment, manifest};

/// What an entry calls its model.
const ID: &str = "id";

/// A model as it was placed, for each of its load keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelEntry {
    #[serde(flatten)]
    key: Levels,
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hub: Option<HubEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    packages: Vec<PackageEntry>,
    blake3: String,
    size_bytes: Option<u64>,
    facts: Option<ModelFacts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server: Option<ServerEntry>,
    engine: String,
    accelerators: Vec<String>,
    placement: Placement,
}

/// A file of the Hugging Face hub.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct HubEntry {
    repo: String,
    file: String,
    revision: String,
    commit: Option<String>,
}

/// A file of a package of a Python index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct PackageEntry {
    package: String,
    version: String,
    file: String,
}
both_ways!(PackageEntry, experiment::PackageFile { package, version, file });

/// Where the routed experts are, while the model runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Placement {
    AllOnHost,
    ExpertsOnHost,
    AllOnAccelerator,
    NoExperts,
    Unknown,
}
both_ways!(enum Placement, manifest::Placement {
    AllOnHost, ExpertsOnHost, AllOnAccelerator, NoExperts, Unknown
});

/// What a model's file says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ModelFacts {
    architecture: String,
    n_layer: u32,
    n_expert: u32,
    n_expert_used: u32,
    n_vocab: u32,
    n_ctx_train: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rope_scaling: Option<RopeScaling>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chat: Option<ChatForm>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rendered: Vec<RenderedForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thought_markers: Option<Markers>,
    #[serde(default)]
    cache_bytes_per_token: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct RopeScaling {
    kind: Option<String>,
    factor: Option<f32>,
    original_context: Option<u32>,
}
both_ways!(RopeScaling, domain::RopeScaling { kind, factor, original_context });

/// How prompts are asked in llama.cpp's built-in chat form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ChatForm {
    forms: Vec<String>,
    before: String,
    after: String,
    unsent: Vec<String>,
}
both_ways!(ChatForm, domain::ChatForm { forms, before, after, unsent });

/// How prompts are asked in the model's own chat template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct RenderedForm {
    system: String,
    thinking: Thinking,
    before: String,
    after: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date: Option<String>,
}
both_ways!(RenderedForm, domain::RenderedForm { system: into, thinking: into, before, after, date });

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Thinking {
    Default,
    On,
    Off,
}
both_ways!(enum Thinking, domain::Thinking { Default, On, Off });

impl From<manifest::ModelEntry> for ModelEntry {
    fn from(entry: manifest::ModelEntry) -> Self {
        let manifest::ModelEntry {
            key,
            path,
            hub,
            packages,
            blake3,
            size_bytes,
            facts,
            server,
            engine,
            accelerators,
            placement,
        } = entry;
        Self {
            key: Levels::of_load(&key, ID),
            path,
            hub: hub.map(Into::into),
            packages: packages.into_iter().map(Into::into).collect(),
            blake3,
            size_bytes,
            facts: facts.map(Into::into),
            server: server.map(Into::into),
            engine,
            accelerators,
            placement: placement.into(),
        }
    }
}

impl TryFrom<ModelEntry> for manifest::ModelEntry {
    type Error = Unknown;

    fn try_from(entry: ModelEntry) -> Result<Self, Unknown> {
        let ModelEntry { key, path, hub, packages, blake3, size_bytes, facts, server, engine, accelerators, placement } =
            entry;
        Ok(Self {
            key: key.load_key(ID)?,
            path,
            hub: hub.map(Into::into),
            packages: packages.into_iter().map(Into::into).collect(),
            blake3,
            size_bytes,
            facts: facts.map(Into::into),
            server: server.map(Into::into),
            engine,
            accelerators,
            placement: placement.into(),
        })
    }
}

impl From<manifest::HubEntry> for HubEntry {
    fn from(manifest::HubEntry { file, commit }: manifest::HubEntry) -> Self {
        let experiment::HubFile { repo, file, revision } = file;
        Self { repo, file, revision, commit }
    }
}

impl From<HubEntry> for manifest::HubEntry {
    fn from(HubEntry { repo, file, revision, commit }: HubEntry) -> Self {
        Self { file: experiment::HubFile { repo, file, revision }, commit }
    }
}

impl From<domain::ModelFacts> for ModelFacts {
    fn from(facts: domain::ModelFacts) -> Self {
        let domain::ModelFacts {
            architecture,
            n_layer,
            n_expert,
            n_expert_used,
            n_vocab,
            n_ctx_train,
            rope_scaling,
            chat,
            rendered,
            thought_markers,
            cache_bytes_per_token,
            cache: _,
            own_template: _,
        } = facts;
        Self {
            architecture,
            n_layer,
            n_expert,
            n_expert_used,
            n_vocab,
            n_ctx_train,
            rope_scaling: rope_scaling.map(Into::into),
            chat: chat.map(|chat| (*chat).into()),
            rendered: rendered.into_iter().map(Into::into).collect(),
            thought_markers: thought_markers.map(Into::into),
            cache_bytes_per_token,
        }
    }
}

impl From<ModelFacts> for domain::ModelFacts {
    fn from(facts: ModelFacts) -> Self {
        let ModelFacts {
            architecture,
            n_layer,
            n_expert,
            n_expert_used,
            n_vocab,
            n_ctx_train,
            rope_scaling,
            chat,
            rendered,
            thought_markers,
            cache_bytes_per_token,
        } = facts;
        Self {
            architecture,
            n_layer,
            n_expert,
            n_expert_used,
            n_vocab,
            n_ctx_train,
            rope_scaling: rope_scaling.map(Into::into),
            chat: chat.map(|chat| Box::new(chat.into())),
            rendered: rendered.into_iter().map(Into::into).collect(),
            thought_markers: thought_markers.map(Into::into),
            own_template: domain::OwnTemplate::default(),
            cache_bytes_per_token,
            cache: domain::CacheFacts::default(),
        }
    }
}
