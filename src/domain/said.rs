//! Owns what a request says of the samplers, parameter by parameter. Must not know any API's names for them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Temperature;

/// Parameters of samplers, in llama.cpp's words; None where nothing is said of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Said {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f32>")]
    pub temperature: Option<Temperature>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_k: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_p: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_penalty: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_last_n: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f32>,
}

/// The value of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SaidValue {
    Integer(i32),
    Number(f32),
}

impl fmt::Display for SaidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(n) => n.fmt(f),
            Self::Number(x) => x.fmt(f),
        }
    }
}

impl fmt::Display for Said {
    /// In the name of a chain: `repeat_penalty-1+top_k-40`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = self.parameters().map(|(name, value)| format!("{name}-{value}"));
        f.write_str(&said.collect::<Vec<_>>().join("+"))
    }
}

impl Said {
    /// What this says, and what `other` says of the rest.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            temperature: self.temperature.or(other.temperature),
            top_k: self.top_k.or(other.top_k),
            top_p: self.top_p.or(other.top_p),
            min_p: self.min_p.or(other.min_p),
            repeat_penalty: self.repeat_penalty.or(other.repeat_penalty),
            repeat_last_n: self.repeat_last_n.or(other.repeat_last_n),
            presence_penalty: self.presence_penalty.or(other.presence_penalty),
            frequency_penalty: self.frequency_penalty.or(other.frequency_penalty),
        }
    }

    /// Each parameter that it says, by llama.cpp's name for it.
    pub fn parameters(self) -> impl Iterator<Item = (&'static str, SaidValue)> {
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
        let parameters = [
            ("temperature", temperature.map(Temperature::get).map(SaidValue::Number)),
            ("top_k", top_k.map(SaidValue::Integer)),
            ("top_p", top_p.map(SaidValue::Number)),
            ("min_p", min_p.map(SaidValue::Number)),
            ("repeat_penalty", repeat_penalty.map(SaidValue::Number)),
            ("repeat_last_n", repeat_last_n.map(SaidValue::Integer)),
            ("presence_penalty", presence_penalty.map(SaidValue::Number)),
            ("frequency_penalty", frequency_penalty.map(SaidValue::Number)),
        ];
        parameters.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }

    /// Each parameter that it says, alone.
    pub fn parts(self) -> impl Iterator<Item = Self> {
        let nothing = Self::default();
        let parts = [
            Self { temperature: self.temperature, ..nothing },
            Self { top_k: self.top_k, ..nothing },
            Self { top_p: self.top_p, ..nothing },
            Self { min_p: self.min_p, ..nothing },
            Self { repeat_penalty: self.repeat_penalty, ..nothing },
            Self { repeat_last_n: self.repeat_last_n, ..nothing },
            Self { presence_penalty: self.presence_penalty, ..nothing },
            Self { frequency_penalty: self.frequency_penalty, ..nothing },
        ];
        parts.into_iter().filter(|part| !part.is_nothing())
    }

    /// Whether both say something of the same parameter.
    pub fn meets(&self, other: &Self) -> bool {
        // What is said already stays as it is.
        self.parts().any(|part| other.or(part) == *other)
    }

    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}
