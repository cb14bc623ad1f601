//! The viewer of texts: what repeats is marked where it stands.

use serde_json::Value;

use crate::browser::Page;
use crate::{filter, is_quiet, report, small};

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
