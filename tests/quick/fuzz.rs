//! Every reader of foreign bytes that the library has, fed with mutants (docs/torture.md). Those that only its
//! inside sees are in `src/engine/http/fuzz.rs`.

use std::fs;
use std::path::PathBuf;

use crate::fuzzing::{Kind, Read, fuzz};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use moe_sweep::analysis::{Questions, analyse};
use moe_sweep::check::Baseline;
use moe_sweep::domain::{ChatForm, Thinking};
use moe_sweep::experiment::{
    BadExperiment, Kind as ExperimentKind, Model, Source, Surroundings, kind_of, parse, parse_study, resolve,
    resolve_study,
};
use moe_sweep::journal;
use moe_sweep::manifest::Manifest;
use moe_sweep::metrics::{Markers, Written, score, score_head, score_written};
use moe_sweep::model::findings::examine;
use moe_sweep::model::gguf::read_bytes;
use moe_sweep::model::{self, Anatomy};
use moe_sweep::plan::Design;
use moe_sweep::prompt::{ChatTemplate, Message, Role, SpecialTokens};
use moe_sweep::report::{csv, verdicts};
use moe_sweep::run_dir;
use moe_sweep::seal::Trust;
use moe_sweep::text_file::decode;
use moe_sweep::texts::{Shape, texts};
use moe_sweep::worker::protocol::{Reply, Request};

/// The message as the user gets it: to write it must not fail either.
fn told(report: &dyn Diagnostic) -> Read {
    let mut said = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(80);
    handler.render_report(&mut said, report).expect("a message can be written");
    assert!(!said.is_empty());
    Read::Refused
}

fn read_or_told<T>(result: Result<T, BadExperiment>) -> Read {
    match result {
        Ok(_) => Read::Accepted,
        Err(bad) => told(&bad),
    }
}

fn surroundings(prompts: Option<&str>) -> Surroundings {
    let path = "/models/t.gguf".into();
    let model = Model {
        id: "theirs".into(),
        source: Source::Path(path),
        sha256: None,
        size_bytes: None,
        shape: None,
        note: None,
        license: None,
    };
    Surroundings {
        directory: "/experiments".into(),
        catalogue: vec![model],
        prompts_file: prompts.map(|text| Ok(text.to_owned())),
        ..Surroundings::default()
    }
}

/// As `plan` does it, up to the models.
fn experiment(text: &str, prompts: Option<&str>) -> Result<(), BadExperiment> {
    let raw = parse("x.toml", text)?;
    resolve("x.toml", text, &raw, &surroundings(prompts)).map(drop)
}

#[test]
fn experiments() {
    fuzz("experiment", Kind::Toml, 1500, |bytes| match decode(bytes) {
        Ok(text) => read_or_told(experiment(text, Some("one\ntwo\nthree\n"))),
        Err(_) => Read::Refused,
    });
}

#[test]
fn studies() {
    fuzz("mechanism", Kind::Toml, 1500, |bytes| {
        let Ok(text) = decode(bytes) else { return Read::Refused };
        if kind_of("x.toml", text).is_ok_and(|kind| kind == ExperimentKind::Sweep) {
            return Read::Refused;
        }
        let study = parse_study("x.toml", text)
            .and_then(|raw| resolve_study("x.toml", text, &raw, &surroundings(Some("one\ntwo\n"))));
        read_or_told(study)
    });
}

#[test]
fn catalogues() {
    fuzz("catalogue", Kind::Toml, 1500, |bytes| match decode(bytes) {
        Ok(text) => read_or_told(model::parse("catalog.toml", text, "/models".as_ref())),
        Err(_) => Read::Refused,
    });
}

#[test]
fn prompts() {
    let base = fs::read_to_string(corpus("experiment/prompts-file.toml")).expect("a file of the corpus");
    fuzz("prompts", Kind::JsonLines, 1500, |bytes| {
        let Ok(text) = decode(bytes) else { return Read::Refused };
        let of = |name: &str| read_or_told(experiment(&base.replace("p.txt", name), Some(text)));
        let read = ["p.jsonl", "p.json", "p.txt"].map(of);
        if read.contains(&Read::Accepted) { Read::Accepted } else { Read::Refused }
    });
}

/// In every shape that `score` knows.
#[test]
fn score_inputs() {
    let shapes = [
        Shape::Whole,
        Shape::Lines,
        Shape::JsonLines { field: "text" },
        Shape::JsonLines { field: "/choices/0/text" },
        Shape::Json { field: "text" },
    ];
    fuzz("score", Kind::JsonLines, 2000, |bytes| {
        let mut read = Read::Refused;
        for shape in shapes {
            match texts("in", bytes, shape) {
                // Plain text is always read: it says nothing of the others.
                Ok(_) if matches!(shape, Shape::Whole | Shape::Lines) => {}
                Ok(_) => read = Read::Accepted,
                Err(error) => assert!(error.line >= 1 && !error.to_string().is_empty()),
            }
        }
        read
    });
}

#[test]
fn baselines() {
    fuzz("baseline", Kind::Json, 600, |bytes| match Baseline::from_json(bytes) {
        Ok(baseline) => {
            assert_eq!(Baseline::from_json(&baseline.to_json()).expect("what was read"), baseline);
            Read::Accepted
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            Read::Refused
        }
    });
}

/// Taken on trust, a changed file is what it says: it must be read or refused, and no more.
#[test]
fn manifests() {
    fuzz("manifest", Kind::Json, 1500, |bytes| {
        let trusted = Manifest::from_json(bytes, Trust::Edits);
        // What the seal lets through is taken on trust, too.
        assert!(trusted.is_ok() || Manifest::from_json(bytes, Trust::Seals).is_err());
        trusted.map(|(manifest, _)| manifest.warnings()).into()
    });
}

/// A plan is what all tables are made of: one that is read must be written, with and without texts.
#[test]
fn plans() {
    let journal = journal::read(&corpus("journal/run.jsonl"), Trust::Seals).expect("a journal of the corpus");
    fuzz("plan", Kind::Json, 400, |bytes| match Design::from_json(bytes, Trust::Edits) {
        Ok((design, _)) => {
            write_tables(&design, &journal);
            write_tables(&design, &journal::Contents::default());
            Read::Accepted
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            Read::Refused
        }
    });
}

#[test]
fn journals() {
    let design = fs::read(corpus("plan/run.json")).expect("a plan of the corpus");
    let (design, _) = Design::from_json(&design, Trust::Seals).expect("a plan");
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let path = folder.path().join(run_dir::JOURNAL);
    fuzz("journal", Kind::JsonLines, 600, |bytes| {
        fs::write(&path, bytes).expect("the folder is writable");
        match journal::read(&path, Trust::Edits) {
            Ok(contents) => {
                write_tables(&design, &contents);
                Read::Accepted
            }
            Err(error) => {
                assert!(error.to_string().contains("trials.jsonl"), "{error}");
                Read::Refused
            }
        }
    });
}

fn write_tables(design: &Design, journal: &journal::Contents) {
    let outcome_of = |id: &_| journal.records.get(id).map(|record| &record.outcome);
    let analysis = analyse(design.own_trials(), Questions::from(design), outcome_of);
    let mut out = Vec::new();
    csv::write_trials(&analysis, &design.prompts, |trial| design.draw_seed(trial), &mut out)
        .expect("memory is written");
    csv::write_cells(&analysis, &mut out).expect("memory is written");
    csv::write_onsets(&analysis, &mut out).expect("memory is written");
    csv::write_parts(&analysis, &mut out).expect("memory is written");
    verdicts::write(&design.name, design.question.as_deref(), &analysis, &mut out).expect("memory is written");
}

#[test]
fn gguf_headers() {
    fuzz("gguf", Kind::Binary, 3000, |bytes| match read_bytes(bytes) {
        Ok(header) => {
            let moe_sweep::model::gguf::Header { version, metadata, tensors } = header;
            let paths = vec![PathBuf::from("m.gguf")];
            let file_bytes = bytes.len() as u64;
            let gguf = moe_sweep::model::gguf::Gguf { paths, file_bytes, version, metadata, tensors };
            if let Ok(anatomy) = Anatomy::of(&gguf) {
                let _ = examine(&gguf, &anatomy);
            }
            Read::Accepted
        }
        Err((offset, problem)) => {
            assert!(offset <= bytes.len() as u64 && !problem.to_string().is_empty());
            Read::Refused
        }
    });
}

#[test]
fn chat_templates() {
    fuzz("template", Kind::Text, 3000, |bytes| {
        let template = String::from_utf8_lossy(bytes);
        let form = ChatForm::new(&template, vec!["chatml".to_owned()], "<|im_start|>user\n", "<|im_end|>\n", "");
        let markers = Markers::of_template(&template);
        let _ = (form.unsent_thinking(), Written::of(&template, None, markers.as_ref()));
        let read = ChatTemplate::parse(&template, SpecialTokens { bos: "<s>".to_owned(), eos: "</s>".to_owned() });
        let _ = read.and_then(|read| read.render(&[Message { role: Role::User, content: "Why?" }], Thinking::Off));
        if form.unsent.is_empty() { Read::Refused } else { Read::Accepted }
    });
}

#[test]
fn worker_messages() {
    fuzz("worker", Kind::JsonLines, 2000, |bytes| {
        let lines = bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let known =
            |line| serde_json::from_slice::<Request>(line).is_ok() || serde_json::from_slice::<Reply>(line).is_ok();
        // All lines are read, whatever the first is.
        let unknown = lines.filter(|line| !known(line)).count();
        if unknown == 0 { Read::Accepted } else { Read::Refused }
    });
}

/// A text of a model is foreign, too: any text has its scores, and soon.
#[test]
fn texts_to_score() {
    fuzz("text", Kind::Text, 200, |bytes| {
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(1 << 14)]);
        let tokens: Vec<_> = bytes.iter().take(2000).map(|&byte| i32::from(byte)).collect();
        let markers = Markers::of_template("<think></think>");
        let _ = (score(&text, Some(&tokens)), score_head(&text, Some(&tokens), 3));
        let _ = score_written(&Written::of(&text, Some("a thought"), markers.as_ref()), None);
        if text.is_empty() { Read::Refused } else { Read::Accepted }
    });
}

fn corpus(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/fuzz").join(name)
}
