//! Writes a chain at a temperature as the parameters of servers.
//!
//! Owns which servers are advised on. How each is told a chain, and what is lost, is the client's own mapping
//! (`engine::http`), so what is recommended is what moe-sweep would ask for.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use strum::VariantArray;

use crate::domain::ResolvedChain;
use crate::engine::http::{Dialect, Expressed, Loss, express};
use crate::experiment::{Api, Extension};

/// A kind of server that advice is given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray, strum::Display)]
#[strum(serialize_all = "kebab-case")]
pub enum Server {
    /// llama.cpp's server, `POST /completion`.
    LlamaServer,
    /// Ollama, `options` of `POST /api/generate`.
    Ollama,
    /// vLLM, an OpenAI-style request with fields of its own.
    #[strum(serialize = "vllm")]
    Vllm,
    /// An OpenAI-style request.
    #[strum(serialize = "openai")]
    OpenAi,
}

/// The parameters of a request's body, and what of the chain they can't say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parameters {
    pub body: Map<String, Value>,
    #[serde(serialize_with = "in_words")]
    pub lost: Vec<Loss>,
}

impl Server {
    fn dialect(self) -> Dialect<'static> {
        let (api, extensions): (_, &[Extension]) = match self {
            Self::LlamaServer => (Api::LlamaServer, &[]),
            Self::Ollama => (Api::Ollama, &[]),
            // Its repetition penalty looks back on all of the text: there is no repeat_last_n.
            Self::Vllm => (Api::Openai, &[Extension::TopK, Extension::MinP, Extension::RepetitionPenalty]),
            Self::OpenAi => (Api::Openai, &[]),
        };
        Dialect { api, extensions }
    }
}

/// The parameters that make `server` sample as `chain` does, as far as it can.
pub fn parameters(chain: &ResolvedChain, server: Server) -> Parameters {
    let Expressed { fields, lost } = express(chain, server.dialect());
    Parameters { body: fields, lost }
}

fn in_words<S: Serializer>(lost: &[Loss], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(lost.iter().map(ToString::to_string))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::{Step, Temperature, TokenBias};
    use crate::engine::http::sampling_fields;
    use crate::experiment;

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

    fn lost(chain: &ResolvedChain, server: Server) -> Vec<String> {
        parameters(chain, server).lost.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_a_server_applies_by_default_is_switched_off() {
        let pure = experiment::builtin_chains().into_iter().find(|chain| chain.id == "pure").unwrap();
        let pure = pure.at(Temperature::new(0.9).unwrap());
        let said = |server| Value::Object(parameters(&pure, server).body);
        let ollama = json!({
            "temperature": 0.9, "top_k": 0, "top_p": 1, "min_p": 0, "typical_p": 1,
            "repeat_penalty": 1, "presence_penalty": 0, "frequency_penalty": 0,
        });
        assert_eq!(said(Server::Ollama), ollama, "of its own it applies top_k 40, top_p 0.9 and repeat_penalty 1.1");
        assert_eq!(said(Server::LlamaServer), json!({ "temperature": 0.9, "samplers": ["temperature"] }));
        let openai = json!({ "temperature": 0.9, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0 });
        assert_eq!(said(Server::OpenAi), openai);
        let mut vllm = openai;
        (vllm["top_k"], vllm["min_p"], vllm["repetition_penalty"]) = (json!(0), json!(0), json!(1));
        assert_eq!(said(Server::Vllm), vllm, "a model's generation_config.json may set each of them");
        for &server in Server::VARIANTS {
            assert_eq!(lost(&pure, server), [""; 0], "{server}");
        }
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
        let Parameters { body, .. } = parameters(&llama_cpp(), Server::OpenAi);
        assert_eq!((&body["top_p"], &body["temperature"]), (&json!(0.95), &json!(0.9)));
        let lost_there = lost(&llama_cpp(), Server::OpenAi);
        assert_eq!(lost_there.len(), 3, "{lost_there:?}");
        assert!(lost_there[0].contains("top_k") && lost_there[2].contains("order"), "{lost_there:?}");
        let repeats =
            chain(json!([{ "penalties": { "last_n": 64, "repeat": 1.1, "frequency": 0.0, "presence": 0.0 } }, "dist"]));
        assert_eq!(lost(&repeats, Server::OpenAi).len(), 1);
        assert_eq!(parameters(&repeats, Server::Ollama).body["repeat_penalty"], json!(1.1));
        // That penalty would look back on all of the text, not on 64 tokens: another chain.
        assert_eq!(parameters(&repeats, Server::Vllm).body["repetition_penalty"], json!(1));
        let [only] = &lost(&repeats, Server::Vllm)[..] else { panic!("one step is lost") };
        assert!(only.ends_with(", because it has no repeat_last_n"), "{only}");
    }

    #[test]
    fn a_last_greedy_step_is_said_only_where_it_is_alone() {
        assert_eq!(parameters(&chain(json!(["greedy"])), Server::OpenAi).body["temperature"], json!(0));
        let cut = chain(json!([{ "temperature": { "t": 0.9 } }, { "top_k": { "k": 40 } }, "greedy"]));
        assert_eq!(lost(&cut, Server::LlamaServer), ["taking the most probable token (greedy)"]);
    }

    #[test]
    fn a_step_that_keeps_some_tokens_at_least_is_lost() {
        let kept = chain(json!([{ "top_p": { "p": 0.9, "min_keep": 3 } }, "dist"]));
        for &server in Server::VARIANTS {
            assert_eq!(lost(&kept, server), [r#"{"top_p":{"p":0.9,"min_keep":3}}"#], "{server}");
        }
    }

    /// What `server` applies where a request says nothing, by field. Of vLLM: what models bring in their
    /// generation_config.json.
    fn defaults(server: Server) -> Value {
        match server {
            Server::LlamaServer => json!({
                "temperature": 0.8, "top_k": 40, "top_p": 0.95, "min_p": 0.05, "typical_p": 1, "top_n_sigma": -1,
                "xtc_probability": 0, "xtc_threshold": 0.1, "dry_multiplier": 0, "repeat_last_n": 64,
                "repeat_penalty": 1, "presence_penalty": 0, "frequency_penalty": 0, "samplers": [
                    "penalties", "dry", "top_n_sigma", "top_k", "typ_p", "top_p", "min_p", "xtc", "temperature",
                ],
            }),
            Server::Ollama => json!({
                "temperature": 0.8, "top_k": 40, "top_p": 0.9, "min_p": 0, "typical_p": 1, "repeat_last_n": 64,
                "repeat_penalty": 1.1, "presence_penalty": 0, "frequency_penalty": 0,
            }),
            Server::Vllm => json!({
                "temperature": 0.7, "top_k": 20, "top_p": 0.8, "min_p": 0.01, "repetition_penalty": 1.05,
                "presence_penalty": 0, "frequency_penalty": 0,
            }),
            Server::OpenAi => json!({ "temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0 }),
        }
    }

    /// What a server does with `fields`, by step; what does nothing is left out.
    fn applied(server: Server, fields: &Map<String, Value>) -> BTreeMap<&'static str, Vec<f64>> {
        let mut all = defaults(server);
        all.as_object_mut().unwrap().extend(fields.clone());
        let of = |key: &str| all[key].as_f64();
        let all_of = |keys: &[&str]| keys.iter().map(|key| of(key).unwrap_or(0.0)).collect::<Vec<_>>();
        let penalties = ["repeat_last_n", "repeat_penalty", "frequency_penalty", "presence_penalty"];
        let steps = [
            ("temperature", vec![of("temperature").unwrap()], of("temperature") != Some(1.0)),
            ("top_k", all_of(&["top_k"]), of("top_k").is_some_and(|k| k > 0.0)),
            ("top_p", all_of(&["top_p"]), of("top_p").is_some_and(|p| p < 1.0)),
            ("min_p", all_of(&["min_p"]), of("min_p").is_some_and(|p| p > 0.0)),
            ("typ_p", all_of(&["typical_p"]), of("typical_p").is_some_and(|p| p < 1.0)),
            ("top_n_sigma", all_of(&["top_n_sigma"]), of("top_n_sigma").is_some_and(|n| n > 0.0)),
            (
                "xtc",
                all_of(&["xtc_probability", "xtc_threshold"]),
                of("xtc_probability").is_some_and(|p| p > 0.0) && of("xtc_threshold").is_some_and(|t| t <= 0.5),
            ),
            ("dry", all_of(&["dry_multiplier"]), of("dry_multiplier").is_some_and(|m| m != 0.0)),
            (
                "penalties",
                all_of(&penalties),
                ["repeat_penalty", "repetition_penalty"].iter().any(|key| of(key).is_some_and(|p| p != 1.0))
                    || of("frequency_penalty") != Some(0.0)
                    || of("presence_penalty") != Some(0.0),
            ),
        ];
        let listed = |name: &str| all["samplers"].as_array().is_none_or(|list| list.contains(&json!(name)));
        let on = steps.into_iter().filter(|(name, _, is_on)| *is_on && listed(name));
        on.map(|(name, values, _)| (name, values)).collect()
    }

    /// What the chain does, by step, without what is lost of it.
    fn meant(chain: &ResolvedChain, lost: &[Loss]) -> BTreeMap<&'static str, Vec<f64>> {
        let mut left: Vec<_> = chain.0.iter().filter(|step| !step.is_off()).collect();
        for loss in lost {
            if let Loss::Step { step, .. } = loss {
                // The second of two is the lost one.
                let at = left.iter().rposition(|left| *left == step).expect("a lost step is one of the chain's");
                left.remove(at);
            }
        }
        let exact = |x: f32| x.to_string().parse::<f64>().unwrap();
        let steps = left.into_iter().filter_map(|step| match step {
            Step::Greedy => Some(("temperature", vec![0.0])),
            Step::Temperature { t } if t.get() == 1.0 => None,
            Step::Temperature { t } => Some(("temperature", vec![exact(t.get())])),
            Step::TopK { k } => Some(("top_k", vec![f64::from(*k)])),
            Step::TopP { p, .. } => Some(("top_p", vec![exact(*p)])),
            Step::MinP { p, .. } => Some(("min_p", vec![exact(*p)])),
            Step::Typical { p, .. } => Some(("typ_p", vec![exact(*p)])),
            Step::TopNSigma { n } => Some(("top_n_sigma", vec![exact(*n)])),
            Step::Xtc { p, threshold, .. } => Some(("xtc", vec![exact(*p), exact(*threshold)])),
            Step::Dry { multiplier, .. } => Some(("dry", vec![exact(*multiplier)])),
            &Step::Penalties { last_n, repeat, frequency, presence } => {
                Some(("penalties", vec![f64::from(last_n), exact(repeat), exact(frequency), exact(presence)]))
            }
            Step::Dist => None,
            step => panic!("{step:?} is said to a server"),
        });
        steps.collect()
    }

    fn any_step() -> impl Strategy<Value = Step<Temperature>> {
        let share = prop::sample::select(vec![0.0_f32, 0.05, 0.3, 0.9, 0.95, 1.0]);
        let min_keep = prop::sample::select(vec![0_usize, 0, 1, 1, 2]);
        let t = prop::sample::select(vec![0.1_f32, 0.7, 1.0, 1.3]).prop_map(|t| Temperature::new(t).unwrap());
        let penalty = prop::sample::select(vec![0.0_f32, 0.0, 0.5, 1.1]);
        let last_n = prop::sample::select(vec![-1, 0, 64, 256]);
        prop_oneof![
            3 => t.clone().prop_map(|t| Step::Temperature { t }),
            1 => t.prop_map(|t| Step::TemperatureExt { t, delta: 0.1, exponent: 1.0 }),
            3 => (-1..60).prop_map(|k| Step::TopK { k }),
            3 => (share.clone(), min_keep.clone()).prop_map(|(p, min_keep)| Step::TopP { p, min_keep }),
            2 => (share.clone(), min_keep.clone()).prop_map(|(p, min_keep)| Step::MinP { p, min_keep }),
            2 => (share.clone(), min_keep.clone()).prop_map(|(p, min_keep)| Step::Typical { p, min_keep }),
            1 => share.clone().prop_map(|n| Step::TopNSigma { n }),
            1 => (share.clone(), share.clone(), min_keep)
                .prop_map(|(p, threshold, min_keep)| Step::Xtc { p, threshold, min_keep }),
            3 => (last_n.clone(), prop::sample::select(vec![0.0_f32, 1.0, 1.0, 1.1]), penalty.clone(), penalty)
                .prop_map(|(last_n, repeat, frequency, presence)| Step::Penalties { last_n, repeat, frequency, presence }),
            1 => (share, last_n).prop_map(|(multiplier, last_n)| {
                let sequence_breakers = vec!["\n".to_owned()];
                Step::Dry { multiplier, base: 1.75, allowed_length: 2, last_n, sequence_breakers }
            }),
            1 => Just(Step::LogitBias { biases: vec![TokenBias { token: 3, bias: -1.0 }] }),
            1 => Just(Step::Infill),
            2 => Just(Step::Greedy),
            2 => Just(Step::Dist),
            1 => Just(Step::MirostatV2 { tau: 5.0, eta: 0.1 }),
            1 => Just(Step::AdaptiveP { target: 0.5, decay: 0.9 }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_recommended_is_what_the_client_asks_for(
            // None at all is the server's own chain, and never recommended.
            steps in prop::collection::vec(any_step(), 1..7),
            server in prop::sample::select(Server::VARIANTS.to_vec()),
        ) {
            let chain = ResolvedChain(steps);
            let Parameters { body, lost } = parameters(&chain, server);
            let Dialect { api, extensions } = server.dialect();
            let mut asked = experiment::Server::new("s".into(), "http://127.0.0.1:1".into(), api);
            asked.extensions = extensions.to_vec();
            match sampling_fields(&asked, &chain) {
                Ok(fields) => {
                    prop_assert!(lost.iter().all(|loss| loss.refusal().is_none()), "asked for all the same: {lost:?}");
                    prop_assert_eq!(serde_json::to_vec(&body).unwrap(), serde_json::to_vec(&fields).unwrap());
                }
                Err(why) => {
                    let refusals: Vec<_> = lost.iter().filter_map(Loss::refusal).collect();
                    prop_assert!(refusals.contains(&&why), "{why} is not among {lost:?}");
                }
            }
        }

        #[test]
        fn a_server_does_what_the_chain_does_and_nothing_of_its_own(
            steps in prop::collection::vec(any_step(), 0..7),
            server in prop::sample::select(Server::VARIANTS.to_vec()),
        ) {
            let chain = ResolvedChain(steps);
            let Parameters { body, lost } = parameters(&chain, server);
            let mut meant = meant(&chain, &lost);
            let applied = applied(server, &body);
            // A temperature of 0 leaves nothing to choose from, whatever the other one is.
            if applied.get("temperature") == Some(&vec![0.0]) {
                meant.insert("temperature", vec![0.0]);
            }
            prop_assert_eq!(applied, meant, "of {:?} {} is told {:?}, lost {:?}", &chain, server, &body, &lost);
        }
    }
}
