//! `report.html` in a real browser: it opens without a complaint or a request, it
//! works, and nothing that a model wrote is ever executed.

#[path = "../support/mod.rs"]
mod support;

mod access;
mod answers;
mod browser;
mod reading;
mod safety;
mod table;

use std::path::PathBuf;

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
    bench.forge("out", |number, record| {
        if let Some(text) = texts.get(number) {
            write_text(record, text);
        }
        true
    });
    let said = bench.say(&["report", "out"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    bench.path().join("out/report.html")
}

/// Puts a text in place of a record's; its tokens are not known, as a server's are not.
fn write_text(record: &mut Value, text: &str) {
    let generated = &mut record["outcome"]["generated"];
    (generated["text"], generated["tokens"]) = (text.into(), Value::Null);
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
