//! Asks a server what is known of a model of its before a text is made: its API, the model's name, its sampling defaults.

use miette::miette;

use super::super::Failure;
use super::super::typed_model::served_name;
use super::super::variant::VariantError;
use super::given::{Given, no_temperature};
use crate::causes::Runtime;
use crate::cli::DiagnoseArgs;
use crate::diagnosis::{About, Known, Overrides, Place, Sampling, Setup, Target, USUAL_TEMPERATURE, usual};
use crate::domain::{Chain, Said, Temperature};
use crate::engine::http::{HttpEngine, detect, sayable};
use crate::experiment::{Api, Extension, Served, Server, builtin_chains};

/// What Shimmy runs whatever it is asked: its API can say nothing but a temperature.
const SHIMMYS: &str = "shimmy-1.7";

/// The model that was named, or the only one; texts have room in `room_tokens`, or in what the server has.
pub fn served(mut server: Server, args: &DiagnoseArgs, room_tokens: u32) -> Result<Given, Failure> {
    let known = args.server.api;
    let detected = detect(&server, known).map_err(VariantError::from)?;
    (server.api, server.extensions) = (detected.api, detected.extensions.clone());
    if server.api == Api::Shimmy && server.own_chain.is_none() {
        server.own_chain = Some(SHIMMYS.to_owned());
    }
    let served_as = match &args.server.served_as {
        Some(name) => name.clone(),
        None => detected.only_model(&server.url).map_err(VariantError::from)?,
    };
    let served = Served { server, name: served_as };
    let (facts, _) = HttpEngine::new(&served, room_tokens)
        .and_then(|engine| engine.facts())
        .map_err(|error| Failure::bad_setup(miette!("{error}")))?;
    let Served { server, name: served_as } = served;
    let room_tokens = facts.context.map_or(room_tokens, |stated| stated.min(room_tokens));
    if room_tokens <= args.max_tokens.get() {
        let help = "lower --max-tokens, or start the server with a longer context";
        return Err(Failure::bad_setup(miette!(
            help = help,
            "the server's context of {room_tokens} tokens is too small for a prompt and {} generated tokens",
            args.max_tokens
        )));
    }
    let name = served_name(&served_as);
    let overrides: Overrides = args.samplers.into();
    let (as_run, sampling) = match &server.own_chain {
        Some(own) => (believed(&name, own, overrides)?, Sampling::default()),
        None => {
            let said = overrides.said().ok_or_else(no_temperature)?;
            let sampling = Sampling { stated: facts.sampling(), sayable: sayable(&server, usual()) };
            refuse_unsayable(said, &server)?;
            (Setup::served(&name, said), sampling)
        }
    };
    // Many servers of OpenAI's API have chats alone.
    let template = if server.api == Api::Openai { Known::Unknown } else { Known::Yes };
    let width = server.concurrency;
    let about = About { place: Place::Server, template, room_tokens, sampling, width, ..About::default() };
    let runtime = runtime(&server);
    Ok(Given { target: Target::Server { server, served_as }, name, about, findings: vec![], runtime, as_run })
}

/// A server that runs a chain of its own, at a temperature.
fn believed(model: &str, own: &str, overrides: Overrides) -> Result<Setup, Failure> {
    let Overrides { temperature, .. } = overrides;
    if overrides != (Overrides { temperature, ..Overrides::default() }) {
        return Err(Failure::usage(miette!(
            help = "remove the options of other samplers",
            "a server that runs its own chain, {own}, accepts only the temperature"
        )));
    }
    let chains = builtin_chains();
    let is_own = |chain: &&Chain| chain.id == own;
    let chain = chains.iter().find(is_own).filter(|chain| !chain.steps.is_empty()).ok_or_else(|| {
        let known: Vec<_> = chains.iter().filter(|chain| !chain.steps.is_empty()).map(|chain| &*chain.id).collect();
        Failure::usage(miette!(help = format!("use one of: {}", known.join(", ")), "unknown chain {own:?}"))
    })?;
    let temperature = Temperature::new(temperature.unwrap_or(USUAL_TEMPERATURE)).ok_or_else(no_temperature)?;
    Ok(Setup::own_chain(model, chain.clone(), temperature))
}

/// An option that the server's API has no field for is an error, before anything is asked.
fn refuse_unsayable(said: Said, server: &Server) -> Result<(), Failure> {
    let can = sayable(server, said);
    let not: Vec<String> = said
        .parts()
        .filter(|part| !part.meets(&can))
        .flat_map(|part| part.parameters().map(|(name, _)| format!("--{}", name.replace('_', "-"))))
        .collect();
    if not.is_empty() {
        return Ok(());
    }
    let help = "remove it, or name another API that the server supports with --api";
    Err(Failure::usage(miette!(help = help, "the api {} has no field for {}", server.api, not.join(", "))))
}

/// In whose words a remedy is said.
fn runtime(server: &Server) -> Runtime {
    match server.api {
        Api::LlamaServer => Runtime::LlamaServer,
        Api::Ollama => Runtime::Ollama,
        Api::Shimmy => Runtime::Shimmy,
        Api::Openai if server.extensions.contains(&Extension::RepetitionPenalty) => Runtime::Vllm,
        Api::Openai => Runtime::OpenAi,
    }
}
