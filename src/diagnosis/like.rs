//! Owns how the runtimes that people use choose tokens where they are told nothing, and what a person says otherwise.

use strum::{Display, EnumString, VariantNames};

use super::setup::Setup;
use crate::causes::Runtime;
use crate::domain::{Said, Slot, Step, Temperature};
use crate::experiment::builtin_chains;

/// A runtime whose defaults a person runs with. Where each comes from stands beside its chain in `chains.toml`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Display, EnumString, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Like {
    /// llama.cpp's programs: llama-server, llama-cli.
    #[default]
    LlamaServer,
    Ollama,
    LmStudio,
    Shimmy,
    Vllm,
    Transformers,
}

/// What a person's command line says of the samplers, in llama.cpp's words.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Overrides {
    pub temperature: Option<f32>,
    pub top_k: Option<i32>,
    pub top_p: Option<f32>,
    pub min_p: Option<f32>,
    pub repeat_penalty: Option<f32>,
    pub repeat_last_n: Option<i32>,
    pub presence_penalty: Option<f32>,
    pub frequency_penalty: Option<f32>,
}

impl Like {
    fn chain(self) -> &'static str {
        match self {
            Self::LlamaServer => "llama.cpp",
            // Until August 2026, the version that reports are about.
            Self::Ollama => "ollama-runner",
            Self::LmStudio => "lm-studio",
            Self::Shimmy => "shimmy-1.7",
            Self::Vllm => "vllm",
            Self::Transformers => "greedy",
        }
    }

    /// In whose words its remedies are said.
    pub fn runtime(self) -> Runtime {
        match self {
            Self::LlamaServer => Runtime::LlamaServer,
            Self::Ollama => Runtime::Ollama,
            Self::LmStudio => Runtime::LmStudio,
            Self::Shimmy => Runtime::Shimmy,
            Self::Vllm => Runtime::Vllm,
            Self::Transformers => Runtime::Transformers,
        }
    }

    fn temperature(self) -> f32 {
        match self {
            Self::LlamaServer | Self::Ollama | Self::LmStudio => 0.8,
            Self::Shimmy => 0.7,
            Self::Vllm | Self::Transformers => 1.0,
        }
    }

    /// The model as the runtime runs it, but for what the person says; None where a temperature is none.
    pub fn setup(self, model: &str, overrides: Overrides) -> Option<Setup> {
        let chain = builtin_chains().into_iter().find(|chain| chain.id == self.chain())?;
        let mut steps = chain.steps;
        overrides.apply(&mut steps);
        let temperature = Temperature::new(overrides.temperature.unwrap_or(self.temperature()))?;
        Some(Setup::new(model, steps, temperature))
    }
}

impl Overrides {
    /// What a request then says to a server; None where the temperature is none.
    pub fn said(self) -> Option<Said> {
        let Self {
            temperature,
            top_k,
            top_p,
            min_p,
            repeat_penalty,
            repeat_last_n,
            presence_penalty,
            frequency_penalty,
        } = self;
        let temperature = match temperature {
            Some(t) => Some(Temperature::new(t)?),
            None => None,
        };
        Some(Said {
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

    fn apply(self, steps: &mut Vec<Step<Slot>>) {
        let Self {
            temperature,
            top_k,
            top_p,
            min_p,
            repeat_penalty,
            repeat_last_n,
            presence_penalty,
            frequency_penalty,
        } = self;
        // A temperature is a draw's: where the runtime takes the most probable token by default, it draws when told one.
        if temperature.is_some_and(|t| t > 0.0) && *steps == [Step::Greedy] {
            *steps = vec![Step::Temperature { t: Slot::Trial }, Step::Dist];
        }
        let of_penalties = repeat_penalty.is_some()
            || repeat_last_n.is_some()
            || presence_penalty.is_some()
            || frequency_penalty.is_some();
        let has = |steps: &[Step<Slot>], is: fn(&Step<Slot>) -> bool| steps.iter().any(is);
        // What the runtime's chain lacks goes where llama.cpp has it: penalties first, then truncations.
        if top_p.is_some() && !has(steps, |step| matches!(step, Step::TopP { .. })) {
            steps.insert(0, Step::TopP { p: 1.0, min_keep: 0 });
        }
        if min_p.is_some() && !has(steps, |step| matches!(step, Step::MinP { .. })) {
            steps.insert(0, Step::MinP { p: 0.0, min_keep: 0 });
        }
        if top_k.is_some() && !has(steps, |step| matches!(step, Step::TopK { .. })) {
            steps.insert(0, Step::TopK { k: 0 });
        }
        if of_penalties && !has(steps, |step| matches!(step, Step::Penalties { .. })) {
            steps.insert(0, Step::Penalties { last_n: 64, repeat: 1.0, frequency: 0.0, presence: 0.0 });
        }
        for step in steps {
            match step {
                Step::TopK { k } => *k = top_k.unwrap_or(*k),
                Step::TopP { p, .. } => *p = top_p.unwrap_or(*p),
                Step::MinP { p, .. } => *p = min_p.unwrap_or(*p),
                Step::Penalties { last_n, repeat, frequency, presence } => {
                    *last_n = repeat_last_n.unwrap_or(*last_n);
                    *repeat = repeat_penalty.unwrap_or(*repeat);
                    *frequency = frequency_penalty.unwrap_or(*frequency);
                    *presence = presence_penalty.unwrap_or(*presence);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temperature_makes_a_greedy_runtime_draw_whatever_else_is_said() {
        let said = Overrides { temperature: Some(0.7), repeat_penalty: Some(1.2), ..Overrides::default() };
        let steps = Like::Transformers.setup("tiny", said).unwrap().chain.steps;
        let penalties = Step::Penalties { last_n: 64, repeat: 1.2, frequency: 0.0, presence: 0.0 };
        assert_eq!(steps, [penalties, Step::Temperature { t: Slot::Trial }, Step::Dist]);
        assert_eq!(Like::Transformers.setup("tiny", Overrides::default()).unwrap().chain.steps, [Step::Greedy]);
    }
}
