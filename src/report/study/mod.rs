//! Shows studies, divergence and routing experiments, as people and programs read them.
//!
//! Knows what a study is and the numbers that were found; must not know how they were recorded.

mod divergence_csv;
mod divergence_terminal;
mod outline;
mod outputs;
mod routing_csv;
mod routing_terminal;
#[cfg(test)]
mod tests;

pub use outline::outline;
pub use outputs::{About, Outputs, Table, outputs};

use crate::study::numbers::Estimate;

/// A number of any size in few characters.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if (0.001..1000.0).contains(&size) => format!("{value:.4}"),
        _ => format!("{value:.2e}"),
    }
}

/// "0.0123 [0.0101, 0.0150]".
pub(super) fn with_interval(Estimate { value, interval }: Estimate, show: impl Fn(f64) -> String) -> String {
    match interval {
        Some(interval) => format!("{} [{}, {}]", show(value), show(interval.low), show(interval.high)),
        None => show(value),
    }
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
