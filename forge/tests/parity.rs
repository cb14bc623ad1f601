//! forge's forward pass against llama.cpp's, on the weights of every model under `models/`.
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
};
use llama_cpp_2::{
    context::params::{KvCacheType, LlamaContextParams},
    llama_backend::LlamaBackend,
    llama_batch::LlamaBatch,
    model::{LlamaModel, params::LlamaModelParams},
};

const TOLERANCE: f32 = 1e-4;

#[test]
fn every_logit_agrees_with_llama_cpp() {
    let folder = tempfile::tempdir().unwrap();
    let mut backend = LlamaBackend::init().unwrap();
    backend.void_logs();
    for &family in Family::ALL {
        let (_, model, tokenizer) = gguf::read(&bundled(family)).unwrap();
        let exact = folder.path().join(family.name());
        gguf::write(&exact, family, model.as_ref(), &tokenizer, Precision::F32).unwrap();
        let difference = greatest_difference(&backend, &exact, model.as_ref(), &tokenizer);
        println!("{}: greatest difference {difference:e}", family.name());
        assert!(difference <= TOLERANCE, "{}: {difference:e}", family.name());
    }
}

fn bundled(family: Family) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models").join(family.name()).with_extension("gguf")
}

fn greatest_difference(backend: &LlamaBackend, path: &Path, model: &dyn Model, tokenizer: &Tokenizer) -> f32 {
    let llama = LlamaModel::load_from_file(backend, path, &LlamaModelParams::default()).unwrap();
    let params = LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(512))
        .with_n_threads(1)
        .with_n_threads_batch(1)
        .with_flash_attention_policy(llama_cpp_sys_2::LLAMA_FLASH_ATTN_TYPE_DISABLED)
        .with_type_k(KvCacheType::F32)
        .with_type_v(KvCacheType::F32);
    let mut context = llama.new_context(backend, params).unwrap();
    let mut greatest = 0f32;
    for prompt in PROMPTS {
        let mut tokens = vec![BOS];
        tokens.extend(tokenizer.encode(prompt).unwrap());
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
