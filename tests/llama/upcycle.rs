//! `moe-sweep model upcycle`: copies are the dense model, noise is not, and both are mixtures to llama.cpp.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use moe_sweep::domain::Numerics;
use moe_sweep::engine::Traced;
use moe_sweep::engine::llama::block_codec;
use moe_sweep::engine::trace::{Follow, LogitsReader, Record};
use moe_sweep::model::gguf::{Draft, TensorType, read_layout};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Bench, models, real};
use crate::trace::{greedy, load, read_routing, trace_all};

const PROMPTS: [&str; 4] = ["Artificial intelligence is", "Once upon a time", "The weather", "Dear Sir or Madam,"];
const MAX_TOKENS: u32 = 40;
/// How far a copy's logits may be from the dense model's.
const ROUNDING: f32 = 1e-3;
/// The same for weights in F16: llama.cpp rounds what they are multiplied with to F16, after sums in another order for
/// experts than for a dense block.
const ROUNDING_IN_F16: f32 = 2e-2;

const F32: u32 = 0;
const F16: u32 = 1;
const Q8_0: u32 = 8;
const Q4_K: u32 = 12;

fn dense_tiny() -> PathBuf {
    models().join("dense-tiny.gguf")
}

/// Writes the bundled dense model's weights as those of `architecture`, its matrices in this type, and with `more` tensors
/// of numbers in each layer: by name and length.
fn recast(target: &Path, architecture: &str, ggml_type: u32, more: &[(&str, usize)]) {
    let codec = block_codec().expect("this build has llama.cpp");
    let path = dense_tiny();
    let (header, layout) = read_layout(&path).expect("a header");
    let mut file = File::open(path).expect("the bundled model");
    let mut read = |range: Range<u64>| {
        let mut bytes = vec![0; (range.end - range.start) as usize];
        file.seek(SeekFrom::Start(range.start)).and_then(|_| file.read_exact(&mut bytes)).expect("it is whole");
        bytes
    };
    let mut draft = Draft::new(layout.alignment);
    draft.text("general.architecture", architecture);
    for place in layout.keys.iter().filter(|place| place.key != "general.architecture") {
        let key = place.key.strip_prefix("llama.").map(|rest| format!("{architecture}.{rest}"));
        draft.raw(key.as_ref().unwrap_or(&place.key), &read(place.value.clone()));
    }
    let mut data = Vec::new();
    let mut add = |name: &str, dims: &[u64], tensor_type: TensorType, bytes: Vec<u8>| {
        draft.tensor(name, dims, tensor_type, bytes.len() as u64).expect("a small model");
        let padding = draft.padding(bytes.len() as u64);
        data.extend([bytes, vec![0; padding]].concat());
    };
    let matrices = TensorType::from_id(ggml_type).expect("a type");
    for (tensor, &start) in header.tensors.iter().zip(&layout.starts) {
        let bytes = read(start..start + tensor.bytes);
        if tensor.tensor_type.id() != F16 || ggml_type == F16 {
            add(&tensor.name, &tensor.dims, tensor.tensor_type, bytes);
            continue;
        }
        let row_bytes = matrices.bytes_of(tensor.dims[0]).expect("whole blocks") as usize;
        let rows = bytes.chunks_exact(2 * tensor.dims[0] as usize).flat_map(|row| {
            let (mut from, mut to) = (row.to_vec(), vec![0; row_bytes]);
            (codec.rewrite)(F16, &mut from, &mut |numbers| {
                (codec.rewrite)(ggml_type, &mut to, &mut |same| same.copy_from_slice(numbers));
            });
            to
        });
        add(&tensor.name, &tensor.dims, matrices, rows.collect());
    }
    for layer in 0..3 {
        for (number, (name, length)) in more.iter().enumerate() {
            let wave = (0..*length).map(|index| 1.0 + 0.5 * ((index * 7 + layer + 3 * number) as f32).sin());
            let bytes = wave.flat_map(f32::to_le_bytes).collect();
            add(&format!("blk.{layer}.{name}"), &[*length as u64], TensorType::F32, bytes);
        }
    }
    fs::write(target, [draft.header(), data].concat()).expect("the bench is writable");
}

/// Upcycles a model on the bench with 4 experts of which 2 are used.
fn upcycle(bench: &Bench, dense: &Path, out: &str, more: &[&str]) -> PathBuf {
    let dense = dense.to_str().expect("a path in UTF-8");
    let arguments = ["model", "upcycle", dense, "--experts", "4", "--used", "2", "--out", out];
    let said = bench.say(&[&arguments, more].concat());
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{said:#?}");
    bench.path().join(out)
}

/// A model's greedy texts and their logits, or the logits along given texts.
struct Followed {
    folder: TempDir,
    texts: Vec<Traced>,
}

fn follow(model: &Path, follow: impl Fn(usize) -> Follow) -> Followed {
    let folder = TempDir::new().expect("a folder");
    let mut worker = load(model, Numerics::Invariant, 1);
    let texts = trace_all(&mut worker, (&PROMPTS, MAX_TOKENS), Record::Logits, folder.path(), follow);
    Followed { folder, texts }
}

/// How far a model's logits are from the dense one's along the dense one's greedy texts, at most, and whether its own
/// greedy texts are the same.
fn compare(dense: &Followed, other: &Path) -> (f32, bool) {
    let forced = follow(other, |index| {
        let Traced { tokens, stop, .. } = &dense.texts[index];
        Follow::Forced { tokens: tokens.clone(), stop: *stop }
    });
    let mut furthest = 0_f32;
    for (ours, theirs) in dense.texts.iter().zip(&forced.texts) {
        let [mut a, mut b] = [(dense, ours), (&forced, theirs)]
            .map(|(followed, text)| LogitsReader::open(followed.folder.path(), text).expect("a logits file"));
        for _ in 0..ours.n_positions() {
            let (a, b) = (a.read().expect("a position"), b.read().expect("a position"));
            furthest = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(furthest, f32::max);
        }
    }
    let own = follow(other, greedy);
    let same = dense.texts.iter().zip(&own.texts).all(|(ours, theirs)| ours.tokens == theirs.tokens);
    (furthest, same)
}

/// The bytes of each tensor, by its name.
fn tensors(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let (header, layout) = read_layout(path).expect("a header");
    let bytes = fs::read(path).expect("a model");
    let of = |start: u64, length: u64| bytes[start as usize..][..length as usize].to_vec();
    let tensors = header.tensors.iter().zip(&layout.starts);
    tensors.map(|(tensor, &start)| (tensor.name.clone(), of(start, tensor.bytes))).collect()
}

#[test]
fn copies_have_the_dense_models_logits_and_its_greedy_texts() {
    let bench = Bench::new("");
    for (ggml_type, most) in [(Q8_0, ROUNDING), (Q4_K, ROUNDING), (F32, ROUNDING), (F16, ROUNDING_IN_F16)] {
        let model = bench.path().join(format!("dense-{ggml_type}.gguf"));
        recast(&model, "llama", ggml_type, &[]);
        let dense = follow(&model, greedy);
        let (furthest, same_texts) =
            compare(&dense, &upcycle(&bench, &model, &format!("copies-{ggml_type}.gguf"), &[]));
        println!(
            "dense-tiny in type {ggml_type}: logits apart by {furthest} at most, greedy texts the same: {same_texts}"
        );
        assert!(furthest <= most && same_texts, "type {ggml_type}: {furthest}, {same_texts}");
    }
}

#[test]
fn what_is_bundled_can_be_upcycled_and_its_copies_write_its_texts() {
    let bench = Bench::new("");
    let dense = follow(&dense_tiny(), greedy);
    for seed in ["0", "1", "2"] {
        let copies = upcycle(&bench, &dense_tiny(), &format!("copies-{seed}.gguf"), &["--seed", seed]);
        let (furthest, same_texts) = compare(&dense, &copies);
        println!("dense-tiny, seed {seed}: logits apart by {furthest} at most, greedy texts the same: {same_texts}");
        assert!(furthest <= ROUNDING_IN_F16 && same_texts, "{furthest}, {same_texts}");
    }
}

#[test]
fn qwen_has_copies_too() {
    let bench = Bench::new("");
    let biases: &[_] = &[("attn_q.bias", 256), ("attn_k.bias", 256), ("attn_v.bias", 256)];
    let norms: &[_] = &[("attn_q_norm.weight", 64), ("attn_k_norm.weight", 64)];
    for (architecture, more) in [("qwen2", biases), ("qwen3", norms)] {
        for ggml_type in [Q8_0, Q4_K] {
            let model = bench.path().join(format!("{architecture}-{ggml_type}.gguf"));
            recast(&model, architecture, ggml_type, more);
            let dense = follow(&model, greedy);
            let copies = upcycle(&bench, &model, &format!("{architecture}-{ggml_type}-copies.gguf"), &[]);
            let (furthest, same_texts) = compare(&dense, &copies);
            println!(
                "{architecture} in type {ggml_type}: logits apart by {furthest} at most, greedy texts the same: {same_texts}"
            );
            assert!(furthest <= ROUNDING && same_texts, "{architecture}: {furthest}, {same_texts}");
        }
    }
}

#[test]
fn without_noise_every_expert_has_the_dense_blocks_bytes() {
    let bench = Bench::new("");
    let (dense, copies) = (tensors(&dense_tiny()), tensors(&upcycle(&bench, &dense_tiny(), "copies.gguf", &[])));
    let mut n_routed = 0;
    for (name, bytes) in &dense {
        let routed = ["ffn_gate", "ffn_up", "ffn_down"].iter().find(|block| name.contains(&format!(".{block}.")));
        match routed {
            None => assert_eq!(&copies[name], bytes, "{name}"),
            Some(block) => {
                let experts = &copies[&name.replace(block, &format!("{block}_exps"))];
                assert_eq!(experts.len(), 4 * bytes.len());
                assert!(experts.chunks_exact(bytes.len()).all(|expert| expert == bytes), "{name}");
                n_routed += 1;
            }
        }
    }
    assert_eq!(n_routed, 9);
}

#[test]
fn noise_makes_experts_differ_and_a_seed_makes_the_same_ones() {
    let bench = Bench::new("");
    for ggml_type in [F16, Q4_K] {
        let model = bench.path().join(format!("dense-{ggml_type}.gguf"));
        recast(&model, "llama", ggml_type, &[]);
        let noisy = |out: &str, seed: &str| {
            let out = format!("{out}-{ggml_type}.gguf");
            upcycle(&bench, &model, &out, &["--noise", "0.1", "--seed", seed])
        };
        let [one, again, other] = [noisy("one", "1"), noisy("again", "1"), noisy("other", "2")];
        assert!(fs::read(&one).expect("a file") == fs::read(&again).expect("a file"), "the same seed, other bytes");
        let (dense, one_tensors, other_tensors) = (tensors(&model), tensors(&one), tensors(&other));
        let down = &one_tensors["blk.1.ffn_down_exps.weight"];
        let n_bytes = dense["blk.1.ffn_down.weight"].len();
        let experts: BTreeSet<_> = down.chunks_exact(n_bytes).chain([&dense["blk.1.ffn_down.weight"][..]]).collect();
        assert_eq!(experts.len(), 5, "four experts and the dense block, all different");
        assert_ne!(down, &other_tensors["blk.1.ffn_down_exps.weight"]);
        assert_eq!(dense["blk.1.attn_q.weight"], one_tensors["blk.1.attn_q.weight"]);

        let followed = follow(&model, greedy);
        let [(a, _), (b, _)] = [&one, &other].map(|model| compare(&followed, model));
        println!("dense-tiny in type {ggml_type} with noise 0.1: logits apart by {a} and {b} at most");
        assert!(a > 10.0 * ROUNDING_IN_F16 && b > 10.0 * ROUNDING_IN_F16, "{a}, {b}");
        assert_ne!(a.to_bits(), b.to_bits());
    }
}

/// The relative size of what was added to an expert, read from the files.
#[test]
fn noise_is_as_large_as_it_was_asked_to_be() {
    let bench = Bench::new("");
    let model = bench.path().join("dense.gguf");
    recast(&model, "llama", F32, &[]);
    let noisy = tensors(&upcycle(&bench, &model, "noisy.gguf", &["--noise", "0.1", "--seed", "1"]));
    let dense = &tensors(&model)["blk.0.ffn_up.weight"];
    let numbers = |bytes: &[u8]| -> Vec<f64> {
        let of = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().expect("4 bytes")).into();
        bytes.chunks_exact(4).map(of).collect()
    };
    let length = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|n| n * n).sum::<f64>().sqrt();
    let before = numbers(dense);
    for expert in noisy["blk.0.ffn_up_exps.weight"].chunks_exact(dense.len()) {
        let after = numbers(expert);
        let added = length(&mut before.iter().zip(&after).map(|(a, b)| b - a)) / length(&mut before.iter().copied());
        assert!((added - 0.1).abs() < 0.002, "{added}");
    }
}

#[test]
fn tokens_take_whole_groups_and_not_always_the_same() {
    let bench = Bench::new("");
    let copies = upcycle(&bench, &dense_tiny(), "copies.gguf", &[]);
    let scratch = TempDir::new().expect("a folder");
    let mut worker = load(&copies, Numerics::Invariant, 1);
    let texts = trace_all(&mut worker, (&PROMPTS, MAX_TOKENS), Record::Routing, scratch.path(), greedy);
    let mut groups: BTreeMap<usize, BTreeSet<Vec<u32>>> = BTreeMap::new();
    for layers in texts.iter().flat_map(|text| read_routing(scratch.path(), text)) {
        for (layer, routed) in layers.into_iter().enumerate() {
            let mut experts = routed.experts.clone();
            experts.sort_unstable();
            let [a, b] = [0, 1].map(|index| routed.probabilities[experts[index] as usize]);
            assert_eq!(a.to_bits(), b.to_bits(), "{routed:?}");
            groups.entry(layer).or_default().insert(experts);
        }
    }
    assert_eq!(groups.len(), 3, "layers");
    let both = BTreeSet::from([vec![0, 1], vec![2, 3]]);
    assert!(groups.values().all(|taken| taken.is_subset(&both)), "{groups:?}");
    assert!(groups.values().any(|taken| *taken == both), "{groups:?}");
}

#[test]
fn a_mixture_is_one_to_inspect_and_to_llama_cpp() {
    let bench = Bench::new(MOVED);
    upcycle(&bench, &dense_tiny(), "copies.gguf", &["--seed", "7"]);
    let parsed = |text: &str| -> Value { serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}")) };
    let inspected = parsed(&bench.say(&["model", "inspect", "copies.gguf", "--json"]).stdout);
    assert_eq!([&inspected["experts"]["count"], &inspected["experts"]["used"]], [4, 2], "{inspected:#}");
    let hash = moe_sweep::model::sha256_of(&dense_tiny()).expect("the bundled model");
    let expected = serde_json::json!({ "from_sha256": hash, "experts": 4, "used": 2, "noise": 0.0, "seed": 7 });
    assert_eq!(inspected["upcycled"], expected);
    let by_header = inspected["weights"]["expert_bytes"].as_u64();
    assert_eq!(by_header, Some(4 * 3 * 3 * 256 * 768 * 2), "4 experts of 3 layers of 3 matrices in F16");

    // llama.cpp counts as experts what `offload = "all"` has it put on the host.
    bench.run("run", &[], 0);
    let manifest = parsed(&bench.result("run", "manifest.json"));
    let loads = manifest["runs"][0]["loads"].as_array().expect("loads");
    let moved = loads.iter().find(|load| load["offload"] == "all").expect("the offload was loaded");
    let places = moved["footprint"]["places"].as_array().expect("places").iter();
    let on_host = places.filter(|place| place["kind"] == "cpu").map(|place| place["expert_bytes"].as_u64());
    assert_eq!(on_host.sum::<Option<u64>>(), by_header);
}

const MOVED: &str = r#"
schema = 1
name = "x"

[generate]
max_tokens = 4
context = 32

[grid]
model = ["copies"]
chain = ["greedy"]
offload = ["none", "all"]
temperature = [1.0]

[prompts]
inline = ["Once upon a time"]

[[model]]
id = "copies"
path = "copies.gguf"
"#;

/// `MOE_SWEEP_SMOLLM2=FILE cargo test --release --test llama upcycle:: -- --nocapture`
#[test]
fn a_real_models_copies_are_that_model() {
    let Some(model) = real("MOE_SWEEP_SMOLLM2") else { return };
    let bench = Bench::new("");
    let dense = follow(&model, greedy);
    let (furthest, same_texts) = compare(&dense, &upcycle(&bench, &model, "copies.gguf", &[]));
    println!("SmolLM2: logits apart by {furthest} at most, greedy texts the same: {same_texts}");
    assert!(furthest <= ROUNDING && same_texts, "{furthest}, {same_texts}");
    let (noisy, _) = compare(&dense, &upcycle(&bench, &model, "noisy.gguf", &["--noise", "0.1", "--seed", "1"]));
    println!("SmolLM2 with noise 0.1: logits apart by {noisy} at most");
    assert!(noisy > 100.0 * ROUNDING, "{noisy}");
}

/// `MOE_SWEEP_GEMMA3=FILE cargo test --release --test llama upcycle:: -- --nocapture`
#[test]
fn a_real_gemma_is_refused_and_nothing_is_written() {
    let Some(model) = real("MOE_SWEEP_GEMMA3") else { return };
    let bench = Bench::new("");
    let model = model.to_str().expect("a path in UTF-8");
    let said = bench.say(&["model", "upcycle", model, "--experts", "4", "--used", "2", "--out", "copies.gguf"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(96), ""), "{said:#?}");
    said.says(&["gemma3", "qwen3"]);
    assert!(!bench.exists("copies.gguf"));
}
