//! Asks a server what it is: its version, its model, its default settings.
//!
//! It is taken at its word, and what it does not say is unknown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::client::{Client, RequestError};
use crate::engine::EngineError;
use crate::experiment::{Api, Served};

/// A server's statements about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFacts {
    /// By name; what it does not state is not here.
    pub stated: BTreeMap<String, String>,
    /// Tokens that a prompt and its text may have together; None where it does not state it.
    pub context: Option<u32>,
    /// What it samples with where a request says nothing of it, by its own names; empty where it does not state it.
    /// No part of what it is: a request that says everything does not meet them.
    #[serde(default)]
    pub defaults: BTreeMap<String, String>,
}

/// Raised when texts are asked for, or answers read, in another way: what was read in the old one
/// is then asked for again. 2: thoughts are kept, Ollama is told the context, a text that is
/// called full and is not was cut.
const CLIENT: u32 = 2;

/// How many of a server's models an error names, and how much of each name.
const LISTED_NAMES: usize = 20;
const NAME_CHARS: usize = 100;
/// A longer statement is known by its hash.
const STATED_BYTES: usize = 16 * 1024;

/// llama-server's names for what chooses a token, the seed aside.
const SAMPLING: [&str; 26] = [
    "temperature",
    "dynatemp_range",
    "dynatemp_exponent",
    "top_k",
    "top_p",
    "min_p",
    "top_n_sigma",
    "xtc_probability",
    "xtc_threshold",
    "typical_p",
    "typ_p",
    "repeat_last_n",
    "repeat_penalty",
    "presence_penalty",
    "frequency_penalty",
    "dry_multiplier",
    "dry_base",
    "dry_allowed_length",
    "dry_penalty_last_n",
    "mirostat",
    "mirostat_tau",
    "mirostat_eta",
    "adaptive_target",
    "adaptive_decay",
    "grammar",
    "samplers",
];

impl ServerFacts {
    /// All that may change a text and is known: what the server is, in one line. Not its
    /// address, so that a sweep goes on where a server was moved.
    pub fn fingerprint(&self, served: &Served) -> String {
        let Served { server, name } = served;
        let own = server.own_chain.as_deref().unwrap_or("none");
        let extensions: Vec<_> = server.extensions.iter().map(ToString::to_string).collect();
        let stated: Vec<_> = self.stated.iter().map(|(key, value)| format!("{key}={value}")).collect();
        format!(
            "server {} client={CLIENT} api={} model={name} own_chain={own} extensions={} {}",
            server.id,
            server.api,
            extensions.join(","),
            stated.join(" ")
        )
    }

    /// Whether texts of the experiment's `context` fit, as far as that is known.
    pub fn has_room_for(&self, context: u32) -> bool {
        self.context.is_none_or(|stated| stated >= context)
    }
}

/// # Errors
/// When the server can't be reached, refuses, or knows no such model.
pub fn identify(served: &Served, client: &Client) -> Result<ServerFacts, EngineError> {
    let mut stated = BTreeMap::new();
    let mut context = None;
    let mut defaults = BTreeMap::new();
    let tokens = |value: &Value| value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|&n| n > 0);
    let mut state = |key: &str, value: &Value| {
        let text = match value {
            Value::Null => return,
            Value::String(text) => text.clone(),
            // A number is not written here as it was there.
            other => client.scrub(other.to_string()),
        };
        stated.insert(key.to_owned(), shortened(text));
    };
    let document = |path: &str, body: Option<Value>| match client.document(path, body.as_ref()) {
        Ok(document) => Ok(document.unwrap_or(Value::Null)),
        Err(RequestError::Unreachable { url, reason }) => {
            Err(EngineError::Server(format!("no server answers at {url}: {reason}")))
        }
        Err(error) => Err(EngineError::Server(format!("the server refuses {path}: {error}"))),
    };
    let name = served.name.as_str();
    match served.server.api {
        Api::Openai => {
            let models = document("/v1/models", None)?;
            let listed = models["data"].as_array().map(|models| (models, "id"));
            let model = find(served, listed)?;
            state("owned_by", &model["owned_by"]);
            state("max_model_len", &model["max_model_len"]);
            context = tokens(&model["max_model_len"]);
            state("version", &document("/version", None)?["version"]);
        }
        Api::LlamaServer => {
            let props = document("/props", None)?;
            state("build", &props["build_info"]);
            state("model_path", &props["model_path"]);
            // Of one slot, not of all of them together.
            let n_ctx = &props["default_generation_settings"]["n_ctx"];
            state("n_ctx", n_ctx);
            context = tokens(n_ctx);
            defaults = sampling_defaults(&props["default_generation_settings"])
                .map(|(key, value)| (key.clone(), client.scrub(value.to_string())))
                .collect();
        }
        Api::Ollama => {
            state("version", &document("/api/version", None)?["version"]);
            let tags = document("/api/tags", None)?;
            let model = find(served, tags["models"].as_array().map(|models| (models, "name")))?;
            state("digest", &model["digest"]);
            let shown = document("/api/show", Some(json!({ "model": name })))?;
            state("quantization", &shown["details"]["quantization_level"]);
            state("parameters", &shown["parameters"]);
            // What the model was made for: however much is asked for, Ollama gives no more.
            let info = shown["model_info"].as_object();
            let length = info.and_then(|info| info.iter().find(|(key, _)| key.ends_with(".context_length")));
            if let Some((_, length)) = length {
                state("context_length", length);
                context = tokens(length);
            }
        }
        Api::Shimmy => {
            state("version", &document("/health", None)?["version"]);
            let models = document("/api/models", None)?;
            let model = find(served, models["models"].as_array().map(|models| (models, "name")))?;
            state("size_bytes", &model["size_bytes"]);
        }
    }
    Ok(ServerFacts { stated, context, defaults })
}

/// Of what llama-server would do where a request says nothing, the part that chooses tokens.
fn sampling_defaults(settings: &Value) -> impl Iterator<Item = (&String, &Value)> {
    // They stood beside the context before they had an object of their own.
    let stated = settings["params"].as_object().or(settings.as_object());
    stated.into_iter().flatten().filter(|(key, _)| SAMPLING.contains(&key.as_str()))
}

/// The served model among those that the server lists, if it lists any.
fn find<'v>(served: &Served, listed: Option<(&'v Vec<Value>, &str)>) -> Result<&'v Value, EngineError> {
    let Some((models, key)) = listed.filter(|(models, _)| !models.is_empty()) else { return Ok(&Value::Null) };
    let names = || models.iter().filter_map(|model| model[key].as_str());
    // Ollama's names end in a tag, and "latest" goes without saying.
    let is_it = |known: &str| known == served.name || known.strip_suffix(":latest") == Some(&*served.name);
    models.iter().rfind(|model| model[key].as_str().is_some_and(is_it)).ok_or_else(|| {
        let more = names().count().saturating_sub(LISTED_NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let names: Vec<String> =
            names().take(LISTED_NAMES).map(|name| name.chars().take(NAME_CHARS).collect()).collect();
        EngineError::Server(format!(
            "it has no model {:?}; set served_as to one of: {}{more}",
            served.name,
            names.join(", ")
        ))
    })
}

/// What a server states, of which a manifest can hold so much.
fn shortened(text: String) -> String {
    if text.len() <= STATED_BYTES {
        return text;
    }
    let beginning = &text[..text.floor_char_boundary(NAME_CHARS)];
    format!("{beginning}… ({} bytes, BLAKE3 {})", text.len(), blake3::hash(text.as_bytes()).to_hex())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Server;

    #[test]
    fn how_long_a_server_is_waited_for_is_no_part_of_what_it_is() {
        let facts = ServerFacts { stated: BTreeMap::new(), context: None, defaults: BTreeMap::new() };
        let server = Server::new("s".into(), "http://h".into(), Api::Openai);
        let served = Served { server, name: "m".into() };
        let mut other = served.clone();
        (other.server.answer_s, other.server.silence_s, other.server.patience_s) = (1, 2, 3);
        assert_eq!(facts.fingerprint(&served), facts.fingerprint(&other));
    }

    #[test]
    fn a_statement_without_end_is_known_by_its_hash() {
        assert_eq!(shortened("x".repeat(STATED_BYTES)).len(), STATED_BYTES);
        let [one, other] = ["a", "b"].map(|end| shortened("é".repeat(STATED_BYTES) + end));
        assert!(one.len() < 300 && one.starts_with("éé") && one != other, "{one}");
    }
}
