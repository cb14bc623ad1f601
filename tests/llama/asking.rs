//! The model's own chat template rendered, a system message, a switch for thinking, and filler: what each does to the tokens
//! of a prompt, and that it does nothing else. The templates are put into the file of a bundled model.

use std::collections::BTreeMap;

use crate::prompts::{self, CHATML, asked, with_template};
use crate::support::Bench;

/// ChatML that begins with BOS, has a system message of its own, trims what it is given, and knows a switch for thinking.
const OWN: &str = "{{ bos_token }}{% if messages[0].role != 'system' %}{{ '<|im_start|>system\nYou are Tiny.<|im_end|>\n' }}\
                   {% endif %}{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content | trim + '<|im_end|>\n' }}\
                   {% endfor %}{{ '<|im_start|>assistant\n' }}{% if enable_thinking is defined and not enable_thinking %}\
                   {{ '<think>\n\n</think>\n' }}{% endif %}";

/// A bench whose model has this template, with room for what is put around prompts.
fn bench(template: &str) -> Bench {
    let bench = prompts::bench(&with_template(template));
    bench.edit("context = 128", "context = 512");
    bench
}

/// The tokens of each prompt in a grid with these levels, by the level of `factor` and the prompt.
fn counts(template: &str, levels: &str, factor: &str) -> BTreeMap<(String, String), u32> {
    let bench = bench(template);
    bench.edit("[\"greedy\"]", &format!("[\"greedy\"]\n{levels}"));
    bench.run("out", &[], 0);
    asked(&bench, "out", factor).into_iter().map(|(level, prompt, tokens)| ((level, prompt), tokens)).collect()
}

fn of(counts: &BTreeMap<(String, String), u32>, level: &str, prompt: &str) -> u32 {
    counts[&(level.to_owned(), prompt.to_owned())]
}

#[test]
fn the_own_template_is_rendered_and_special_text_in_the_prompt_stays_text() {
    let raw = counts(CHATML, "template = [\"raw\", \"chat\", \"jinja\"]", "template");
    for prompt in ["p1", "p2", "p3"] {
        // Of a template that llama.cpp writes whole, the rendered text is the same but for its end, which CHATML leaves out.
        assert!(of(&raw, "jinja", prompt) < of(&raw, "chat", prompt), "{raw:?}");
        let around = of(&raw, "jinja", "p1") - of(&raw, "raw", "p1");
        assert_eq!(of(&raw, "jinja", prompt), of(&raw, "raw", prompt) + around, "{raw:?}");
    }
    let own = counts(OWN, "template = [\"chat\", \"jinja\"]", "template");
    assert!(of(&own, "jinja", "p1") > of(&own, "chat", "p1"), "it sends its system message: {own:?}");
}

#[test]
fn bos_that_the_template_writes_is_not_doubled() {
    let levels = |bos: &str| format!("template = [\"jinja\"]\nbos = [{bos}]");
    let own = counts(OWN, &levels("\"model\", \"always\", \"never\""), "bos");
    let without = counts(&OWN.replace("{{ bos_token }}", ""), &levels("\"model\", \"never\""), "bos");
    for prompt in ["p1", "p2"] {
        assert_eq!(of(&own, "model", prompt), of(&own, "always", prompt));
        assert_eq!(of(&own, "model", prompt), of(&own, "never", prompt) + 1, "the bundled models add BOS");
        assert_eq!(of(&own, "model", prompt), of(&without, "model", prompt), "once, whoever writes it");
        assert_eq!(of(&own, "never", prompt), of(&without, "never", prompt));
    }
}

#[test]
fn a_system_message_and_the_switch_change_what_is_around_the_prompt() {
    let own = counts(
        OWN,
        "template = [\"jinja\"]\nsystem = [\"default\", \"none\", \"Answer as a captain who has seen it all.\"]",
        "system",
    );
    let (default, none) = (of(&own, "default", "p1"), of(&own, "none", "p1"));
    assert!(none < default && default < of(&own, "Answer as a captain who has seen it all.", "p1"), "{own:?}");
    let thinking = counts(OWN, "template = [\"jinja\"]\nthinking = [\"default\", \"on\", \"off\"]", "thinking");
    assert_eq!(of(&thinking, "default", "p1"), default);
    assert_eq!(of(&thinking, "on", "p1"), default);
    assert!(of(&thinking, "off", "p1") > default, "{thinking:?}");
    let chat = counts(CHATML, "template = [\"chat\"]\nsystem = [\"default\", \"Be brief.\"]", "system");
    assert!(of(&chat, "Be brief.", "p1") > of(&chat, "default", "p1"), "{chat:?}");
}

#[test]
fn filler_has_exactly_so_many_tokens_in_every_form() {
    for template in ["raw", "chat", "jinja"] {
        let levels = format!("template = [\"{template}\"]\nprefix_tokens = [0, 1, 40]");
        let counts = counts(OWN, &levels, "prefix_tokens");
        for prompt in ["p1", "p2", "p3"] {
            let none = of(&counts, "0", prompt);
            assert_eq!(
                (of(&counts, "1", prompt), of(&counts, "40", prompt)),
                (none + 1, none + 40),
                "{template}, {prompt}"
            );
        }
    }
}

/// Of each trial its id and its text.
fn texts(bench: &Bench, run: &str) -> BTreeMap<String, String> {
    let journal = bench.result(run, "trials.jsonl");
    let records = journal.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a record"));
    let text = |record: serde_json::Value| {
        let text = record["outcome"].to_string();
        (record["id"].as_str().expect("an id").to_owned(), text)
    };
    records.map(text).collect()
}

#[test]
fn the_levels_of_an_experiment_that_names_none_are_those_that_it_had() {
    let bench = bench(OWN);
    bench.edit("[\"greedy\"]", "[\"greedy\"]\ntemplate = [\"raw\", \"chat\"]");
    bench.run("without", &[], 0);
    bench.edit("[\"greedy\"]", "[\"greedy\"]\nsystem = [\"default\", \"Be brief.\"]\nprefix_tokens = [0, 30]");
    bench.edit("[prompts]", "[[grid.exclude]]\ntemplate = \"raw\"\nsystem = \"Be brief.\"\n\n[prompts]");
    bench.run("with", &[], 0);
    let (without, with) = (texts(&bench, "without"), texts(&bench, "with"));
    assert_eq!((without.len(), with.len()), (6, 18));
    for (id, text) in &without {
        assert_eq!(with.get(id), Some(text), "the same ids and the same texts");
    }
}

#[test]
fn what_is_sent_is_told_with_the_date_that_the_template_is_told() {
    let dated = OWN.replace("You are Tiny.", "Today is ' + strftime_now('%d %B %Y') + '.");
    let bench = bench(&dated);
    bench.edit("[\"greedy\"]", "[\"greedy\"]\ntemplate = [\"jinja\"]");
    bench.run("out", &[], 0);
    let expected = r#"the model tiny, template jinja: the model's own chat template is rendered, with "<|im_start|>system\nToday is 26 July 2024.<|im_end|>\n<|im_start|>user\n" before and "<|im_end|>\n<|im_start|>assistant\n" after prompts; it uses the date, which is always 2024-07-26"#;
    assert!(bench.say(&["plan", "x.toml"]).stdout.contains(expected));
    let manifest: serde_json::Value = serde_json::from_str(&bench.result("out", "manifest.json")).expect("it is JSON");
    assert!(manifest["notes"].to_string().contains("which is always 2024-07-26"), "{}", manifest["notes"]);
    let form = &manifest["models"][0]["facts"]["rendered"][0];
    assert_eq!((&form["thinking"], &form["date"]), (&"default".into(), &"2024-07-26".into()), "{form}");
    assert!(bench.result("out", "report.html").contains("Today is 26 July 2024."), "the report says so too");
}

#[test]
fn what_a_template_does_not_know_is_refused_with_what_leaves_it_out() {
    let bench = bench(CHATML);
    let levels = "template = [\"jinja\"]\nsystem = [\"default\", \"none\"]\nthinking = [\"default\", \"off\"]";
    bench.edit("[\"greedy\"]", &format!("[\"greedy\"]\n{levels}"));
    bench.run("out", &[], 96).says(&[
        "its chat template has no switch for thinking",
        "[[grid.exclude]] model = \"tiny\", template = \"jinja\", thinking = \"off\"",
        "its chat template has no default system message",
        "[[grid.exclude]] model = \"tiny\", template = \"jinja\", system = \"none\"",
    ]);
    bench.write("tiny.gguf", with_template("{{ raise_exception('no user is welcome') }}"));
    bench.run("out", &[], 96).says(&["its chat template refuses the conversation: no user is welcome"]);
    bench.write("tiny.gguf", with_template("{% for m in messages %}{{ m.content "));
    bench.run("out", &[], 96).says(&["its chat template can't be rendered"]);
    bench.write("tiny.gguf", with_template(CHATML));
    bench.edit(levels, "prefix_tokens = [0, 600]");
    bench.run("out", &[], 96).says(&["prefix_tokens = 600", "raise context to at least"]);
}
