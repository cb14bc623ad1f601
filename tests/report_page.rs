//! `report.html` in a real browser: it opens without a complaint or a request, it
//! works, and nothing that a model wrote is ever executed.

mod support;

#[path = "support/browser.rs"]
mod browser;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use browser::Page;
use serde_json::Value;
use support::Bench;

const SMALL: &str = r#"
schema = 1
name = "x"
question = "</title><script>window.marker = 'question'</script> Which?"

[generate]
max_tokens = 20
context = 64

[grid]
model = ["scripted"]
chain = ["pure", "greedy"]
temperature = [0.5, 1.0]
seed = { from = 0, count = 3 }

[prompts]
inline = ["first </script><img src=x onerror='window.marker = 1'>", "second prompt", "third prompt"]

[[hypothesis]]
id = "h"
claim = "<b>Hotter</b> & worse"
metric = "repetition_score"
trend = "temperature"
expect = "increasing"

[[model]]
id = "scripted"
path = "m.scripted.toml"
"#;

/// What a model may write to break the page that shows it; each begins with its mark.
fn hostile() -> Vec<String> {
    let texts = [
        "<script>window.marker = 'script'</script>",
        "</script><script>window.marker = 'ended'</script>",
        "<img src=x onerror=\"window.marker = 'image'\"> <svg onload=window.marker=1>",
        "<!-- <script> --> ]]> \" ' ` ${window.marker = 1} &lt;b&gt; &amp;",
        "right \u{202e}to left\u{2066} and \u{200b}nothing, a \u{0} NUL, \u{1b}[31m, \u{2028}line\u{2029}ends",
        "family 👨‍👩‍👧‍👦 flag 🇩🇪 \u{fffd} \u{e0041} e\u{301}",
        "javascript:window.marker=1 http://example.com/x.png //example.com/y",
    ];
    let mut texts: Vec<String> = texts.map(str::to_owned).to_vec();
    texts.push("0123456789".repeat(10_000));
    texts.push("to be or not ".repeat(3_000));
    texts.push(String::new());
    texts.iter().enumerate().map(|(case, text)| format!("case-{case}. {text}")).collect()
}

/// Runs an experiment, then puts `texts` in place of those of its first trials.
fn report(bench: &Bench, texts: &[String]) -> PathBuf {
    bench.run("out", &[], 0);
    let journal = bench.result("out", "trials.jsonl");
    let mut texts = texts.iter();
    let lines = journal.lines().map(|line| {
        let mut record: Value = serde_json::from_str(line).unwrap();
        if let Some(text) = texts.next() {
            record["outcome"]["generated"]["text"] = text.as_str().into();
        }
        record.to_string() + "\n"
    });
    bench.write("out/trials.jsonl", lines.collect::<String>());
    let said = bench.say(&["report", "out"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    bench.path().join("out/report.html")
}

fn small() -> Bench {
    let bench = Bench::new(SMALL);
    bench.write("m.scripted.toml", "");
    bench
}

/// Filters the table by a text.
fn filter(page: &Page, text: &str) {
    let set = "const box = document.querySelector('#table input[type=search]'); box.value = ";
    page.value(&format!("(() => {{ {set}{text:?}; box.dispatchEvent(new Event('input')); }})()"));
}

fn status(page: &Page) -> String {
    page.text("document.querySelector('#table [role=status]').textContent")
}

/// Nothing ran, nothing was asked for but the page itself, nothing was complained of.
fn is_quiet(page: &Page) {
    assert_eq!(page.value("typeof window.marker"), "undefined", "a text was executed");
    assert_eq!(page.complaints(), [""; 0]);
    let requests: Vec<String> =
        page.requests().into_iter().filter(|url| !url.ends_with("/out/report.html") && url != "data:,").collect();
    assert_eq!(requests, [""; 0]);
}

#[test]
fn hostile_texts_are_shown_and_not_executed() {
    let bench = small();
    // A chain without a draw has one text for all temperatures, and so several rows.
    bench.edit("[\"pure\", \"greedy\"]", "[\"pure\"]");
    let texts = hostile();
    let page = Page::new();
    page.open(&report(&bench, &texts));
    for (case, text) in texts.iter().enumerate() {
        filter(&page, &format!("case-{case}."));
        assert_eq!(status(&page), "1 to 1 of 1 trials, filtered from 18", "case {case}");
        page.value("document.querySelector('#table tbody a').click()");
        let shown = page.text("document.querySelector('#viewer .text').textContent");
        // What is invisible is shown as its code; of a long text the beginning is.
        let beginning: String = text.chars().take_while(|c| c.is_ascii_graphic() || *c == ' ').take(15_000).collect();
        assert!(shown.starts_with(&beginning), "case {case}: {shown:.200}");
        assert!(!shown.contains(['\u{202e}', '\u{200b}', '\0', '\u{1b}', '\u{2028}']), "case {case}");
        let foreign = page.number("document.querySelectorAll('#viewer script, #viewer img, #viewer svg').length");
        assert_eq!(foreign, 0.0, "case {case}");
    }
    is_quiet(&page);
}

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
    let journal = |line: &str| {
        let mut record: Value = serde_json::from_str(line).unwrap();
        let generated = &mut record["outcome"]["generated"];
        (generated["text"], generated["tokens"]) = ("it goes on and on and on".into(), [5, 6, 7, 8, 7, 8, 7].into());
        record.to_string() + "\n"
    };
    bench.run("out", &[], 0);
    let text = bench.result("out", "trials.jsonl").lines().map(journal).collect::<String>();
    bench.write("out/trials.jsonl", text);
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

#[test]
fn ten_thousand_trials_open_filter_and_sort_at_once() {
    let bench = small();
    bench.edit("count = 3", "count = 1250");
    bench.edit(", \"greedy\"]", ", \"llama.cpp\"]");
    bench.edit("\"second prompt\", \"third prompt\"", "\"second prompt\"");
    let page = Page::new();
    let file = report(&bench, &hostile());
    let opened = page.open(&file);
    assert_eq!(status(&page), "1 to 100 of 10000 trials");
    assert!(page.number("document.querySelectorAll('#table tbody tr').length") <= 200.0);
    assert!(opened < Duration::from_secs(3), "opening took {opened:?}");

    let timed = |action: &str| {
        page.number(&format!(
            "(() => {{ const begun = performance.now(); {action}; return performance.now() - begun; }})()"
        ))
    };
    let column = "document.querySelector('#table th[aria-sort]')";
    let sort = "document.querySelector('#table button[data-column=repetition_score]').click()";
    let sorting_ms = timed(sort);
    assert_eq!(page.text(&format!("{column}.getAttribute('aria-sort')")), "ascending");
    timed(sort);
    assert_eq!(page.text(&format!("{column}.getAttribute('aria-sort')")), "descending");
    let at = "[...document.querySelectorAll('#table th')].findIndex((th) => th.ariaSort)";
    let scores = page.value(&format!(
        "[...document.querySelectorAll('#table tbody tr')].map((tr) => Number(tr.children[{at}].textContent))"
    ));
    let scores: Vec<f64> = serde_json::from_value(scores).unwrap();
    assert!(scores.is_sorted_by(|a, b| a >= b) && scores[0] > 0.0, "{scores:?}");

    let filtering_ms = timed(
        "const box = document.querySelector('#table input[type=search]'); box.value = 'wheel'; box.dispatchEvent(new Event('input'))",
    );
    assert!(status(&page).contains("filtered from 10000"), "{}", status(&page));
    filter(&page, "no text holds this");
    assert_eq!(status(&page), "0 trials, filtered from 10000");
    filter(&page, "");
    page.value("(() => { const select = [...document.querySelectorAll('#table select')].find((s) => [...s.options].some((o) => o.value === 'llama.cpp')); \
                select.value = 'llama.cpp'; select.dispatchEvent(new Event('change')); })()");
    assert_eq!(status(&page), "1 to 100 of 5000 trials, filtered from 10000");
    assert!(sorting_ms < 1000.0 && filtering_ms < 1000.0, "sorting {sorting_ms} ms, filtering {filtering_ms} ms");
    is_quiet(&page);
}

#[test]
fn a_keyboard_and_a_screen_reader_get_everywhere() {
    let bench = small();
    let page = Page::new();
    page.open(&report(&bench, &[]));
    let prompt = "document.querySelector('#viewer [role=status]').textContent";
    page.value("document.querySelector('#viewer button').focus()");
    page.press("j");
    assert_eq!(page.text(prompt), "Prompt 2 of 3");
    page.press("k");
    page.press("k");
    assert_eq!(page.text(prompt), "Prompt 3 of 3");

    let nameless = page.value(
        "[...document.querySelectorAll('button, select, input, a, [role=region], svg[role=img], section')].filter((e) => \
         !(e.textContent.trim() || e.ariaLabel || e.labels?.length || e.getAttribute('aria-labelledby')) || \
         (e.matches('select, input') && !e.labels.length)).map((e) => e.outerHTML.slice(0, 200))",
    );
    assert_eq!(nameless, Value::Array(vec![]));
    let levels: Vec<u8> = serde_json::from_value(
        page.value("[...document.querySelectorAll('h1, h2, h3, h4')].map((h) => Number(h.tagName[1]))"),
    )
    .unwrap();
    assert_eq!(levels.iter().filter(|&&level| level == 1).count(), 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "a level of headings is left out: {levels:?}");
    assert_eq!(
        page.value("[...document.querySelectorAll('nav a')].every((a) => document.querySelector(a.hash))"),
        true
    );
    let landmarks =
        page.value("['header', 'nav', 'main', 'footer'].map((tag) => document.querySelectorAll(tag).length)");
    assert_eq!(landmarks, serde_json::json!([1, 1, 1, 1]));
    let ids: Vec<String> =
        serde_json::from_value(page.value("[...document.querySelectorAll('[id]')].map((e) => e.id)")).unwrap();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id stands twice: {ids:?}");
    is_quiet(&page);
}

#[test]
fn dark_and_light_follow_the_system_and_the_reader() {
    let bench = small();
    let page = Page::new();
    let file = report(&bench, &[]);
    page.look("dark", 390, 844);
    page.open(&file);
    let paper = "getComputedStyle(document.body).backgroundColor";
    assert_eq!(page.text(paper), "rgb(23, 24, 26)");
    // The figures' paper is the page's.
    assert_eq!(page.text("getComputedStyle(document.querySelector('figure svg rect')).fill"), "rgb(23, 24, 26)");
    page.value("document.getElementById('theme').click()");
    assert_eq!(page.text(paper), "rgb(255, 255, 255)");
    // On a narrow screen only what says so scrolls sideways.
    assert_eq!(page.value("document.documentElement.scrollWidth <= innerWidth"), true);
    is_quiet(&page);
}

#[test]
fn without_script_everything_but_texts_and_trials_is_there() {
    let bench = small();
    let file = report(&bench, &hostile());
    let page = Page::new();
    page.open_without_script(&file);
    assert_eq!(page.value("document.documentElement.dataset.ready ?? null"), Value::Null, "a script has run");
    let seen = page.text("document.body.innerText");
    for expected in [
        "<script>window.marker = 'question'</script> Which?",
        "<b>Hotter</b> & worse",
        "inconclusive",
        "scripted: mean repetition score",
        "T = 0.5",
        "no random draw",
        "run x.toml --out out",
        "This part needs JavaScript",
    ] {
        assert!(seen.to_lowercase().contains(&expected.to_lowercase()), "no {expected:?} in {seen}");
    }
    assert!(page.number("document.querySelectorAll('figure svg').length") >= 1.0);
    is_quiet(&page);
}

#[test]
fn the_same_run_has_the_same_page() {
    let bench = small();
    report(&bench, &hostile());
    let first = bench.result("out", "report.html");
    assert_eq!(bench.say(&["report", "out"]).code, Some(0));
    assert!(first == bench.result("out", "report.html"), "the page is not a function of the run");
}

#[test]
fn what_is_folded_is_printed() {
    let bench = small();
    let page = Page::new();
    page.open(&report(&bench, &[]));
    page.value("addEventListener('beforeprint', () => { window.open_details = document.querySelectorAll('#verdicts details[open]').length; })");
    assert!(page.print().starts_with(b"%PDF"));
    assert_eq!(page.number("window.open_details"), 1.0);
    assert_eq!(page.number("document.querySelectorAll('#verdicts details[open]').length"), 0.0);
    is_quiet(&page);
}

/// `MOE_SWEEP_REPORT=results/cause/report.html cargo test --release --test report_page -- --ignored`
/// writes screenshots of that report beside it, of each section, light and dark, wide and narrow.
#[test]
#[ignore = "takes pictures for people"]
fn screenshots() {
    let file = PathBuf::from(std::env::var("MOE_SWEEP_REPORT").expect("MOE_SWEEP_REPORT names a report.html"));
    let file = file.canonicalize().expect("the report is there");
    let page = Page::new();
    for (scheme, width, height) in
        [("light", 1280, 1000), ("dark", 1280, 1000), ("light", 390, 844), ("dark", 390, 844)]
    {
        page.look(scheme, width, height);
        page.open(&file);
        let sections = page.value("[...document.querySelectorAll('main > section')].map((section) => section.id)");
        let sections: Vec<String> = serde_json::from_value(sections).unwrap();
        for section in ["".to_owned()].into_iter().chain(sections) {
            page.value(&format!("void document.getElementById({section:?})?.scrollIntoView()"));
            let name = if section.is_empty() { "top" } else { &section };
            std::fs::write(file.with_file_name(format!("{scheme}-{width}-{name}.png")), page.screenshot()).unwrap();
        }
    }
}
