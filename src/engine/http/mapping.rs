//! Maps a sampler chain to a server's request, and is the only place that does: it returns what is said in the fields
//! of its API, and what of the chain is lost.
//!
//! Owns each API's fields, their neutral values and the words for what they can't say. The client sends what is said
//! and refuses a chain of which a step is lost; `recommend` shows both. Pure. Must not know how a request travels, nor
//! who shows a loss.
//!
//! Every field that the API has is said, neutral ones too: what is left out would take the server's default, which is
//! not the chain's. A step is said whole or not at all.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::domain::{JSON_GRAMMAR, ROOT, ResolvedChain, Said, SaidValue, Step, Temperature};
use crate::experiment::{Api, Extension, Server};

/// The language of a server: its API, and the fields beyond that API's own that it understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect<'a> {
    pub api: Api,
    /// Read for [`Api::Openai`] only; the other APIs have fields of their own.
    pub extensions: &'a [Extension],
}

/// A chain as a server is told it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expressed {
    /// All fields of the API that bear on sampling, the seed aside.
    pub fields: Map<String, Value>,
    /// In the order of the chain, the order itself last.
    pub lost: Vec<Loss>,
}

/// Something of a chain that a server is not told. It is displayed as what can't be told.
#[derive(Clone, Debug, PartialEq)]
pub enum Loss {
    /// A step that is left out, and why.
    Step { step: Step<Temperature>, why: Inexpressible },
    /// The order in which the server applies these steps, which is its own.
    Order { steps: Vec<&'static str> },
}

/// Why a chain can't be asked of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Inexpressible {
    #[error("the api {api} has no field for its step {step}")]
    NoField { api: Api, step: &'static str },
    #[error("its step {step} needs {}, which extensions does not list for this server",
        fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "))]
    NoExtension { step: &'static str, fields: Vec<Extension> },
    #[error("it has the step {step} twice, but the api {api} has only one field for it")]
    Twice { api: Api, step: &'static str },
    #[error("it ends in \"greedy\" after other steps, but the api {api} always samples unless the temperature is 0")]
    LateGreedy { api: Api },
    #[error(
        "its grammar starts with the rule {root}, but the api {api} has no field for that: rename the rule to {ROOT}"
    )]
    Root { api: Api, root: String },
    #[error("it draws at random, but the api {api} accepts no seed")]
    NoSeed { api: Api },
    #[error(
        "it is not known whether the server draws at random, and the api {api} accepts no seed: state what it runs as \
         own_chain, and use that chain"
    )]
    UnknownDraw { api: Api },
    #[error(
        "its step {step} has min_keep = {min_keep}, but the api {api} has no field for the min_keep of a single step"
    )]
    MinKeep { api: Api, step: &'static str, min_keep: usize },
}

impl<'a> From<&'a Server> for Dialect<'a> {
    fn from(server: &'a Server) -> Self {
        Self { api: server.api, extensions: &server.extensions }
    }
}

impl Dialect<'_> {
    /// The first of these fields that the server is said to understand, for a step.
    fn extension(self, step: &'static str, wanted: &[Extension]) -> Result<String, Inexpressible> {
        match wanted.iter().find(|wanted| self.extensions.contains(wanted)) {
            Some(found) => Ok(found.to_string()),
            None => Err(Inexpressible::NoExtension { step, fields: wanted.to_vec() }),
        }
    }
}

impl Loss {
    /// Why a chain with this loss is not asked of a server; `None` for the order of the steps, which hardly any API
    /// takes: that it is the server's own is noted where results are shown.
    pub fn refusal(&self) -> Option<&Inexpressible> {
        match self {
            Self::Step { why, .. } => Some(why),
            Self::Order { .. } => None,
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (step, why) = match self {
            Self::Order { steps } => return write!(f, "the order of the samplers: {}", steps.join(", ")),
            Self::Step { step: Step::Greedy, .. } => return f.write_str("taking the most probable token (greedy)"),
            Self::Step { why: Inexpressible::NoSeed { .. }, .. } => return f.write_str("the seed of its draws"),
            Self::Step { step, why } => (step, why),
        };
        f.write_str(&serde_json::to_string(step).expect("a step is plain data"))?;
        match why {
            Inexpressible::Twice { .. } => f.write_str(", for the second time"),
            Inexpressible::NoExtension { step: "penalties", fields } => {
                let fields = fields.iter().map(ToString::to_string).collect::<Vec<_>>();
                write!(f, ", because it has no {}", fields.join(" or "))
            }
            _ => Ok(()),
        }
    }
}

/// The fields that ask `server` for `chain`; the seed aside. Of the server's own chain the temperature alone is said, of
/// one that the server decides nothing.
///
/// # Errors
/// When the API can't say it.
pub fn sampling_fields(server: &Server, chain: &ResolvedChain) -> Result<Map<String, Value>, Inexpressible> {
    if chain.is_servers() {
        return match server.api {
            Api::Shimmy => Err(Inexpressible::UnknownDraw { api: server.api }),
            Api::Openai | Api::LlamaServer | Api::Ollama => said_alone(chain, server.into()),
        };
    }
    if server.own_chain.is_some() {
        let temperature = chain.0.iter().find_map(|step| match step {
            Step::Temperature { t } => Some(*t),
            _ => None,
        });
        return Ok(temperature.map(|t| ("temperature".to_owned(), number(t.get()))).into_iter().collect());
    }
    let Expressed { fields, lost } = express(chain, server.into());
    match lost.iter().find_map(Loss::refusal) {
        Some(why) => Err(why.clone()),
        None => Ok(fields),
    }
}

/// The fields of what a request says, and no others: the rest is the server's.
fn said_alone(chain: &ResolvedChain, dialect: Dialect<'_>) -> Result<Map<String, Value>, Inexpressible> {
    let said = chain.0.iter().filter_map(|step| match step {
        Step::Request(said) => Some(*said),
        _ => None,
    });
    let mut fields = Map::new();
    for (name, value) in said.fold(Said::default(), Said::or).parameters() {
        let field = match (dialect.api, extensions_of(name)) {
            // llama.cpp's names are Ollama's too.
            (Api::LlamaServer | Api::Ollama, _) | (_, []) => name.to_owned(),
            (_, extensions) => dialect.extension("request", extensions)?,
        };
        let value = match value {
            SaidValue::Integer(n) => json!(n),
            SaidValue::Number(x) => number(x),
        };
        fields.insert(field, value);
    }
    Ok(fields)
}

/// The fields that servers have for a parameter which OpenAI's API lacks; none for those of OpenAI's own.
fn extensions_of(parameter: &str) -> &'static [Extension] {
    match parameter {
        "top_k" => &[Extension::TopK],
        "min_p" => &[Extension::MinP],
        "repeat_penalty" => &[Extension::RepeatPenalty, Extension::RepetitionPenalty],
        "repeat_last_n" => &[Extension::RepeatLastN],
        _ => &[],
    }
}

/// Counts how often what is asked for a chain was changed; None where it never was. It is part of a trial's id, so that
/// texts of an older request are asked for again, not mixed with new ones.
///
/// 2: llama-server chooses greedily after the steps before, which had no effect.
pub fn request_revision(chain: &ResolvedChain, api: Api) -> Option<u32> {
    let Some((Step::Greedy, before)) = chain.0.split_last() else { return None };
    (api == Api::LlamaServer && before.iter().any(|step| !step.is_off())).then_some(2)
}

/// Says `chain` in the words of `dialect`, as far as it can be said.
pub fn express(chain: &ResolvedChain, dialect: Dialect<'_>) -> Expressed {
    let api = dialect.api;
    let mut said = Expressed { fields: neutral(dialect), lost: vec![] };
    let mut names: Vec<&'static str> = Vec::new();
    let mut greedy = None;
    for step in chain.0.iter().filter(|step| !step.is_off()) {
        let name = name_of(step);
        let told = match step {
            _ if names.iter().any(|known| field_of(known) == field_of(name)) => {
                Err(Inexpressible::Twice { api, step: name })
            }
            Step::Greedy => {
                greedy = Some(names.iter().all(|name| matches!(*name, "penalties" | "grammar" | "json")));
                Ok(Map::new())
            }
            Step::Dist if api == Api::Shimmy => Err(Inexpressible::NoSeed { api }),
            // A draw is what all of them end with.
            Step::Dist => Ok(Map::new()),
            step => fields_of(step, name, dialect),
        };
        match told {
            Ok(fields) => {
                said.fields.extend(fields);
                names.push(name);
            }
            Err(why) => said.lost.push(Loss::Step { step: step.clone(), why }),
        }
    }
    match greedy {
        Some(true) => {
            said.fields.insert("temperature".to_owned(), json!(0));
            // Where it stood: at a temperature of 0 one token is left, and a penalty after it changes nothing.
            names.iter_mut().filter(|name| **name == "greedy").for_each(|name| *name = "temperature");
        }
        Some(false) => {
            said.lost.push(Loss::Step { step: Step::Greedy, why: Inexpressible::LateGreedy { api } });
        }
        None => {}
    }
    // What a grammar allows is asked of the token that was chosen, wherever its step stands.
    names.retain(|name| !matches!(*name, "dist" | "greedy" | "grammar" | "json"));
    if api == Api::LlamaServer {
        said.fields.insert("samplers".to_owned(), json!(names));
    } else if names.len() > 1 && greedy != Some(true) {
        said.lost.push(Loss::Order { steps: names });
    }
    said
}

/// What of the API's fields does nothing.
fn neutral(dialect: Dialect<'_>) -> Map<String, Value> {
    let fields = match dialect.api {
        Api::Openai => {
            let mut fields = json!({ "temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0 });
            for extension in dialect.extensions {
                let nothing = match extension {
                    Extension::TopK => json!(0),
                    Extension::MinP => json!(0),
                    Extension::TypicalP | Extension::RepeatPenalty | Extension::RepetitionPenalty => json!(1),
                    // How far back does not matter where nothing is penalised.
                    Extension::RepeatLastN => continue,
                };
                fields[extension.to_string()] = nothing;
            }
            fields
        }
        // Only what `samplers` lists is applied, and a grammar that is sent.
        Api::LlamaServer => json!({ "temperature": 1 }),
        Api::Ollama => json!({
            "temperature": 1, "top_k": 0, "top_p": 1, "min_p": 0, "typical_p": 1,
            "repeat_penalty": 1, "presence_penalty": 0, "frequency_penalty": 0,
        }),
        Api::Shimmy => json!({ "temperature": 1, "top_p": 1, "top_k": 0 }),
    };
    let Value::Object(fields) = fields else { unreachable!("written as an object above") };
    fields
}

/// The fields that say one step.
fn fields_of(
    step: &Step<Temperature>,
    name: &'static str,
    dialect: Dialect<'_>,
) -> Result<Map<String, Value>, Inexpressible> {
    let api = dialect.api;
    let mut fields = Map::new();
    let mut set = |key: &str, value: Value| {
        fields.insert(key.to_owned(), value);
    };
    let extension = |wanted: &[Extension]| dialect.extension(name, wanted);
    match (step, api) {
        (Step::Temperature { t }, _) => set("temperature", number(t.get())),
        (Step::TopP { p, .. }, _) => set("top_p", number(*p)),
        (Step::TopK { k }, Api::Openai) => set(&extension(&[Extension::TopK])?, json!(k)),
        (Step::TopK { k }, _) => set("top_k", json!(k)),
        (Step::MinP { p, .. }, Api::Openai) => set(&extension(&[Extension::MinP])?, number(*p)),
        (Step::MinP { p, .. }, Api::LlamaServer | Api::Ollama) => set("min_p", number(*p)),
        (Step::Typical { p, .. }, Api::Openai) => set(&extension(&[Extension::TypicalP])?, number(*p)),
        (Step::Typical { p, .. }, Api::LlamaServer | Api::Ollama) => set("typical_p", number(*p)),
        (&Step::Penalties { last_n, repeat, frequency, presence }, Api::Openai) => {
            if repeat != 1.0 {
                set(&extension(&[Extension::RepeatPenalty, Extension::RepetitionPenalty])?, number(repeat));
            }
            set(&extension(&[Extension::RepeatLastN])?, json!(last_n));
            set("frequency_penalty", number(frequency));
            set("presence_penalty", number(presence));
        }
        (&Step::Penalties { last_n, repeat, frequency, presence }, Api::LlamaServer | Api::Ollama) => {
            set("repeat_last_n", json!(last_n));
            set("repeat_penalty", number(repeat));
            set("frequency_penalty", number(frequency));
            set("presence_penalty", number(presence));
        }
        (Step::Grammar { root, .. }, Api::LlamaServer) if root != ROOT => {
            return Err(Inexpressible::Root { api, root: root.clone() });
        }
        (Step::Grammar { grammar, .. }, Api::LlamaServer) => set("grammar", json!(grammar)),
        (Step::Json, Api::LlamaServer) => set("grammar", json!(JSON_GRAMMAR)),
        (Step::Json, Api::Openai) => set("response_format", json!({ "type": "json_object" })),
        (Step::Json, Api::Ollama) => set("format", json!("json")),
        (Step::TopNSigma { n }, Api::LlamaServer) => set("top_n_sigma", number(*n)),
        (Step::Xtc { p, threshold, .. }, Api::LlamaServer) => {
            set("xtc_probability", number(*p));
            set("xtc_threshold", number(*threshold));
        }
        (Step::Dry { multiplier, base, allowed_length, last_n, sequence_breakers }, Api::LlamaServer) => {
            set("dry_multiplier", number(*multiplier));
            set("dry_base", number(*base));
            set("dry_allowed_length", json!(allowed_length));
            set("dry_penalty_last_n", json!(last_n));
            set("dry_sequence_breakers", json!(sequence_breakers));
        }
        _ => return Err(Inexpressible::NoField { api, step: name }),
    }
    if min_keep_of(step) > 1 {
        return Err(Inexpressible::MinKeep { api, step: name, min_keep: min_keep_of(step) });
    }
    Ok(fields)
}

/// How many tokens a step leaves at least. 0 is 1 in llama.cpp, and what every server does.
fn min_keep_of(step: &Step<Temperature>) -> usize {
    match *step {
        Step::TopP { min_keep, .. }
        | Step::MinP { min_keep, .. }
        | Step::Typical { min_keep, .. }
        | Step::Xtc { min_keep, .. } => min_keep,
        _ => 0,
    }
}

/// llama-server's name in `samplers`; of those it lacks, the file's.
fn name_of(step: &Step<Temperature>) -> &'static str {
    match step {
        Step::Temperature { .. } => "temperature",
        Step::TemperatureExt { .. } => "temperature_ext",
        Step::TopK { .. } => "top_k",
        Step::TopP { .. } => "top_p",
        Step::MinP { .. } => "min_p",
        Step::Typical { .. } => "typ_p",
        Step::TopNSigma { .. } => "top_n_sigma",
        Step::Xtc { .. } => "xtc",
        Step::Penalties { .. } => "penalties",
        Step::Dry { .. } => "dry",
        Step::LogitBias { .. } => "logit_bias",
        Step::Grammar { .. } => "grammar",
        Step::Json => "json",
        Step::Infill => "infill",
        Step::Greedy => "greedy",
        Step::Dist => "dist",
        Step::Mirostat { .. } => "mirostat",
        Step::MirostatV2 { .. } => "mirostat_v2",
        Step::AdaptiveP { .. } => "adaptive_p",
        Step::Request(_) => "request",
    }
}

/// What says a step of this name: JSON mode is a grammar too.
fn field_of(name: &'static str) -> &'static str {
    if name == "json" { "grammar" } else { name }
}

/// A number as a file writes it: 0.9, not the 0.8999999761581421 that its f32 is.
fn number(x: f32) -> Value {
    json!(x.to_string().parse::<f64>().expect("a number was printed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(api: Api) -> Server {
        Server::new("s".into(), "http://127.0.0.1:1".into(), api)
    }

    fn t(t: f32) -> Step<Temperature> {
        Step::Temperature { t: Temperature::new(t).unwrap() }
    }

    fn top_k(k: i32) -> Step<Temperature> {
        Step::TopK { k }
    }

    const TOP_P: Step<Temperature> = Step::TopP { p: 0.95, min_keep: 1 };

    fn penalties(repeat: f32) -> Step<Temperature> {
        Step::Penalties { last_n: 64, repeat, frequency: 0.0, presence: 0.0 }
    }

    fn fields(server: &Server, steps: Vec<Step<Temperature>>) -> Result<Value, Inexpressible> {
        sampling_fields(server, &ResolvedChain(steps)).map(Value::Object)
    }

    #[test]
    fn llama_server_is_told_the_order() {
        let steps = vec![penalties(1.1), top_k(40), TOP_P, t(0.9), Step::Dist];
        let asked = fields(&server(Api::LlamaServer), steps).unwrap();
        assert_eq!(asked["samplers"], json!(["penalties", "top_k", "top_p", "temperature"]));
        assert_eq!((&asked["temperature"], &asked["repeat_penalty"]), (&json!(0.9), &json!(1.1)));
    }

    #[test]
    fn fields_that_a_chain_does_not_use_are_sent_neutral() {
        let asked = fields(&server(Api::Ollama), vec![t(0.7), Step::Dist]).unwrap();
        assert_eq!((&asked["top_k"], &asked["top_p"], &asked["repeat_penalty"]), (&json!(0), &json!(1), &json!(1)));
        let mut extended = server(Api::Openai);
        extended.extensions = vec![Extension::TopK];
        let asked = fields(&extended, vec![t(0.7), Step::Dist]).unwrap();
        assert_eq!(asked["top_k"], json!(0));
        assert!(asked.get("min_p").is_none(), "a field that it may not know is not sent");
    }

    #[test]
    fn what_an_api_cannot_say_is_refused() {
        use Inexpressible::*;
        let openai = server(Api::Openai);
        let refused = |server: &Server, steps| fields(server, steps).unwrap_err();
        let no_top_k = NoExtension { step: "top_k", fields: vec![Extension::TopK] };
        assert_eq!(refused(&openai, vec![top_k(40), t(0.7), Step::Dist]), no_top_k);
        let twice = Twice { api: Api::Openai, step: "temperature" };
        assert_eq!(refused(&openai, vec![t(0.7), t(0.9), Step::Dist]), twice);
        assert_eq!(refused(&openai, vec![t(0.7), Step::Greedy]), LateGreedy { api: Api::Openai });
        assert_eq!(refused(&server(Api::Shimmy), vec![t(0.7), Step::Dist]), NoSeed { api: Api::Shimmy });
        let mirostat = Step::MirostatV2 { tau: 5.0, eta: 0.1 };
        assert_eq!(refused(&openai, vec![mirostat]), NoField { api: Api::Openai, step: "mirostat_v2" });
        assert!(fields(&openai, vec![penalties(1.0), t(0.7), Step::Dist]).is_ok(), "these penalise nothing");
        assert!(fields(&openai, vec![penalties(1.1), t(0.7), Step::Dist]).is_err());
    }

    #[test]
    fn greedy_is_temperature_zero() {
        assert_eq!(fields(&server(Api::Openai), vec![Step::Greedy]).unwrap()["temperature"], json!(0));
        let asked = fields(&server(Api::LlamaServer), vec![Step::Greedy]).unwrap();
        assert_eq!(asked["samplers"], json!(["temperature"]));
        let asked = fields(&server(Api::LlamaServer), vec![penalties(1.1), Step::Greedy]).unwrap();
        assert_eq!(asked["samplers"], json!(["penalties", "temperature"]), "the penalty comes before the choice");
        let revision = |steps: &[Step<Temperature>], api| request_revision(&ResolvedChain(steps.to_vec()), api);
        assert_eq!(revision(&[penalties(1.1), Step::Greedy], Api::LlamaServer), Some(2), "it was asked for otherwise");
        assert_eq!(revision(&[penalties(1.0), Step::Greedy], Api::LlamaServer), None, "it is off");
        assert_eq!(revision(&[Step::Greedy], Api::LlamaServer), None);
        assert_eq!(revision(&[penalties(1.1), Step::Dist], Api::LlamaServer), None);
        assert_eq!(revision(&[penalties(1.1), Step::Greedy], Api::Openai), None);
    }

    #[test]
    fn json_mode_is_each_apis_own_and_stands_in_no_order() {
        let steps = || vec![Step::Json, top_k(40), t(0.7), Step::Dist];
        let asked = fields(&server(Api::LlamaServer), steps()).unwrap();
        assert_eq!(asked["samplers"], json!(["top_k", "temperature"]));
        assert_eq!(asked["grammar"], json!(JSON_GRAMMAR));
        assert_eq!(fields(&server(Api::Ollama), steps()).unwrap()["format"], json!("json"));
        let asked = fields(&server(Api::Openai), vec![Step::Json, t(0.7), Step::Dist]).unwrap();
        assert_eq!(asked["response_format"], json!({ "type": "json_object" }));
        let refused = fields(&server(Api::Shimmy), vec![Step::Json, Step::Greedy]).unwrap_err();
        assert_eq!(refused, Inexpressible::NoField { api: Api::Shimmy, step: "json" });
        let greedy = fields(&server(Api::Openai), vec![Step::Json, Step::Greedy]).unwrap();
        assert_eq!(greedy["temperature"], json!(0), "a grammar before it chooses nothing");
    }

    #[test]
    fn a_grammar_is_for_llama_server_and_begins_with_root() {
        let grammar = |root: &str| Step::Grammar { grammar: format!("{root} ::= \"a\""), root: root.to_owned() };
        let llama_server = server(Api::LlamaServer);
        let asked = fields(&llama_server, vec![grammar("root"), Step::Dist]).unwrap();
        assert_eq!(asked["grammar"], json!("root ::= \"a\""));
        let other = fields(&llama_server, vec![grammar("date"), Step::Dist]).unwrap_err();
        assert_eq!(other, Inexpressible::Root { api: Api::LlamaServer, root: "date".to_owned() });
        let two = fields(&llama_server, vec![grammar("root"), Step::Json, Step::Dist]).unwrap_err();
        assert_eq!(two, Inexpressible::Twice { api: Api::LlamaServer, step: "json" });
        for api in [Api::Openai, Api::Ollama, Api::Shimmy] {
            let refused = fields(&server(api), vec![grammar("root"), Step::Greedy]).unwrap_err();
            assert_eq!(refused, Inexpressible::NoField { api, step: "grammar" });
        }
    }

    #[test]
    fn a_server_that_decides_is_told_nothing() {
        for api in [Api::Openai, Api::LlamaServer, Api::Ollama] {
            assert_eq!(fields(&server(api), vec![]).unwrap(), json!({}));
        }
        assert_eq!(fields(&server(Api::Shimmy), vec![]), Err(Inexpressible::UnknownDraw { api: Api::Shimmy }));
    }

    #[test]
    fn of_its_own_chain_a_server_is_told_the_temperature() {
        let mut own = server(Api::Shimmy);
        own.own_chain = Some("shimmy-1.7".into());
        let asked = fields(&own, vec![t(0.9), TOP_P, top_k(40), penalties(0.0), Step::Greedy]).unwrap();
        assert_eq!(asked, json!({ "temperature": 0.9 }));
    }
}
