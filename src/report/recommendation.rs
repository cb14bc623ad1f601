//! Advice on temperatures and chains, with the parameters that servers take.

use std::fmt::Write as _;

use serde::Serialize;
use strum::VariantArray;

use super::levels::{Arm, Facet};
use super::parameters::{Parameters, Server, parameters};
use crate::analysis::{Advice, Limits, Recommendation};
use crate::experiment::{Chain, Temperature};
use crate::plain::neutralise;

#[derive(Debug, Serialize)]
pub struct Answer<'a> {
    pub experiment: &'a str,
    pub limits: Limits,
    /// What must stand beside every result, for the models' sake.
    pub caveat: Option<&'a str>,
    pub recommendations: Vec<Advised>,
}

#[derive(Debug, Serialize)]
pub struct Advised {
    #[serde(flatten)]
    recommendation: Recommendation,
    /// At the highest temperature advised, by server; none where another chain is.
    parameters: Option<Vec<ForServer>>,
}

#[derive(Debug, Serialize)]
struct ForServer {
    server: String,
    #[serde(flatten)]
    parameters: Parameters,
}

impl Advised {
    /// `chains` hold the recommendation's own.
    pub fn new(recommendation: Recommendation, chains: &[Chain]) -> Self {
        Self { parameters: servers(&recommendation, chains), recommendation }
    }
}

fn servers(recommendation: &Recommendation, chains: &[Chain]) -> Option<Vec<ForServer>> {
    if matches!(recommendation.advice, Advice::OtherChain { .. }) {
        return None;
    }
    let chain = chains.iter().find(|chain| chain.id == recommendation.chain)?;
    let resolved = chain.at(recommendation.highest()?);
    let of = |&server: &Server| ForServer { server: server.to_string(), parameters: parameters(&resolved, server) };
    Some(Server::VARIANTS.iter().map(of).collect())
}

fn arm(of: &Recommendation) -> Arm<'_> {
    let Recommendation { model, chain, offload, quant, template, op_offload, .. } = of;
    let facet = Facet { model, quant: *quant, offload: *offload, template: *template, op_offload: *op_offload };
    Arm { facet, chain }
}

/// For people.
pub fn text(answer: &Answer<'_>) -> String {
    let Limits { p_loop, score, metric } = answer.limits;
    let mut out = format!(
        "limits: P(loop) at most {p_loop}, mean {} at most {score}; 95 % intervals wholly under them\n\n",
        metric.name()
    );
    for Advised { recommendation, parameters } in &answer.recommendations {
        let _ = writeln!(out, "{}", neutralise(&arm(recommendation).title()));
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
        let _ = writeln!(out, "note: {}", neutralise(caveat));
    }
    out
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
        Advice::Everywhere => "no temperature helps: every one measured is over".to_owned(),
        Advice::Blind { why } => {
            let metric = why.sees.map_or(String::new(), |sees| format!(": --metric {}", sees.name()));
            format!("no temperature is shown to stay under, and more prompts would not show one: {why}{metric}")
        }
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
