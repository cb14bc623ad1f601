//! Owns sampler chains: ordered lists of llama.cpp's samplers with their parameters, and the few facts about a step
//! that checks need. Must not know how a chain is written in a file, computed, or asked of a server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::Display;

use super::{Said, Temperature};

/// What `json` allows: an object, by llama.cpp's own grammar (`grammars/json.gbnf`, MIT, as llama-cpp-python 0.3.36 has
/// it). A trial is known by the step's name, so another grammar is a step of another name.
pub const JSON_GRAMMAR: &str = include_str!("json.gbnf");
/// The rule of a grammar, `json`'s included, that a text is an instance of where nothing else is said.
pub const ROOT: &str = "root";

/// A named sampler chain, with `"T"` still open.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    pub id: String,
    /// None where they are not known yet, or not ours to say: `author` says which.
    pub steps: Vec<Step<Slot>>,
    pub fidelity: Fidelity,
    pub author: Author,
}

/// Who says what the steps of a chain are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Author {
    /// The experiment, or moe-sweep: they are the same for every model.
    #[default]
    Experiment,
    /// Whoever made the model, in its files, which were not read yet.
    Model,
    /// The files of this model, and where in them they are stated.
    ModelFile { model: String, place: SamplingPlace },
    /// The server, which is asked for none, or told parameters of its own samplers ([`Step::Request`]).
    Server,
}

/// Where a model's files speak of sampling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display)]
pub enum SamplingPlace {
    #[strum(to_string = "general.sampling.* in its header")]
    Header,
    #[strum(to_string = "generation_config.json beside it")]
    GenerationConfig,
}

/// Whether a chain is held to the rules of a sane chain, or reproduces
/// somebody's chain with its faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fidelity {
    Checked,
    /// `faithful = true` in the file: kept as it was found, faults included.
    Faithful,
}

/// Where a temperature stands in a chain: the trial's own, or a fixed one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum Slot {
    #[serde(rename = "T")]
    Trial,
    #[serde(untagged)]
    Fixed(Temperature),
}

/// One of llama.cpp's samplers. `T` is how temperatures are given: [`Slot`]
/// in a [`Chain`], [`Temperature`] in a [`ResolvedChain`].
///
/// Parameter names and meanings are those of `llama_sampler_init_*` in
/// llama.cpp's `include/llama.h`. Samplers that draw use the trial's seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step<T> {
    Temperature {
        t: T,
    },
    TemperatureExt {
        t: T,
        delta: f32,
        exponent: f32,
    },
    TopK {
        k: i32,
    },
    TopP {
        p: f32,
        min_keep: usize,
    },
    MinP {
        p: f32,
        min_keep: usize,
    },
    Typical {
        p: f32,
        min_keep: usize,
    },
    TopNSigma {
        n: f32,
    },
    /// Draws: removes the top candidates with probability `p`.
    Xtc {
        p: f32,
        threshold: f32,
        min_keep: usize,
    },
    Penalties {
        last_n: i32,
        repeat: f32,
        frequency: f32,
        presence: f32,
    },
    Dry {
        multiplier: f32,
        base: f32,
        allowed_length: i32,
        last_n: i32,
        sequence_breakers: Vec<String>,
    },
    LogitBias {
        biases: Vec<TokenBias>,
    },
    Grammar {
        grammar: String,
        root: String,
    },
    /// [`JSON_GRAMMAR`], or what a server makes of JSON mode.
    Json,
    Infill,
    /// Selects the first of the most probable candidates.
    Greedy,
    /// Selects by a draw.
    Dist,
    /// Selects by a draw; carries its own truncation.
    Mirostat {
        tau: f32,
        eta: f32,
        m: i32,
    },
    /// Selects by a draw; carries its own truncation.
    MirostatV2 {
        tau: f32,
        eta: f32,
    },
    /// Selects by a draw.
    AdaptiveP {
        target: f32,
        decay: f32,
    },
    /// Whatever a server does, of which a request says these parameters. It is all of its chain.
    Request(Said),
}

/// An addition to one token's logit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenBias {
    pub token: i32,
    pub bias: f32,
}

/// A chain with the trial's temperature put in: all that a sampler needs
/// beside the seed, and what enters the trial's id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResolvedChain(pub Vec<Step<Temperature>>);

/// What a step does to the candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// Changes logits, keeps every candidate.
    Reweighting,
    /// May remove candidates.
    Truncation,
    /// Ends the chain by choosing a token.
    Selection,
}

impl Chain {
    /// The chain at one temperature.
    pub fn at(&self, temperature: Temperature) -> ResolvedChain {
        let steps = self.steps.iter().cloned();
        ResolvedChain(steps.map(|step| step.map_temperature(|slot| slot.at(temperature))).collect())
    }

    /// Whether any step draws: without a draw, seeds change nothing. Steps that are not known may draw.
    pub fn draws(&self) -> bool {
        match self.author {
            Author::Model | Author::Server => true,
            Author::Experiment | Author::ModelFile { .. } => self.steps.iter().any(Step::draws),
        }
    }

    /// What sets it apart from every other chain of a plan: its id, and the model where another one's has other steps.
    pub fn title(&self) -> String {
        match &self.author {
            Author::ModelFile { model, .. } => format!("{} of {model}", self.id),
            Author::Experiment | Author::Model | Author::Server => self.id.clone(),
        }
    }

    /// Whether it is what a cell of this model and this chain means.
    pub fn is_of(&self, model: &str, id: &str) -> bool {
        let of_other = matches!(&self.author, Author::ModelFile { model: theirs, .. } if theirs != model);
        self.id == id && !of_other
    }

    /// The temperature of its own, where the trial's plays no part for that reason.
    pub fn own_temperature(&self) -> Option<Temperature> {
        let slots = || self.steps.iter().filter_map(Step::slot);
        let is_trials = |slot: Slot| slot == Slot::Trial;
        if slots().any(is_trials) { None } else { slots().find_map(Into::into) }
    }
}

impl ResolvedChain {
    /// Whether the server decides, but for parameters that a request says.
    pub fn is_servers(&self) -> bool {
        self.0.iter().all(|step| matches!(step, Step::Request(_)))
    }
}

impl Slot {
    fn at(self, temperature: Temperature) -> Temperature {
        match self {
            Self::Trial => temperature,
            Self::Fixed(fixed) => fixed,
        }
    }
}

impl From<Slot> for Option<Temperature> {
    /// What is known before there is a trial.
    fn from(slot: Slot) -> Self {
        match slot {
            Slot::Trial => None,
            Slot::Fixed(temperature) => Some(temperature),
        }
    }
}

impl Step<Slot> {
    fn slot(&self) -> Option<Slot> {
        match self {
            Self::Temperature { t } | Self::TemperatureExt { t, .. } => Some(*t),
            _ => None,
        }
    }
}

impl<T> Step<T> {
    /// Whether its parameters switch it off, so that llama.cpp puts an empty sampler in its place
    /// (`llama_sampler_init_*`). A temperature of 1 changes nothing either, and is a temperature
    /// that was asked for.
    pub fn is_off(&self) -> bool {
        match *self {
            Self::TopK { k } => k <= 0,
            Self::TopP { p, .. } | Self::Typical { p, .. } => p >= 1.0,
            Self::MinP { p, .. } => p <= 0.0,
            Self::TopNSigma { n } => n <= 0.0,
            Self::Xtc { p, threshold, .. } => p <= 0.0 || threshold > 0.5,
            Self::Penalties { last_n, repeat, frequency, presence } => {
                last_n <= 0 || (repeat, frequency, presence) == (1.0, 0.0, 0.0)
            }
            Self::Dry { multiplier, base, last_n, .. } => multiplier == 0.0 || base < 1.0 || last_n <= 0,
            Self::LogitBias { ref biases } => biases.is_empty(),
            // Without a grammar everything is allowed.
            Self::Grammar { ref grammar, .. } => grammar.is_empty(),
            Self::Request(said) => said.is_nothing(),
            Self::Temperature { .. }
            | Self::TemperatureExt { .. }
            | Self::Json
            | Self::Infill
            | Self::Greedy
            | Self::Dist
            | Self::Mirostat { .. }
            | Self::MirostatV2 { .. }
            | Self::AdaptiveP { .. } => false,
        }
    }

    pub fn kind(&self) -> StepKind {
        match self {
            Self::Temperature { .. }
            | Self::TemperatureExt { .. }
            | Self::Penalties { .. }
            | Self::Dry { .. }
            | Self::LogitBias { .. } => StepKind::Reweighting,
            Self::TopK { .. }
            | Self::TopP { .. }
            | Self::MinP { .. }
            | Self::Typical { .. }
            | Self::TopNSigma { .. }
            | Self::Xtc { .. }
            | Self::Grammar { .. }
            | Self::Json
            | Self::Infill => StepKind::Truncation,
            Self::Greedy
            | Self::Dist
            | Self::Mirostat { .. }
            | Self::MirostatV2 { .. }
            | Self::AdaptiveP { .. }
            | Self::Request(_) => StepKind::Selection,
        }
    }

    pub fn draws(&self) -> bool {
        matches!(
            self,
            Self::Dist
                | Self::Xtc { .. }
                | Self::Mirostat { .. }
                | Self::MirostatV2 { .. }
                | Self::AdaptiveP { .. }
                | Self::Request(_)
        )
    }

    /// The step with its temperature, if it has one, put through `f`.
    fn map_temperature<U>(self, f: impl FnOnce(T) -> U) -> Step<U> {
        match self {
            Self::Temperature { t } => Step::Temperature { t: f(t) },
            Self::TemperatureExt { t, delta, exponent } => Step::TemperatureExt { t: f(t), delta, exponent },
            Self::TopK { k } => Step::TopK { k },
            Self::TopP { p, min_keep } => Step::TopP { p, min_keep },
            Self::MinP { p, min_keep } => Step::MinP { p, min_keep },
            Self::Typical { p, min_keep } => Step::Typical { p, min_keep },
            Self::TopNSigma { n } => Step::TopNSigma { n },
            Self::Xtc { p, threshold, min_keep } => Step::Xtc { p, threshold, min_keep },
            Self::Penalties { last_n, repeat, frequency, presence } => {
                Step::Penalties { last_n, repeat, frequency, presence }
            }
            Self::Dry { multiplier, base, allowed_length, last_n, sequence_breakers } => {
                Step::Dry { multiplier, base, allowed_length, last_n, sequence_breakers }
            }
            Self::LogitBias { biases } => Step::LogitBias { biases },
            Self::Grammar { grammar, root } => Step::Grammar { grammar, root },
            Self::Json => Step::Json,
            Self::Infill => Step::Infill,
            Self::Greedy => Step::Greedy,
            Self::Dist => Step::Dist,
            Self::Mirostat { tau, eta, m } => Step::Mirostat { tau, eta, m },
            Self::MirostatV2 { tau, eta } => Step::MirostatV2 { tau, eta },
            Self::AdaptiveP { target, decay } => Step::AdaptiveP { target, decay },
            Self::Request(said) => Step::Request(said),
        }
    }
}
