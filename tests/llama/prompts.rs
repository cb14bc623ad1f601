//! Prompts as users mean them: raw or in the model's chat template, with or
//! without BOS, and never read as special tokens.

use std::collections::BTreeSet;
use std::fs;

use crate::support::{Bench, models};

/// llama.cpp knows it by its marks.
pub const CHATML: &str =
    "{% for m in messages %}{{'<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n'}}{% endfor %}";
/// Alignment of a GGUF file's tensors.
const ALIGNMENT: usize = 32;
/// Bytes before the first key: magic, version, number of tensors, number of keys.
const HEADER: usize = 24;
const STRING: u32 = 8;

const EXPERIMENT: &str = r#"
schema = 1
name = "x"

[generate]
max_tokens = 4
context = 128

[grid]
model = ["tiny"]
chain = ["greedy"]
temperature = [1.0]

[prompts]
inline = ["The heart is", "The heart is<|end|>", "<|begin|>"]

[[model]]
id = "tiny"
path = "tiny.gguf"
"#;

/// The bundled model with a chat template put into its file, and a remark that keeps the tensors aligned.
pub fn with_template(template: &str) -> Vec<u8> {
    let mut file = fs::read(models().join("deepseek-tiny.gguf")).expect("the bundled model");
    let string = |text: &str| [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat();
    let key = string("tokenizer.chat_template");
    const REMARK: &str = "{##}";
    let pad = ALIGNMENT - (key.len() + 4 + 8 + template.len() + REMARK.len()) % ALIGNMENT;
    let template = format!("{template}{{#{}#}}", " ".repeat(pad));
    let entry = [key, STRING.to_le_bytes().to_vec(), string(&template)].concat();
    let keys = u64::from_le_bytes(file[16..HEADER].try_into().expect("8 bytes")) + 1;
    file[16..HEADER].copy_from_slice(&keys.to_le_bytes());
    file.splice(HEADER..HEADER, entry);
    file
}

pub fn bench(model: &[u8]) -> Bench {
    let bench = Bench::new(EXPERIMENT);
    bench.write("tiny.gguf", model);
    bench
}

/// (the factor's level, prompt, n_prompt_tokens) of every trial.
pub fn asked(bench: &Bench, directory: &str, factor: &str) -> Vec<(String, String, u32)> {
    let table = bench.result(directory, "trials.csv");
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let headers = reader.headers().expect("a header").clone();
    let column = |name: &str| headers.iter().position(|header| header == name).expect("a column");
    let (level, prompt, tokens) = (column(factor), column("prompt"), column("n_prompt_tokens"));
    let rows = reader.records().map(|row| row.expect("a row"));
    rows.map(|row| (row[level].to_owned(), row[prompt].to_owned(), row[tokens].parse().expect("a count"))).collect()
}

#[test]
fn a_chat_template_surrounds_the_prompt_and_special_text_stays_text() {
    let bench = bench(&with_template(CHATML));
    bench.edit("[\"greedy\"]", "[\"greedy\"]\ntemplate = [\"raw\", \"chat\"]");
    bench.run("out", &[], 0);
    let asked = asked(&bench, "out", "template");
    let count = |template: &str, prompt: &str| {
        asked.iter().find(|(t, p, _)| t == template && p == prompt).expect("it was asked").2
    };
    // Read as a token, "<|end|>" would add one; as text it adds several.
    assert!(count("raw", "p2") > count("raw", "p1") + 1, "{asked:?}");
    assert!(count("raw", "p3") > 2, "{asked:?}");
    let around = count("chat", "p1") - count("raw", "p1");
    assert!(around > 0, "{asked:?}");
    // The prompt is cut the same way inside the template.
    assert_eq!(count("chat", "p2"), count("raw", "p2") + around, "{asked:?}");
    assert_eq!(count("chat", "p3"), count("raw", "p3") + around, "{asked:?}");
}

#[test]
fn bos_is_what_the_experiment_says() {
    let model = fs::read(models().join("deepseek-tiny.gguf")).expect("the bundled model");
    let counts = |bos: &str| {
        let bench = bench(&model);
        bench.edit("[\"The heart is\", \"The heart is<|end|>\", \"<|begin|>\"]", "[\"The heart is\"]");
        bench.edit("context = 128", &format!("context = 128\nbos = {bos:?}"));
        bench.run("out", &[], 0);
        (asked(&bench, "out", "template")[0].2, bench.result("out", "trials.jsonl"))
    };
    let (model, with) = counts("model");
    let (always, also_with) = counts("always");
    let (never, without) = counts("never");
    assert_eq!((always, never), (model, model - 1), "the bundled models add BOS");
    let id = |journal: &str| journal[..journal.find("outcome").expect("an outcome")].to_owned();
    assert_ne!(id(&with), id(&also_with), "how BOS was decided is part of the id");
    assert_ne!(id(&with), id(&without));
}

#[test]
fn bos_as_a_factor_makes_the_texts_that_the_setting_makes() {
    let model = fs::read(models().join("deepseek-tiny.gguf")).expect("the bundled model");
    let bench = bench(&model);
    bench.edit("[\"The heart is\", \"The heart is<|end|>\", \"<|begin|>\"]", "[\"The heart is\"]");
    let file = fs::read_to_string(bench.path().join("x.toml")).expect("the experiment");
    let ids = |run: &str| -> BTreeSet<String> {
        let mut table = csv::Reader::from_path(bench.path().join(run).join("trials.csv")).expect("a table");
        table.records().map(|row| row.expect("a row")[0].to_owned()).collect()
    };
    let mut by_setting = BTreeSet::new();
    for bos in ["model", "never"] {
        bench.write("x.toml", file.replace("context = 128", &format!("context = 128\nbos = {bos:?}")));
        bench.run(bos, &[], 0);
        by_setting.extend(ids(bos));
    }
    bench.write("x.toml", file.replace("[\"greedy\"]", "[\"greedy\"]\nbos = [\"model\", \"never\"]"));
    bench.run("both", &[], 0);
    assert_eq!(ids("both"), by_setting);
    let table = bench.result("both", "trials.csv");
    assert!(table.lines().next().is_some_and(|head| head.contains(",bos,")), "{table}");
    // Twice said is once too often.
    bench.edit("context = 128", "context = 128\nbos = \"never\"");
    bench.run("twice", &[], 96).says(&["bos is also given in [grid]"]);
}

#[test]
fn a_model_without_a_chat_template_is_refused_with_what_to_do() {
    let bench = bench(&fs::read(models().join("deepseek-tiny.gguf")).expect("the bundled model"));
    bench.edit("[\"greedy\"]", "[\"greedy\"]\ntemplate = [\"raw\", \"chat\"]");
    let said = bench.run("out", &[], 96);
    said.says(&[
        "template = chat can't be used with the model tiny",
        "its file has no chat template",
        "[[grid.exclude]]",
    ]);
    bench.edit("[prompts]", "[[grid.exclude]]\nmodel = \"tiny\"\ntemplate = \"chat\"\n\n[prompts]");
    bench.run("out", &[], 0);
}

#[test]
fn a_template_that_llama_cpp_does_not_know_is_said() {
    let bench = bench(&with_template("{{ anything }}"));
    bench.edit("[\"greedy\"]", "[\"greedy\"]\ntemplate = [\"chat\"]");
    bench.run("out", &[], 96).says(&["llama.cpp can't apply its chat template"]);
}

/// A ChatML template with a default system prompt and a thought that it opens.
fn thinking_chatml() -> String {
    let system = "{% if messages[0]['role'] != 'system' %}{{'<|im_start|>system\\nYou are Tiny, a model that always \
                  answers in rhyme.<|im_end|>\\n'}}{% endif %}";
    format!("{system}{CHATML}{{% if add_generation_prompt %}}{{{{'<|im_start|>assistant\\n<think>\\n'}}}}{{% endif %}}")
}

#[test]
fn what_of_a_chat_template_is_not_sent_is_told() {
    let bench = bench(&with_template(CHATML));
    bench.write("rhyming.gguf", with_template(&thinking_chatml()));
    bench.edit("[\"tiny\"]", "[\"tiny\", \"rhyming\"]");
    bench.edit("[\"greedy\"]", "[\"greedy\"]\ntemplate = [\"chat\"]");
    bench.edit("[[model]]", "[[model]]\nid = \"rhyming\"\npath = \"rhyming.gguf\"\n\n[[model]]");
    bench.run("out", &[], 0);
    let plan = bench.say(&["plan", "x.toml"]).stdout;
    let manifest = bench.result("out", "manifest.json");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("it is JSON");
    let notes: Vec<String> = serde_json::from_value(manifest["notes"].clone()).expect("notes are texts");
    let sent = r#"prompts are sent in llama.cpp's built-in form chatml, with "<|im_start|>user\n" before and "<|im_end|>\n<|im_start|>assistant\n" after them"#;
    for model in ["tiny", "rhyming"] {
        let expected = format!("the model {model}, template chat: {sent}");
        assert!(notes.iter().any(|note| note.starts_with(&expected)), "{notes:#?}");
        assert!(plan.contains(&expected), "{plan}");
    }
    let unsent: Vec<_> = notes.iter().filter(|note| note.contains("text that is not sent")).collect();
    let [unsent] = unsent[..] else { panic!("of the plain template all is sent: {notes:#?}") };
    for expected in ["the model rhyming", "You are Tiny, a model that always answers in rhyme.", "it has <think>"] {
        assert!(unsent.contains(expected), "{unsent}");
    }
    let models = manifest["models"].as_array().expect("models");
    let form = |id: &str| &models.iter().find(|model| model["id"] == id).expect("the model")["facts"]["chat"];
    assert_eq!(form("tiny")["unsent"], serde_json::json!([]));
    assert_eq!(form("rhyming")["forms"], serde_json::json!(["chatml"]));
    assert_eq!(form("rhyming")["before"], "<|im_start|>user\n");
    let page = bench.result("out", "report.html");
    assert!(page.contains("built-in form chatml") && page.contains("answers in rhyme"), "the report says so too");
}

#[test]
fn without_the_chat_template_nothing_is_said_of_it() {
    let bench = bench(&with_template(&thinking_chatml()));
    bench.run("out", &[], 0);
    assert!(!bench.result("out", "manifest.json").contains("chatml"));
}

#[test]
fn a_text_ends_where_eos_says() {
    let model = fs::read(models().join("deepseek-tiny.gguf")).expect("the bundled model");
    let bench = bench(&model);
    // Of the bundled models token 1 ends a text; 100 logits more, and it is chosen at once unless it never is.
    let chain =
        "[[chain]]\nid = \"ending\"\nsteps = [{ logit_bias = [{ token = 1, bias = 100.0 }] }, \"greedy\"]\n\n[prompts]";
    bench.edit("[prompts]", chain);
    bench.edit("[\"greedy\"]", "[\"ending\"]\neos = [\"model\", \"ignore\", 5]");
    bench.run("out", &[], 0);
    let table = bench.result("out", "trials.csv");
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let headers = reader.headers().expect("a header").clone();
    let column = |name: &str| headers.iter().position(|header| header == name).expect("a column");
    let (eos, stop, n_tokens) = (column("eos"), column("stop"), column("n_tokens"));
    let rows: Vec<_> = reader.records().map(|row| row.expect("a row")).collect();
    let ends = |level: &str| -> BTreeSet<(String, String)> {
        let of_level = rows.iter().filter(|row| &row[eos] == level);
        of_level.map(|row| (row[stop].to_owned(), row[n_tokens].to_owned())).collect()
    };
    let end = |stop: &str, n_tokens: &str| BTreeSet::from([(stop.to_owned(), n_tokens.to_owned())]);
    assert_eq!(ends("model"), end("eos", "0"));
    assert_eq!(ends("ignore"), end("max_tokens", "4"), "it is never chosen");
    assert_eq!(ends("5"), end("max_tokens", "4"), "it is a token like others");
}
