//! Owns how files hold sampler chains: in a plan with `"T"` still open, in a trial's id with the temperature put in.

use serde::{Deserialize, Serialize};

use super::{Unknown, both_ways, each};
use crate::domain::{self, Slot, Temperature};

/// A named sampler chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chain {
    id: String,
    steps: Vec<Step>,
    fidelity: Fidelity,
    /// Absent where the experiment says what the steps are.
    #[serde(default, skip_serializing_if = "Author::is_experiment")]
    author: Author,
}

/// Who says what the steps of a chain are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    #[default]
    Experiment,
    Model,
    ModelFile {
        model: String,
        place: SamplingPlace,
    },
    Server,
}

/// Where a model's files speak of sampling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SamplingPlace {
    Header,
    GenerationConfig,
}
both_ways!(enum SamplingPlace, domain::SamplingPlace { Header, GenerationConfig });

/// Whether a chain is held to the rules of a sane chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fidelity {
    Checked,
    Faithful,
}
both_ways!(enum Fidelity, domain::Fidelity { Checked, Faithful });

/// Where a temperature stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Heat {
    /// The trial's own.
    #[serde(rename = "T")]
    Trial,
    #[serde(untagged)]
    Fixed(f32),
}

/// One of llama.cpp's samplers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    Temperature { t: Heat },
    TemperatureExt { t: Heat, delta: f32, exponent: f32 },
    TopK { k: i32 },
    TopP { p: f32, min_keep: usize },
    MinP { p: f32, min_keep: usize },
    Typical { p: f32, min_keep: usize },
    TopNSigma { n: f32 },
    Xtc { p: f32, threshold: f32, min_keep: usize },
    Penalties { last_n: i32, repeat: f32, frequency: f32, presence: f32 },
    Dry { multiplier: f32, base: f32, allowed_length: i32, last_n: i32, sequence_breakers: Vec<String> },
    LogitBias { biases: Vec<TokenBias> },
    Grammar { grammar: String, root: String },
    Json,
    Infill,
    Greedy,
    Dist,
    Mirostat { tau: f32, eta: f32, m: i32 },
    MirostatV2 { tau: f32, eta: f32 },
    AdaptiveP { target: f32, decay: f32 },
    Request(Said),
}

/// Parameters that a request says, in llama.cpp's words.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    top_k: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    top_p: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_p: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repeat_penalty: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repeat_last_n: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<f32>,
}

/// An addition to one token's logit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenBias {
    token: i32,
    bias: f32,
}
both_ways!(TokenBias, domain::TokenBias { token, bias });

/// A chain's steps as files hold them: what a trial's id and a baseline know it by.
pub fn steps<T: Clone + Into<Heat>>(steps: &[domain::Step<T>]) -> Vec<Step> {
    steps.iter().cloned().map(Step::from).collect()
}

impl From<domain::Chain> for Chain {
    fn from(domain::Chain { id, steps, fidelity, author }: domain::Chain) -> Self {
        Self { id, steps: self::steps(&steps), fidelity: fidelity.into(), author: author.into() }
    }
}

impl TryFrom<Chain> for domain::Chain {
    type Error = Unknown;

    fn try_from(Chain { id, steps, fidelity, author }: Chain) -> Result<Self, Unknown> {
        Ok(Self { id, steps: each(steps)?, fidelity: fidelity.into(), author: author.into() })
    }
}

impl Author {
    fn is_experiment(&self) -> bool {
        *self == Self::Experiment
    }
}

impl From<domain::Author> for Author {
    fn from(author: domain::Author) -> Self {
        match author {
            domain::Author::Experiment => Self::Experiment,
            domain::Author::Model => Self::Model,
            domain::Author::ModelFile { model, place } => Self::ModelFile { model, place: place.into() },
            domain::Author::Server => Self::Server,
        }
    }
}

impl From<Author> for domain::Author {
    fn from(author: Author) -> Self {
        match author {
            Author::Experiment => Self::Experiment,
            Author::Model => Self::Model,
            Author::ModelFile { model, place } => Self::ModelFile { model, place: place.into() },
            Author::Server => Self::Server,
        }
    }
}

impl From<domain::Said> for Said {
    fn from(said: domain::Said) -> Self {
        let domain::Said {
            temperature,
            top_k,
            top_p,
            min_p,
            repeat_penalty,
            repeat_last_n,
            presence_penalty,
            frequency_penalty,
        } = said;
        let temperature = temperature.map(Temperature::get);
        Self { temperature, top_k, top_p, min_p, repeat_penalty, repeat_last_n, presence_penalty, frequency_penalty }
    }
}

impl TryFrom<Said> for domain::Said {
    type Error = Unknown;

    fn try_from(said: Said) -> Result<Self, Unknown> {
        let Said {
            temperature,
            top_k,
            top_p,
            min_p,
            repeat_penalty,
            repeat_last_n,
            presence_penalty,
            frequency_penalty,
        } = said;
        let temperature = temperature.map(temperature_of).transpose()?;
        Ok(Self {
            temperature,
            top_k,
            top_p,
            min_p,
            repeat_penalty,
            repeat_last_n,
            presence_penalty,
            frequency_penalty,
        })
    }
}

fn temperature_of(t: f32) -> Result<Temperature, Unknown> {
    Temperature::try_from(t).map_err(|reason| Unknown(reason.to_owned()))
}

impl From<Slot> for Heat {
    fn from(slot: Slot) -> Self {
        match slot {
            Slot::Trial => Self::Trial,
            Slot::Fixed(temperature) => temperature.into(),
        }
    }
}

impl From<Temperature> for Heat {
    fn from(temperature: Temperature) -> Self {
        Self::Fixed(temperature.get())
    }
}

impl TryFrom<Heat> for Slot {
    type Error = Unknown;

    fn try_from(heat: Heat) -> Result<Self, Unknown> {
        Ok(match heat {
            Heat::Trial => Self::Trial,
            Heat::Fixed(t) => Self::Fixed(temperature_of(t)?),
        })
    }
}

impl<T: Into<Heat>> From<domain::Step<T>> for Step {
    fn from(step: domain::Step<T>) -> Self {
        use domain::Step as Domain;
        match step {
            Domain::Temperature { t } => Self::Temperature { t: t.into() },
            Domain::TemperatureExt { t, delta, exponent } => Self::TemperatureExt { t: t.into(), delta, exponent },
            Domain::TopK { k } => Self::TopK { k },
            Domain::TopP { p, min_keep } => Self::TopP { p, min_keep },
            Domain::MinP { p, min_keep } => Self::MinP { p, min_keep },
            Domain::Typical { p, min_keep } => Self::Typical { p, min_keep },
            Domain::TopNSigma { n } => Self::TopNSigma { n },
            Domain::Xtc { p, threshold, min_keep } => Self::Xtc { p, threshold, min_keep },
            Domain::Penalties { last_n, repeat, frequency, presence } => {
                Self::Penalties { last_n, repeat, frequency, presence }
            }
            Domain::Dry { multiplier, base, allowed_length, last_n, sequence_breakers } => {
                Self::Dry { multiplier, base, allowed_length, last_n, sequence_breakers }
            }
            Domain::LogitBias { biases } => Self::LogitBias { biases: biases.into_iter().map(Into::into).collect() },
            Domain::Grammar { grammar, root } => Self::Grammar { grammar, root },
            Domain::Json => Self::Json,
            Domain::Infill => Self::Infill,
            Domain::Greedy => Self::Greedy,
            Domain::Dist => Self::Dist,
            Domain::Mirostat { tau, eta, m } => Self::Mirostat { tau, eta, m },
            Domain::MirostatV2 { tau, eta } => Self::MirostatV2 { tau, eta },
            Domain::AdaptiveP { target, decay } => Self::AdaptiveP { target, decay },
            Domain::Request(said) => Self::Request(said.into()),
        }
    }
}

impl TryFrom<Step> for domain::Step<Slot> {
    type Error = Unknown;

    fn try_from(step: Step) -> Result<Self, Unknown> {
        Ok(match step {
            Step::Temperature { t } => Self::Temperature { t: t.try_into()? },
            Step::TemperatureExt { t, delta, exponent } => Self::TemperatureExt { t: t.try_into()?, delta, exponent },
            Step::TopK { k } => Self::TopK { k },
            Step::TopP { p, min_keep } => Self::TopP { p, min_keep },
            Step::MinP { p, min_keep } => Self::MinP { p, min_keep },
            Step::Typical { p, min_keep } => Self::Typical { p, min_keep },
            Step::TopNSigma { n } => Self::TopNSigma { n },
            Step::Xtc { p, threshold, min_keep } => Self::Xtc { p, threshold, min_keep },
            Step::Penalties { last_n, repeat, frequency, presence } => {
                Self::Penalties { last_n, repeat, frequency, presence }
            }
            Step::Dry { multiplier, base, allowed_length, last_n, sequence_breakers } => {
                Self::Dry { multiplier, base, allowed_length, last_n, sequence_breakers }
            }
            Step::LogitBias { biases } => Self::LogitBias { biases: biases.into_iter().map(Into::into).collect() },
            Step::Grammar { grammar, root } => Self::Grammar { grammar, root },
            Step::Json => Self::Json,
            Step::Infill => Self::Infill,
            Step::Greedy => Self::Greedy,
            Step::Dist => Self::Dist,
            Step::Mirostat { tau, eta, m } => Self::Mirostat { tau, eta, m },
            Step::MirostatV2 { tau, eta } => Self::MirostatV2 { tau, eta },
            Step::AdaptiveP { target, decay } => Self::AdaptiveP { target, decay },
            Step::Request(said) => Self::Request(said.try_into()?),
        })
    }
}
