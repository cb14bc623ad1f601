//! Owns the levels of `temperature`: the number that a chain's `"T"` stands for.

use serde::{Deserialize, Serialize};

use super::total_order::total_order;
use crate::domain::{LevelType, MAX_LEVELS, NotALevel, Order, Scope, Steps, Wording, Written};

/// A sampling temperature: finite, not negative; `f32` as llama.cpp takes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f32", into = "f32")]
pub struct Temperature(f32);

impl Temperature {
    pub fn new(t: f32) -> Option<Self> {
        // Adding 0 turns -0 into 0, so that equal temperatures have equal bits.
        (t.is_finite() && t >= 0.0).then_some(Self(t + 0.0))
    }

    pub fn get(self) -> f32 {
        self.0
    }
}

impl LevelType for Temperature {
    const SCOPE: Scope = Scope::Sampler;
    const ORDER: Order = Order::Ascending;
    const WORDING: Wording = Wording::Always;

    fn usual() -> Option<Self> {
        None
    }

    fn read(written: &Written) -> Result<Self, NotALevel> {
        let t = match *written {
            Written::Number(t) => t,
            Written::Integer(t) => t as f64,
            Written::Name(_) | Written::Switch(_) => {
                return Err(NotALevel::other("this is not a temperature", "give a number from 0 up"));
            }
        };
        let not_one = || NotALevel::other(format!("a temperature can't be {t:?}"), "give a number from 0 up");
        Self::new(t as f32).ok_or_else(not_one)
    }

    fn written(&self) -> Written {
        Written::Number(self.0.into())
    }

    fn range(steps: Steps) -> Result<Vec<Self>, NotALevel> {
        step_through(steps).ok_or_else(|| {
            let Steps { from, to, step } = steps;
            NotALevel::other(
                format!("from {from:?} to {to:?} in steps of {step:?} is not a valid range of temperatures"),
                format!(
                    "from must be at least 0 and no larger than to; step must be above 0 and large enough to give at \
                     most {MAX_LEVELS} different levels"
                ),
            )
        })
    }

    fn in_title(&self) -> String {
        format!("T {self}")
    }
}

/// The levels of a range, both ends included; None when it is not one.
fn step_through(Steps { from, to, step }: Steps) -> Option<Vec<Temperature>> {
    // False for nan, too.
    if !(0.0 <= from && from <= to && to.is_finite() && step > 0.0 && (to - from) / step < MAX_LEVELS as f64) {
        return None;
    }
    // Half a step's tolerance would add a level; a rounding error must not lose one.
    let last = ((to - from) / step + 1e-6).floor() as usize;
    let levels: Vec<_> =
        (0..=last).map(|i| Temperature::new((from + i as f64 * step) as f32)).collect::<Option<_>>()?;
    levels.is_sorted_by(|a, b| a < b).then_some(levels)
}

total_order!(Temperature);

impl TryFrom<f32> for Temperature {
    type Error = &'static str;

    fn try_from(t: f32) -> Result<Self, Self::Error> {
        Self::new(t).ok_or("a temperature must be finite and not negative")
    }
}

impl From<Temperature> for f32 {
    fn from(t: Temperature) -> Self {
        t.0
    }
}
