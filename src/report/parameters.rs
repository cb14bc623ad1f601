//! A chain at a temperature, as the parameters of servers.
//!
//! Servers differ in what they take. What of a chain one can't be told is named,
//! never left out in silence.

use serde::Serialize;
use serde_json::{Map, Value, json};
use strum::VariantArray;

use crate::experiment::{ResolvedChain, Step, Temperature};

/// Whose parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray, strum::Display)]
#[strum(serialize_all = "kebab-case")]
pub enum Server {
    /// llama.cpp's server, `POST /completion`.
    LlamaServer,
    /// Ollama, `options` of `POST /api/generate`.
    Ollama,
    /// An OpenAI-style request.
    #[strum(serialize = "openai")]
    OpenAi,
}

/// The body's parameters, and what they can't say.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Parameters {
    pub body: Map<String, Value>,
    pub lost: Vec<String>,
}

/// The parameters that make `server` sample as `chain` does, as far as it can.
pub fn parameters(chain: &ResolvedChain, server: Server) -> Parameters {
    let mut parameters = Parameters::default();
    let mut order = Vec::new();
    let active: Vec<&Step<Temperature>> = chain.0.iter().filter(|step| !step.is_off()).collect();
    let greedy_alone = matches!(active[..], [Step::Greedy]);
    for step in active {
        match step {
            Step::Greedy if greedy_alone => parameters.set("temperature", json!(0.0)),
            Step::Dist => {}
            step => match said(step, server) {
                Some((name, values)) => {
                    order.push(name);
                    values.into_iter().for_each(|(key, value)| parameters.set(key, value));
                }
                None => parameters.lost.push(words(step)),
            },
        }
    }
    match server {
        Server::LlamaServer if !greedy_alone => parameters.set("samplers", json!(order)),
        Server::LlamaServer => {}
        Server::Ollama | Server::OpenAi if order.len() > 1 => {
            parameters.lost.push(format!("the order of the samplers: {}", order.join(", ")));
        }
        Server::Ollama | Server::OpenAi => {}
    }
    parameters
}

type Said = (&'static str, Vec<(&'static str, Value)>);

/// The step's name in llama-server's `samplers`, and its parameters.
fn said(step: &Step<Temperature>, server: Server) -> Option<Said> {
    let number = |value: f32| json!(value.to_string().parse::<f64>().unwrap_or(f64::from(value)));
    let (name, values) = match step {
        Step::Temperature { t } => ("temperature", vec![("temperature", number(t.get()))]),
        Step::TopP { p, .. } => ("top_p", vec![("top_p", number(*p))]),
        Step::Penalties { repeat, frequency, presence, .. } if server == Server::OpenAi => {
            let both = vec![("frequency_penalty", number(*frequency)), ("presence_penalty", number(*presence))];
            // The API has no repeat penalty.
            return (*repeat == 1.0).then_some(("penalties", both));
        }
        _ if server == Server::OpenAi => return None,
        Step::TopK { k } => ("top_k", vec![("top_k", json!(k))]),
        Step::MinP { p, .. } => ("min_p", vec![("min_p", number(*p))]),
        Step::Typical { p, .. } => ("typ_p", vec![("typical_p", number(*p))]),
        Step::Penalties { last_n, repeat, frequency, presence } => (
            "penalties",
            vec![
                ("repeat_last_n", json!(last_n)),
                ("repeat_penalty", number(*repeat)),
                ("frequency_penalty", number(*frequency)),
                ("presence_penalty", number(*presence)),
            ],
        ),
        _ if server == Server::Ollama => return None,
        Step::TopNSigma { n } => ("top_n_sigma", vec![("top_n_sigma", number(*n))]),
        Step::Xtc { p, threshold, .. } => {
            ("xtc", vec![("xtc_probability", number(*p)), ("xtc_threshold", number(*threshold))])
        }
        Step::Dry { multiplier, base, allowed_length, last_n, sequence_breakers } => (
            "dry",
            vec![
                ("dry_multiplier", number(*multiplier)),
                ("dry_base", number(*base)),
                ("dry_allowed_length", json!(allowed_length)),
                ("dry_penalty_last_n", json!(last_n)),
                ("dry_sequence_breakers", json!(sequence_breakers)),
            ],
        ),
        _ => return None,
    };
    Some((name, values))
}

fn words(step: &Step<Temperature>) -> String {
    match step {
        Step::Greedy => "that the most probable token is taken".to_owned(),
        step => serde_json::to_string(step).expect("a step is plain data"),
    }
}

impl Parameters {
    fn set(&mut self, key: &str, value: Value) {
        self.body.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(steps: Value) -> ResolvedChain {
        serde_json::from_value(steps).unwrap()
    }

    fn llama_cpp() -> ResolvedChain {
        chain(json!([
            { "penalties": { "last_n": 64, "repeat": 1.0, "frequency": 0.0, "presence": 0.0 } },
            { "top_k": { "k": 40 } }, { "typical": { "p": 1.0, "min_keep": 0 } },
            { "top_p": { "p": 0.95, "min_keep": 0 } }, { "min_p": { "p": 0.05, "min_keep": 0 } },
            { "temperature": { "t": 0.9 } }, "dist",
        ]))
    }

    #[test]
    fn llama_server_is_told_everything_in_order() {
        let Parameters { body, lost } = parameters(&llama_cpp(), Server::LlamaServer);
        let expected = json!({
            "top_k": 40, "top_p": 0.95, "min_p": 0.05, "temperature": 0.9,
            "samplers": ["top_k", "top_p", "min_p", "temperature"],
        });
        assert_eq!((Value::Object(body), lost), (expected, vec![]));
    }

    #[test]
    fn what_a_server_is_not_told_is_named() {
        let Parameters { body, lost } = parameters(&llama_cpp(), Server::OpenAi);
        assert_eq!(Value::Object(body), json!({ "top_p": 0.95, "temperature": 0.9 }));
        assert_eq!(lost.len(), 3, "{lost:?}");
        assert!(lost[0].contains("top_k") && lost[2].contains("order"), "{lost:?}");
        let repeats =
            chain(json!([{ "penalties": { "last_n": 64, "repeat": 1.1, "frequency": 0.0, "presence": 0.0 } }, "dist"]));
        assert_eq!(parameters(&repeats, Server::OpenAi).lost.len(), 1);
        assert_eq!(parameters(&repeats, Server::Ollama).body["repeat_penalty"], json!(1.1));
    }

    #[test]
    fn a_last_greedy_step_is_said_only_where_it_is_alone() {
        assert_eq!(parameters(&chain(json!(["greedy"])), Server::OpenAi).body["temperature"], json!(0.0));
        let cut = chain(json!([{ "temperature": { "t": 0.9 } }, { "top_k": { "k": 40 } }, "greedy"]));
        assert_eq!(parameters(&cut, Server::LlamaServer).lost, ["that the most probable token is taken"]);
    }
}
