//! The viewer of texts: what repeats is marked where it stands.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::browser::Page;
use crate::support::Bench;
use crate::{filter, is_quiet, report, small, write_text};

#[test]
fn marks_are_where_the_score_says() {
    let bench = small();
    let page = Page::new();
    let texts = ["to be or not to be or what", "one two three four", "so so so so", "a\u{a0}b a\u{1c}b a\u{85}b"];
    page.open(&report(&bench, &texts.map(str::to_owned)));
    // The page finds the words that repeat by itself: it marks some where Rust's score is not 0.
    let differing = page.value(
        "[...document.querySelectorAll('#table tbody tr')].map((row) => { row.querySelector('a').click(); \
         const facts = document.querySelector('#viewer .facts').textContent; \
         const marks = [...document.querySelectorAll('#viewer .pane:first-child mark')]; \
         return [Number(/score ([0-9.]+)/.exec(facts)[1]) > 0, marks.length > 0, facts]; \
         }).filter(([scored, marked]) => scored !== marked)",
    );
    assert_eq!(differing, Value::Array(vec![]));
    filter(&page, "to be or not");
    page.value("document.querySelector('#table tbody a').click()");
    let marks =
        page.value("[...document.querySelectorAll('.pane:first-child mark')].map((m) => [m.textContent, m.title])");
    let times = "in a trigram that occurs 2 times";
    assert_eq!(marks, serde_json::json!([["to be or", times], ["to be or", times]]));
    is_quiet(&page);
}

#[test]
fn a_cycle_is_outlined_with_its_copies() {
    let bench = small();
    bench.run("out", &[], 0);
    bench.forge("out", |_, record| {
        let generated = &mut record["outcome"]["generated"];
        (generated["text"], generated["tokens"]) = ("it goes on and on and on".into(), [5, 6, 7, 8, 7, 8, 7].into());
        true
    });
    assert_eq!(bench.say(&["report", "out"]).code, Some(0));
    let page = Page::new();
    page.open(&bench.path().join("out/report.html"));
    let cycle = page.value(
        "(() => { const cycle = document.querySelector('#viewer .cycle'); \
         return [cycle.title, [...cycle.querySelectorAll('.copy')].map((copy) => copy.textContent)]; })()",
    );
    let title = "the text ends in a cycle of 2 tokens, 2.500 copies";
    assert_eq!(cycle, serde_json::json!([title, [" on and", " on and", " on"]]));
    is_quiet(&page);
}

/// Two models, each of which loops under other settings.
fn two_models() -> Bench {
    let bench = small();
    bench.edit("model = [\"scripted\"]", "model = [\"scripted\", \"other\"]");
    bench.edit("[\"pure\", \"greedy\"]", "[\"pure\", \"llama.cpp\"]");
    bench.write("x.toml", bench.read("x.toml") + "\n[[model]]\nid = \"other\"\npath = \"o.scripted.toml\"\n");
    // Of the same file they would be the same trials.
    bench.write("o.scripted.toml", "loops_from = 9.0\n");
    bench
}

/// The rows of `trials.csv`, by column.
fn trials(bench: &Bench) -> Vec<BTreeMap<String, String>> {
    let text = bench.result("out", "trials.csv");
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(|row| row.expect("it is CSV")).collect()
}

/// What a side of the viewer shows: the levels that can be chosen, by factor.
fn side(page: &Page, side: usize) -> BTreeMap<String, String> {
    let levels = page.value(&format!(
        "Object.fromEntries([...document.querySelectorAll('#viewer .pane')[{side}].querySelectorAll('label')]\
         .map((label) => [label.querySelector('span').textContent, label.querySelector('select').value]))"
    ));
    serde_json::from_value(levels).expect("levels are texts")
}

#[test]
fn it_opens_on_the_worst_text_beside_the_cleanest_cell_of_its_model() {
    let bench = two_models();
    bench.run("out", &[], 0);
    let cells: BTreeMap<_, _> = trials(&bench)
        .into_iter()
        .map(|row| (row["trial_id"].clone(), (row["model"].clone(), row["chain"].clone(), row["temperature"].clone())))
        .collect();
    // The other model's texts are the cleanest of all but one, which is the worst of all.
    bench.forge("out", |_, record| {
        let (model, chain, t) = &cells[record["id"].as_str().expect("an id")];
        let text = match (model.as_str(), chain.as_str(), t.as_str()) {
            ("scripted", "llama.cpp", "1") => "a b c a b c a b c a b c",
            ("scripted", "pure", "0.5") => "a b c a b c x y z 1 2 3 4 5 6 7 8",
            ("scripted", ..) => "a b c a b c x y z",
            _ => "no word of this stands here twice",
        };
        write_text(record, text);
        true
    });
    assert_eq!(bench.say(&["report", "out"]).code, Some(0));
    let page = Page::new();
    page.open(&bench.path().join("out/report.html"));
    let cell = |chain: &str, t: &str| {
        BTreeMap::from([("model", "scripted"), ("chain", chain), ("temperature", t)].map(|(f, l)| (f.into(), l.into())))
    };
    assert_eq!(side(&page, 0), cell("llama.cpp", "1"));
    assert_eq!(side(&page, 1), cell("pure", "0.5"));
    is_quiet(&page);
}

#[test]
fn a_censored_text_is_shown_with_its_thought() {
    let bench = small();
    bench.run("out", &[], 0);
    let (thought, answer) = ("it may be it may be it may be", "so it goes so it goes so it goes so it goes");
    bench.forge("out", |_, record| {
        let generated = &mut record["outcome"]["generated"];
        (generated["thought"], generated["text"], generated["stop"]) = (thought.into(), answer.into(), "cut".into());
        true
    });
    assert_eq!(bench.say(&["report", "out"]).code, Some(3), "no text has a score");
    assert!(trials(&bench).iter().all(|row| row["status"] == "censored"));
    let page = Page::new();
    page.open(&bench.path().join("out/report.html"));
    let parts = page.value(
        "[...document.querySelectorAll('#viewer .pane:first-child .part')].map((part) => \
         [part.lastChild.textContent, part.querySelectorAll('mark').length > 0])",
    );
    assert_eq!(parts, json!([[thought, true], [answer, true]]));
    let facts = page.text("document.querySelector('#viewer .facts').textContent");
    assert!(facts.starts_with("censored: "), "{facts}");
    // The page has one word for it, and it is that of `trials.csv`.
    let statuses = page.value(
        "[...new Set(JSON.parse(document.getElementById('data').textContent).outcomes.map(({ status }) => status))]",
    );
    assert_eq!(statuses, json!(["censored"]));
    is_quiet(&page);
}

#[test]
fn a_failed_trial_says_why() {
    let bench = small();
    bench.run("out", &[], 0);
    bench.forge("out", |_, record| {
        record["outcome"] = json!({ "failed": { "reason": "the worker died: <b>SIGABRT</b>", "attempts": 2 } });
        true
    });
    bench.say(&["report", "out"]);
    let page = Page::new();
    page.open(&bench.path().join("out/report.html"));
    let seen = page.text("document.querySelector('#viewer .pane').textContent");
    assert!(seen.contains("failed: ") && seen.contains("no text: the worker died: <b>SIGABRT</b>"), "{seen}");
    is_quiet(&page);
}

#[test]
fn a_link_leads_to_a_single_text() {
    let bench = two_models();
    bench.run("out", &[], 0);
    let file = bench.path().join("out/report.html");
    let trials = trials(&bench);
    let linked = trials.iter().find(|row| row["model"] == "other" && row["seed"] == "2").expect("it is planned");
    let at = |id: &str| Path::new(&format!("{}#trial={id}", file.display())).to_owned();
    for id in [linked["trial_id"].as_str(), &linked["trial_id"][..8]] {
        let page = Page::new();
        page.open(&at(id));
        assert_eq!(side(&page, 0)["model"], "other");
        assert_eq!(side(&page, 1)["model"], "other", "it is read beside a cell of its own model");
        page.value("void (navigator.clipboard.writeText = async (text) => { window.copied = text; })");
        let copy = |nth: usize| {
            page.value(&format!("document.querySelectorAll('#viewer .pane:first-child button')[{nth}].click()"));
            page.until("document.querySelector('#viewer .pane:first-child [role=status]').textContent !== ''");
            page.text("window.copied")
        };
        assert!(copy(0).ends_with(&format!("/out/report.html#trial={}", linked["trial_id"])));
        assert_eq!(copy(1), page.text("document.querySelector('#viewer .pane:first-child .text').textContent"));
        is_quiet(&page);
    }
    let page = Page::new();
    page.open(&at("ffffffffffff"));
    let said = page.text("document.querySelector('#viewer [role=status]').textContent");
    assert_eq!(said, "No trial of this run is called ffffffffffff");
    // The address follows what is read.
    page.value("document.querySelector('#table tbody tr:nth-child(5) a').click()");
    let href = page.text("document.querySelector('#table tbody tr:nth-child(5) a').href");
    assert_eq!(page.text("location.href"), href);
    page.value("document.querySelector('#viewer button').click()");
    assert_ne!(page.text("location.href"), href);
    is_quiet(&page);
}
