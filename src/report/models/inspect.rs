//! A model's header as `model inspect` shows it: in words, and as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::domain::Offload;
use crate::model::findings::Examination;
use crate::model::gguf::Gguf;
use crate::model::memory::{Estimate, Placement, Room};
use crate::model::{Anatomy, KvHeads, UpcycledFrom, human_bytes, human_count};
use crate::plain::neutralise;
use crate::report::findings::{self, Shown, ShownOpen};
use crate::screen::Lines;

/// What a model's header tells, in the shape in which `--json` prints it.
#[derive(Serialize)]
pub struct Inspected<'a> {
    /// The file, or the parts of a split set in order.
    paths: Vec<String>,
    gguf_version: u32,
    findings: Vec<Shown<'a>>,
    /// What was looked at and could not be decided.
    not_decided: Vec<ShownOpen>,
    #[serde(flatten)]
    anatomy: &'a Anatomy,
    memory: Memory,
}

#[derive(Serialize)]
struct Memory {
    /// Tokens of context for each sequence, which the rest is for.
    context: u32,
    kv_bytes_per_sequence: Option<u64>,
    /// Buffers of a context with one text.
    compute_bytes: u64,
    /// Where the weights are with an accelerator; without one, all on the host.
    offload_none: Placement,
    offload_all: Placement,
}

impl<'a> Inspected<'a> {
    /// `estimate` is for the contexts that are asked about.
    pub fn new(gguf: &Gguf, examination: &'a Examination, anatomy: &'a Anatomy, estimate: &Estimate) -> Self {
        Self {
            paths: gguf.paths.iter().map(|path| path.display().to_string()).collect(),
            gguf_version: gguf.version,
            findings: examination.findings.iter().map(Shown::from).collect(),
            not_decided: examination.open.iter().map(ShownOpen::from).collect(),
            anatomy,
            memory: Memory {
                context: estimate.context,
                kv_bytes_per_sequence: estimate.kv_bytes_per_sequence,
                compute_bytes: estimate.compute_bytes(Room::LEAST.sequences()),
                offload_none: Placement::of(anatomy, Offload::None),
                offload_all: Placement::of(anatomy, Offload::All),
            },
        }
    }
}

/// Lines of a name and what it has; what is not known has no line.
struct Facts(Lines);

impl Facts {
    fn add(&mut self, name: &str, text: impl AsRef<str>) {
        self.0.text(&format!("{name:14}"), text.as_ref());
    }

    fn add_some(&mut self, name: &str, text: Option<impl ToString>) {
        if let Some(text) = text {
            self.add(name, text.to_string());
        }
    }
}

/// The same in words: what is wrong, then a line a fact.
pub fn describe(gguf: &Gguf, examination: &Examination, anatomy: &Anatomy, estimate: &Estimate) -> Lines {
    let Anatomy { attention, tokenizer, parameters, .. } = anatomy;
    let mut lines = Facts(Lines::default());
    let parts = if anatomy.files > 1 { format!(" in {} files", anatomy.files) } else { String::new() };
    let first = gguf.paths[0].display().to_string();
    lines.add(
        "file",
        format!("{} ({}{parts}, GGUF {})", neutralise(&first), human_bytes(anatomy.file_bytes), gguf.version),
    );
    lines.0.blank();
    lines.0.append(findings::of_model(examination));
    lines.0.blank();
    lines.add_some("name", anatomy.name.as_deref().map(neutralise));
    lines.add("architecture", neutralise(&anatomy.architecture));
    lines.add_some("quantisation", anatomy.quantisation);
    let active = parameters.active.filter(|_| anatomy.experts.is_some());
    let active = active.map_or_else(String::new, |active| format!(", {} active for a token", human_count(active)));
    lines.add("parameters", format!("{}{active}", human_count(parameters.total)));
    lines.add_some("layers", anatomy.layers);
    lines.add("experts", experts(anatomy));
    lines.add_some("upcycled", anatomy.upcycled.as_ref().map(upcycled));
    lines.add_some("embedding", anatomy.embedding_length);
    lines.add_some("attention", heads(anatomy));
    let window = attention.sliding_window.map(|window| format!("{window} tokens in the layers that have one"));
    lines.add_some("window", window);
    lines.add_some("context", anatomy.context_length.map(|length| format!("{length} tokens in training")));
    let kind = tokenizer.model.as_deref().map_or_else(String::new, |kind| format!(" ({})", neutralise(kind)));
    lines.add_some("vocabulary", anatomy.vocabulary_size.map(|size| format!("{size} tokens{kind}")));
    lines.add("BOS", bos(anatomy));
    let template = tokenizer.chat_template.as_ref();
    lines.add(
        "chat template",
        template.map_or_else(
            || "none".to_owned(),
            |template| format!("{} characters; --json shows it", template.chars().count()),
        ),
    );
    lines.0.blank();
    lines.0.append(Lines::from(&tensors(anatomy)));
    lines.0.blank();
    lines.0.append(Lines::from(&layers(anatomy)));
    lines.0.blank();
    lines.0.prose(&memory(anatomy, estimate));
    lines.0
}

fn experts(anatomy: &Anatomy) -> String {
    let Some(experts) = &anatomy.experts else { return "none: a dense model".to_owned() };
    let used = experts.used.map_or_else(String::new, |used| format!(", {used} used for a token"));
    let shared = match experts.shared {
        Some(shared) if shared > 0 => format!(", and {shared} shared"),
        _ => String::new(),
    };
    format!("{} in a layer{used}{shared}", experts.count)
}

fn upcycled(upcycled: &UpcycledFrom) -> String {
    let UpcycledFrom { from_sha256, experts, used, noise, seed } = upcycled;
    let made = match noise {
        0.0 => "copies".to_owned(),
        noise => format!("copies with noise {noise}"),
    };
    let hash = neutralise(from_sha256);
    format!(
        "{experts} {made} of each feed-forward block, {used} used, seed {seed}, from the dense model with SHA-256 {hash}"
    )
}

fn heads(anatomy: &Anatomy) -> Option<String> {
    let attention = &anatomy.attention;
    let heads = attention.heads?;
    let kv = match attention.kv_heads.as_ref()? {
        KvHeads::Same(n) => n.to_string(),
        KvHeads::EachLayer(each) => {
            format!("{} to {}", each.iter().min().copied().unwrap_or(0), each.iter().max().copied().unwrap_or(0))
        }
    };
    let (key, value) = (attention.key_length?, attention.value_length?);
    let latent = if attention.latent { ", latent" } else { "" };
    Some(format!("{heads} heads, {kv} of keys and values; keys {key} wide, values {value}{latent}"))
}

fn bos(anatomy: &Anatomy) -> String {
    let tokenizer = &anatomy.tokenizer;
    let id = tokenizer.bos_id.map_or_else(|| "no token is named".to_owned(), |id| format!("token {id}"));
    let added = match tokenizer.add_bos {
        Some(true) => "added to prompts",
        Some(false) => "not added to prompts",
        None => "whether it is added, the tokenizer's kind decides",
    };
    format!("{id}, {added}")
}

fn tensors(anatomy: &Anatomy) -> String {
    let mut out = format!("{:8} {:>8} {:>11} {:>10}\n", "type", "tensors", "parameters", "size");
    for share in &anatomy.weights.types {
        let (parameters, bytes) = (human_count(share.parameters), human_bytes(share.bytes));
        let _ = writeln!(out, "{:8} {:>8} {parameters:>11} {bytes:>10}", share.tensor_type.name(), share.tensors);
    }
    out
}

/// Layers of the same sizes stand in one line.
fn layers(anatomy: &Anatomy) -> String {
    let weights = &anatomy.weights;
    let mut out = format!("{:8} {:>10} {:>10}\n", "layers", "experts", "the rest");
    let mut row = |name: &str, experts: u64, rest: u64| {
        let _ = writeln!(out, "{name:8} {:>10} {:>10}", human_bytes(experts), human_bytes(rest));
    };
    let of_layers = weights.by_layer.chunk_by(|a, b| {
        (a.expert_bytes, a.other_bytes) == (b.expert_bytes, b.other_bytes) && a.layer.checked_add(1) == Some(b.layer)
    });
    for same in of_layers {
        let [first, last] = [same.first(), same.last()].map(|layer| layer.expect("a chunk is not empty"));
        let name =
            if same.len() == 1 { first.layer.to_string() } else { format!("{}-{} each", first.layer, last.layer) };
        row(&name, first.expert_bytes, first.other_bytes);
    }
    let in_layers = weights.by_layer.iter().fold(0_u64, |sum, layer| sum.saturating_add(layer.other_bytes));
    row("no layer", 0, weights.other_bytes.saturating_sub(in_layers));
    row("all", weights.expert_bytes, weights.other_bytes);
    out
}

fn memory(anatomy: &Anatomy, estimate: &Estimate) -> String {
    let mut out = format!("memory for contexts of {} tokens (--context), about\n", estimate.context);
    let mut row = |name: &str, text: String| {
        let _ = writeln!(out, "  {name:14}{text}");
    };
    row("weights", human_bytes(estimate.weights.bytes()));
    let cache = estimate.kv_bytes_per_sequence.map_or_else(
        || "not told by the metadata".to_owned(),
        |bytes| format!("{} for each text, in F16", human_bytes(bytes)),
    );
    row("cache", cache);
    row("buffers", human_bytes(estimate.compute_bytes(Room::LEAST.sequences())));
    let [none, all] = [Offload::None, Offload::All].map(|offload| Placement::of(anatomy, offload));
    let split = |placement: Placement| {
        let [device, host] = [placement.device_bytes, placement.host_bytes].map(human_bytes);
        format!("{device} on an accelerator, {host} on the host")
    };
    row("offload none", split(none));
    row("offload all", split(all));
    out
}
