//! Tries what a server honours of what it is asked, before it is asked for anything that counts.
//!
//! Evidence, not proof: "honoured" means that nothing spoke against it in a
//! few short texts.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Ended, HttpEngine, OnPause, ServerFacts, Wanted};
use crate::domain::{Generation, PromptKey, ResolvedChain, Seed, Step, Stop, Temperature, Template};
use crate::engine::{EngineError, Questions, Timing};
use crate::experiment::Api;
use crate::metrics::Looping;

/// Tokens of a text that is only looked at.
const SHORT: u32 = 24;
const SHORTER: u32 = 8;
/// Long enough for a guard against loops: Ollama's counts to 30.
const LONG: u32 = 96;
/// What a loop must have room for to be seen, and to be cut by such a guard.
const LONG_ENOUGH: u32 = 48;
/// More than the tokens of `LOOP` in a template.
const LOOP_TOKENS: u32 = 64;
/// Prompts that are tried, at most.
const PROMPTS: usize = 3;
/// A text that goes on like this one is a loop.
const LOOP: &str = "to be able to be able to be able to be able to be able to be able to be able to be able to be able";

/// Everything that was tried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Findings(pub Vec<Finding>);

/// What was tried, what came of it, and what that rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub probed: Probed,
    /// None: it could not be told.
    pub honoured: Option<bool>,
    pub evidence: String,
}

/// What is asked of a server and may be dropped silently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probed {
    /// The same request gives the same text.
    Reproduction,
    /// Other seeds give other texts.
    Seed,
    Temperature,
    MaxTokens,
    SamplerOrder,
    /// A text that repeats itself may go on.
    Repetition,
    /// A text that repeats itself is ended, and the server says that this is why.
    EndOfRepetition,
}

impl fmt::Display for Probed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reproduction => "the same request again",
            Self::Seed => "seed",
            Self::Temperature => "temperature",
            Self::MaxTokens => "max_tokens",
            Self::SamplerOrder => "the samplers' order",
            Self::Repetition | Self::EndOfRepetition => "a text that repeats itself",
        })
    }
}

impl HttpEngine {
    /// Tries what the server, which is what `facts` say, honours.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn probe(
        &self,
        facts: &ServerFacts,
        questions: &Questions,
        on_pause: OnPause<'_>,
    ) -> Result<Findings, EngineError> {
        let template: Template = questions.keys.first().map(|key| *key.get()).unwrap_or_default();
        let key = PromptKey::default().with(template);
        let prompts: Vec<&str> = questions.prompts.iter().map(String::as_str).take(PROMPTS).collect();
        // Ollama gives the context that it is asked for; of others what they were started with counts.
        let room = if self.served.server.api == Api::Ollama { Some(self.context) } else { facts.context };
        let probe = Probe { engine: self, key, room, on_pause };
        Ok(Findings(vec![
            probe.reproduction(&prompts)?,
            probe.seed(&prompts)?,
            probe.temperature(&prompts)?,
            probe.max_tokens(&prompts)?,
            probe.sampler_order(&prompts)?,
            probe.repetition()?,
        ]))
    }
}

struct Probe<'a> {
    engine: &'a HttpEngine,
    key: PromptKey,
    /// Tokens that a prompt and its text may have together, where it is known.
    room: Option<u32>,
    on_pause: OnPause<'a>,
}

impl Probe<'_> {
    fn reproduction(&self, prompts: &[&str]) -> Result<Finding, EngineError> {
        let mut same = 0;
        for prompt in prompts {
            let [one, other] = [self.text(prompt, 1.0, 1, SHORT)?, self.text(prompt, 1.0, 1, SHORT)?];
            same += usize::from(written(&one) == written(&other));
        }
        let evidence = format!("{same} of {} texts were the same when requested again", prompts.len());
        Ok(Finding { probed: Probed::Reproduction, honoured: Some(same == prompts.len()), evidence })
    }

    fn seed(&self, prompts: &[&str]) -> Result<Finding, EngineError> {
        let seeds = [1, 2, 3, 4];
        let finding = |honoured, evidence| Finding { probed: Probed::Seed, honoured, evidence };
        let mut all_loop = true;
        for prompt in prompts {
            let texts = seeds.iter().map(|&seed| Ok(written(&self.text(prompt, 1.0, seed, SHORT)?)));
            let texts: BTreeSet<_> = texts.collect::<Result<_, EngineError>>()?;
            if texts.len() > 1 {
                return Ok(finding(
                    Some(true),
                    format!("{} different texts of {} seeds at T 1", texts.len(), seeds.len()),
                ));
            }
            // One prompt may have one text, whatever is drawn: a thought that loops from its first word on.
            all_loop &= texts.iter().all(|text| Looping::of(text.trim_end()).repeated_share > 0.0);
        }
        let n = prompts.len();
        let evidence = format!("1 different texts of {} seeds at T 1, with each of {n} prompts", seeds.len());
        if all_loop {
            return Ok(finding(None, format!("{evidence}, and all of them loop")));
        }
        Ok(finding(Some(false), evidence))
    }

    fn temperature(&self, prompts: &[&str]) -> Result<Finding, EngineError> {
        let mut differ = 0;
        for prompt in prompts {
            let [cold, hot] = [self.text(prompt, 0.05, 1, SHORT)?, self.text(prompt, 1.5, 1, SHORT)?];
            differ += usize::from(written(&cold) != written(&hot));
        }
        let evidence = format!("{differ} of {} texts differ between T 0.05 and T 1.5", prompts.len());
        Ok(Finding { probed: Probed::Temperature, honoured: Some(differ > 0), evidence })
    }

    fn max_tokens(&self, prompts: &[&str]) -> Result<Finding, EngineError> {
        let [shorter, short] = [self.text(prompts[0], 1.0, 1, SHORTER)?, self.text(prompts[0], 1.0, 1, SHORT)?];
        let (honoured, evidence) = match shorter.n_tokens() {
            Some(n) => (Some(n <= SHORTER), format!("{n} tokens when {SHORTER} were requested")),
            None => {
                let lengths = [&shorter, &short].map(|generation| written(generation).chars().count());
                let shorter_is = (lengths[0] < lengths[1]).then_some(true);
                let evidence = format!(
                    "{} characters when {SHORTER} tokens were requested, {} for {SHORT}; it does not report token \
                     counts",
                    lengths[0], lengths[1]
                );
                (shorter_is, evidence)
            }
        };
        Ok(Finding { probed: Probed::MaxTokens, honoured, evidence })
    }

    fn sampler_order(&self, prompts: &[&str]) -> Result<Finding, EngineError> {
        let server = &self.engine.served.server;
        let (honoured, evidence) = match (server.api, &server.own_chain) {
            (_, Some(own)) => {
                (None, format!("it has its own chain, stated as {own} in the experiment; it does not report one"))
            }
            (Api::LlamaServer, None) => {
                // Unlike its default order.
                let steps = vec![
                    Step::Temperature { t: temperature(1.0) },
                    Step::MinP { p: 0.05, min_keep: 1 },
                    Step::TopK { k: 40 },
                    Step::Dist,
                ];
                let asked = ["temperature", "min_p", "top_k"];
                let stated = self.stated_order(prompts[0], ResolvedChain(steps))?;
                match stated {
                    Some(stated) => (
                        Some(stated == asked),
                        format!("requested {}, it reports {}", asked.join(" → "), stated.join(" → ")),
                    ),
                    None => (None, "it does not report it".to_owned()),
                }
            }
            (api, None) => {
                (None, format!("the api {api} has no field for it: the server decides the order, which is unknown"))
            }
        };
        Ok(Finding { probed: Probed::SamplerOrder, honoured, evidence })
    }

    fn repetition(&self) -> Result<Finding, EngineError> {
        let long = self.room.map_or(LONG, |room| room.saturating_sub(LOOP_TOKENS).min(LONG));
        if long < LONG_ENOUGH {
            let room = self.room.unwrap_or_default();
            let evidence = format!("the context of {room} tokens is too small for a loop");
            return Ok(Finding { probed: Probed::Repetition, honoured: None, evidence });
        }
        // The most probable text first; what loops then may be a matter of the chain.
        let mut generation = self.text(LOOP, 0.0, 1, long)?;
        if !repeats(&written(&generation)) && !matches!(generation.stop, Stop::Cut | Stop::Repetition) {
            generation = self.text(LOOP, 1.0, 1, long)?;
        }
        let text = written(&generation);
        let long = format!("{} words", text.split_whitespace().count());
        let (probed, honoured, evidence) = match (generation.stop, repeats(&text)) {
            (Stop::Repetition, _) => (
                Probed::EndOfRepetition,
                Some(true),
                format!("the server stopped it after {long} and gives the reason: such texts count as loops"),
            ),
            (Stop::Cut, _) => {
                (Probed::Repetition, Some(false), format!("a text that repeats itself was cut after {long}"))
            }
            (_, true) => (Probed::Repetition, Some(true), format!("a text that repeats itself continued for {long}")),
            (_, false) => (Probed::Repetition, None, "the model did not repeat itself when asked to".to_owned()),
        };
        Ok(Finding { probed, honoured, evidence })
    }

    fn text(&self, prompt: &str, t: f32, seed: u32, max_tokens: u32) -> Result<Generation, EngineError> {
        let server = &self.engine.served.server;
        let mut steps = vec![Step::Temperature { t: temperature(t) }];
        if server.own_chain.is_none() && server.api != Api::Shimmy {
            steps.push(Step::Dist);
        }
        let chain = ResolvedChain(steps);
        // Shimmy's API has no seed.
        let seed = Seed::new(seed).filter(|_| server.api != Api::Shimmy);
        let context = self.engine.context;
        let wanted = Wanted { prompt, key: &self.key, chain: &chain, seed, max_tokens, context };
        match self.engine.text(wanted, &|| true, self.on_pause) {
            // Twenty more would take twenty times as long.
            Ok((_, timing)) if took(&timing) >= f64::from(server.answer_s) => {
                let answer_s = server.answer_s;
                Err(EngineError::Server(format!(
                    "a text of {max_tokens} tokens took longer than answer_s = {answer_s} s"
                )))
            }
            Ok((generation, _)) => Ok(generation),
            Err(ended) => Err(no_text(ended)),
        }
    }

    fn stated_order(&self, prompt: &str, chain: ResolvedChain) -> Result<Option<Vec<String>>, EngineError> {
        let (seed, context) = (Seed::new(1), self.engine.context);
        let wanted = Wanted { prompt, key: &self.key, chain: &chain, seed, max_tokens: SHORTER, context };
        let ask = super::ask(&self.engine.served, wanted)
            .map_err(|error| no_text(Ended::Failed { reason: error.to_string(), attempts: 1 }))?;
        let (answer, _) = self.engine.answer(&ask, SHORTER, &|| true, self.on_pause).map_err(no_text)?;
        Ok(answer.samplers().map(<[String]>::to_vec))
    }
}

/// Why there is no text of those that are looked at.
fn no_text(ended: Ended) -> EngineError {
    match ended {
        Ended::Failed { reason, .. } | Ended::Gone(reason) => {
            EngineError::Server(format!("it returns no text: {reason}"))
        }
        Ended::Unwanted => unreachable!("it is wanted for ever"),
    }
}

/// Seconds from the request to the end of its answer.
fn took(timing: &Timing) -> f64 {
    timing.first_token_seconds.unwrap_or_default() + timing.seconds
}

/// All that was generated, the thought before the answer. Which of them a word belongs to is seen
/// too: a server that parts them here and not there gives another text.
fn written(generation: &Generation) -> String {
    match &generation.thought {
        Some(thought) => format!("{thought}\n{}", generation.text),
        None => generation.text.clone(),
    }
}

/// Whether half of its trigrams have been there before.
fn repeats(text: &str) -> bool {
    let words: Vec<_> = text.split_whitespace().collect();
    let trigrams: BTreeSet<_> = words.windows(3).collect();
    words.len() >= 12 && 2 * trigrams.len() < words.len() - 2
}

fn temperature(t: f32) -> Temperature {
    Temperature::new(t).expect("finite and not negative")
}

impl Findings {
    /// What must be known to read the results rightly: all that is not honoured, or can't be told.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.0.iter().filter_map(|finding| {
            let Finding { probed, honoured, evidence } = finding;
            match honoured {
                Some(true) if *probed == Probed::EndOfRepetition => Some(format!("{probed}: {evidence}")),
                Some(true) => None,
                Some(false) => Some(format!("{probed}: NOT honoured ({evidence})")),
                None => Some(format!("{probed}: not known ({evidence})")),
            }
        })
    }

    pub fn dishonours(&self, what: Probed) -> Option<&str> {
        let found = self.0.iter().find(|finding| finding.probed == what && finding.honoured == Some(false));
        found.map(|finding| finding.evidence.as_str())
    }
}
