//! `moe-sweep model upcycle` on good input without llama.cpp, and on bad input.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use moe_sweep::model::sha256_of;

use crate::support::gguf as made;
use crate::support::{Bench, GGUF, PROGRAM, Said, without_the_callers_variables};

const F32: u32 = made::F32;
/// A type that llama.cpp needs an importance matrix for, and its bytes for 256 weights.
const IQ2_XXS: (u32, u64) = (16, 66);

/// A small dense model: 2 layers, feed-forward blocks in this type with so many bytes for 256 weights.
fn dense(architecture: &str, (block_type, block_bytes): (u32, u64)) -> made::Builder {
    let key = |name: &str| format!("{architecture}.{name}");
    let mut builder = made::Builder::new()
        .text("general.architecture", architecture)
        .text("general.name", "Tiny")
        .u32(&key("block_count"), 2)
        .u32(&key("context_length"), 128)
        .u32(&key("embedding_length"), 256)
        .u32(&key("feed_forward_length"), 512)
        .u32(&key("attention.head_count"), 4)
        .text("tokenizer.ggml.model", "gpt2")
        .texts("tokenizer.ggml.tokens", &["a", "b"])
        .tensor("token_embd.weight", &[256, 2], F32, 2048);
    for layer in 0..2 {
        let block = 512 * block_bytes;
        builder = builder
            .tensor(&format!("blk.{layer}.attn_q.weight"), &[256, 256], F32, 1 << 18)
            .tensor(&format!("blk.{layer}.ffn_norm.weight"), &[256], F32, 1024)
            .tensor(&format!("blk.{layer}.ffn_gate.weight"), &[256, 512], block_type, block)
            .tensor(&format!("blk.{layer}.ffn_up.weight"), &[256, 512], block_type, block)
            .tensor(&format!("blk.{layer}.ffn_down.weight"), &[512, 256], block_type, block);
    }
    builder
}

fn llama() -> made::Builder {
    dense("llama", (F32, 1024))
}

fn upcycle(bench: &Bench, model: &str, more: &[&str]) -> Said {
    bench.say(&[&["model", "upcycle", model, "--experts", "4", "--used", "2", "--out", "out.gguf"], more].concat())
}

/// The message of a refusal with this exit code, after which there is no file, whole or half, that was not there.
fn refused(bench: &Bench, model: &str, more: &[&str], code: i32) -> String {
    let files = || -> Vec<_> {
        fs::read_dir(bench.path()).expect("the bench").map(|entry| entry.expect("a file").path()).collect()
    };
    let before = files().len();
    let said = upcycle(bench, model, more);
    assert_eq!((said.code, said.stdout.as_str()), (Some(code), ""), "{said:#?}");
    assert_eq!(files().len(), before, "{:?}", files());
    said.stderr.replace(&bench.path().display().to_string(), "BENCH")
}

#[test]
fn copies_need_no_llama_cpp() {
    let bench = Bench::new(GGUF);
    bench.write("m.gguf", llama().file());
    let said = upcycle(&bench, "m.gguf", &["--seed", "3"]);
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{said:#?}");
    // Routers are drawn with logarithms, of which the last digit is the machine's.
    let hash = sha256_of(&bench.path().join("out.gguf")).expect("a file");
    assert!(said.stdout.contains(&hash), "{}", said.stdout);
    insta::assert_snapshot!(said.stdout.replace(&hash, "HASH") + &bench.say(&["model", "inspect", "out.gguf"]).stdout);
    // A name is looked up as everywhere, and what came out is a mixture.
    let again = refused(&bench, "m", &["--experiment", "x.toml"], 96);
    assert!(again.contains("out.gguf already exists"), "{again}");
    fs::rename(bench.path().join("out.gguf"), bench.path().join("mixture.gguf")).expect("a file");
    assert!(refused(&bench, "mixture.gguf", &[], 96).contains("is already a mixture of experts: 4 experts per layer"));
}

#[test]
fn numbers_that_make_no_mixture_are_refused_as_typed() {
    let bench = Bench::new(GGUF);
    bench.write("m.gguf", llama().file());
    for (more, part) in [
        (["--noise", "-0.1"], "give 0, or a number above it"),
        (["--noise", "nan"], "give 0, or a number above it"),
        (["--noise", "inf"], "give 0, or a number above it"),
        (["--noise", "much"], "invalid float literal"),
        (["--seed", "-1"], "--seed"),
    ] {
        let said = refused(&bench, "m.gguf", &more, 2);
        assert!(said.contains(part), "{more:?}: {said}");
    }
    for (experts, used, part) in [("4", "5", "5 of 4 experts"), ("0", "1", "--experts"), ("4", "0", "--used")] {
        let arguments = ["model", "upcycle", "m.gguf", "--out", "out.gguf", "--experts", experts, "--used", used];
        let said = bench.say(&arguments);
        assert_eq!((said.code, said.stdout.as_str()), (Some(2), ""), "{said:#?}");
        said.says(&[part]);
    }
    assert!(!bench.exists("out.gguf"));
}

#[test]
fn what_is_no_dense_model_of_a_known_shape_is_refused() {
    let bench = Bench::scripted("");
    let whole = llama().file();
    bench.write("text.gguf", "a text, and no model\n");
    bench.write("cut.gguf", &whole[..whole.len() - 1]);
    bench.write("moe.gguf", made::tiny_moe().file());
    bench.write("nameless.gguf", made::Builder::new().tensor("t", &[8], F32, 32).file());
    bench.write("gemma.gguf", dense("gemma3", (F32, 1024)).file());
    bench.write("other.gguf", dense("gpt2", (F32, 1024)).file());
    bench.write("bias.gguf", llama().tensor("blk.0.ffn_up.bias", &[512], F32, 2048).file());
    bench.write("part.gguf", llama().u32("split.count", 2).file());
    for name in ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"] {
        bench.write(name, &whole);
    }
    let files = [
        "missing.gguf",
        "text.gguf",
        "cut.gguf",
        "moe.gguf",
        "nameless.gguf",
        "gemma.gguf",
        "other.gguf",
        "bias.gguf",
        "part.gguf",
        "m-00001-of-00002.gguf",
        "m.scripted.toml",
    ];
    let said: String = files.iter().map(|file| refused(&bench, file, &[], 96)).collect();
    insta::assert_snapshot!(said);
}

#[test]
fn noise_wants_a_type_that_can_be_written_anew() {
    let bench = Bench::new(GGUF);
    bench.write("m.gguf", dense("llama", IQ2_XXS).file());
    let said = refused(&bench, "m.gguf", &["--noise", "0.1"], 96);
    let why = if cfg!(feature = "llama") { "blk.0.ffn_gate_exps.weight is IQ2_XXS" } else { "has no llama.cpp" };
    assert!(said.contains(why) && said.contains("remove --noise"), "{said}");
    // Copies of it are made all the same.
    assert_eq!(upcycle(&bench, "m.gguf", &[]).code, Some(0));
}

#[cfg(feature = "llama")]
#[test]
fn a_weight_that_is_no_number_takes_no_noise() {
    let bench = Bench::new(GGUF);
    let builder = llama();
    let mut file = builder.file();
    // The last weight of the file, of the last layer's ffn_down.
    let at = file.len() - 4;
    file[at..].copy_from_slice(&f32::NAN.to_le_bytes());
    bench.write("m.gguf", file);
    let said = refused(&bench, "m.gguf", &["--noise", "0.1"], 96);
    assert!(said.contains("blk.1.ffn_down.weight has a weight that is not a finite number"), "{said}");
}

/// A file that may not grow further, as on a full disk.
#[cfg(unix)]
#[test]
fn a_disk_that_is_full_leaves_nothing() {
    let bench = Bench::new(GGUF);
    bench.write("m.gguf", llama().file());
    let script = format!(
        "trap '' XFSZ; ulimit -f 100; exec {PROGRAM} model upcycle m.gguf --experts 4 --used 2 --out new/out.gguf"
    );
    let mut command = without_the_callers_variables("sh");
    command.args(["-c", &script]).current_dir(bench.path()).env("NO_COLOR", "1").stdin(Stdio::null());
    let said: Said = command.output().expect("a shell").into();
    assert_eq!((said.code, said.stdout.as_str()), (Some(1), ""), "{said:#?}");
    said.says(&["cannot write new/out.gguf", "check that the disk has space"]);
    let left = fs::read_dir(bench.path().join(Path::new("new"))).expect("a folder").count();
    assert_eq!(left, 0, "something was left half-written");
}
