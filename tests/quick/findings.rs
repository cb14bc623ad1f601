//! What is wrong with a model by its header: each kind of finding with a file that has it, and no other.

use std::fs;
use std::path::{Path, PathBuf};

use moe_sweep::domain::{FindingId, Found};
use moe_sweep::model::findings::{Examination, examine};
use moe_sweep::model::gguf::{Gguf, Header, read_bytes};
use moe_sweep::model::{Anatomy, read_header};
use serde_json::Value;

use crate::support::gguf::{Builder, CHAT_TEMPLATE, F32, IQ2_XXS, MXFP4, Q3_K, chat_keys, chat_tensors};
use crate::support::{Bench, GGUF, models};

const Q3_K_ROW: u64 = 110;
const F32_ROW: u64 = 1024;
const MXFP4_ROW: u64 = 136;

fn examined(builder: &Builder) -> Examination {
    let file = builder.file();
    let Header { version, metadata, tensors } = read_bytes(&file).expect("a whole file");
    let gguf = Gguf { paths: vec![PathBuf::from("m.gguf")], file_bytes: file.len() as u64, version, metadata, tensors };
    examine(&gguf, &Anatomy::of(&gguf).expect("a model"))
}

/// With tensors that have nothing wrong.
fn whole(keys: Builder) -> Builder {
    chat_tensors(keys, &[("token_embd.weight", F32, F32_ROW), ("output.weight", F32, F32_ROW)])
}

fn with_template(template: &str) -> Builder {
    whole(chat_keys().without("tokenizer.chat_template").text("tokenizer.chat_template", template))
}

fn other_text(key: &str, value: &str) -> Builder {
    whole(chat_keys().without(key).text(key, value))
}

/// A file that has this finding; None for what no header shows.
fn example(id: FindingId) -> Option<Builder> {
    let keys = chat_keys();
    let eos = "tokenizer.ggml.eos_token_id";
    let tensors = |tensors: &[(&str, u32, u64)]| chat_tensors(chat_keys(), tensors);
    Some(match id {
        FindingId::NoTemplate => whole(keys.without("tokenizer.chat_template")),
        FindingId::EotNotEog => with_template(&CHAT_TEMPLATE.replace("<|im_end|>", "<turn-over>")),
        FindingId::EotNoToken => with_template(&CHAT_TEMPLATE.replace("<|im_end|>", "<|no_token|>")),
        FindingId::EosAbsent => whole(keys.without(eos)),
        FindingId::EosOutOfVocabulary => whole(keys.without(eos).u32(eos, 12)),
        FindingId::EosNotControl => whole(keys.without(eos).u32(eos, 2)),
        FindingId::EosAdded => whole(keys.truth("tokenizer.ggml.add_eos_token", true)),
        FindingId::BosMissing => whole(
            keys.without("general.architecture")
                .text("general.architecture", "gemma3")
                .without("tokenizer.ggml.add_bos_token")
                .truth("tokenizer.ggml.add_bos_token", false),
        ),
        FindingId::BosAbsent => whole(keys.without("tokenizer.ggml.bos_token_id")),
        FindingId::BosTwice => with_template(&format!("{{{{ bos_token }}}}{CHAT_TEMPLATE}")),
        FindingId::TokenOutOfVocabulary => whole(keys.u32("tokenizer.ggml.eot_token_id", 12)),
        FindingId::TokenTypesAbsent => whole(keys.without("tokenizer.ggml.token_type")),
        FindingId::PreAbsent => whole(keys.without("tokenizer.ggml.pre")),
        FindingId::PreDefault => other_text("tokenizer.ggml.pre", "default"),
        FindingId::PreUnknown => other_text("tokenizer.ggml.pre", "of-tomorrow"),
        FindingId::RouterBits => {
            tensors(&[("blk.0.ffn_gate_inp.weight", Q3_K, Q3_K_ROW), ("token_embd.weight", F32, F32_ROW)])
        }
        FindingId::EmbeddingBits => tensors(&[("token_embd.weight", Q3_K, Q3_K_ROW), ("output.weight", F32, F32_ROW)]),
        FindingId::OutputBits => tensors(&[("token_embd.weight", F32, F32_ROW), ("output.weight", Q3_K, Q3_K_ROW)]),
        FindingId::WeightsBits => tensors(&[("blk.0.attn_q.weight", IQ2_XXS, 66)]),
        FindingId::ScalesInPart => tensors(&[
            ("blk.0.ffn_up_exps.weight", MXFP4, MXFP4_ROW),
            ("blk.0.ffn_up_exps.scale", F32, F32_ROW),
            ("blk.0.ffn_down_exps.weight", MXFP4, MXFP4_ROW),
        ]),
        FindingId::ContextBeyondTraining | FindingId::LoopBeyondLastN => return None,
    })
}

#[test]
fn each_finding_has_a_file_that_has_it_and_no_other() {
    for &id in FindingId::ALL {
        let example = example(id);
        assert_eq!(example.is_some(), id.found() == Found::InHeader, "{id:?}");
        let Some(example) = example else { continue };
        let Examination { findings, open } = examined(&example);
        let found: Vec<_> = findings.iter().map(|finding| finding.id).collect();
        assert_eq!((found, open.len()), (vec![id], 0), "{findings:?}, {open:?}");
    }
}

#[test]
fn names_are_of_one_style_and_differ() {
    let mut names: Vec<_> = FindingId::ALL.iter().map(|id| id.name()).collect();
    let is_of_the_style =
        |name: &&str| name.starts_with("F-") && !name.contains(|c: char| !c.is_ascii_uppercase() && c != '-');
    assert!(names.iter().all(is_of_the_style), "{names:?}");
    assert!(FindingId::ALL.iter().all(|id| id.why().ends_with('.')));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FindingId::ALL.len());
}

#[test]
fn a_remedy_names_the_token_that_ends_a_text() {
    let found = examined(&example(FindingId::EosAbsent).expect("a header has it")).findings;
    assert_eq!(found[0].value, "absent; llama.cpp takes token 11, \"i\"");
    assert_eq!(found[0].remedy, "--override-kv tokenizer.ggml.eos_token_id=int:1 in llama.cpp, eos = [1] in [grid]");
    let found = examined(&example(FindingId::EotNotEog).expect("a header has it")).findings;
    assert_eq!(found[0].value, "a message ends with \"<turn-over>\", token 4, which ends no generation");
    assert!(found[0].remedy.contains("eos = [4]"), "{found:?}");
}

#[test]
fn a_model_with_nothing_wrong_has_no_finding_and_nothing_open() {
    assert_eq!(examined(&whole(chat_keys())), Examination::default());
    // A model that nobody chats with needs no template.
    let base = chat_keys().without("general.name").without("tokenizer.chat_template");
    assert_eq!(examined(&whole(base)), Examination::default());
    // Of SentencePiece there is no pre-tokenizer, whatever stands there, and a BOS is added by default.
    let sentence_piece = chat_keys().without("tokenizer.ggml.model").text("tokenizer.ggml.model", "llama");
    let sentence_piece = sentence_piece.without("tokenizer.ggml.pre").without("tokenizer.ggml.add_bos_token");
    assert_eq!(examined(&whole(sentence_piece.text("tokenizer.ggml.pre", "default"))), Examination::default());
}

#[test]
fn bundled_models_have_nothing_wrong() {
    for entry in fs::read_dir(models()).expect("the bundled models") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "gguf") {
            let (gguf, anatomy) = read_header(&path).expect("a model");
            assert_eq!(examine(&gguf, &anatomy), Examination::default(), "{}", path.display());
        }
    }
}

/// Templates that end a turn in a way that is no fault, or that does not show without rendering them.
#[test]
fn a_doubt_about_a_template_is_no_finding() {
    let open = |template: &str| {
        let Examination { findings, open } = examined(&with_template(template));
        assert_eq!(findings, [], "{template}");
        open.len()
    };
    assert_eq!(
        open(
            "{% if m.role == 'user' %}{{ m.content + '<turn-over>' }}{% else %}{{ m.content + eos_token }}{% endif %}"
        ),
        0
    );
    assert_eq!(open("{% if m.role == 'user' %}{{ m.content + '<turn-over>' }}{% endif %}{{ m.content }}"), 1);
    assert_eq!(open("{{ m.content }}{% if x %}{{ '<turn-over>' }}{% endif %}"), 1);
    assert_eq!(open("{{ m.content + 'ab' }}"), 1);
}

#[test]
fn a_vocabulary_that_is_not_known_is_open() {
    let Examination { findings, open } = examined(&other_text("tokenizer.ggml.model", "of-tomorrow"));
    assert_eq!((findings.len(), open.len()), (0, 1), "{findings:?}");
}

#[test]
fn inspect_shows_them_first_within_80_columns() {
    let bench = Bench::new(GGUF);
    let keys = chat_keys().without("tokenizer.ggml.eos_token_id").without("tokenizer.ggml.pre");
    bench.write("m.gguf", whole(keys).file());
    let said = bench.say_in_columns(80, &["model", "inspect", "m.gguf"]);
    assert_eq!(said.code, Some(0), "a finding is no failure: {said:#?}");
    let shown: Vec<_> = said.stdout.lines().take_while(|line| !line.starts_with("name")).collect();
    assert!(shown.iter().all(|line| line.chars().count() <= 80), "{shown:#?}");
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn inspect_says_what_it_looked_at_where_nothing_is_wrong() {
    let bench = Bench::new(GGUF);
    bench.write("m.gguf", whole(chat_keys()).file());
    let said = bench.say_in_columns(80, &["model", "inspect", "m.gguf"]).stdout;
    let shown: Vec<_> = said.lines().take_while(|line| !line.starts_with("name")).collect();
    insta::assert_snapshot!(shown.join("\n"));
    bench.write("m.gguf", with_template("{{ m.content }}").file());
    let said = bench.say(&["model", "inspect", "m.gguf"]).stdout;
    assert!(said.contains("not decided   ends of turns: "), "{said}");
}

#[test]
fn json_has_all_of_a_finding() {
    let bench = Bench::new(GGUF);
    bench.write("m.gguf", example(FindingId::BosTwice).expect("a header has it").file());
    let said = bench.say(&["model", "inspect", "m.gguf", "--json"]);
    let json: Value = serde_json::from_str(&said.stdout).expect("a JSON object");
    let [finding] = &json["findings"].as_array().expect("a list")[..] else { panic!("{json}") };
    let keys: Vec<_> = finding.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["id", "key", "remedy", "severity", "value", "why"]);
    assert_eq!((&finding["id"], &finding["severity"]), (&"F-BOS-TWICE".into(), &"note".into()));
    assert_eq!(json["not_decided"], Value::Array(vec![]));
}

/// The scripted model loops every 4 words, whatever a chain says, and these penalties look back on one.
#[test]
fn a_run_tells_of_loops_that_its_penalties_cannot_see() {
    let bench = Bench::scripted("loops_from = 0.1\n");
    bench.edit("max_tokens = 20\ncontext = 64", "max_tokens = 200\ncontext = 512");
    bench.edit("[\"pure\", \"greedy\"]", "[\"mine\", \"pure\"]");
    let penalties = "{ penalties = { last_n = 1, repeat = 1.1 } }";
    bench.write(
        "x.toml",
        bench.read("x.toml")
            + "\n[[chain]]\nid = \"mine\"\nsteps = [{ temperature = \"T\" }, "
            + penalties
            + ", \"dist\"]\n",
    );
    let said = bench.say(&["run", "x.toml", "--out", "out"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    let told = "F-LOOP-BEYOND-LAST-N: last_n of penalties in the chain mine: 1, and ";
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(flat(&said.stdout).matches(told).count(), 1, "{}", said.stdout);
    assert!(flat(&bench.result("out", "report.html")).contains(told));
    assert!(!bench.result("out", "verdicts.json").contains("F-LOOP"), "verdicts are not about it");
}

/// Ids, severities and what they are found in stand in the document as in the code.
#[test]
fn the_document_has_a_row_for_each() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/models.md");
    let text = fs::read_to_string(document).expect("a document");
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with("| `F-")).collect();
    let heads: Vec<_> =
        FindingId::ALL.iter().map(|id| format!("| `{}` | {} | ", id.name(), id.severity().name())).collect();
    assert_eq!(rows.len(), heads.len());
    for (row, head) in rows.iter().zip(&heads) {
        assert!(row.starts_with(head), "{row} is not the row of {head}");
    }
}
