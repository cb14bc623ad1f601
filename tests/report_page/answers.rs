//! The head of the page: whatever a run came to, it begins with that.

use serde_json::Value;

use crate::browser::Page;
use crate::support::Bench;
use crate::{is_quiet, write_text};

const EXPERIMENT: &str = r#"
schema = 1
name = "x"

[generate]
max_tokens = 60
context = 128

[grid]
model = ["scripted"]
chain = ["pure"]
temperature = [0.5, 1.0]
seed = [0]

[prompts]
inline = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"]

[[model]]
id = "scripted"
path = "m.scripted.toml"
"#;

const EQUAL: &str = r#"
[[hypothesis]]
id = "equal"
claim = "The temperature changes nothing."
equivalence = { base = { temperature = 0.5 }, other = { temperature = 1.0 } }
margin = 0.9
"#;

/// A run whose texts loop from a temperature on, of an experiment that `edit` changes.
fn run(loops_from: f64, edit: impl Fn(&Bench)) -> Bench {
    let bench = Bench::new(EXPERIMENT);
    bench.write("m.scripted.toml", format!("loops_from = {loops_from}"));
    edit(&bench);
    bench.run("out", &[], 0);
    bench
}

/// A text of 60 words of chance letters.
fn prose(number: usize) -> String {
    let word = |place: usize| {
        let mut bits = (60 * number + place + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as usize);
        let letter = |_| {
            bits = bits.rotate_left(5);
            char::from(b'a' + (bits % 26) as u8)
        };
        (0..7).map(letter).collect::<String>()
    };
    (0..60).map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_kind_of_answer_heads_its_page() {
    let as_it_is = |_: &Bench| {};
    let clean = run(2.0, as_it_is);
    clean.forge("out", |number, record| {
        write_text(record, &prose(number));
        true
    });
    let cut = run(2.0, as_it_is);
    cut.forge("out", |_, record| {
        record["outcome"]["generated"]["stop"] = "cut".into();
        true
    });
    let none = run(2.0, as_it_is);
    none.forge("out", |_, _| false);
    let one_prompt = r#""first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth""#;
    let runs = [
        ("changes", run(0.9, as_it_is)),
        ("undecided", run(0.0, as_it_is)),
        ("measured", run(0.0, |bench| bench.edit("[0.5, 1.0]", "[0.5]"))),
        ("not_tested", run(0.9, |bench| bench.edit(one_prompt, "\"first\""))),
        ("alike", run(0.0, |bench| bench.write("x.toml", bench.read("x.toml") + EQUAL))),
        ("clean", clean),
        ("cut", cut),
        ("no_texts", none),
    ];
    let page = Page::new();
    for (kind, bench) in runs {
        bench.say(&["report", "out"]);
        let answer: Value = serde_json::from_str(&bench.result("out", "answer.json")).expect("it is JSON");
        assert_eq!(answer["answer"], kind, "{answer:#}");
        let headline = answer["headline"].as_str().expect("it is text");
        page.open(&bench.path().join("out/report.html"));
        // The page may put its own spaces between a number and its unit.
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let title = words(&page.text("document.querySelector('h1').textContent"));
        assert!(title.starts_with(&words(headline)), "{kind}: {title:?} and {headline:?}");
        is_quiet(&page);
    }
}
