//! `moe-sweep model upcycle`: copies are the dense model, noise is not, and both are mixtures to llama.cpp.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use moe_sweep::domain::Numerics;
use moe_sweep::engine::Traced;
use moe_sweep::engine::trace::{Follow, LogitsReader, Record};
use moe_sweep::model::gguf::{Draft, TensorType, read_layout};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Bench, Said, models};
use crate::trace::{greedy, load, read_routing, trace_all};

const PROMPTS: [&str; 4] = ["Artificial intelligence is", "Once upon a time", "The weather", "Dear Sir or Madam,"];
const MAX_TOKENS: u32 = 40;
/// How far a copy's logits may be from the dense model's.
const ROUNDING: f32 = 1e-3;

fn dense_tiny() -> PathBuf {
    models().join("dense-tiny.gguf")
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

#[test]
fn figures() {
    let bench = Bench::new("");
    for (name, model) in [("tiny", dense_tiny()), ("smol", "/work/models-real/SmolLM2-135M-Instruct.Q4_1.gguf".into())]
    {
        let dense = follow(&model, greedy);
        for (n, more) in [
            &[][..],
            &["--seed", "2"],
            &["--noise", "1e-6"],
            &["--noise", "0.01"],
            &["--noise", "0.1"],
            &["--noise", "0.1", "--seed", "2"],
        ]
        .iter()
        .enumerate()
        {
            let t = std::time::Instant::now();
            let m = upcycle(&bench, &model, &format!("{name}{n}.gguf"), more);
            let t = t.elapsed();
            println!("{name} {more:?} {t:?} {:?} {}", compare(&dense, &m), fs::metadata(&m).unwrap().len());
        }
    }
}
