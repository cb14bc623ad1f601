//! `moe-sweep recommend`: up to which temperature, and under which chain.

use std::fmt::Write as _;

use serde::Serialize;
use strum::VariantArray;

use super::finished::{Finished, read_run};
use super::{Failure, print};
use crate::analysis::{Advice, Limits, Recommendation, recommend as recommend_for};
use crate::cli::RecommendArgs;
use crate::exit_code::ExitCode;
use crate::experiment::{Quant, Temperature, Template};
use crate::report::parameters::{Parameters, Server, parameters};

#[derive(Serialize)]
struct Advised {
    #[serde(flatten)]
    recommendation: Recommendation,
    /// At the highest temperature advised, by server.
    parameters: Option<Vec<ForServer>>,
}

#[derive(Serialize)]
struct ForServer {
    server: String,
    #[serde(flatten)]
    parameters: Parameters,
}

#[derive(Serialize)]
struct Answer<'a> {
    experiment: &'a str,
    limits: Limits,
    caveat: Option<&'a str>,
    recommendations: Vec<Advised>,
}

/// # Errors
/// When the directory is no run's.
pub fn recommend(args: &RecommendArgs) -> Result<ExitCode, Failure> {
    let finished = read_run(&args.directory)?;
    let limits = Limits { p_loop: args.max_p_loop, score: args.max_score };
    let recommendations = recommend_for(&finished.analysis, limits);
    let advised = recommendations
        .into_iter()
        .map(|recommendation| Advised { parameters: servers(&finished, &recommendation), recommendation });
    let Finished { design, .. } = &finished;
    let (experiment, caveat) = (&*design.name, design.caveat.as_deref());
    let answer = Answer { experiment, limits, caveat, recommendations: advised.collect() };
    print(|out| {
        if args.json {
            serde_json::to_writer_pretty(&mut *out, &answer)?;
            out.push(b'\n');
        } else {
            out.extend_from_slice(in_words(&answer).as_bytes());
        }
        Ok(())
    })
}

fn servers(finished: &Finished, recommendation: &Recommendation) -> Option<Vec<ForServer>> {
    if matches!(recommendation.advice, Advice::OtherChain { .. }) {
        return None;
    }
    let chain = finished.design.chains.iter().find(|chain| chain.id == recommendation.chain)?;
    let resolved = chain.at(recommendation.highest()?);
    let for_server =
        |&server: &Server| ForServer { server: server.to_string(), parameters: parameters(&resolved, server) };
    Some(Server::VARIANTS.iter().map(for_server).collect())
}

fn in_words(answer: &Answer<'_>) -> String {
    let Limits { p_loop, score } = answer.limits;
    let mut out = format!(
        "limits: P(loop) at most {p_loop}, mean repetition_score at most {score}; 95 % intervals wholly under them\n\n"
    );
    for Advised { recommendation, parameters } in &answer.recommendations {
        let _ = writeln!(out, "{}", title(recommendation));
        let _ = writeln!(out, "  {}", advice_in_words(recommendation));
        for ForServer { server, parameters: Parameters { body, lost } } in parameters.iter().flatten() {
            let json = serde_json::to_string(body).expect("parameters are plain data");
            let _ = writeln!(out, "  {server:<13}{json}");
            if !lost.is_empty() {
                let _ = writeln!(out, "  {:<13}can't be told: {}", "", lost.join("; "));
            }
        }
        out.push('\n');
    }
    if let Some(caveat) = answer.caveat {
        let _ = writeln!(out, "note: {caveat}");
    }
    out
}

fn title(arm: &Recommendation) -> String {
    let mut title = format!("{} · {} · offload {}", arm.model, arm.chain, arm.offload);
    if arm.quant != Quant::Source {
        title += &format!(" · weights {}", arm.quant);
    }
    if arm.template != Template::Raw {
        title += &format!(" · {} prompt", arm.template);
    }
    title
}

fn advice_in_words(arm: &Recommendation) -> String {
    match &arm.advice {
        Advice::NoLimit { to } => format!("no limit needed: every temperature measured stays under, up to {to}"),
        Advice::Range { from, to } if arm.temperatures.last().is_some_and(|at| at.temperature == *to) => {
            format!(
                "no upper limit needed: {from} to {to}, the highest measured, stay under; lower ones are not shown to"
            )
        }
        Advice::Range { from, to } if from == to => format!("{to} stays under; no other is shown to"),
        Advice::Range { from, to } => format!("{from} to {to} stay under; others are not shown to"),
        Advice::Nowhere => "no temperature is shown to stay under: more prompts may show one".to_owned(),
        Advice::OtherChain { over, chains } => format!(
            "the chain is at fault, not the temperature: at {} it is over, where {} {} under",
            join(over),
            chains.join(", "),
            if chains.len() == 1 { "is" } else { "are" }
        ),
    }
}

fn join(temperatures: &[Temperature]) -> String {
    temperatures.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
