//! Reads a message of a server, or a piece of one: the thought, the text, the calls of tools, and what of it is not
//! understood.
//!
//! Pure. Knows the shapes in which servers answer, not the text as it grows. What carries words
//! under a name that is not known here is not guessed at, and not dropped in silence: its name
//! is told.

use serde_json::{Map, Value};

/// Names of the thought in a message. A server that renames its field sends both for a while.
const THOUGHTS: [&str; 5] = [
    // DeepSeek, SGLang, llama-server, and vLLM before it took the next one
    "reasoning_content",
    // vLLM, OpenRouter, Groq, Ollama's OpenAI paths
    "reasoning",
    // Ollama
    "thinking",
    // LiteLLM
    "thinking_blocks",
    // OpenRouter
    "reasoning_details",
];

/// Types of a part that is thought, wherever it stands (Mistral, Anthropic, OpenAI, OpenRouter).
const THOUGHT_PARTS: [&str; 7] =
    ["thinking", "reasoning", "thought", "reasoning_text", "reasoning.text", "reasoning.summary", "summary_text"];
/// Types of a part that is what the list is: answer, or thought.
const PLAIN_PARTS: [&str; 3] = ["text", "output_text", "refusal"];
/// Where a part has its words.
const WORDS: [&str; 7] = ["text", "thinking", "reasoning", "thought", "refusal", "summary", "content"];

/// Names whose values are not the model's words.
const HARMLESS: [&str; 25] = [
    "content_filter_results",
    "created",
    "created_at",
    "done_reason",
    "finish_reason",
    "format",
    "id",
    "index",
    "logprobs",
    "matched_stop",
    "model",
    "name",
    "native_finish_reason",
    "object",
    "prompt_logprobs",
    "remote_host",
    "remote_model",
    "role",
    "signature",
    "status",
    "stop_reason",
    "token_ids",
    "tool_call_id",
    "tool_name",
    "type",
];

/// What was found in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub thought: String,
    pub text: String,
    /// What the model wrote of calls of tools: a line each, the name and then the arguments.
    pub calls: String,
    /// The names of what carries words and is not understood.
    pub unread: Vec<String>,
}

/// What a list of parts, or a string, is said to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thought,
}

impl Message {
    /// Reads a message that stands at `place` and has its answer under `content`.
    pub fn read(place: &str, content: &str, message: &Map<String, Value>) -> Self {
        let mut read = Self::thoughts_of(place, message);
        for key in [content, "refusal"] {
            read.take(&named(place, key), Kind::Text, message.get(key));
        }
        if let Some(Value::Array(calls)) = message.get("tool_calls") {
            for call in calls {
                read.take_call(&named(place, "tool_calls"), call);
            }
        }
        if let Some(call) = message.get("function_call").filter(|call| carries(call)) {
            read.take_call(&named(place, "function_call"), call);
        }
        let known = |key: &str| {
            key == content || THOUGHTS.contains(&key) || ["refusal", "tool_calls", "function_call"].contains(&key)
        };
        read.tell_unread(place, message, known);
        read
    }

    /// Reads the thought alone.
    pub fn thoughts_of(place: &str, message: &Map<String, Value>) -> Self {
        let mut read = Self::default();
        let mut taken: Vec<String> = Vec::new();
        for key in THOUGHTS {
            let mut one = Self::default();
            one.take(&named(place, key), Kind::Thought, message.get(key));
            read.unread.append(&mut one.unread);
            // The same words under a second name are not said twice.
            if !one.thought.is_empty() && !taken.contains(&one.thought) {
                read.thought += &one.thought;
                taken.push(one.thought);
            }
        }
        read
    }

    /// A string, or a list of parts; nothing where there is none.
    fn take(&mut self, place: &str, kind: Kind, value: Option<&Value>) {
        match value {
            Some(Value::String(words)) => self.push(kind, words),
            Some(Value::Array(parts)) => parts.iter().for_each(|part| self.take_part(place, kind, part)),
            // A part that stands alone.
            Some(part @ Value::Object(_)) => self.take_part(place, kind, part),
            _ => {}
        }
    }

    fn take_part(&mut self, place: &str, kind: Kind, part: &Value) {
        let part = match part {
            Value::Object(part) => part,
            other => return self.take(place, kind, Some(other)),
        };
        let type_name = part.get("type").and_then(Value::as_str);
        let kind = match type_name {
            Some(name) if THOUGHT_PARTS.contains(&name) => Kind::Thought,
            Some(name) if PLAIN_PARTS.contains(&name) => kind,
            None => kind,
            Some(unknown) => {
                // Whatever it holds, its type says that it is something else.
                if part.iter().any(|(key, value)| key != "type" && carries(value)) {
                    self.unread.push(format!("{place}[{unknown}]"));
                }
                return;
            }
        };
        let words = WORDS.iter().find_map(|key| Some((*key, part.get(*key).filter(|value| carries(value))?)));
        if let Some((_, value)) = words {
            self.take(place, kind, Some(value));
        }
        self.tell_unread(place, part, |key| words.is_some_and(|(taken, _)| key == taken));
    }

    /// A call has its words in an object of the call's type (`function`, `custom`), or in itself.
    fn take_call(&mut self, place: &str, call: &Value) {
        let inner = ["function", "custom"].iter().find_map(|key| call.get(*key)).unwrap_or(call);
        let name = inner.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
        let arguments = match inner.get("arguments").or_else(|| inner.get("input")) {
            Some(Value::String(words)) => words.clone(),
            Some(object) if carries(object) => object.to_string(),
            _ => String::new(),
        };
        if let Some(name) = name {
            self.calls += &format!("\n{name} ");
        }
        self.calls += &arguments;
        if name.is_none() && arguments.is_empty() {
            let harmless = |(key, value): (&String, &Value)| HARMLESS.contains(&key.as_str()) || !carries(value);
            if !inner.as_object().is_some_and(|inner| inner.iter().all(harmless)) {
                self.unread.push(place.to_owned());
            }
        }
    }

    fn push(&mut self, kind: Kind, words: &str) {
        match kind {
            Kind::Text => self.text += words,
            Kind::Thought => self.thought += words,
        }
    }

    /// Tells what of an object carries words that were not taken, under this name or another.
    fn tell_unread(&mut self, place: &str, object: &Map<String, Value>, known: impl Fn(&str) -> bool) {
        let taken = [self.thought.clone(), self.text.clone()];
        let said = |words: &str| taken.iter().any(|taken| taken == words);
        let unread = object.iter().filter(|(key, value)| {
            !known(key) && !HARMLESS.contains(&key.as_str()) && carries(value) && !repeats_only(value, &said)
        });
        self.unread.extend(unread.map(|(key, _)| named(place, key)));
    }
}

fn named(place: &str, key: &str) -> String {
    if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") }
}

/// Whether there is a string with words in it.
fn carries(value: &Value) -> bool {
    match value {
        Value::String(words) => !words.is_empty(),
        Value::Array(values) => values.iter().any(carries),
        Value::Object(object) => object.values().any(carries),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether all of its words were said already: some proxies send a message twice, in fields of
/// their own.
fn repeats_only(value: &Value, said: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(words) => words.is_empty() || said(words),
        Value::Array(values) => values.iter().all(|value| repeats_only(value, said)),
        Value::Object(object) => {
            object.iter().all(|(key, value)| HARMLESS.contains(&key.as_str()) || repeats_only(value, said))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(message: Value) -> Message {
        Message::read("delta", "content", message.as_object().unwrap())
    }

    fn of(thought: &str, text: &str) -> Message {
        Message { thought: thought.into(), text: text.into(), ..Message::default() }
    }

    #[test]
    fn a_thought_is_told_from_the_answer_under_each_of_its_names() {
        for name in ["reasoning_content", "reasoning", "thinking"] {
            assert_eq!(read(json!({ "content": null, name: "wait" })), of("wait", ""), "{name}");
            assert_eq!(read(json!({ "content": "yes", name: "wait" })), of("wait", "yes"), "{name}");
            assert_eq!(read(json!({ "content": "yes", name: null })), of("", "yes"), "{name}");
        }
    }

    #[test]
    fn the_same_thought_under_two_names_is_one() {
        let twice = json!({ "reasoning": "wait", "reasoning_content": "wait" });
        assert_eq!(read(twice), of("wait", ""));
        let blocks = json!({
            "reasoning_content": "wait",
            "thinking_blocks": [{ "type": "thinking", "thinking": "wait", "signature": "AbC" }],
            "provider_specific_fields": { "reasoning_content": "wait", "refusal": null },
        });
        assert_eq!(read(blocks), of("wait", ""));
        let details = json!({
            "reasoning": "wait", "reasoning_details": [{ "type": "reasoning.text", "text": "wait", "format": "x", "index": 0 }],
        });
        assert_eq!(read(details), of("wait", ""));
        // Two that differ are both said.
        assert_eq!(read(json!({ "reasoning": " b", "reasoning_content": "a" })), of("a b", ""));
    }

    #[test]
    fn an_answer_may_be_a_list_of_parts() {
        let parts = json!({ "content": [
            { "type": "thinking", "thinking": [{ "type": "text", "text": "hm" }, { "type": "text", "text": "m" }] },
            { "type": "reasoning", "text": "!", "signature": "AbC" },
            { "type": "text", "text": "Pa" },
            { "type": "output_text", "text": "ri", "annotations": [] },
            "s",
            { "text": "." },
        ]});
        assert_eq!(read(parts), of("hmm!", "Paris."));
    }

    #[test]
    fn a_refusal_and_the_calls_of_tools_are_what_the_model_wrote() {
        assert_eq!(read(json!({ "content": null, "refusal": "No." })), of("", "No."));
        let call = |function: Value| json!({ "tool_calls": [{ "index": 0, "id": "c", "type": "function", "function": function }] });
        assert_eq!(read(call(json!({ "name": "look", "arguments": "" }))).calls, "\nlook ");
        assert_eq!(read(call(json!({ "arguments": "{\"at\":" }))).calls, "{\"at\":");
        assert_eq!(
            read(call(json!({ "name": "look", "arguments": { "at": "sea" } }))).calls,
            "\nlook {\"at\":\"sea\"}"
        );
        let old = json!({ "content": null, "function_call": { "name": "look", "arguments": "{}" } });
        assert_eq!(read(old).calls, "\nlook {}");
        let custom = json!({ "tool_calls": [{ "type": "custom", "custom": { "name": "sh", "input": "ls" } }] });
        assert_eq!(read(custom).calls, "\nsh ls");
    }

    #[test]
    fn what_carries_words_and_is_not_understood_is_named() {
        let unread = |message| read(message).unread;
        assert_eq!(unread(json!({ "content": "", "ponderings": "wait" })), ["delta.ponderings"]);
        assert_eq!(unread(json!({ "audio": { "transcript": "wait" } })), ["delta.audio"]);
        assert_eq!(
            unread(json!({ "content": [{ "type": "image_url", "image_url": { "url": "x" } }] })),
            ["delta.content[image_url]"]
        );
        assert_eq!(
            unread(json!({ "reasoning_details": [{ "type": "reasoning.encrypted", "data": "Zm9v" }] })),
            ["delta.reasoning_details[reasoning.encrypted]"]
        );
        assert_eq!(unread(json!({ "content": [{ "type": "text", "words": "a" }] })), ["delta.content.words"]);
        assert_eq!(unread(json!({ "tool_calls": [{ "shell": "ls" }] })), ["delta.tool_calls"]);
    }

    #[test]
    fn what_carries_no_words_of_the_models_is_passed_over() {
        let harmless = json!({
            "role": "assistant", "content": "a", "annotations": [], "audio": null, "logprobs": { "content": [{ "token": "a" }] },
            "index": 0, "name": "m", "signature": "AbC", "token_ids": [1, 2], "tool_calls": [], "function_call": null,
            "images": {}, "tool_call_id": "x", "padding": "",
        });
        assert_eq!(read(harmless), of("", "a"));
        assert_eq!(
            read(json!({ "tool_calls": [{ "index": 0, "id": "c", "type": "function", "function": {} }] })),
            of("", "")
        );
    }
}
