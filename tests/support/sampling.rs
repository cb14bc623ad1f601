//! Chains and made-up logits for comparing samplers, in tests and benches.
#![allow(dead_code)] // the bench uses a part of this

use std::path::Path;
use std::sync::LazyLock;

use llama::{
    ContextOptions, HostExperts, Kernels, Llama, LoadMode, Model, Numerics, Overflow, Repack, Samplers, Settings,
    Sharing, Strategy,
};
use moe_sweep::domain::Chain;
use moe_sweep::experiment::{self, Surroundings};
use rand::{Rng, RngExt};

/// The built-in chains and the one of experiments/cause.toml.
pub const CHAINS: [&str; 8] =
    ["shimmy-1.7", "shimmy-1.7-fixed", "no-division", "llama.cpp", "ollama-go", "vllm", "pure", "greedy"];

/// Chains that nobody ships, for the ways through the code that these miss.
const MADE_UP: &str = r#"
schema = 1
name = "x"

[generate]
max_tokens = 1
context = 8

[grid]
model = ["m"]
chain = ["early", "counted", "wide", "mixed", "nucleus", "kept", "hot"]
temperature = [1.0]

[prompts]
inline = ["p"]

[[model]]
id = "m"
path = "m.gguf"

[[chain]]
id = "early"
steps = [{ penalties = { last_n = 8, repeat = 1.3, frequency = 0.0, presence = 0.0 } },
         { temperature = "T" }, { top_p = 0.95 }, "dist"]

[[chain]]
id = "counted"
steps = [{ penalties = { last_n = 64, repeat = 1.0, frequency = 0.5, presence = 0.0 } },
         { min_p = 0.05 }, { temperature = "T" }, "dist"]

[[chain]]
id = "wide"
steps = [{ top_k = 300 }, { temperature = "T" }, { top_p = 0.99 }, { min_p = 0.01 }, "dist"]

[[chain]]
id = "mixed"
steps = [{ min_p = 0.02 }, { top_p = { p = 0.8, min_keep = 3 } }, { temperature = "T" },
         { penalties = { last_n = 64, repeat = 1.2, frequency = 0.0, presence = 0.0 } }, "dist"]

[[chain]]
id = "nucleus"
steps = [{ temperature = "T" }, { top_p = { p = 0.999, min_keep = 5 } }, "dist"]

[[chain]]
id = "kept"
steps = [{ temperature = "T" }, { min_p = { p = 0.3, min_keep = 200 } }, { top_k = 150 }, "dist"]

[[chain]]
id = "hot"
steps = [{ temperature = "T" }, "greedy"]
"#;

fn chains_of(text: &str) -> Vec<Chain> {
    let surroundings = Surroundings {
        directory: "experiments".into(),
        catalogue: Vec::new(),
        prompts_file: Some(Ok("a prompt\nanother one".to_owned())),
        ..Surroundings::default()
    };
    let raw = experiment::parse("x.toml", text).expect("TOML of an experiment");
    experiment::resolve("x.toml", text, &raw, &surroundings).expect("a sound experiment").grid.chains
}

/// [`CHAINS`].
pub fn shipped_chains() -> Vec<Chain> {
    let cause = include_str!("../../experiments/cause.toml");
    let ids = CHAINS.map(|id| format!("{id:?}")).join(", ");
    // Whatever models the experiment names: only its chains matter here.
    let edited = |line: &str| match line.split_once(" = [") {
        Some(("chain", _)) => format!("chain = [{ids}]\n"),
        Some(("model", _)) => "model = [\"m\"]\n".to_owned(),
        _ => format!("{line}\n"),
    };
    let model = "[[model]]\nid = \"m\"\npath = \"m.gguf\"\n";
    chains_of(&(cause.lines().map(edited).collect::<String>() + model))
}

/// All chains to compare.
pub fn chains() -> Vec<Chain> {
    shipped_chains().into_iter().chain(chains_of(MADE_UP)).collect()
}

/// llama.cpp's samplers want a model beside the logits; any will do.
pub fn model() -> &'static Model {
    static MODEL: LazyLock<(Llama, Model)> = LazyLock::new(|| {
        let llama = Llama::start(Kernels::Ggml).expect("llama.cpp starts once");
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/models/deepseek-tiny.gguf"));
        let settings = Settings {
            experts_used: None,
            experts: HostExperts::None,
            repack: Repack::On,
            options: ContextOptions::default(),
            numerics: Numerics::Invariant,
            context: 8,
            overflow: Overflow::Refuse,
            strategy: Strategy { lanes: 1, threads: 1, rows: 1 },
            samplers: Samplers::Llama,
            sharing: Sharing::Trie,
            load_mode: LoadMode::Auto,
        };
        let model = Model::load(&llama, path, &settings).expect("the bundled model loads");
        (llama, model)
    });
    &MODEL.1
}

/// Logits as a model gives them, more or less: a bell of `spread`, and a few
/// tokens that stand out.
pub fn logits(rng: &mut impl Rng, n_vocab: usize, spread: f32) -> Vec<f32> {
    let bell = |rng: &mut _| (0..6).map(|_| RngExt::random_range(rng, -1.0f32..1.0)).sum::<f32>();
    let mut logits: Vec<f32> = (0..n_vocab).map(|_| spread * bell(rng) / std::f32::consts::SQRT_2).collect();
    for place in 0..8.min(n_vocab) {
        let token = rng.random_range(0..n_vocab);
        logits[token] = spread * (5.0 - 0.4 * place as f32) + rng.random_range(0.0..1.0);
    }
    logits
}
