//! forge's forward pass against llama.cpp's, on the weights of every model under `models/`, and on
//! random ones.
//!
//! A file's F16 values are exact in F32, so each model is written again as F32 and both sides
//! read that. llama.cpp keeps to F32 throughout with flash attention off and an F32 KV cache.

use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use candle_core::{Device, Tensor};
use forge::{
    family::{Cache, Family, Model},
    gguf::{self, Precision},
    probe::PROMPTS,
    tokenizer::{BOS, Tokenizer},
    weights::Weights,
};
use llama_cpp_2::{
    context::params::{KvCacheType, LlamaContextParams},
    llama_backend::LlamaBackend,
    llama_batch::LlamaBatch,
    model::{LlamaModel, params::LlamaModelParams},
};

const TOLERANCE: f32 = 1e-4;
const CONTEXT: u32 = 512;
/// Tokens that the longest input has at least: twice the widest window.
const LONG: usize = 128;

#[test]
fn every_logit_agrees_with_llama_cpp() {
    let backend = quiet_backend();
    let (_, _, tokenizer) = gguf::read(&bundled(Family::ALL[0])).unwrap();
    for &family in Family::ALL {
        // A bias, a sink or a norm forgotten on one side shows only where it is not what it starts as.
        let model = family.build(Weights::fresh(7), tokenizer.size()).unwrap();
        disturb(model.as_ref());
        agrees(&backend, family, "random", model.as_ref(), &tokenizer);
    }
    for &family in Family::ALL {
        let (_, model, tokenizer) = gguf::read(&bundled(family)).unwrap();
        agrees(&backend, family, "as trained", model.as_ref(), &tokenizer);
    }
}

/// llama.cpp can be started once a process: one test, one backend.
fn quiet_backend() -> LlamaBackend {
    let mut backend = LlamaBackend::init().unwrap();
    backend.void_logs();
    backend
}

/// Moves every weight away from its start.
fn disturb(model: &dyn Model) {
    for (var, number) in model.weights().vars().iter().zip(0..) {
        let noise: Vec<f32> = (0..var.elem_count()).map(|i| 0.2 * ((i * 31 + number * 17) as f32).sin()).collect();
        let noise = Tensor::from_vec(noise, var.shape(), &Device::Cpu).unwrap();
        // Matrices are random already.
        let share = if var.rank() == 1 { 1.0 } else { 0.01 };
        var.set(&(var.as_tensor() + (noise * share).unwrap()).unwrap()).unwrap();
    }
}

fn agrees(backend: &LlamaBackend, family: Family, weights: &str, model: &dyn Model, tokenizer: &Tokenizer) {
    let folder = tempfile::tempdir().unwrap();
    let exact = folder.path().join(family.name());
    gguf::write(&exact, family, model, tokenizer, Precision::F32).unwrap();
    let difference = greatest_difference(backend, &exact, model, tokenizer);
    println!("{}, {weights}: greatest difference {difference:e}", family.name());
    assert!(difference <= TOLERANCE, "{}, {weights}: {difference:e}", family.name());
}

/// The prompts one by one, and so many as one text that it is longer than any model's window.
///
/// No longer than needed: llama.cpp multiplies its angles up in F32, and what that loses grows
/// with the position.
fn inputs(tokenizer: &Tokenizer) -> Vec<(String, Vec<u32>)> {
    let tokens = |text: &str| [BOS].into_iter().chain(tokenizer.encode(text).unwrap()).collect::<Vec<_>>();
    let long = (1..=PROMPTS.len()).map(|count| PROMPTS[..count].join(" ")).find(|text| tokens(text).len() >= LONG);
    let texts = PROMPTS.iter().map(|prompt| (*prompt).to_owned()).chain([long.expect("the prompts are too short")]);
    texts.map(|text| (text.clone(), tokens(&text))).collect()
}

fn bundled(family: Family) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models").join(family.name()).with_extension("gguf")
}

fn greatest_difference(backend: &LlamaBackend, path: &Path, model: &dyn Model, tokenizer: &Tokenizer) -> f32 {
    let llama = LlamaModel::load_from_file(backend, path, &LlamaModelParams::default()).unwrap();
    let params = LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(CONTEXT))
        .with_n_threads(1)
        .with_n_threads_batch(1)
        .with_flash_attention_policy(llama_cpp_sys_2::LLAMA_FLASH_ATTN_TYPE_DISABLED)
        .with_type_k(KvCacheType::F32)
        .with_type_v(KvCacheType::F32);
    let mut context = llama.new_context(backend, params).unwrap();
    let mut greatest = 0f32;
    for (prompt, tokens) in inputs(tokenizer) {
        let theirs = llama.vocab().tokenize(prompt.as_bytes(), true, false);
        assert_eq!(
            tokens,
            theirs.iter().map(|token| token.0 as u32).collect::<Vec<_>>(),
            "{prompt:?} is cut differently"
        );

        let mut batch = LlamaBatch::new(tokens.len(), 1);
        for (position, token) in (0..).zip(&theirs) {
            batch.add(*token, position, &[0], true).unwrap();
        }
        context.clear_kv_cache();
        context.decode(&mut batch).unwrap();
        let input = Tensor::new(tokens.as_slice(), &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let ours = model.forward(&input, &mut Cache::default()).unwrap().logits.get(0).unwrap();
        for (position, ours) in ours.to_vec2::<f32>().unwrap().iter().enumerate() {
            let theirs = context.get_logits_ith(position as i32);
            assert_eq!(ours.len(), theirs.len());
            greatest = ours.iter().zip(theirs).fold(greatest, |most, (a, b)| most.max((a - b).abs()));
        }
    }
    greatest
}
