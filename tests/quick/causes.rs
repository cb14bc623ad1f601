//! `explain`, its table in the documents, and the prompts of a diagnosis.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use moe_sweep::causes::Cause;
use moe_sweep::domain::Factor;
use serde::Deserialize;
use serde_json::Value;

use crate::architecture::sources::root;
use crate::support::{Bench, Said};

fn explain(arguments: &[&str]) -> Said {
    Bench::new("").say(&[&["explain"], arguments].concat())
}

#[test]
fn explain_prints_the_page_of_each_id() {
    let said = explain(&["L-GREEDY"]);
    assert_eq!((said.code, &*said.stderr), (Some(0), ""), "{said:#?}");
    assert!(said.stdout.starts_with("L-GREEDY: greedy decoding"), "{}", said.stdout);
    assert_eq!(explain(&["l-greedy"]).stdout, said.stdout, "ids are read in small letters too");
    let list = explain(&[]).stdout;
    assert!(Cause::ALL.iter().all(|cause| list.contains(cause.title())), "{list}");
}

#[test]
fn explain_says_the_same_for_programs() {
    let json = |arguments: &[&str]| -> Value {
        let said = explain(arguments);
        assert_eq!(said.code, Some(0), "{said:#?}");
        serde_json::from_str(&said.stdout).unwrap()
    };
    let one = json(&["L-WINDOW-SHORT", "--json"]);
    let page = Cause::WindowShort.page();
    assert_eq!((&one["id"], &one["title"]), (&"L-WINDOW-SHORT".into(), &Cause::WindowShort.title().into()));
    assert_eq!((&one["what"], &one["shows"]), (&page.what.into(), &page.shows.into()));
    assert_eq!((&one["test"], &one["mend"]), (&page.test.into(), &page.mend.into()));
    assert_eq!(one["factors"], serde_json::json!(["chain"]));
    let threads = one["threads"].as_array().unwrap();
    assert_eq!(threads.len(), page.threads.len());
    assert_eq!((&threads[0]["url"], &threads[0]["says"]), (&page.threads[0].url.into(), &page.threads[0].says.into()));
    let all = json(&["--json"]);
    let ids: Vec<_> = all.as_array().unwrap().iter().map(|cause| cause["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, Cause::ALL.map(|cause| cause.id().to_owned()));
}

#[test]
fn an_unknown_id_ends_with_2_and_a_suggestion() {
    let said = explain(&["L-PENALTY-ZER0"]);
    assert_eq!((said.code, &*said.stdout), (Some(2), ""), "{said:#?}");
    assert!(said.stderr.contains("did you mean L-PENALTY-ZERO?"), "{}", said.stderr);
}

#[test]
fn the_document_has_the_catalogue_in_its_order() {
    let document = fs::read_to_string(root().join("docs/causes.md")).unwrap();
    let rows: Vec<_> = document.lines().filter(|line| line.starts_with("| `L-")).collect();
    let expected = Cause::ALL.map(|cause| {
        let factors: Vec<_> = cause.factors().iter().map(|factor| format!("`{factor}`")).collect();
        format!("| `{}` | {} | {} |", cause.id(), cause.title(), factors.join(", "))
    });
    assert_eq!(rows, expected);
}

#[test]
fn the_factors_of_causes_are_factors() {
    let named: BTreeSet<_> = Cause::ALL.iter().flat_map(|cause| cause.factors()).copied().collect();
    let there = BTreeSet::from(Factor::NAMES);
    assert_eq!(named.difference(&there).copied().collect::<Vec<_>>(), [""; 0]);
}

/// The file that the module `diagnosis` reads.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    prompt: Vec<Prompt>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Prompt {
    id: String,
    kind: String,
    #[serde(rename = "use")]
    used_for: String,
    text: String,
}

#[test]
fn the_prompts_of_a_diagnosis_are_of_all_kinds_and_all_different() {
    let file = fs::read_to_string(root().join("src/diagnosis/prompts.toml")).unwrap();
    let prompts = toml::from_str::<File>(&file).unwrap().prompt;
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for Prompt { kind, used_for, .. } in &prompts {
        *counts.entry((used_for, kind)).or_default() += 1;
    }
    let expected = [("confirm", 16), ("search", 16)].into_iter().flat_map(|(used_for, n)| {
        ["chat", "code", "list", "long", "prose", "reasoning"].map(|kind| ((used_for, kind), n))
    });
    assert_eq!(counts, expected.collect());
    let ids: BTreeSet<_> = prompts.iter().map(|prompt| &prompt.id).collect();
    let texts: BTreeSet<_> = prompts.iter().map(|prompt| &prompt.text).collect();
    assert_eq!((ids.len(), texts.len()), (prompts.len(), prompts.len()));
    for Prompt { id, kind, text, .. } in &prompts {
        let words = text.split_whitespace().count();
        let fits = if kind == "long" { (150..=280).contains(&words) } else { (5..=60).contains(&words) };
        assert!(fits, "{id} has {words} words");
        // Nothing that a tokenizer or a template could take for one of its tokens.
        assert!(!text.contains(['<', '>', '[', ']', '{', '}', '|']), "{id}: {text}");
        assert_eq!(text.trim(), text, "{id}");
    }
}
