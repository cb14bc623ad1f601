//! The estimate of memory, by hand, and what is advised when it is too much.

use std::collections::BTreeMap;

use miette::Diagnostic;
use moe_sweep::domain::{
    Bos, CacheType, Context, Draws, Generate, KvK, KvV, LevelType as _, LoadKey, Numerics, Offload, Written,
};
use moe_sweep::model::gguf::{Gguf, List, Tensor, TensorType, Value, ValueType};
use moe_sweep::model::memory::{Estimate, Free, Placement, Room};
use moe_sweep::model::{Anatomy, is_expert};

const GB: u64 = 1_000_000_000;

/// Shaped like DeepSeek-MoE-16B in Q4_K: 28 layers, the first dense; 8 GB of
/// experts, 1 GB of the rest.
fn model(extra: &[(&str, Value)]) -> Anatomy {
    let q4_k = TensorType::from_id(12).expect("Q4_K");
    let tensor = |name: String, bytes: u64| {
        let elements = bytes / 144 * 256;
        Tensor { name, dims: vec![elements], tensor_type: q4_k, elements, bytes: elements / 256 * 144 }
    };
    let experts = (1..28).map(|layer| tensor(format!("blk.{layer}.ffn_up_exps.weight"), 8 * GB / 27));
    let rest = [("token_embd.weight", GB / 10), ("blk.0.attn_q.weight", GB / 2), ("output.weight", GB * 4 / 10)];
    let rest = rest.map(|(name, bytes)| tensor(name.to_owned(), bytes));
    let numbers = [
        ("block_count", 28),
        ("context_length", 4096),
        ("embedding_length", 2048),
        ("feed_forward_length", 10944),
        ("attention.head_count", 16),
        ("vocab_size", 102_400),
        ("expert_count", 64),
        ("expert_used_count", 6),
        ("expert_feed_forward_length", 1408),
    ];
    let numbers = numbers.map(|(key, n)| (format!("deepseek.{key}"), Value::Unsigned(n)));
    let mut metadata = BTreeMap::from(numbers);
    metadata.insert("general.architecture".to_owned(), Value::Text("deepseek".to_owned()));
    metadata.extend(extra.iter().map(|(key, value)| (format!("deepseek.{key}"), value.clone())));
    let tensors = experts.chain(rest).collect();
    let gguf = Gguf { paths: vec!["m.gguf".into()], file_bytes: 9 * GB, version: 3, metadata, tensors };
    Anatomy::of(&gguf).expect("a model")
}

fn kv(extra: &[(&str, Value)], context: u32) -> Option<u64> {
    Estimate::of(&model(extra), Offload::None, context).kv_bytes_per_sequence
}

#[test]
fn the_cache_is_heads_times_widths_of_all_layers() {
    let number = |key, n| (key, Value::Unsigned(n));
    // 28 layers, 16 heads, keys and values of 2048 / 16.
    assert_eq!(kv(&[], 4096), Some(4096 * 28 * 16 * (128 + 128) * 2));
    // A sequence's cache comes in steps of 256.
    assert_eq!(kv(&[], 1), kv(&[], 256));
    assert_eq!(kv(&[], 257), kv(&[], 512));
    assert_eq!(kv(&[number("attention.head_count_kv", 2)], 256), Some(256 * 28 * 2 * 256 * 2));
    let lengths = [number("attention.key_length", 192), number("attention.value_length", 100)];
    assert_eq!(kv(&lengths, 256), Some(256 * 28 * 16 * 292 * 2));
    // Latent attention: one head, and no values.
    let latent = [
        number("attention.head_count_kv", 1),
        number("attention.key_length", 576),
        number("attention.value_length", 512),
        number("attention.key_length_mla", 192),
    ];
    assert_eq!(kv(&latent, 256), Some(256 * 28 * 576 * 2));
    // A window saves nothing: the engine keeps the whole of it.
    assert_eq!(kv(&[number("attention.sliding_window", 128)], 4096), kv(&[], 4096));
}

#[test]
fn a_load_has_the_context_and_the_cache_of_its_levels() {
    let (numerics, bos, draws) = (Numerics::Invariant, Bos::Model, Draws::PerPrompt);
    let generate = Generate { max_tokens: 8, context: 4096, numerics, bos, draws };
    let of = |key: &LoadKey| Estimate::of_load(&model(&[]), key, generate);
    let usual = LoadKey::usual("m");
    assert_eq!(of(&usual), Estimate::of(&model(&[]), Offload::All, 4096));
    let short = usual.with(Context::read(&Written::Integer(512)).expect("a number"));
    assert_eq!(of(&short), Estimate::of(&model(&[]), Offload::All, 512));
    // 8.5 and 4.5 bits in the place of 16 and 16.
    let small = usual.with(KvK(CacheType::Q8_0)).with(KvV(CacheType::Q4_0));
    assert_eq!(of(&small).kv_bytes_per_sequence, kv(&[], 4096).map(|bytes| bytes * 13 / 32));
    let free = Free { host_bytes: of(&small).total_bytes(Room::LEAST), device_bytes: None };
    assert!(of(&small).fits(free, Room::LEAST).is_ok() && of(&usual).fits(free, Room::LEAST).is_err());
}

#[test]
fn layers_may_differ_in_their_heads() {
    let list = List { element: ValueType::U32, len: 3, integers: Some(vec![4, 0, 2]), texts: None };
    let of_3 = [("block_count", Value::Unsigned(3)), ("attention.head_count_kv", Value::List(list))];
    // Keys: 4 + 2 heads; values: both layers with attention as wide as the widest.
    assert_eq!(kv(&of_3, 256), Some(256 * (6 * 128 + 2 * 4 * 128) * 2));
}

#[test]
fn without_heads_nothing_is_claimed() {
    let without = [("attention.head_count", Value::Bool(false))];
    assert_eq!(kv(&without, 256), None);
}

#[test]
fn offload_moves_the_experts_of_the_first_layers() {
    let anatomy = model(&[]);
    let of = |offload| Placement::of(&anatomy, offload);
    let each = anatomy.weights.by_layer[1].expert_bytes;
    let embedding = anatomy.weights.embedding_bytes;
    assert_eq!(of(Offload::None).host_bytes, embedding);
    // The first layer is dense.
    assert_eq!(of(Offload::Layers(1)), of(Offload::None));
    assert_eq!(of(Offload::Layers(3)).host_bytes, embedding + 2 * each);
    assert_eq!(of(Offload::Layers(99)), of(Offload::All));
    assert_eq!(of(Offload::All).device_bytes, anatomy.weights.other_bytes - embedding);
    for offload in [Offload::None, Offload::Layers(5), Offload::All] {
        assert_eq!(of(offload).bytes(), anatomy.weights.bytes);
    }
}

#[test]
fn experts_are_those_of_llama_cpps_pattern() {
    for name in [
        "blk.0.ffn_up_exps.weight",
        "blk.12.ffn_down_exps.bias",
        "blk.3.ffn_gate_exps.scale",
        "blk.3.ffn_gate_up_exps.weight",
        "blk.3.ffn_up_chexps.weight",
    ] {
        assert!(is_expert(name), "{name}");
    }
    for name in [
        "blk.0.ffn_up_shexp.weight",
        "blk.0.ffn_gate_inp.weight",
        "blk.0.ffn_up.weight",
        "blk.0.ffn_norm_exps.weight",
        "ffn_up_exps.weight",
        "blk.0.attn_q.weight",
        "",
    ] {
        assert!(!is_expert(name), "{name}");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_figures_and_advice() {
    let estimate = |offload| Estimate::of(&model(&[]), offload, 4096);
    let say = |offload: Offload, free: Free, room: Room| match estimate(offload).fits(free, room) {
        Ok(()) => "fits\n".to_owned(),
        Err(refused) => format!("{refused}\n  {}\n", refused.help().expect("advice")),
    };
    let host = |bytes| Free { host_bytes: bytes, device_bytes: None };
    let batch = |batch| Room { lanes: 1, batch };
    let device = |bytes| Free { host_bytes: 64 * GB, device_bytes: Some(bytes) };
    let cases = [
        ("16 GB, 1 text", say(Offload::None, host(16 * GB), batch(1))),
        ("16 GB, 8 texts", say(Offload::None, host(16 * GB), batch(8))),
        ("16 GB, 4 lanes", say(Offload::None, host(16 * GB), Room { lanes: 4, batch: 2 })),
        ("10 GB", say(Offload::None, host(10 * GB), batch(1))),
        ("9 GB", say(Offload::None, host(9 * GB), batch(1))),
        ("2 GB", say(Offload::None, host(2 * GB), batch(1))),
        ("accelerator of 6 GB", say(Offload::None, device(6 * GB), batch(1))),
        ("the same, experts on the host", say(Offload::All, device(6 * GB), batch(1))),
        ("the host too small", say(Offload::All, Free { host_bytes: 4 * GB, device_bytes: Some(6 * GB) }, batch(1))),
    ];
    let report: String = cases.iter().map(|(name, said)| format!("{name}\n  {said}")).collect();
    insta::assert_snapshot!(report);
}
