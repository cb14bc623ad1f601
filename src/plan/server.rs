//! Owns what a grid may ask of a server, and what is known not to be honoured. Must not ask any: what servers said is
//! handed in.

use itertools::Itertools as _;

use super::chains::{coldest, excludes};
use super::{Load, Origin};
use crate::domain::{
    Author, Factor, FactorLevel as _, Level, Offload, PromptKey, Quant, Scope, System, Template, Thinking,
};
use crate::engine::http::{Inexpressible, Probed, ServerFacts, sampling_fields};
use crate::experiment::{Api, Experiment, Model, Served, Server, Source};

/// Why a grid can't be asked of a server.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Misfit {
    #[error(
        "chain {chain} can't be used with the model {model} on the server {server}: {why}; exclude the pair with \
         [[grid.exclude]] model = {model:?}, chain = {chain:?}"
    )]
    Chain { chain: String, model: String, server: String, why: Inexpressible },
    #[error(
        "the server {server} runs its own chain, {own} by own_chain, so it can't run {chain}; exclude the pair with \
         [[grid.exclude]] model = {model:?}, chain = {chain:?}"
    )]
    OtherChain { chain: String, own: String, model: String, server: String },
    #[error(
        "quant = {quant} can't be used with the model {model}: the server {server} has already loaded it; exclude the \
         pair with [[grid.exclude]] model = {model:?}, quant = \"{quant}\""
    )]
    Quant { quant: Quant, model: String, server: String },
    #[error(
        "the server {server} runs the model {model} as it was started, with one {factor}: keep one in the grid and \
         exclude the others with [[grid.exclude]] model = {model:?}, {factor} = …"
    )]
    Load { factor: Factor, model: String, server: String },
    #[error(
        "{factor} = {written} can't be used with the model {model} on the server {server}: {why}; exclude it with \
         [[grid.exclude]] model = {model:?}, {factor} = {written}",
        factor = level.factor(), written = level.written()
    )]
    Prompt { level: Level, model: String, server: String, why: &'static str },
    #[error(
        "the model {model} has a context of {stated} tokens on the server {server}, less than context = {context}: \
         set context to {stated} or less in [generate]{}", wider(*api, *context)
    )]
    Context { model: String, server: String, api: Api, stated: u32, context: u32 },
    #[error(
        "{factor} = {written} can't be set on the server {server}: remove it from [grid] or [generate]",
        factor = level.factor(), written = level.written()
    )]
    Asked { level: Level, server: String },
}

/// Factors of loads of which a server can have one level that is not the usual one: it is believed to run with the offload, and
/// asked for the context.
const CAN_BE_SAID: [Factor; 2] = [Factor::Offload, Factor::Context];

/// How a server is given a greater context, after what else can be done; nothing where it can't be.
fn wider(api: Api, context: u32) -> String {
    match api {
        Api::LlamaServer => {
            format!(
                ", or start the server with more for each of its slots: llama-server -c N, where N is {context} times \
                 its -np"
            )
        }
        Api::Openai => format!(", or start the server with more, such as vllm serve --max-model-len {context}"),
        // Ollama's is what the model was made for.
        Api::Ollama | Api::Shimmy => String::new(),
    }
}

/// Something that a server does not honour, and the factor that is then no factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    pub model: String,
    /// None: whatever is compared.
    pub factor: Option<Factor>,
    pub reason: String,
}

pub(super) fn misfits(experiment: &Experiment, model: &str, served: &Served) -> Vec<Misfit> {
    let grid = &experiment.grid;
    let Served { server, .. } = served;
    let (model, id) = (model.to_owned(), server.id.clone());
    let mut found = Vec::new();
    for chain in &grid.chains {
        // What a model's files decide is refused with a reason of its own (`undecided`).
        let asked = coldest(experiment, &model, &chain.id).filter(|_| chain.author != Author::Model);
        let Some(temperature) = asked else { continue };
        let (chain_id, server) = (chain.id.clone(), id.clone());
        match &served.server.own_chain {
            Some(own) if *own != chain.id && chain.author != Author::Server => {
                found.push(Misfit::OtherChain { chain: chain_id, own: own.clone(), model: model.clone(), server });
            }
            _ => {
                if let Err(why) = sampling_fields(&served.server, &chain.at(temperature)) {
                    found.push(Misfit::Chain { chain: chain_id, model: model.clone(), server, why });
                }
            }
        }
    }
    let is_left = |level: &&Level| {
        !excludes(experiment, &model, |excluded| excluded.levels[level.factor()] == [(*level).clone()])
    };
    for quant in grid.levels[Factor::Quant].iter().filter(is_left).filter_map(Quant::of) {
        if *quant != Quant::Source {
            found.push(Misfit::Quant { quant: *quant, model: model.clone(), server: id.clone() });
        }
    }
    // How many texts it makes together is how many it is asked for at a time.
    let of_loads = Factor::nested(&[Scope::Load, Scope::Context]);
    for factor in of_loads.into_iter().filter(|&factor| factor != Factor::Width) {
        let left: Vec<&Level> = grid.levels[factor].iter().filter(is_left).collect();
        match left[..] {
            [] => {}
            [only] if only.is_usual() || CAN_BE_SAID.contains(&factor) => {}
            [only] => found.push(Misfit::Asked { level: only.clone(), server: id.clone() }),
            _ => found.push(Misfit::Load { factor, model: model.clone(), server: id.clone() }),
        }
    }
    let is_asked = |key: &PromptKey| {
        let beside = |factor: Factor| factor != Factor::Model && factor.scope() != Scope::Prompt;
        !excludes(experiment, &model, |excluded| {
            let of_all = Factor::ALL
                .into_iter()
                .filter(|&factor| beside(factor))
                .all(|factor| excluded.levels[factor].is_empty());
            of_all && key.levels().all(|level| excluded.may_take(level))
        })
    };
    let keys: Vec<_> = grid.prompt_keys().into_iter().filter(is_asked).collect();
    for level in keys.iter().flat_map(PromptKey::levels).unique() {
        if let Some(why) = unasked(server.api, level) {
            found.push(Misfit::Prompt { level: level.clone(), model: model.clone(), server: id.clone(), why });
        }
    }
    // Its API has the chain, and some have the template.
    for factor in [Factor::Bos, Factor::Eos] {
        let asked = grid.levels[factor].iter().filter(is_left).filter(|level| !level.is_usual());
        found.extend(asked.map(|level| Misfit::Asked { level: level.clone(), server: id.clone() }));
    }
    found
}

/// Why an API has no words for what becomes of a prompt; None where it has.
fn unasked(api: Api, level: &Level) -> Option<&'static str> {
    match (level, api) {
        (Level::Template(Template::Jinja), _) => Some(
            "the server chooses the form, so use template = \"chat\": a llama-server renders the model's own chat \
             template, unless it was started with --no-jinja",
        ),
        (Level::PrefixTokens(tokens), _) if tokens.get() > 0 => Some("its tokens can't be counted in advance"),
        (
            Level::System(System::None | System::Text(_)) | Level::Thinking(Thinking::On | Thinking::Off),
            Api::Shimmy,
        ) => Some("it is not known whether it honours this"),
        _ => None,
    }
}

/// What a server states of itself and can't be reconciled with the experiment.
pub(super) fn contradictions(experiment: &Experiment, model: &Model, facts: &ServerFacts) -> Vec<Misfit> {
    let Source::Server(served) = &model.source else { return vec![] };
    let (context, Server { id, api, .. }) = (experiment.generate.context, &served.server);
    match facts.context {
        Some(stated) if !facts.has_room_for(context) => {
            vec![Misfit::Context { model: model.id.clone(), server: id.clone(), api: *api, stated, context }]
        }
        _ => vec![],
    }
}

/// What is known not to be honoured of what this load's trials are compared by.
pub(super) fn doubts(load: &Load, many_seeds: bool) -> Vec<Doubt> {
    let Origin::Server { findings: Some(findings), .. } = &load.surveyed.origin else { return vec![] };
    let doubt = |factor, what: Probed| {
        let reason = format!("the server does not honour {what}: {}", findings.dishonours(what)?);
        Some(Doubt { model: load.model.id.clone(), factor, reason })
    };
    let draws = load.planned().any(|planned| planned.trial.seed.is_some());
    let mut doubts = Vec::new();
    doubts.extend(doubt(Some(Factor::Temperature), Probed::Temperature));
    doubts.extend(doubt(Some(Factor::Chain), Probed::SamplerOrder));
    // Longer texts score higher: beside other models' they are no comparison.
    doubts.extend(doubt(Some(Factor::Model), Probed::MaxTokens));
    // A text that may not repeat itself says nothing about repetition: cut, it looks like any other
    // that was cut. Where the server says that repetition is why (`EndOfRepetition`), each such text
    // is known for the loop that it is, and nothing stands in the way of a verdict.
    doubts.extend(doubt(None, Probed::Repetition));
    if draws && many_seeds {
        // What counts as several texts is one.
        doubts.extend(doubt(None, Probed::Seed));
    }
    doubts
}

/// What must be known of a served model to read its results rightly.
pub(super) fn notes(load: &Load) -> Vec<String> {
    let Origin::Server { facts, findings } = &load.surveyed.origin else { return vec![] };
    let Source::Server(served) = &load.model.source else { return vec![] };
    let (model, server) = (&load.model.id, &served.server);
    let mut notes = Vec::new();
    let stated: Vec<_> = facts.stated.iter().map(|(key, value)| format!("{key} {value}")).collect();
    let stated = if stated.is_empty() { "nothing".to_owned() } else { stated.join(", ") };
    notes.push(format!("{model} is served by {} ({}) as {}; it reports: {stated}", server.id, server.api, served.name));
    let mut unknown = vec!["placement", "numerics"];
    if facts.context.is_none() && server.api != Api::Ollama {
        unknown.push("its context, which may be smaller than the experiment's");
    }
    if server.api != Api::LlamaServer {
        unknown.insert(0, "the chain as executed");
    }
    notes.push(format!("{model}: unknown to moe-sweep, so ignore these columns: {}", unknown.join(", ")));
    // Nobody has said what is usual.
    if !Level::from(load.key.offload()).is_usual() && load.key.offload() != Offload::None {
        notes.push(format!(
            "{model}: offload {} is what the experiment says about the server; it can't be checked",
            load.key.offload()
        ));
    }
    match findings {
        None => notes.push(format!("{model}: not known yet what the server honours; `moe-sweep run` probes it first")),
        Some(findings) => notes.extend(findings.warnings().map(|warning| format!("{model}: {warning}"))),
    }
    notes
}
