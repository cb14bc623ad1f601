//! `moe-sweep model inspect`.

use std::fs::{self, File};

use crate::support::gguf as made;
use crate::support::{Bench, GGUF, Said, models};

fn inspect(bench: &Bench, arguments: &[&str]) -> Said {
    bench.say_in_columns(80, &[&["model", "inspect"], arguments].concat())
}

fn good(said: Said) -> String {
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""), "{said:#?}");
    said.stdout
}

/// The message, the bench's own directory left out.
fn refused(bench: &Bench, arguments: &[&str]) -> String {
    let said = inspect(bench, arguments);
    assert_eq!((said.code, said.stdout.as_str()), (Some(96), ""), "{said:#?}");
    said.stderr.replace(&bench.path().display().to_string(), "BENCH")
}

#[test]
fn a_model_is_shown_for_people() {
    let bench = Bench::new(GGUF);
    bench.write("m.gguf", made::tiny_moe().file());
    insta::assert_snapshot!(good(inspect(&bench, &["m.gguf"])));
}

#[test]
fn a_model_is_shown_for_programs() {
    let bench = Bench::new(GGUF);
    bench.write("m.gguf", made::tiny_moe().file());
    insta::assert_snapshot!(good(inspect(&bench, &["m.gguf", "--json", "--context", "300"])));
}

#[test]
fn what_a_file_says_cannot_steer_the_terminal() {
    let bench = Bench::new(GGUF);
    let nasty = made::Builder::new()
        .text("general.architecture", "a\u{1b}[2J")
        .text("general.name", "red \u{1b}[31m\nsecond line \u{202e}")
        .text("tokenizer.ggml.model", "\u{7}")
        .u32("tokenizer.ggml.bos_token_id", 1)
        .tensor("\u{1b}[31m", &[8], made::F32, 32);
    bench.write("m.gguf", nasty.file());
    let said = good(inspect(&bench, &["m.gguf"]));
    let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!said.contains(steers), "{said:?}");
    bench.write("m.gguf", nasty.tensor("\u{1b}[31m", &[8], made::F32, 32).file());
    let said = inspect(&bench, &["m.gguf"]);
    assert!(!said.stderr.contains(steers), "{:?}", said.stderr);
}

#[test]
fn every_bundled_model_is_described() {
    let bench = Bench::new(GGUF);
    for entry in fs::read_dir(models()).expect("the bundled models") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "gguf") {
            continue;
        }
        let file = path.display().to_string();
        assert!(good(inspect(&bench, &[&file])).contains("architecture  "), "{file}");
        let json: serde_json::Value =
            serde_json::from_str(&good(inspect(&bench, &[&file, "--json"]))).expect("a JSON object");
        let weights = |name: &str| json["weights"][name].as_u64().expect("a number of bytes");
        assert_eq!(weights("bytes"), weights("expert_bytes") + weights("other_bytes"), "{file}");
        let dense = json["experts"].is_null();
        assert_eq!(weights("expert_bytes") == 0, dense, "{file}");
        let parameters = |name: &str| json["parameters"][name].as_u64().expect("a number");
        assert_eq!(parameters("active") == parameters("total"), dense, "{file}");
        assert!(json["tokenizer"]["bos_id"].is_u64(), "{file}");
    }
}

#[test]
fn a_name_is_looked_up_as_a_run_does() {
    let bench = Bench::new(GGUF);
    bench.write("m.gguf", made::tiny_moe().file());
    let said = good(inspect(&bench, &["m", "--experiment", "x.toml"]));
    assert!(said.contains("architecture  deepseek"), "{said}");
    let unknown = inspect(&bench, &["other", "--experiment", "x.toml"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(2), ""), "{unknown:#?}");
    unknown.says(&["unknown model \"other\""]);
}

#[test]
fn what_is_no_model_is_refused() {
    let bench = Bench::scripted("");
    fs::create_dir(bench.path().join("directory.gguf")).expect("the bench is writable");
    let whole = made::tiny_moe().file();
    bench.write("text.gguf", "a text, and no model\n");
    bench.write("cut.gguf", &whole[..whole.len() - 1]);
    bench.write("cut-header.gguf", &whole[..500]);
    bench.write("no-tensors.gguf", made::Builder::new().text("general.architecture", "llama").file());
    bench.write("imatrix.gguf", made::Builder::new().tensor("t", &[8], made::F32, 32).file());
    bench.write("m-00001-of-00002.gguf", &whole);
    let files = [
        "missing.gguf",
        "./directory.gguf",
        "text.gguf",
        "cut.gguf",
        "cut-header.gguf",
        "no-tensors.gguf",
        "imatrix.gguf",
        "m-00001-of-00002.gguf",
        "m.scripted.toml",
    ];
    let said: String = files.iter().map(|file| refused(&bench, &[file])).collect();
    insta::assert_snapshot!(said);
}

/// A model of 100 GB, whose file is all there and takes no space.
fn huge(bench: &Bench) {
    let experts = [1 << 14, 1 << 14, 93];
    let builder = made::Builder::new()
        .text("general.architecture", "deepseek")
        .u32("deepseek.block_count", 28)
        .u32("deepseek.context_length", 4096)
        .u32("deepseek.embedding_length", 2048)
        .u32("deepseek.attention.head_count", 16)
        .tensor("blk.0.ffn_up_exps.weight", &experts, made::F32, 4 * experts.iter().product::<u64>());
    bench.write("m.gguf", builder.header());
    let file = File::options().write(true).open(bench.path().join("m.gguf")).expect("written just now");
    file.set_len(builder.file_bytes()).expect("a sparse file");
}

#[test]
fn a_sparse_file_is_inspected_without_reading_it() {
    let bench = Bench::new(GGUF);
    huge(&bench);
    let said = good(inspect(&bench, &["m.gguf"]));
    assert!(said.contains("99.9 GB"), "{said}");
}
