//! Estimates and the bootstrap. Pure functions of numbers.

/// A two-sided confidence interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
    /// The nominal coverage, such as 0.95.
    pub level: f64,
}
