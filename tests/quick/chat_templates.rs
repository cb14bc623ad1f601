//! Chat templates are rendered as transformers renders them: tests/chat_templates has the templates, and what
//! scripts/chat-templates.py had transformers make of them.

use std::fs;
use std::path::PathBuf;

use moe_sweep::domain::Thinking;
use moe_sweep::prompt::{ChatTemplate, Message, Role, SpecialTokens};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
struct Oracle {
    tokens: Tokens,
    conversations: BTreeMap<String, Vec<Turn>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Tokens {
    bos_token: String,
    eos_token: String,
}

#[derive(Deserialize)]
struct Turn {
    role: String,
    content: String,
}

#[derive(Deserialize)]
struct Case {
    template: String,
    conversation: String,
    thinking: Option<bool>,
    /// None where the template refused.
    text: Option<String>,
    error: Option<String>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/chat_templates")
}

fn oracle() -> Oracle {
    let text = fs::read_to_string(folder().join("transformers.json")).expect("the oracle's file");
    serde_json::from_str(&text).expect("it is JSON")
}

fn template(name: &str, tokens: &Tokens) -> ChatTemplate {
    let text = fs::read_to_string(folder().join(format!("{name}.jinja"))).expect("the template's file");
    let tokens = SpecialTokens { bos: tokens.bos_token.clone(), eos: tokens.eos_token.clone() };
    ChatTemplate::parse(&text, tokens).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn each_template_is_rendered_as_transformers_renders_it() {
    let Oracle { tokens, conversations, cases } = oracle();
    let mut others = Vec::new();
    for Case { template: name, conversation, thinking, text, error } in &cases {
        let template = template(name, &tokens);
        let messages: Vec<_> = conversations[conversation]
            .iter()
            .map(|Turn { role, content }| Message { role: role.parse::<Role>().expect("a role"), content })
            .collect();
        let thinking = match thinking {
            None => Thinking::Default,
            Some(true) => Thinking::On,
            Some(false) => Thinking::Off,
        };
        let case = format!("{name}, {conversation}, thinking {thinking}");
        match (template.render(&messages, thinking), text, error) {
            (Ok(ours), Some(theirs), _) if ours == *theirs => {}
            (Err(ours), None, Some(theirs)) if ours.to_string().ends_with(theirs) => {}
            (ours, text, error) => others.push(format!("{case}\n ours   {ours:?}\n theirs {text:?} {error:?}")),
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
    let compared: BTreeSet<_> = cases.iter().map(|case| &case.template).collect();
    let there = fs::read_dir(folder()).expect("the folder").map(|entry| entry.expect("an entry").path());
    let there: BTreeSet<_> = there
        .filter(|path| path.extension().is_some_and(|ending| ending == "jinja"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(compared, there.iter().collect(), "scripts/chat-templates.py has not seen them all");
}
