//! Shows divergence and routing experiments as tables and on the terminal.
//!
//! Knows `mechanism`'s results; must not know how they were recorded.

pub mod divergence_csv;
pub mod divergence_terminal;
pub mod routing_csv;
pub mod routing_terminal;
#[cfg(test)]
mod tests;

use crate::mechanism::Estimate;

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
