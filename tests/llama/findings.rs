//! What the findings read out of a header is what llama.cpp reads out of it: the tokens that end a generation, the
//! pre-tokenizers that there are.

use std::fs;
use std::path::Path;

use llama::{Kernels, Llama, Model};
use moe_sweep::model::findings::{Examination, PRE_TOKENIZERS, ends_of_generation, examine};
use moe_sweep::model::read_header;
use tempfile::TempDir;

use crate::support::alone::alone;
use crate::support::gguf::{Builder, F32, chat_keys, chat_tensors};
use crate::support::{Bench, GGUF, models, real};

fn llama_says(llama: &Llama, path: &Path) -> Option<Vec<u64>> {
    let model = Model::load_vocabulary(llama, path).ok()?;
    let n_vocab = model.facts().n_vocab;
    Some((0..n_vocab).filter(|&token| model.is_end(token as i32)).map(u64::from).collect())
}

fn we_say(path: &Path) -> Option<Vec<u64>> {
    ends_of_generation(&read_header(path).expect("a model").0)
}

fn with_tokens(tokens: &[&str]) -> Builder {
    let fill: Vec<String> = (0..20).map(|n| format!("filler{n}")).collect();
    let all: Vec<&str> = fill.iter().map(String::as_str).chain(["a", "b"]).chain(tokens.iter().copied()).collect();
    let types: Vec<u32> = all.iter().map(|token| if tokens.contains(token) { 3 } else { 1 }).collect();
    chat_keys()
        .without("tokenizer.ggml.tokens")
        .without("tokenizer.ggml.token_type")
        .without("tokenizer.ggml.bos_token_id")
        .without("tokenizer.ggml.eos_token_id")
        .texts("tokenizer.ggml.tokens", &all)
        .i32s("tokenizer.ggml.token_type", &types)
}

#[test]
fn the_ends_of_a_generation_are_llama_cpps() {
    alone("findings::the_ends_of_a_generation_are_llama_cpps", &[], || {
        let llama = Llama::start(Kernels::Ggml).expect("llama.cpp starts");
        let directory = TempDir::new().expect("a temporary directory");
        let path = directory.path().join("m.gguf");
        let eos = "tokenizer.ggml.eos_token_id";
        let cases: Vec<(&str, Builder)> = vec![
            ("nothing is named", with_tokens(&[])),
            (
                "by the texts of tokens",
                with_tokens(&["<|eot_id|>", "<end_of_turn>", "[EOS]", "<mine>", "</s>", "[e~["]),
            ),
            ("a key that no text knows", with_tokens(&["<mine>"]).u32(eos, 22)),
            (
                "turn and message",
                with_tokens(&["<x>", "<y>"])
                    .u32("tokenizer.ggml.eot_token_id", 22)
                    .u32("tokenizer.ggml.eom_token_id", 23),
            ),
            ("out of the vocabulary", with_tokens(&["<|end|>"]).u32(eos, 1000)),
            ("messages that end in <|end|>", with_tokens(&["<|end|>", "<|return|>", "<|call|>"])),
            ("the same, in other words", with_tokens(&["<|end|>", "<|flush|>", "<|calls|>"])),
            ("no messages", with_tokens(&["<|end|>", "<|return|>"])),
            ("tags", with_tokens(&["</s>", "<|tool_response>"])),
            ("tags of a key", with_tokens(&["</s>", "<|plamo:eos|>"]).u32(eos, 23)),
            ("gaps", with_tokens(&["<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"])),
            ("gaps by a key", with_tokens(&["<|fim_pad|>", "<z>"]).u32("tokenizer.ggml.fim_pad_token_id", 23)),
            ("no default", with_tokens(&["<|user|>"]).without("tokenizer.ggml.pre").text("tokenizer.ggml.pre", "glm4")),
        ];
        for (case, builder) in cases {
            fs::write(&path, chat_tensors(builder, &[("token_embd.weight", F32, 1024)]).file())
                .expect("a temporary file");
            let theirs = llama_says(&llama, &path);
            assert!(theirs.is_some(), "{case}: llama.cpp refuses the file");
            assert_eq!(we_say(&path), theirs, "{case}");
        }
        for name in ["deepseek-tiny", "dense-tiny", "gpt-oss-tiny", "phi-moe-tiny"] {
            let path = models().join(format!("{name}.gguf"));
            assert_eq!(we_say(&path), llama_says(&llama, &path), "{name}");
        }
    });
}

/// A newer llama.cpp may know more of them: then the list grows.
#[test]
fn the_pre_tokenizers_are_those_that_llama_cpp_takes() {
    alone("findings::the_pre_tokenizers_are_those_that_llama_cpp_takes", &[], || {
        let llama = Llama::start(Kernels::Ggml).expect("llama.cpp starts");
        let directory = TempDir::new().expect("a temporary directory");
        let path = directory.path().join("m.gguf");
        let takes = |pre: &str| {
            let keys = chat_keys().without("tokenizer.ggml.pre").text("tokenizer.ggml.pre", pre);
            fs::write(&path, chat_tensors(keys, &[("token_embd.weight", F32, 1024)]).file()).expect("a temporary file");
            llama_says(&llama, &path).is_some()
        };
        let refused: Vec<_> = PRE_TOKENIZERS.into_iter().filter(|pre| !takes(pre)).collect();
        assert!(refused.is_empty(), "llama.cpp does not know {refused:?}");
        assert!(!takes("of-tomorrow"));
    });
}

#[test]
fn plan_lists_them_and_ends_as_without() {
    let bench = Bench::new(GGUF);
    bench.edit("max_tokens = 8\ncontext = 32", "max_tokens = 500\ncontext = 1024");
    let keys = chat_keys().without("tokenizer.ggml.eos_token_id");
    bench.write("m.gguf", chat_tensors(keys, &[("token_embd.weight", F32, 1024)]).file());
    let said = bench.say_in_columns(80, &["plan", "x.toml"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    let shown: Vec<_> = said.stdout.lines().skip_while(|line| !line.starts_with("  finding")).collect();
    assert!(shown.iter().all(|line| line.chars().count() <= 80), "{shown:#?}");
    let flat = shown.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    let header = "finding F-EOS-ABSENT (warning), m: tokenizer.ggml.eos_token_id: absent; llama.cpp takes token 11, \"i\". To do: ";
    let own = "finding F-CONTEXT-BEYOND-TRAINING (warning): max_tokens: the model m was trained on 128 tokens";
    for expected in [header, own, "rope = [\"yarn:4\"]"] {
        assert_eq!(flat.matches(expected).count(), 1, "{flat}");
    }
    bench.edit("temperature = [1.0]", "temperature = [1.0]\nrope = [\"yarn:4\"]");
    let said = bench.say(&["plan", "x.toml"]).stdout;
    assert!(!said.contains("F-CONTEXT-BEYOND-TRAINING"), "512 positions are known: {said}");
}

/// `MOE_SWEEP_SMOLLM2=FILE MOE_SWEEP_GEMMA3=FILE cargo test --release --test llama findings::`
#[test]
fn a_real_model_has_nothing_wrong() {
    alone("findings::a_real_model_has_nothing_wrong", &[], || {
        let llama = Llama::start(Kernels::Ggml).expect("llama.cpp starts");
        for path in ["MOE_SWEEP_SMOLLM2", "MOE_SWEEP_GEMMA3"].into_iter().filter_map(real) {
            let (gguf, anatomy) = read_header(&path).expect("a model");
            assert_eq!(examine(&gguf, &anatomy), Examination::default(), "{}", path.display());
            assert_eq!(we_say(&path), llama_says(&llama, &path), "{}", path.display());
        }
    });
}
