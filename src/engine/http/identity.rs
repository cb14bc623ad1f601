//! What a server says it is: its version, its model, its default settings.
//!
//! It is taken at its word, and what it does not say is unknown.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::client::{Client, Trouble};
use crate::engine::EngineError;
use crate::experiment::{Api, Served};

/// A server's statements about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFacts {
    /// By name; what it does not state is not here.
    pub stated: BTreeMap<String, String>,
}

impl ServerFacts {
    /// All that may change a text and is known: what the server is, in one line. Not its
    /// address, so that a sweep goes on where a server was moved.
    pub fn fingerprint(&self, served: &Served) -> String {
        let Served { server, name } = served;
        let own = server.own_chain.as_deref().unwrap_or("none");
        let extensions: Vec<_> = server.extensions.iter().map(ToString::to_string).collect();
        let stated: Vec<_> = self.stated.iter().map(|(key, value)| format!("{key}={value}")).collect();
        format!(
            "server {} api={} model={name} own_chain={own} extensions={} {}",
            server.id,
            server.api,
            extensions.join(","),
            stated.join(" ")
        )
    }
}

/// # Errors
/// When the server can't be reached, refuses, or knows no such model.
pub fn identify(served: &Served, client: &Client<'_>) -> Result<ServerFacts, EngineError> {
    let mut stated = BTreeMap::new();
    let mut state = |key: &str, value: &Value| {
        let text = match value {
            Value::Null => return,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        stated.insert(key.to_owned(), text);
    };
    let document = |path: &str, body: Option<Value>| match client.document(path, body.as_ref()) {
        Ok(document) => Ok(document.unwrap_or(Value::Null)),
        Err(Trouble::Unreachable { url, reason }) => {
            Err(EngineError::Server(format!("no server answers at {url}: {reason}")))
        }
        Err(trouble) => Err(EngineError::Server(format!("the server refuses {path}: {trouble}"))),
    };
    let name = served.name.as_str();
    match served.server.api {
        Api::Openai => {
            let models = document("/v1/models", None)?;
            let listed = models["data"].as_array().map(|models| (models, "id"));
            let model = find(served, listed)?;
            state("owned_by", &model["owned_by"]);
            state("max_model_len", &model["max_model_len"]);
            state("version", &document("/version", None)?["version"]);
        }
        Api::LlamaServer => {
            let props = document("/props", None)?;
            state("build", &props["build_info"]);
            state("model_path", &props["model_path"]);
            state("n_ctx", &props["default_generation_settings"]["n_ctx"]);
        }
        Api::Ollama => {
            state("version", &document("/api/version", None)?["version"]);
            let tags = document("/api/tags", None)?;
            let model = find(served, tags["models"].as_array().map(|models| (models, "name")))?;
            state("digest", &model["digest"]);
            let shown = document("/api/show", Some(json!({ "model": name })))?;
            state("quantization", &shown["details"]["quantization_level"]);
            state("parameters", &shown["parameters"]);
        }
        Api::Shimmy => {
            state("version", &document("/health", None)?["version"]);
            let models = document("/api/models", None)?;
            let model = find(served, models["models"].as_array().map(|models| (models, "name")))?;
            state("size_bytes", &model["size_bytes"]);
        }
    }
    Ok(ServerFacts { stated })
}

/// The served model among those that the server lists, if it lists any.
fn find<'v>(served: &Served, listed: Option<(&'v Vec<Value>, &str)>) -> Result<&'v Value, EngineError> {
    let Some((models, key)) = listed.filter(|(models, _)| !models.is_empty()) else { return Ok(&Value::Null) };
    let names: Vec<_> = models.iter().filter_map(|model| model[key].as_str()).collect();
    // Ollama's names end in a tag, and "latest" goes without saying.
    let is_it = |known: &str| known == served.name || known.strip_suffix(":latest") == Some(&*served.name);
    models.iter().rfind(|model| model[key].as_str().is_some_and(is_it)).ok_or_else(|| {
        EngineError::Server(format!("it has no model {:?}; served_as can be: {}", served.name, names.join(", ")))
    })
}
