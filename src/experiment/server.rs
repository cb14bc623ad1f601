//! Owns what a server is that serves models of the grid: how it is asked, and the rules of `[[server]]`.
//!
//! Owns what a server *is*. Knows neither what its API looks like on the wire
//! (`engine::http`) nor any secret: a key is known by the environment variable
//! that holds it.

use super::spanned::Spanned;
use serde::{Deserialize, Serialize};

use super::api::{Api, Delivery, Extension};
use super::error::Problems;
use super::named::resolve_name;
use super::raw::RawServer;
use crate::domain::Width;

/// Requests at a time where the file does not say: what llama-server and
/// Ollama serve side by side by default.
const DEFAULT_CONCURRENCY: u32 = 4;
/// Seconds of silence after which an answer is given up, where the file does not say.
const DEFAULT_SILENCE_S: u32 = 120;

/// Seconds that an answer may take, where the file does not say: a thousand tokens of a model that
/// makes one in three seconds.
const DEFAULT_ANSWER_S: u32 = 3600;

/// Seconds for which a server that can't be reached is waited for, where the
/// file does not say: it may be restarting.
const DEFAULT_PATIENCE_S: u32 = 60;

/// A server and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    pub id: String,
    /// Scheme, host and port, and what stands before the API's own paths;
    /// without a slash at its end.
    pub url: String,
    pub api: Api,
    /// The environment variable that holds the key.
    pub key_env: Option<String>,
    /// Requests at a time.
    pub concurrency: u32,
    /// Seconds without a piece of the text after which an answer is given up; bytes that are no
    /// whole line are none.
    pub silence_s: u32,
    /// Seconds after which an answer is given up, however much of it is there.
    pub answer_s: u32,
    /// Seconds for which it is waited for when it can't be reached.
    pub patience_s: u32,
    /// The chain that it is believed to run whatever it is asked: of this
    /// chain the temperature alone is sent.
    pub own_chain: Option<String>,
    /// Fields beyond the API's own that this server is said to understand.
    pub extensions: Vec<Extension>,
    pub delivery: Delivery,
}

/// A model as a server serves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    pub server: Server,
    /// What the server calls it.
    pub name: String,
}

impl Served {
    /// The same, asked for so many texts at a time.
    pub fn at_width(&self, width: Width) -> Self {
        let concurrency = match width {
            Width::Any => self.server.concurrency,
            Width::Texts(n) => n.get(),
        };
        Self { server: Server { concurrency, ..self.server.clone() }, name: self.name.clone() }
    }
}

impl Server {
    /// A server with the defaults of a file that says no more.
    pub fn new(id: String, url: String, api: Api) -> Self {
        Self {
            id,
            url,
            api,
            key_env: None,
            concurrency: DEFAULT_CONCURRENCY,
            silence_s: DEFAULT_SILENCE_S,
            answer_s: DEFAULT_ANSWER_S,
            patience_s: DEFAULT_PATIENCE_S,
            own_chain: None,
            extensions: vec![],
            delivery: Delivery::default(),
        }
    }
}

/// The address of a server, without a slash at its end.
///
/// # Errors
/// What is wrong with it, in words.
pub fn server_url(url: &str) -> Result<String, &'static str> {
    let trimmed = url.trim_end_matches('/');
    let rest = trimmed.strip_prefix("http://").or_else(|| trimmed.strip_prefix("https://"));
    let rest = rest.ok_or("it does not begin with http:// or https://")?;
    if rest.contains('@') {
        return Err(
            "it contains a user name or password, which would be written to files: name a variable with key_env",
        );
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]%".contains(c);
    if rest.is_empty() || rest.starts_with(['/', ':']) || !rest.chars().all(plain) {
        return Err("it is not the address of a server, such as http://127.0.0.1:8080");
    }
    Ok(trimmed.to_owned())
}

/// An address as an error shows it: without what stands before an `@`, a user and a password.
pub fn shown_url(url: &str) -> String {
    let Some((before, host)) = url.rsplit_once('@') else { return url.to_owned() };
    let scheme = before.split_once("://").map_or(String::new(), |(scheme, _)| format!("{scheme}://"));
    format!("{scheme}…@{host}")
}

/// Servers as a file describes them.
pub fn resolve_servers(raw: &[RawServer], problems: &mut Problems) -> Vec<Server> {
    let mut servers: Vec<Server> = Vec::new();
    for server in raw {
        let id = server.id.get_ref();
        if servers.iter().any(|known| known.id == *id) {
            problems.add(server.id.span(), format!("the server {id} is defined twice"), "rename or remove one");
        }
        servers.push(resolve_server(server, problems));
    }
    servers
}

fn resolve_server(raw: &RawServer, problems: &mut Problems) -> Server {
    let url = server_url(raw.url.get_ref()).unwrap_or_else(|why| {
        let message = format!("cannot use {:?}: {why}", shown_url(raw.url.get_ref()));
        let help = "write it as http://HOST:PORT";
        if raw.url.get_ref().contains('@') {
            problems.add_secret(raw.url.span(), message, help);
        } else {
            problems.add(raw.url.span(), message, help);
        }
        String::new()
    });
    let api = resolve_name("api", &raw.api, problems).unwrap_or_default();
    for (key, value) in [("concurrency", &raw.concurrency), ("silence_s", &raw.silence_s), ("answer_s", &raw.answer_s)]
    {
        if let Some(value) = value
            && *value.get_ref() == 0
        {
            problems.add(value.span(), format!("{key} can't be 0"), "set it to 1 or more, or remove it");
        }
    }
    if let Some(key) = &raw.key_env {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if key.get_ref().is_empty() || !key.get_ref().chars().all(plain) {
            // It may be the key itself: it is not quoted.
            let help = "write the variable's name, such as key_env = \"OPENAI_API_KEY\"; never put a key into a file";
            problems.add_secret(key.span(), "key_env does not name an environment variable", help);
        }
    }
    let extensions = raw.extensions.iter().flat_map(|list| list.get_ref());
    let extensions: Vec<Extension> = extensions.filter_map(|name| resolve_name("extension", name, problems)).collect();
    if let Some(list) = &raw.extensions
        && api != Api::Openai
    {
        let message = format!("the api {api} needs no extensions: it has fields for everything that can be sent");
        problems.add(list.span(), message, "extensions belong to api = \"openai\": remove them");
    }
    let delivery = raw.delivery.as_ref().and_then(|name| resolve_name("delivery", name, problems));
    let number = |value: &Option<Spanned<u32>>, default| value.as_ref().map_or(default, |value| *value.get_ref());
    Server {
        id: raw.id.get_ref().clone(),
        url,
        api,
        key_env: raw.key_env.as_ref().map(|key| key.get_ref().clone()),
        concurrency: number(&raw.concurrency, DEFAULT_CONCURRENCY),
        silence_s: number(&raw.silence_s, DEFAULT_SILENCE_S),
        answer_s: number(&raw.answer_s, DEFAULT_ANSWER_S),
        patience_s: raw.patience_s.unwrap_or(DEFAULT_PATIENCE_S),
        own_chain: raw.own_chain.as_ref().map(|chain| chain.get_ref().clone()),
        extensions,
        delivery: delivery.unwrap_or_default(),
    }
}
