//! A number of which levels are made: above 0 and finite.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

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

impl Eq for Positive {}

impl PartialOrd for Positive {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Positive {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Hash for Positive {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl fmt::Display for Positive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
