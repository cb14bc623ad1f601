//! The chain `shimmy-1.7` against plain arithmetic over logits taken from
//! llama.cpp one token at a time: nothing of ours but the tokens is shared.

use std::num::NonZeroU32;

use crate::support::alone::alone;
use crate::support::{Bench, models};
use llama::llama_cpp_2::context::LlamaContext;
use llama::llama_cpp_2::context::params::LlamaContextParams;
use llama::llama_cpp_2::llama_backend::LlamaBackend;
use llama::llama_cpp_2::llama_batch::LlamaBatch;
use llama::llama_cpp_2::model::LlamaModel;
use llama::llama_cpp_2::model::params::LlamaModelParams;
use llama::llama_cpp_2::token::LlamaToken;
use serde_json::Value;

const PROMPTS: [&str; 3] = ["Wind turbines are", "The train to the coast", "A good soup needs"];
const TEMPERATURES: [f32; 3] = [0.1, 0.9, 1.5];
const MAX_TOKENS: usize = 60;

/// What Shimmy 1.7 does with the logits of one position, given everything
/// before it (FIELD: temperature, top-p 0.9, top-k 40, penalties over the last
/// 64 tokens with repeat 0.0 and presence 1.1, first maximum).
fn shimmy_choice(logits: &[f32], temperature: f32, before: &[i32]) -> i32 {
    let mut candidates: Vec<(i32, f32)> =
        logits.iter().enumerate().map(|(id, logit)| (id as i32, logit / temperature)).collect();
    candidates.sort_by(|a, b| b.1.total_cmp(&a.1));
    let most = f64::from(candidates[0].1);
    let weights: Vec<f64> = candidates.iter().map(|&(_, logit)| (f64::from(logit) - most).exp()).collect();
    let total: f64 = weights.iter().sum();
    let mut mass = 0.0;
    let nucleus = weights.iter().position(|weight| {
        mass += weight / total;
        mass >= 0.9
    });
    candidates.truncate(nucleus.map_or(candidates.len(), |last| last + 1).min(40));
    let window = &before[before.len().saturating_sub(64)..];
    for (id, logit) in &mut candidates {
        if window.contains(id) {
            *logit = if *logit <= 0.0 { *logit * 0.0 } else { f32::INFINITY } - 1.1;
        }
    }
    let mut best = candidates[0];
    for &candidate in &candidates[1..] {
        if candidate.1 > best.1 {
            best = candidate;
        }
    }
    best.0
}

/// Logits after `tokens[..=position]`, fed one at a time.
fn feed(context: &mut LlamaContext<'_>, token: LlamaToken, position: usize) -> Vec<f32> {
    let mut batch = LlamaBatch::new(1, 1);
    batch.add(token, position as i32, &[0], true).unwrap();
    context.decode(&mut batch).unwrap();
    context.get_logits_ith(0).to_vec()
}

fn reference(model: &LlamaModel, backend: &LlamaBackend, prompt: &str, temperature: f32) -> Vec<i32> {
    let params = LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(256))
        .with_n_threads(1)
        .with_n_threads_batch(1)
        .with_flash_attention_policy(llama::llama_cpp_sys_2::LLAMA_FLASH_ATTN_TYPE_DISABLED);
    let mut context = model.new_context(backend, params).unwrap();
    let prompt = model.vocab().tokenize(prompt.as_bytes(), true, false);
    let mut tokens: Vec<i32> = Vec::new();
    let mut logits = Vec::new();
    for (position, &token) in prompt.iter().enumerate() {
        logits = feed(&mut context, token, position);
        tokens.push(token.0);
    }
    loop {
        let choice = shimmy_choice(&logits, temperature, &tokens);
        if model.vocab().is_eog(LlamaToken(choice)) || tokens.len() - prompt.len() == MAX_TOKENS {
            return tokens.split_off(prompt.len());
        }
        logits = feed(&mut context, LlamaToken(choice), tokens.len());
        tokens.push(choice);
    }
}

#[test]
fn shimmy_1_7_writes_what_its_arithmetic_says() {
    alone("shimmy_reference::shimmy_1_7_writes_what_its_arithmetic_says", &[("GGML_CPU_TILED_MM", "0")], compare);
}

fn compare() {
    let mut backend = LlamaBackend::init().unwrap();
    backend.void_logs();
    let path = models().join("deepseek-tiny.gguf");
    let model = LlamaModel::load_from_file(&backend, &path, &LlamaModelParams::default()).unwrap();

    let bench = Bench::new(&format!(
        r#"
schema = 1
name = "x"

[generate]
max_tokens = {MAX_TOKENS}
context = 256

[grid]
model = ["deepseek-tiny"]
chain = ["shimmy-1.7"]
temperature = {TEMPERATURES:?}

[prompts]
inline = {PROMPTS:?}

[[model]]
id = "deepseek-tiny"
path = {path:?}
"#
    ));
    bench.run("out", &[], 0);
    let journal = bench.result("out", "trials.jsonl");
    let mut ours: Vec<Vec<i32>> = journal
        .lines()
        .map(|line| {
            let record: Value = serde_json::from_str(line).unwrap();
            serde_json::from_value(record["outcome"]["generated"]["tokens"].clone()).unwrap()
        })
        .collect();
    let cases = PROMPTS.iter().flat_map(|prompt| TEMPERATURES.map(|temperature| (prompt, temperature)));
    let mut theirs: Vec<Vec<i32>> = cases.map(|(prompt, t)| reference(&model, &backend, prompt, t)).collect();
    // The journal is in the order in which trials ended.
    ours.sort();
    theirs.sort();
    assert_eq!(ours, theirs);
}
