//! Owns what a chat template sends beside the prompt, and what the model's own template would send too.
//!
//! In `template = "chat"` none of a template's Jinja is rendered: llama.cpp knows some forms by marks in the template's
//! text, and writes the one that it takes it for. In `template = "jinja"` it is rendered. Owns the comparison of what is sent
//! with the template, which looks at the text of the template alone. Pure: asks no model.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::jinja::{Piece, pieces, string};
use super::{Level, System, Thinking};

/// Marks of a thought, as templates write them.
const THINKING: [&str; 8] = [
    "<think>",
    "<thinking>",
    "<|think|>",
    "<seed:think>",
    "<reasoning>",
    "[THINK]",
    "<|channel|>analysis",
    "<thought>",
];
/// A shorter piece of a template says too little: a role's name, a full stop.
const LEAST: usize = 8;

/// How prompts are asked in `template = "chat"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatForm {
    /// llama.cpp's built-in forms that write what it wrote for this model: one, or several that agree.
    pub forms: Vec<String>,
    pub before: String,
    pub after: String,
    /// Text that the model's own template holds and that is not sent, white space aside.
    pub unsent: Vec<String>,
}

/// How prompts are asked in `template = "jinja"`, with one system message and one word on thinking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenderedForm {
    pub system: System,
    pub thinking: Thinking,
    pub before: String,
    pub after: String,
    /// The date that the template is told, where it asks.
    pub date: Option<String>,
}

/// The levels that it is asked for by.
impl fmt::Display for RenderedForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("template jinja")?;
        let said = [Level::from(self.system.clone()), Level::from(self.thinking)];
        said.iter().filter(|level| level.is_said()).try_for_each(|level| write!(f, ", {}", level.in_cell()))
    }
}

impl ChatForm {
    /// Compares the model's `template` with what was written around a prompt, and with `dialogue`,
    /// a conversation in which every role speaks: what is written there belongs to the form.
    pub fn new(template: &str, forms: Vec<String>, before: &str, after: &str, dialogue: &str) -> Self {
        let written = [plain(&format!("{before} {after}")), plain(dialogue)];
        let mut unsent: Vec<String> = Vec::new();
        for piece in texts(template) {
            let piece = plain(&piece);
            let telling = piece.chars().count() >= LEAST || thinking(&piece).is_some();
            if telling && !written.iter().any(|written| written.contains(&piece)) && !unsent.contains(&piece) {
                unsent.push(piece);
            }
        }
        Self { forms, before: before.to_owned(), after: after.to_owned(), unsent }
    }

    /// The mark of a thought in what is not sent.
    pub fn unsent_thinking(&self) -> Option<&'static str> {
        self.unsent.iter().find_map(|piece| thinking(piece))
    }
}

fn thinking(text: &str) -> Option<&'static str> {
    THINKING.into_iter().find(|mark| text.contains(mark))
}

/// White space of any kind and length is one space.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text that a Jinja template may write: what stands outside its tags, and strings that it
/// prints or puts into variables.
fn texts(template: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) => texts.push(text.to_owned()),
            Piece::Print(tag) => texts.extend(strings(tag)),
            Piece::Statement(tag) if tag.starts_with("set ") => texts.extend(strings(tag)),
            Piece::Statement(_) => {}
        }
    }
    texts.retain(|text| !text.trim().is_empty());
    texts
}

/// The strings of an expression that may be written: not keys, arguments, or what is compared.
fn strings(tag: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tag.len() {
        let rest = &tag[at..];
        let Some((text, length)) = string(rest) else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        let (before, after) = (tag[..at].trim_end(), rest[length..].trim_start());
        let argument =
            before.strip_suffix('(').is_some_and(|call| call.ends_with(|c: char| c.is_alphanumeric() || c == '_'));
        let compared = ["==", "!=", " in"].iter().any(|operator| before.ends_with(operator))
            || ["==", "!=", "in ", "not in "].iter().any(|operator| after.starts_with(operator));
        if !argument && !compared && !before.ends_with(['[', ',']) {
            found.push(text);
        }
        at += length;
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BEFORE: &str = "<|im_start|>user\n";
    const AFTER: &str = "<|im_end|>\n<|im_start|>assistant\n";
    const DIALOGUE: &str = "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n";
    const PLAIN: &str = "{% for m in messages %}{{'<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n'}}\
                         {% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    fn form(template: &str) -> ChatForm {
        ChatForm::new(template, vec!["chatml".to_owned()], BEFORE, AFTER, DIALOGUE)
    }

    #[test]
    fn a_template_that_llama_cpp_writes_whole_lacks_nothing() {
        assert_eq!(form(PLAIN).unsent, [""; 0]);
        let careful =
            "{%- if messages[0].role == 'system' %}{{- '<|im_start|>system\\n' + messages[0].content }}{% endif %}";
        assert_eq!(form(&format!("{careful}{PLAIN}")).unsent, [""; 0]);
    }

    #[test]
    fn a_default_system_prompt_and_a_thought_are_named() {
        let system = "{% if messages[0]['role'] != 'system' %}{{'<|im_start|>system\\nYou are Tiny, a model that rhymes.\
                      <|im_end|>\\n'}}{% endif %}";
        let found = form(&format!("{system}{}", PLAIN.replace("assistant\\n", "assistant\\n<think>\\n")));
        let expected =
            ["<|im_start|>system You are Tiny, a model that rhymes.<|im_end|>", "<|im_start|>assistant <think>"];
        assert_eq!(found.unsent, expected);
        assert_eq!(found.unsent_thinking(), Some("<think>"));
    }

    #[test]
    fn text_outside_tags_and_in_variables_counts() {
        let template = "{% set default = \"You are a helpful assistant.\" %}{% if tools %}# Tools\n\nYou may call \
                        {{ 'functions' }}{% else %}Answer without tools.{% endif %}{# a remark of the author #}";
        let expected = ["You are a helpful assistant.", "# Tools You may call", "functions", "Answer without tools."];
        assert_eq!(form(template).unsent, expected);
        assert_eq!(form(template).unsent_thinking(), None);
    }

    #[test]
    fn what_is_only_looked_at_is_not_text() {
        let template = "{% set content = message['content'].split('</think> and after')[-1] %}\
                        {{ raise_exception('Roles must alternate here') }}{{ message['reasoning_content'] }}\
                        {{ 'y' if message.role == 'a_role_of_no_use' else 'z' }}\
                        {% if '<think>' in content %}{% endif %}";
        assert_eq!(form(template).unsent, [""; 0]);
    }

    #[test]
    fn strings_are_read_whole() {
        assert_eq!(texts("{{ \"it's\" + 'a \\'quote\\'' }} then"), ["it's", "a 'quote'", " then"]);
    }

    proptest! {
        #[test]
        fn any_template_is_read(template in "[a-z{}%#'\" \\\\\\[(=é-]{0,60}") {
            form(&template);
        }

        #[test]
        fn plain_text_is_one_piece(text in "[a-z<>|.]{8,40}") {
            prop_assert_eq!(texts(&text), std::slice::from_ref(&text));
        }
    }
}
