//! Following texts through llama.cpp: looking at the routers changes nothing,
//! and what is read there is what the routers did.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support::{PROGRAM, models};
use moe_sweep::domain::{Eos, Generation, LoadKey, Numerics, Offload, PromptKey, ResolvedChain, Step, Stop};
use moe_sweep::engine::trace::{Follow, LogitsReader, Record, Routed, RoutingReader, TraceText};
use moe_sweep::engine::{Group, Job, LoadMode, LoadSettings, Samplers, Sharing, Strategy, TraceWork, Traced, Work};
use moe_sweep::model::blake3_of;
use moe_sweep::worker::protocol::{Reply, Request};
use moe_sweep::worker::{Executable, Worker, kernels};
use tempfile::TempDir;

const PROMPTS: [&str; 3] = ["Artificial intelligence is", "Once upon a time", "Explain how solar panels work."];
const MAX_TOKENS: u32 = 24;

/// A model loaded in a worker, `batch` texts side by side.
pub(super) fn load(model: &Path, numerics: Numerics, batch: u32) -> Worker {
    let executable = Executable::new(PROGRAM.into(), None);
    kernels(&executable).expect("kernels");
    let mut worker = Worker::start(&executable, numerics).expect("a worker");
    worker.send(&Request::Load(LoadSettings {
        path: model.to_owned(),
        blake3: blake3_of(model).expect("a model's file"),
        levels: LoadKey::usual("model").with(Offload::None),
        numerics,
        context: 128,
        strategy: Strategy { lanes: 1, threads: 1, batch },
        samplers: Samplers::Llama,
        sharing: Sharing::Trie,
        load_mode: LoadMode::Auto,
    }));
    assert!(matches!(reply(&mut worker), Reply::Loaded { .. }));
    worker
}

/// The next reply that is no sign of life.
fn reply(worker: &mut Worker) -> Reply {
    loop {
        match worker.receive(Duration::from_secs(60)) {
            Ok(Reply::Worked(_) | Reply::Started { .. } | Reply::Stepped) => {}
            Ok(reply) => return reply,
            Err(silence) => panic!("{silence:?}"),
        }
    }
}

fn trace(worker: &mut Worker, record: Record, directory: &Path, follow: impl Fn(usize) -> Follow) -> Vec<Traced> {
    trace_all(worker, (&PROMPTS, MAX_TOKENS), record, directory, follow)
}

pub(super) fn trace_all(
    worker: &mut Worker,
    (prompts, max_tokens): (&[&str], u32),
    record: Record,
    directory: &Path,
    follow: impl Fn(usize) -> Follow,
) -> Vec<Traced> {
    let text = |(index, prompt): (usize, &&str)| TraceText {
        ticket: index as u32,
        prompt: (*prompt).to_owned(),
        key: PromptKey::default(),
        follow: follow(index),
    };
    let texts = prompts.iter().enumerate().map(text).collect();
    let directory = directory.to_owned();
    worker.send(&Request::Trace(TraceWork { max_tokens, texts, record, directory }));
    match reply(worker) {
        Reply::Traced(traced) => traced,
        other => panic!("{other:?}"),
    }
}

pub(super) fn greedy(_: usize) -> Follow {
    Follow::Greedy
}

/// What a sweep generates from the prompts with the greedy chain.
fn generate(worker: &mut Worker) -> Vec<Generation> {
    let group = |(index, prompt): (usize, &&str)| Group {
        prompt: (*prompt).to_owned(),
        key: PromptKey::default(),
        jobs: vec![Job {
            ticket: index as u32,
            chain: ResolvedChain(vec![Step::Greedy]),
            seed: None,
            eos: Eos::default(),
        }],
    };
    let groups = PROMPTS.iter().enumerate().map(group).collect();
    worker.send(&Request::Generate(Work { max_tokens: MAX_TOKENS, groups, hash_logits: true }));
    let mut generations = Vec::new();
    loop {
        match reply(worker) {
            Reply::Finished { ticket, generation, .. } => generations.push((ticket, generation)),
            Reply::Idle => break,
            other => panic!("{other:?}"),
        }
    }
    generations.sort_by_key(|(ticket, _)| *ticket);
    generations.into_iter().map(|(_, generation)| generation).collect()
}

pub(super) fn read_routing(directory: &Path, traced: &Traced) -> Vec<Vec<Routed>> {
    let shape = traced.routing.as_ref().expect("routing was recorded");
    let mut reader = RoutingReader::open(directory, traced, shape).expect("a routing file");
    (0..traced.n_positions()).map(|_| reader.read().expect("a position")).collect()
}

#[test]
fn capturing_changes_no_logit_and_they_are_those_of_a_sweep() {
    let scratch = TempDir::new().expect("a temporary directory");
    for model in ["deepseek-tiny", "phi-moe-tiny", "gpt-oss-tiny"] {
        let path = models().join(format!("{model}.gguf"));
        for (numerics, batch) in [(Numerics::Invariant, 1), (Numerics::Invariant, 3), (Numerics::Fast, 3)] {
            let mut worker = load(&path, numerics, batch);
            let without = trace(&mut worker, Record::Nothing, scratch.path(), greedy);
            let with = trace(&mut worker, Record::Routing, scratch.path(), greedy);
            for (without, with) in without.iter().zip(&with) {
                assert_eq!(without.tokens, with.tokens, "{model}");
                assert_eq!(without.logits_blake3, with.logits_blake3, "{model} {numerics} {batch}");
                assert!(without.routing.is_none() && with.routing.is_some());
            }
            if numerics == Numerics::Invariant {
                for (traced, generation) in without.iter().zip(generate(&mut worker)) {
                    assert_eq!(Some(&traced.tokens), generation.tokens.as_ref(), "{model} {batch}");
                    assert_eq!(traced.stop, generation.stop);
                    assert_eq!(Some(&traced.logits_blake3), generation.logits_blake3.as_ref(), "{model} {batch}");
                }
            }
        }
    }
}

#[test]
fn a_forced_text_has_the_logits_of_the_same_text_chosen() {
    let scratch = TempDir::new().expect("a temporary directory");
    let mut worker = load(&models().join("deepseek-tiny.gguf"), Numerics::Invariant, 2);
    let chosen = trace(&mut worker, Record::Nothing, scratch.path(), greedy);
    let forced = trace(&mut worker, Record::Logits, scratch.path(), |index| Follow::Forced {
        tokens: chosen[index].tokens.clone(),
        stop: chosen[index].stop,
    });
    assert_eq!(chosen, forced);
    // Other tokens, other logits: what is forced is what is evaluated.
    let other = trace(&mut worker, Record::Nothing, scratch.path(), |index| Follow::Forced {
        tokens: chosen[index].tokens.iter().map(|token| token ^ 1).collect(),
        stop: Stop::MaxTokens,
    });
    assert!(chosen.iter().zip(&other).all(|(chosen, other)| chosen.logits_blake3 != other.logits_blake3));
    // The files hold what was hashed.
    for traced in &forced {
        let mut reader = LogitsReader::open(scratch.path(), traced).expect("a logits file");
        let mut hasher = blake3::Hasher::new();
        for _ in 0..traced.n_positions() {
            for logit in reader.read().expect("a position") {
                hasher.update(&logit.to_le_bytes());
            }
        }
        assert_eq!(hasher.finalize().to_hex().to_string(), traced.logits_blake3);
    }
}

#[test]
fn routing_is_complete_and_consistent() {
    let scratch = TempDir::new().expect("a temporary directory");
    for model in ["deepseek-tiny", "phi-moe-tiny", "gpt-oss-tiny"] {
        let mut worker = load(&models().join(format!("{model}.gguf")), Numerics::Invariant, 2);
        for traced in trace(&mut worker, Record::Routing, scratch.path(), greedy) {
            let shape = traced.routing.clone().expect("routing");
            for routed in read_routing(scratch.path(), &traced).into_iter().flatten() {
                let sum: f32 = routed.probabilities.iter().sum();
                assert!((sum - 1.0).abs() < 1e-5, "{model}: {sum}");
                assert_eq!(routed.experts.len(), shape.n_used as usize);
                assert!(routed.experts.iter().all(|&expert| expert < shape.n_expert), "{model}: {routed:?}");
                // These routers select by their probabilities: best first.
                let selected = routed.experts.iter().map(|&expert| routed.probabilities[expert as usize]);
                assert!(selected.clone().is_sorted_by(|a, b| a >= b), "{model}: {routed:?}");
                let least = selected.fold(f32::INFINITY, f32::min);
                let better = routed.probabilities.iter().filter(|&&p| p > least).count();
                assert!(better < shape.n_used as usize, "{model}: {routed:?}");
            }
        }
    }
}

#[test]
fn a_dense_model_has_no_routing() {
    let scratch = TempDir::new().expect("a temporary directory");
    let mut worker = load(&models().join("dense-tiny.gguf"), Numerics::Invariant, 1);
    let texts =
        vec![TraceText { ticket: 0, prompt: "One".to_owned(), key: PromptKey::default(), follow: Follow::Greedy }];
    let directory = scratch.path().to_owned();
    let record = Record::Routing;
    worker.send(&Request::Trace(TraceWork { max_tokens: 4, texts, record, directory }));
    let silence = worker.receive(Duration::from_secs(60)).expect_err("no routing");
    assert!(format!("{silence:?}").contains("has no experts"), "{silence:?}");
}

/// The table of docs/mechanism.md: how far invariant and fast numerics' logits
/// are apart where their routers select other experts, and elsewhere.
/// `cargo test --release --test llama trace:: -- --ignored --nocapture`
#[test]
#[ignore = "for its table: on another CPU rounding may bring no router to choose otherwise"]
fn where_rounding_shows() {
    let prompts = fs::read_to_string(models().join("../experiments/prompts/finding.txt")).expect("the prompts");
    let prompts: Vec<&str> = prompts.lines().collect();
    let sets = |layers: &[Routed]| -> Vec<BTreeSet<u32>> {
        layers.iter().map(|routed| routed.experts.iter().copied().collect()).collect()
    };
    for model in ["deepseek-tiny", "phi-moe-tiny", "gpt-oss-tiny"] {
        let scratch =
            [Numerics::Invariant, Numerics::Fast].map(|numerics| (numerics, TempDir::new().expect("a folder")));
        let path = models().join(format!("{model}.gguf"));
        let texts = (prompts.as_slice(), 60);
        let chosen = trace_all(&mut load(&path, Numerics::Invariant, 1), texts, Record::Nothing, Path::new(""), greedy);
        let force = |index: usize| {
            let Traced { tokens, stop, .. } = &chosen[index];
            Follow::Forced { tokens: tokens.clone(), stop: *stop }
        };
        let arms = scratch.each_ref().map(|(numerics, folder)| {
            let mut worker = load(&path, *numerics, 1);
            let logits = trace_all(&mut worker, texts, Record::Logits, folder.path(), force);
            (folder.path(), logits, trace_all(&mut worker, texts, Record::Routing, folder.path(), force))
        });
        let (mut before, mut at, mut after) = (vec![], vec![], vec![]);
        for (index, text) in chosen.iter().enumerate() {
            let [mut ours, mut theirs] = arms
                .each_ref()
                .map(|(folder, logits, _)| LogitsReader::open(folder, &logits[index]).expect("a logits file"));
            let [experts, others] = arms.each_ref().map(|(folder, _, routing)| read_routing(folder, &routing[index]));
            let mut parted = false;
            for position in 0..text.n_positions() {
                let (a, b) = (ours.read().expect("a position"), theirs.read().expect("a position"));
                let difference = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                if sets(&experts[position]) != sets(&others[position]) {
                    parted = true;
                    at.push(difference);
                } else if parted {
                    after.push(difference);
                } else {
                    before.push(difference);
                }
            }
        }
        for (what, mut differences) in
            [("no text's experts differ yet", before), ("experts differ", at), ("after", after)]
        {
            differences.sort_by(f32::total_cmp);
            let (n, median) = (differences.len(), differences.get(differences.len() / 2));
            let (least, most) = (differences.first(), differences.last());
            println!("{model:14} {what:30} n {n:5} least {least:?} median {median:?} most {most:?}");
        }
    }
}

/// The first dimension of every embedding: so large that after any norm it is
/// nearly all there is of a token.
const LOUD: f32 = 1000.0;

#[test]
fn a_router_that_we_forced_is_read_back_exactly() {
    let scratch = TempDir::new().expect("a temporary directory");
    let mut file = ModelFile::read("deepseek-tiny.gguf");
    let embedding = file.tensor("token_embd.weight");
    let (n_embd, n_vocab) = (embedding.dims[0], embedding.dims[1]);
    for token in 0..n_vocab {
        file.set(&embedding, token * n_embd, LOUD);
    }
    // Router scores are then the first weight of each expert times a positive
    // number: a shuffled ladder in every layer, another one in each.
    let mut expected = Vec::new();
    for layer in 0..64 {
        let name = format!("blk.{layer}.ffn_gate_inp.weight");
        let Some(router) = file.find(&name) else { continue };
        let n_expert = router.dims[1];
        assert!(file.get(&file.tensor(&format!("blk.{layer}.ffn_norm.weight")), 0) > 0.0, "the norm keeps the sign");
        let rung = |expert: usize| (expert * 3 + layer) % n_expert;
        assert_eq!((0..n_expert).map(rung).collect::<BTreeSet<_>>().len(), n_expert);
        for expert in 0..n_expert {
            for index in 0..n_embd {
                let weight = if index == 0 { rung(expert) as f32 * 0.125 } else { 0.0 };
                file.set(&router, expert * n_embd + index, weight);
            }
        }
        let mut order: Vec<u32> = (0..n_expert as u32).collect();
        order.sort_by_key(|&expert| std::cmp::Reverse(rung(expert as usize)));
        expected.push((layer as u32, order));
    }
    assert!(expected.len() > 1, "a model with routers");
    let path = scratch.path().join("forced.gguf");
    fs::write(&path, &file.bytes).expect("a copy");

    let mut worker = load(&path, Numerics::Invariant, 2);
    for traced in trace(&mut worker, Record::Routing, scratch.path(), greedy) {
        let shape = traced.routing.clone().expect("routing");
        assert_eq!(shape.layers, expected.iter().map(|(layer, _)| *layer).collect::<Vec<_>>());
        let positions = read_routing(scratch.path(), &traced);
        assert_eq!(positions.len(), traced.n_positions());
        for layers in positions {
            for (routed, (layer, order)) in layers.iter().zip(&expected) {
                assert_eq!(routed.experts, order[..shape.n_used as usize], "layer {layer}");
                let ladder = order
                    .windows(2)
                    .all(|pair| routed.probabilities[pair[0] as usize] > routed.probabilities[pair[1] as usize]);
                assert!(ladder, "layer {layer}: {:?}", routed.probabilities);
            }
        }
    }
}

/// A bundled model whose weights can be changed in place.
struct ModelFile {
    bytes: Vec<u8>,
    /// Where the tensors' data begin.
    data: usize,
}

struct TensorEntry {
    dims: Vec<usize>,
    /// 0 is F32, 1 is F16, as in `ggml_type`.
    kind: u32,
    /// In the file.
    start: usize,
}

impl ModelFile {
    fn read(name: &str) -> Self {
        let path = models().join(name);
        let tensors = moe_sweep::model::gguf::Gguf::read(&path).expect("a header").tensors;
        // Data are padded to 32 bytes each and end the file.
        let data: u64 = tensors.iter().map(|tensor| tensor.bytes.next_multiple_of(32)).sum();
        let bytes = fs::read(path).expect("a model");
        let data = (bytes.len() as u64).next_multiple_of(32) - data;
        Self { bytes, data: data as usize }
    }

    /// The tensor's entry in the header, found by its name: dimensions, type, offset.
    fn find(&self, name: &str) -> Option<TensorEntry> {
        let entry = [&(name.len() as u64).to_le_bytes(), name.as_bytes()].concat();
        let at = self.bytes.windows(entry.len()).position(|window| window == entry)? + entry.len();
        let u32_at = |at: usize| u32::from_le_bytes(self.bytes[at..at + 4].try_into().expect("4 bytes"));
        let u64_at = |at: usize| u64::from_le_bytes(self.bytes[at..at + 8].try_into().expect("8 bytes")) as usize;
        let n_dims = u32_at(at) as usize;
        let dims: Vec<_> = (0..n_dims).map(|dim| u64_at(at + 4 + 8 * dim)).collect();
        let (kind, offset) = (u32_at(at + 4 + 8 * n_dims), u64_at(at + 8 + 8 * n_dims));
        Some(TensorEntry { dims, kind, start: self.data + offset })
    }

    fn tensor(&self, name: &str) -> TensorEntry {
        self.find(name).unwrap_or_else(|| panic!("no tensor {name}"))
    }

    fn get(&self, TensorEntry { kind, start, .. }: &TensorEntry, index: usize) -> f32 {
        assert_eq!(*kind, 0, "F32");
        f32::from_le_bytes(self.bytes[start + 4 * index..][..4].try_into().expect("4 bytes"))
    }

    fn set(&mut self, TensorEntry { kind, start, .. }: &TensorEntry, index: usize, value: f32) {
        match kind {
            0 => self.bytes[start + 4 * index..][..4].copy_from_slice(&value.to_le_bytes()),
            1 => {
                assert_eq!(value.to_bits(), LOUD.to_bits(), "the only F16 that is written");
                self.bytes[start + 2 * index..][..2].copy_from_slice(&0x63D0_u16.to_le_bytes());
            }
            other => panic!("type {other} can't be written"),
        }
    }
}
