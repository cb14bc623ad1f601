//! Makes the path and the body of a request to a server. Pure, and without a key.
//!
//! Pure. Knows the shape of the APIs, not how bytes travel.

use serde_json::{Map, Value, json};

use super::mapping::{Inexpressible, sampling_fields};
use crate::domain::{PromptKey, ResolvedChain, Seed, System, Template, Thinking};
use crate::experiment::{Api, Delivery, Served};

/// A request for one text.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// In whose words it is asked, and answered.
    pub api: Api,
    /// Behind the server's address.
    pub path: &'static str,
    pub body: Value,
}

/// The text that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub prompt: &'a str,
    /// How it is asked; plans refuse what the API has no words for.
    pub key: &'a PromptKey,
    pub chain: &'a ResolvedChain,
    pub seed: Option<Seed>,
    pub max_tokens: u32,
    /// Tokens that the prompt and the text may have together.
    pub context: u32,
}

/// The paths that are added to a server's address, the longer ones first, and their beginnings.
const OWN_PATHS: [&str; 7] =
    ["/v1/chat/completions", "/v1/completions", "/v1", "/api/generate", "/api/chat", "/api", "/completion"];

/// An address without the path that is added to it, where it ends in one already.
pub fn base_of(url: &str) -> Option<&str> {
    OWN_PATHS.iter().find_map(|path| url.strip_suffix(path))
}

/// The API in whose words a text is asked for: a llama-server has chats in OpenAI's, and takes its own sampling fields there.
fn in_words_of(api: Api, template: Template) -> Api {
    match (api, template) {
        (Api::LlamaServer, Template::Chat | Template::Jinja) => Api::Openai,
        (api, _) => api,
    }
}

/// # Errors
/// When the API can't say the chain.
pub fn ask(served: &Served, wanted: Wanted<'_>) -> Result<Ask, Inexpressible> {
    let Served { server, name } = served;
    let Wanted { prompt, key, chain, seed, max_tokens, context } = wanted;
    let sampling = sampling_fields(server, chain)?;
    let stream = server.delivery == Delivery::Stream;
    let messages = || {
        let system = key.get::<System>().message().map(|system| json!({ "role": "system", "content": system }));
        Value::Array(system.into_iter().chain([json!({ "role": "user", "content": prompt })]).collect())
    };
    let api = in_words_of(server.api, *key.get());
    let (path, mut body) = match (api, key.get()) {
        (Api::Openai, Template::Raw) => ("/v1/completions", json!({ "model": name, "prompt": prompt })),
        (Api::Openai, Template::Chat | Template::Jinja) => {
            ("/v1/chat/completions", json!({ "model": name, "messages": messages() }))
        }
        // It has one model, and no name for it.
        (Api::LlamaServer, _) => {
            ("/completion", json!({ "prompt": prompt, "return_tokens": true, "cache_prompt": false }))
        }
        (Api::Ollama, Template::Raw) => ("/api/generate", json!({ "model": name, "prompt": prompt, "raw": true })),
        (Api::Ollama, Template::Chat | Template::Jinja) => {
            ("/api/chat", json!({ "model": name, "messages": messages() }))
        }
        (Api::Shimmy, Template::Raw) => ("/api/generate", json!({ "model": name, "prompt": prompt })),
        (Api::Shimmy, Template::Chat | Template::Jinja) => {
            ("/api/generate", json!({ "model": name, "messages": messages() }))
        }
    };
    body["stream"] = json!(stream);
    let mut fields = sampling;
    if let Some(seed) = seed {
        fields.insert("seed".to_owned(), json!(seed.get()));
    }
    let think = key.get::<Thinking>().switch();
    match api {
        Api::Openai => {
            if let Some(think) = think {
                // llama-server, vLLM and SGLang hand them to the template.
                fields.insert("chat_template_kwargs".to_owned(), json!({ "enable_thinking": think }));
            }
            fields.insert("max_tokens".to_owned(), json!(max_tokens));
            if server.api == Api::LlamaServer {
                fields.insert("cache_prompt".to_owned(), json!(false));
            }
            if stream {
                fields.insert("stream_options".to_owned(), json!({ "include_usage": true }));
            }
        }
        Api::LlamaServer => {
            fields.insert("n_predict".to_owned(), json!(max_tokens));
        }
        Api::Ollama => {
            fields.insert("num_predict".to_owned(), json!(max_tokens));
            // Its default context is small, and what does not fit is cut away without a word.
            fields.insert("num_ctx".to_owned(), json!(context));
            let format = fields.remove("format");
            fields = Map::from_iter([("options".to_owned(), Value::Object(fields))]);
            fields.extend(format.map(|format| ("format".to_owned(), format)));
            // A prompt that is too long is refused then, and a text ends where the context does.
            fields.extend([("truncate".to_owned(), json!(false)), ("shift".to_owned(), json!(false))]);
            fields.extend(think.map(|think| ("think".to_owned(), json!(think))));
        }
        Api::Shimmy => {
            fields.insert("max_tokens".to_owned(), json!(max_tokens));
        }
    }
    body.as_object_mut().expect("written as an object above").append(&mut fields);
    Ok(Ask { api, path, body })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Step, Temperature};
    use crate::experiment::Server;

    fn body(api: Api, template: Template) -> Ask {
        body_of(api, &PromptKey::default().with(template))
    }

    fn body_of(api: Api, key: &PromptKey) -> Ask {
        let served = Served { server: Server::new("s".into(), "http://h".into(), api), name: "m".into() };
        let chain = ResolvedChain(vec![Step::Temperature { t: Temperature::new(0.9).unwrap() }, Step::Dist]);
        let wanted = Wanted { prompt: "Why?", key, chain: &chain, seed: Seed::new(3), max_tokens: 8, context: 64 };
        ask(&served, wanted).unwrap()
    }

    #[test]
    fn the_path_that_is_added_is_found_in_an_address() {
        assert_eq!(base_of("http://h:1/v1"), Some("http://h:1"));
        assert_eq!(base_of("http://h:1/x/v1/chat/completions"), Some("http://h:1/x"));
        assert_eq!(base_of("http://h:1/api"), Some("http://h:1"));
        assert_eq!((base_of("http://h:1"), base_of("http://h:1/apis")), (None, None));
    }

    #[test]
    fn each_api_is_asked_in_its_own_words() {
        let openai = body(Api::Openai, Template::Chat);
        assert_eq!(openai.path, "/v1/chat/completions");
        let expected = json!({
            "model": "m", "messages": [{ "role": "user", "content": "Why?" }], "stream": true,
            "stream_options": { "include_usage": true }, "max_tokens": 8, "seed": 3, "temperature": 0.9,
            "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0,
        });
        assert_eq!(openai.body, expected);
        let ollama = body(Api::Ollama, Template::Raw);
        assert_eq!((&ollama.body["raw"], &ollama.body["options"]["num_predict"]), (&json!(true), &json!(8)));
        assert_eq!((&ollama.body["options"]["seed"], &ollama.body["options"]["num_ctx"]), (&json!(3), &json!(64)));
        assert_eq!((&ollama.body["truncate"], &ollama.body["shift"]), (&json!(false), &json!(false)));
        let llama_server = body(Api::LlamaServer, Template::Raw);
        assert_eq!((llama_server.path, &llama_server.body["n_predict"]), ("/completion", &json!(8)));
        assert_eq!(llama_server.body["samplers"], json!(["temperature"]));
    }

    #[test]
    fn a_system_message_and_thinking_are_said_in_the_words_of_each_api() {
        let key = PromptKey::default().with(Template::Chat).with(System::None).with(Thinking::Off);
        let messages = json!([{ "role": "system", "content": "" }, { "role": "user", "content": "Why?" }]);
        let openai = body_of(Api::Openai, &key);
        assert_eq!(openai.body["messages"], messages);
        assert_eq!(openai.body["chat_template_kwargs"], json!({ "enable_thinking": false }));
        let ollama = body_of(Api::Ollama, &key);
        assert_eq!((&ollama.body["messages"], &ollama.body["think"]), (&messages, &json!(false)));
        let plain = body_of(Api::Ollama, &PromptKey::default().with(Template::Chat));
        assert_eq!((plain.body["messages"].as_array().map(Vec::len), plain.body.get("think")), (Some(1), None));
    }
}
