//! Words advice on temperatures and chains, with the parameters that servers take.

use serde::Serialize;
use strum::VariantArray;

use super::levels::Arm;
use super::parameters::{Parameters, Server, parameters};
use crate::analysis::{Advice, AtTemperature, CleanChain, Limits, Measure, Recommendation, Standing};
use crate::domain::{Chain, Temperature};
use crate::screen::Lines;

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
    let cell = &recommendation.cell;
    let chain = chains.iter().find(|chain| chain.is_of(cell.model(), cell.chain()))?;
    let resolved = chain.at(recommendation.highest()?);
    // What a server decides need not be told to one.
    if resolved.is_servers() {
        return None;
    }
    let of = |&server: &Server| ForServer { server: server.to_string(), parameters: parameters(&resolved, server) };
    Some(Server::VARIANTS.iter().map(of).collect())
}

fn arm(of: &Recommendation) -> Arm<'_> {
    Arm::of(&of.cell)
}

/// For people.
pub fn text(answer: &Answer<'_>) -> Lines {
    let Limits { p_loop, score, metric } = answer.limits;
    let mut out = Lines::default();
    out.text(
        "limits: ",
        &format!(
            "P(loop) at most {p_loop}, mean {} at most {score}; 95 % confidence for all temperatures of a chain together",
            metric.name()
        ),
    );
    out.blank();
    let arms: Vec<_> = answer.recommendations.iter().map(|advised| arm(&advised.recommendation)).collect();
    for Advised { recommendation, parameters } in &answer.recommendations {
        out.heading(&arm(recommendation).title(&arms));
        out.text("  ", &advice_in_words(recommendation, answer.limits));
        for ForServer { server, parameters: Parameters { body, lost } } in parameters.iter().flatten() {
            let json = serde_json::to_string(body).expect("parameters are plain data");
            // It is to be copied.
            out.whole(&format!("  {server:<13}{json}"));
            if !lost.is_empty() {
                let lost = lost.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                out.text(&" ".repeat(15), &format!("can't be set: {lost}"));
            }
        }
        out.blank();
    }
    if let Some(caveat) = answer.caveat {
        out.text("note: ", caveat);
    }
    out
}

fn advice_in_words(arm: &Recommendation, limits: Limits) -> String {
    match &arm.advice {
        Advice::NoLimit { from, to } if from == to => {
            format!("{to}, the only temperature measured, is shown to stay under the limits; others were not measured")
        }
        Advice::NoLimit { from, to } => format!(
            "each of the {} temperatures measured, {from} to {to}, is shown to stay under the limits (95 % each); \
             higher ones were not measured",
            arm.temperatures.len()
        ),
        Advice::Range { from, to } => in_range(arm, *from, *to),
        Advice::RangeOrOtherChain { from, to, over, chains } => format!(
            "{} {} under; at {} it is over, but {}: limit the temperature or change the chain",
            span(*from, *to),
            if from == to { "stays" } else { "stay" },
            join(over),
            under(chains)
        ),
        Advice::Nowhere { open } => {
            format!(
                "no temperature is shown to stay under the limits{}: more prompts may show {}",
                over(arm),
                join(open)
            )
        }
        Advice::TooFewPrompts { n_prompts, least, measure } => {
            let measure = match measure {
                Measure::PLoop => format!("P(loop) ≤ {}", limits.p_loop),
                Measure::Score => format!("a mean {} ≤ {}", limits.metric.name(), limits.score),
            };
            format!(
                "no temperature is shown to stay under the limits{}: {n_prompts} {} can't show {measure} even without \
                 a loop; {least} can",
                over(arm),
                if *n_prompts == 1 { "prompt" } else { "prompts" }
            )
        }
        Advice::Everywhere { clean } if clean.is_empty() => {
            "no temperature helps: all measured ones are over the limits".to_owned()
        }
        Advice::Everywhere { clean } => {
            let clean = clean.iter().map(|CleanChain { chain, temperature }| format!("{chain} at {temperature}"));
            let clean: Vec<_> = clean.collect();
            let is = if clean.len() == 1 { "is" } else { "are" };
            format!("all measured temperatures are over the limits; {} {is} under: change the chain", clean.join(", "))
        }
        Advice::Blind { why } => {
            let metric = why.sees.map_or(String::new(), |sees| format!(": --metric {}", sees.name()));
            format!("no temperature is shown to stay under the limits, and more prompts would not help: {why}{metric}")
        }
        Advice::OtherChain { over, chains } if over.len() == arm.temperatures.len() => {
            format!(
                "the chain is at fault, not the temperature: at {} it is over the limits, but {}",
                join(over),
                under(chains)
            )
        }
        Advice::OtherChain { over, chains } => format!(
            "no temperature is shown to stay under the limits; at {} it is over, but {}: change the chain",
            join(over),
            under(chains)
        ),
    }
}

fn in_range(arm: &Recommendation, from: Temperature, to: Temperature) -> String {
    if arm.temperatures.last().is_some_and(|at| at.temperature == to) {
        let stay = if from == to { "stays" } else { "stay" };
        let comma = if from == to {
            format!("{to}, the highest measured,")
        } else {
            format!("{from} to {to}, the highest measured,")
        };
        return format!("no upper limit needed: {comma} {stay} under; lower ones are not shown to");
    }
    match from == to {
        true => format!("{to} stays under; no other is shown to"),
        false => format!("{from} to {to} stay under; others are not shown to"),
    }
}

fn span(from: Temperature, to: Temperature) -> String {
    if from == to { to.to_string() } else { format!("{from} to {to}") }
}

/// The temperatures that are over, if some are.
fn over(arm: &Recommendation) -> String {
    let is_over = |at: &&AtTemperature| at.standing == Standing::Over;
    let over: Vec<_> = arm.temperatures.iter().filter(is_over).map(|at| at.temperature).collect();
    match over.len() {
        0 => String::new(),
        1 => format!("; {} is over", join(&over)),
        _ => format!("; {} are over", join(&over)),
    }
}

fn under(chains: &[String]) -> String {
    format!("{} {} under", chains.join(", "), if chains.len() == 1 { "is" } else { "are" })
}

fn join(temperatures: &[Temperature]) -> String {
    temperatures.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Cell, Temperature};
    use crate::metrics::Metric;

    fn t(temperature: f32) -> Temperature {
        Temperature::new(temperature).unwrap()
    }

    fn said(advice: Advice, standings: &[(f32, Standing)]) -> String {
        let at = |&(temperature, standing): &(f32, Standing)| AtTemperature {
            temperature: t(temperature),
            standing,
            alone: standing,
            p_loop: None,
            score: None,
            p_loop_of_all: None,
            score_of_all: None,
            n_prompts: 12,
            blind: None,
        };
        let arm = Recommendation {
            cell: Cell::usual("tiny", "pure", Temperature::new(0.1).unwrap()),
            temperatures: standings.iter().map(at).collect(),
            advice,
        };
        advice_in_words(&arm, Limits { p_loop: 0.2, score: 0.1, metric: Metric::RepetitionScore })
    }

    use Standing::{Open, Over, Under};

    #[test]
    fn what_was_not_measured_is_not_promised() {
        assert_eq!(
            said(Advice::NoLimit { from: t(0.1), to: t(0.5) }, &[(0.1, Under), (0.5, Under)]),
            "each of the 2 temperatures measured, 0.1 to 0.5, is shown to stay under the limits (95 % each); higher \
             ones were not measured"
        );
    }

    #[test]
    fn a_chain_that_is_clean_when_cold_is_not_at_fault_alone() {
        let (over, chains) = (vec![t(0.9)], vec!["llama.cpp".to_owned()]);
        let standings = [(0.1, Under), (0.5, Under), (0.9, Over)];
        let either = Advice::RangeOrOtherChain { from: t(0.1), to: t(0.5), over: over.clone(), chains: chains.clone() };
        assert_eq!(
            said(either, &standings),
            "0.1 to 0.5 stay under; at 0.9 it is over, but llama.cpp is under: limit the temperature or change the \
             chain"
        );
        let other = Advice::OtherChain { over: over.clone(), chains: chains.clone() };
        assert_eq!(
            said(other.clone(), &[(0.9, Over)]),
            "the chain is at fault, not the temperature: at 0.9 it is over the limits, but llama.cpp is under"
        );
        assert_eq!(
            said(other, &[(0.5, Open), (0.9, Over)]),
            "no temperature is shown to stay under the limits; at 0.9 it is over, but llama.cpp is under: change the \
             chain"
        );
    }

    #[test]
    fn what_is_over_everywhere_is_not_told_to_take_more_prompts() {
        let standings = [(0.1, Over), (0.9, Over)];
        let none = said(Advice::Everywhere { clean: vec![] }, &standings);
        assert_eq!(none, "no temperature helps: all measured ones are over the limits");
        let clean = vec![CleanChain { chain: "llama.cpp".to_owned(), temperature: t(0.9) }];
        let one = said(Advice::Everywhere { clean }, &standings);
        assert_eq!(one, "all measured temperatures are over the limits; llama.cpp at 0.9 is under: change the chain");
    }

    #[test]
    fn more_prompts_are_advised_only_where_they_may_help() {
        assert_eq!(
            said(Advice::Nowhere { open: vec![t(0.1), t(0.5)] }, &[(0.1, Open), (0.5, Open), (0.9, Over)]),
            "no temperature is shown to stay under the limits; 0.9 is over: more prompts may show 0.1, 0.5"
        );
        let few = |measure| Advice::TooFewPrompts { n_prompts: 12, least: 17, measure };
        assert_eq!(
            said(few(Measure::PLoop), &[(0.1, Open)]),
            "no temperature is shown to stay under the limits: 12 prompts can't show P(loop) ≤ 0.2 even without a \
             loop; 17 can"
        );
        assert!(said(few(Measure::Score), &[(0.1, Open)]).contains("can't show a mean repetition_score ≤ 0.1 even"));
    }
}
