//! A number of which levels are made: above 0 and finite.

use super::total_order::total_order;

/// A number above 0; `f32` as llama.cpp takes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Positive(f32);

impl Positive {
    pub fn new(number: f32) -> Option<Self> {
        (number.is_finite() && number > 0.0).then_some(Self(number))
    }

    pub fn get(self) -> f32 {
        self.0
    }
}

total_order!(Positive);
