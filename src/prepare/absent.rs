//! Stands in for a model that is not here but whose shape is known, so that `plan` can say what it would take. Nothing is
//! run or written by a stand-in.

use std::path::PathBuf;

use crate::domain::{CacheFacts, ModelFacts, ModelSampling, OwnTemplate, PrefixTokens, PromptKey};
use crate::engine::{EngineFacts, PromptCounts};
use crate::experiment::{Model, ModelShape, Prompt};
use crate::model::Anatomy;
use crate::plan::{OnDisk, Origin, Surveyed};
use crate::worker::{Executable, list_devices};

/// Bytes of text that make a token, about: prompts' tokens can't be counted without the tokenizer.
const BYTES_A_TOKEN: usize = 4;

/// Describes the model by its shape; `None` where none is stated.
pub fn stand_in(
    model: &Model,
    prompts: &[Prompt],
    keys: &[PromptKey],
    executable: &Executable,
) -> Option<(Surveyed, Anatomy)> {
    let (shape, size_bytes) = (model.shape.as_ref()?, model.expected_bytes()?);
    let tokens = prompts.iter().map(|prompt| prompt.text.len().div_ceil(BYTES_A_TOKEN) as u32);
    let tokens: Vec<_> = tokens.collect();
    let prompt_counts = PromptCounts::of(keys, |key| {
        let filler = key.get::<PrefixTokens>().get();
        Ok(tokens.iter().map(|tokens| tokens + filler).collect())
    });
    let on_disk = OnDisk {
        path: PathBuf::new(),
        commit: None,
        size_bytes,
        facts: facts(shape),
        sampling: ModelSampling::Unread,
        prompt_counts,
    };
    let engine = EngineFacts {
        fingerprint: String::new(),
        kernels: None,
        accelerators: accelerators(executable),
        variance: None,
    };
    let surveyed = Surveyed { origin: Origin::File(on_disk), blake3: String::new(), engine };
    Some((surveyed, Anatomy::of_shape(shape, size_bytes)))
}

fn facts(shape: &ModelShape) -> ModelFacts {
    let numbers_a_token = 2 * u64::from(shape.layers) * u64::from(shape.kv_heads) * u64::from(shape.head_width);
    ModelFacts {
        architecture: "not here".to_owned(),
        n_layer: shape.layers,
        n_expert: shape.experts,
        n_expert_used: shape.experts_used,
        n_vocab: shape.vocabulary,
        n_ctx_train: 0,
        rope_scaling: None,
        chat: None,
        rendered: vec![],
        thought_markers: None,
        own_template: OwnTemplate::Absent,
        // F16.
        cache_bytes_per_token: Some(2 * numbers_a_token),
        cache: CacheFacts::default(),
    }
}

/// What would compute beside the host; none where that can't be found out, as in a build without llama.cpp.
fn accelerators(executable: &Executable) -> Vec<String> {
    let devices = list_devices(executable).map_or(vec![], |found| found.devices);
    devices.into_iter().filter(|device| device.kind.holds_weights()).map(|device| device.name).collect()
}
