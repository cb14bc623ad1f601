//! Finds out which API a server speaks and which models it has, by what it says of itself. Must not ask for a text.
//!
//! Each API has a page that no other has; but llama-server has Ollama's list of models too, and all but Shimmy have
//! OpenAI's. So those are asked first that tell most.

use serde_json::Value;

use super::client::{Client, RequestError};
use crate::experiment::{Api, Extension, Server};

/// A server that nothing is known of but its address answers each question within so many seconds.
const PATIENCE_S: u32 = 5;
/// How many of a server's models an error names.
const LISTED: usize = 20;
/// Fields that vLLM and SGLang understand beside OpenAI's.
const OF_VLLM: [Extension; 3] = [Extension::TopK, Extension::MinP, Extension::RepetitionPenalty];

/// What a server says that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detected {
    pub api: Api,
    /// By the names that it gives them; empty where it lists none.
    pub models: Vec<String>,
    /// Fields beyond those of its API, where it says who it is.
    pub extensions: Vec<Extension>,
}

/// Why nothing is known of a server.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum Undetected {
    #[error("no server answers at {url}: {reason}")]
    #[diagnostic(help("start it, or give its address as --server http://HOST:PORT"))]
    Unreachable { url: String, reason: String },
    #[error("the server at {url} requires a key: {reason}")]
    #[diagnostic(help("put the key into an environment variable and pass the variable's name: --key-env VARIABLE"))]
    Key { url: String, reason: String },
    #[error("the server at {url} is not ready: {reason}")]
    #[diagnostic(help("try again once it has loaded its model"))]
    NotReady { url: String, reason: String },
    #[error(
        "cannot tell which API the server at {url} has: it has none of the pages of llama-server, Ollama, Shimmy or \
         OpenAI's API"
    )]
    #[diagnostic(help(
        "give the address without the API's path, and name the API: --api openai, llama-server, ollama or shimmy"
    ))]
    Foreign { url: String },
    #[error("{0}")]
    #[diagnostic(help("set the variable, or name another one with --key-env"))]
    NoKey(String),
    #[error("the server at {url} has no model")]
    #[diagnostic(help("load one, or name it with --model NAME if the server loads models on request"))]
    NoModel { url: String },
    #[error("the server at {url} has several models")]
    #[diagnostic(help("name one with --model NAME: {}", listed(models)))]
    Several { url: String, models: Vec<String> },
}

impl Detected {
    /// The only model that the server at `url` has.
    ///
    /// # Errors
    /// When there are others, or none.
    pub fn only_model(self, url: &str) -> Result<String, Undetected> {
        let url = url.to_owned();
        match <[String; 1]>::try_from(self.models) {
            Ok([model]) => Ok(model),
            Err(models) if models.is_empty() => Err(Undetected::NoModel { url }),
            Err(models) => Err(Undetected::Several { url, models }),
        }
    }
}

fn listed(models: &[String]) -> String {
    let more = models.len().saturating_sub(LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", models[..models.len().min(LISTED)].join(", "))
}

/// Asks `server` what it is, whatever its API is said to be; `known` is what a person says that it is.
///
/// # Errors
/// When it can't be reached, refuses, or is nothing that is known here.
pub fn detect(server: &Server, known: Option<Api>) -> Result<Detected, Undetected> {
    let hasty = Server { silence_s: PATIENCE_S, answer_s: PATIENCE_S, ..server.clone() };
    let client = Client::new(&hasty).map_err(Undetected::NoKey)?;
    let asked = Asked { client, url: server.url.clone() };
    let apis = [Api::LlamaServer, Api::Ollama, Api::Shimmy, Api::Openai];
    for api in apis.into_iter().filter(|api| known.is_none_or(|known| known == *api)) {
        if let Some(found) = asked.about(api)? {
            return Ok(found);
        }
    }
    match known {
        // A person knows better: what it can't do comes out when it is asked.
        Some(api) => Ok(Detected { api, models: vec![], extensions: vec![] }),
        None => Err(Undetected::Foreign { url: asked.url }),
    }
}

struct Asked {
    client: Client,
    url: String,
}

impl Asked {
    /// What the server says where it speaks this API; None where it does not.
    fn about(&self, api: Api) -> Result<Option<Detected>, Undetected> {
        let plain = |models| Ok(Some(Detected { api, models, extensions: vec![] }));
        match api {
            Api::LlamaServer => {
                if !self.page("/props")?["default_generation_settings"].is_object() {
                    return Ok(None);
                }
                plain(names(&self.page("/v1/models")?["data"], "id"))
            }
            Api::Ollama => {
                if !self.page("/api/version")?["version"].is_string() {
                    return Ok(None);
                }
                plain(names(&self.page("/api/tags")?["models"], "name"))
            }
            Api::Shimmy => {
                let models = &self.page("/api/models")?["models"];
                if models.is_array() { plain(names(models, "name")) } else { Ok(None) }
            }
            Api::Openai => {
                let models = self.page("/v1/models")?;
                let owners = names(&models["data"], "owned_by");
                let is_vllm = owners.iter().any(|owner| owner == "vllm" || owner == "sglang");
                let extensions = if is_vllm { OF_VLLM.to_vec() } else { vec![] };
                let is_it = models["data"].is_array();
                Ok(is_it.then(|| Detected { api, models: names(&models["data"], "id"), extensions }))
            }
        }
    }

    /// Null where the server has no such page, or no JSON there.
    fn page(&self, path: &str) -> Result<Value, Undetected> {
        let url = self.url.clone();
        match self.client.document(path, None) {
            Ok(page) => Ok(page.unwrap_or(Value::Null)),
            Err(RequestError::Unreachable { reason, .. }) => Err(Undetected::Unreachable { url, reason }),
            Err(RequestError::Denied(reason)) => Err(Undetected::Key { url, reason }),
            Err(RequestError::Passing { reason, .. }) => Err(Undetected::NotReady { url, reason }),
            // Some answer a page that they do not have with another refusal.
            Err(RequestError::Lasting(_) | RequestError::NoPage(_) | RequestError::BrokenOff { .. }) => Ok(Value::Null),
        }
    }
}

/// What each of a list has under `key`.
fn names(list: &Value, key: &str) -> Vec<String> {
    let names = list.as_array().into_iter().flatten().filter_map(|entry| entry[key].as_str());
    names.map(str::to_owned).collect()
}
