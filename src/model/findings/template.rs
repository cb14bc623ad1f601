//! Reads out of a chat template's text what it writes where a text begins, and where a message ends.
//!
//! Nothing is rendered, so whatever depends on a decision of the template is left open. A renderer that knows both for
//! certain takes the place of this file: what it must give is [`Ends`] and [`writes_bos`].

use crate::domain::jinja::{Piece, pieces, string};

/// What a template writes right behind the assistant's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ends {
    /// These texts, each at its beginning.
    Texts(Vec<String>),
    /// It can't be told without rendering it.
    Open,
}

/// Names of roles in whose branches no assistant speaks.
const OTHERS: [&str; 8] = ["user", "system", "tool", "developer", "human", "ipython", "function", "observation"];
/// And of the assistant's.
const ASSISTANT: [&str; 4] = ["assistant", "model", "bot", "gpt"];

/// What stands behind a message's content, in all places of the template where the assistant may speak.
pub fn ends_of_turns(template: &str) -> Ends {
    let mut branches: Vec<Branch> = Vec::new();
    let mut behind = Behind::default();
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) => behind.writes(text),
            Piece::Print(expression) => behind.prints(expression),
            Piece::Statement(statement) => {
                behind.is_next = false;
                let (word, rest) = statement.split_once(char::is_whitespace).unwrap_or((statement, ""));
                match word {
                    "if" => branches.push(Branch::of(rest)),
                    "elif" | "else" => {
                        if let Some(branch) = branches.last_mut() {
                            *branch = branch.after(rest);
                        }
                    }
                    // Who calls it is not looked for.
                    "macro" => branches.push(Branch { speaker: Speaker::Other, assistant_before: false }),
                    "endif" | "endmacro" => {
                        branches.pop();
                    }
                    "set" => {
                        if let Some((_, expression)) = rest.split_once('=') {
                            behind.prints(expression);
                            behind.is_next = false;
                        }
                    }
                    _ => {}
                }
                behind.speaks = speaker(&branches);
            }
        }
    }
    if behind.texts.is_empty() { Ends::Open } else { Ends::Texts(behind.texts) }
}

/// Whether the template writes a BOS: by its variable, or by its text at the very beginning.
pub fn writes_bos(template: &str, bos: &str) -> bool {
    let pieces = pieces(template);
    let by_name = pieces.iter().any(|piece| match piece {
        Piece::Print(expression) => words(expression).any(|word| word == "bos_token"),
        Piece::Statement(statement) => {
            statement.starts_with("set ") && words(statement).any(|word| word == "bos_token")
        }
        Piece::Text(_) => false,
    });
    let first = pieces.into_iter().find_map(|piece| match piece {
        Piece::Text(text) if !text.trim().is_empty() => Some(text.trim_start().to_owned()),
        Piece::Print(expression) => Some(
            operands(expression).first().and_then(|operand| string(operand)).map_or_else(String::new, |(text, _)| text),
        ),
        Piece::Text(_) | Piece::Statement(_) => None,
    });
    by_name || (!bos.is_empty() && first.is_some_and(|first| first.starts_with(bos)))
}

/// Who speaks in a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaker {
    Assistant,
    Other,
    Anybody,
}

/// A branch of an `if`, and whether one before it was the assistant's.
#[derive(Clone, Copy, Debug)]
struct Branch {
    speaker: Speaker,
    assistant_before: bool,
}

impl Branch {
    fn of(condition: &str) -> Self {
        let strings = strings(condition);
        let names = |roles: &[&str]| strings.iter().any(|string| roles.contains(&string.as_str()));
        let negated = condition.contains("!=") || words(condition).any(|word| word == "not");
        let (speaker, assistant_before) = match (names(&ASSISTANT), names(&OTHERS)) {
            (false, false) => (Speaker::Anybody, false),
            // Whose branch it is, and whose the next, is not thought through: neither says anything.
            _ if negated => (Speaker::Other, true),
            (true, _) => (Speaker::Assistant, false),
            (false, true) => (Speaker::Other, false),
        };
        Self { speaker, assistant_before }
    }

    /// The next branch of the same `if`; without a condition it is that of all others.
    fn after(self, condition: &str) -> Self {
        let assistant_before = self.assistant_before || self.speaker == Speaker::Assistant;
        let next = Self::of(condition);
        let speaker = if next.speaker == Speaker::Anybody && assistant_before { Speaker::Other } else { next.speaker };
        Self { speaker, assistant_before }
    }
}

/// By the innermost branch that says it.
fn speaker(branches: &[Branch]) -> Speaker {
    let said = branches.iter().rev().map(|branch| branch.speaker).find(|speaker| *speaker != Speaker::Anybody);
    said.unwrap_or(Speaker::Anybody)
}

/// What was met behind messages.
#[derive(Debug)]
struct Behind {
    speaks: Speaker,
    /// Whether a message's content was the last thing written.
    is_next: bool,
    texts: Vec<String>,
}

impl Default for Behind {
    fn default() -> Self {
        Self { speaks: Speaker::Anybody, is_next: false, texts: Vec::new() }
    }
}

impl Behind {
    fn writes(&mut self, text: &str) {
        let text = text.trim_start();
        if text.is_empty() {
            return;
        }
        if self.is_next && self.speaks != Speaker::Other {
            self.texts.push(text.to_owned());
        }
        self.is_next = false;
    }

    fn prints(&mut self, expression: &str) {
        let decides = words(expression).any(|word| ["if", "else", "and", "or"].contains(&word));
        if decides {
            self.is_next = false;
            return;
        }
        for operand in operands(expression) {
            match string(operand) {
                Some((text, length)) if length == operand.len() => self.writes(&text),
                _ => self.is_next = is_content(operand),
            }
        }
    }
}

/// What an expression joins by `+` and `~`.
fn operands(expression: &str) -> Vec<&str> {
    let mut operands = Vec::new();
    let (mut begin, mut at, mut depth) = (0, 0, 0_u32);
    while let Some(c) = expression[at..].chars().next() {
        let length = string(&expression[at..]).map_or(c.len_utf8(), |(_, length)| length);
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '+' | '~' if depth == 0 => {
                operands.push(expression[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
        at += length;
    }
    operands.push(expression[begin..].trim());
    operands
}

/// Whether an operand is the content of a message, as it is or trimmed. What is cut out of a thought is not.
fn is_content(operand: &str) -> bool {
    let strings = strings(operand);
    let by_key = operand.contains('[') && strings.iter().any(|string| string == "content");
    let by_name = words(operand).any(|word| word == "content");
    (by_key || by_name) && !strings.iter().any(|string| string.contains("think"))
}

/// The names in an expression, strings aside.
fn words(expression: &str) -> impl Iterator<Item = &str> {
    outside_of_strings(expression)
        .into_iter()
        .flat_map(|part| part.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()))
}

fn outside_of_strings(expression: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut begin, mut at) = (0, 0);
    while let Some(c) = expression[at..].chars().next() {
        match string(&expression[at..]) {
            Some((_, length)) => {
                parts.push(&expression[begin..at]);
                at += length;
                begin = at;
            }
            None => at += c.len_utf8(),
        }
    }
    parts.push(&expression[begin..]);
    parts
}

/// The strings in an expression.
fn strings(expression: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = expression[at..].chars().next() {
        at += match string(&expression[at..]) {
            Some((text, length)) => {
                found.push(text);
                length
            }
            None => c.len_utf8(),
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ends(template: &str) -> Vec<String> {
        match ends_of_turns(template) {
            Ends::Texts(texts) => texts,
            Ends::Open => vec![],
        }
    }

    #[test]
    fn what_is_joined_to_the_content_ends_the_turn() {
        let chatml = "{% for m in messages %}{{'<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n'}}{% endfor %}";
        assert_eq!(ends(chatml), ["<|im_end|>"]);
        let gemma = "{{ '<start_of_turn>' + role + '\\n' + message.content | trim + '<end_of_turn>\\n' }}";
        assert_eq!(ends(gemma), ["<end_of_turn>\n"]);
        let set =
            "{% set content = '<|h|>' + message['role'] + message['content'] | trim + '<|eot_id|>' %}{{ content }}";
        assert_eq!(ends(set), ["<|eot_id|>"]);
        assert_eq!(ends("{{ visible_text(m.content) }}\n[e~[{{ x }}"), ["[e~["]);
        assert_eq!(ends("{{ m['content'] }}{{ '<|end|>' }}"), ["<|end|>"]);
    }

    #[test]
    fn a_message_of_somebody_else_says_nothing() {
        let by_role = "{% if m.role == 'user' %}{{ '[INST]' + m.content + '[/INST]' }}\
                       {% elif m['role'] == \"assistant\" %}{{ m.content + '</s>' }}{% else %}{{ m.content + '<x>' }}{% endif %}";
        assert_eq!(ends(by_role), ["</s>"]);
        let otherwise =
            "{% if m.role == 'user' %}{{ m.content + '[/INST]' }}{% else %}{{ m.content + '<end>' }}{% endif %}";
        assert_eq!(ends(otherwise), ["<end>"]);
        let negated =
            "{% if m.role != 'user' %}{{ m.content + '<a>' }}{% else %}{{ m.content + '[/INST]' }}{% endif %}";
        assert_eq!(ends(negated), [""; 0]);
        let nested =
            "{% if m.role == 'tool' %}{% if x %}{{ m.content + '<y>' }}{% endif %}{% endif %}{{ m.content + '<z>' }}";
        assert_eq!(ends(nested), ["<z>"]);
    }

    #[test]
    fn what_depends_on_a_decision_is_open() {
        for open in [
            "{{ m.content }}{% if not loop.last %}{{ '<|im_end|>' }}{% endif %}",
            "{{ m.content + ('<a>' if loop.last else '<b>') }}",
            "{{ m.content.split('</think>')[-1] + '<a>' }}",
            "{{ m.reasoning_content + '</think>' }}",
            "{{ m.content + eos_token }}",
            "no tag at all <|im_end|>",
            "",
        ] {
            assert_eq!(ends_of_turns(open), Ends::Open, "{open}");
        }
    }

    #[test]
    fn a_bos_is_written_by_its_name_or_at_the_beginning() {
        for writes in [
            "{{ bos_token }}x",
            "{{- bos_token + m.content }}",
            "{% set c = bos_token + c %}",
            " <s>[INST]",
            "{{ '<s>' + x }}",
        ] {
            assert!(writes_bos(writes, "<s>"), "{writes}");
        }
        for not in ["{% if bos_token is defined %}{% endif %}x", "[INST]<s>", "{{ 'bos_token' }}", "{{ x }}<s>", ""] {
            assert!(!writes_bos(not, "<s>"), "{not}");
        }
        assert!(!writes_bos("x", ""));
    }

    proptest! {
        #[test]
        fn any_template_is_read(template in "([a-z{}%#'\" \\\\\\[(=+~é-]|content|if|set|endif){0,60}") {
            ends_of_turns(&template);
            writes_bos(&template, "<s>");
        }
    }
}
