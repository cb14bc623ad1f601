//! Writes numbers in words: an estimate never without its interval, a missing one never as 0.

use crate::analysis::{Estimate, NamedEffect};
use crate::stats::{Interval, Portion};

/// Where there is no number.
pub const MISSING: &str = "–";

/// Three digits after the point.
pub fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    // A rounded −0 would read as a sign.
    if text == "-0.000" { "0.000".to_owned() } else { text.replace('-', "\u{2212}") }
}

/// A p value; below the least that is shown, a bound.
pub fn p_value(p: f64) -> String {
    if p < 0.0001 { "< 0.0001".to_owned() } else { format!("{p:.4}") }
}

/// "0.2 to 0.4".
pub fn range(interval: Interval) -> String {
    format!("{} to {}", number(interval.low), number(interval.high))
}

/// "0.3 (95 % interval 0.2 to 0.4, standard error 0.05)", as far as there is each.
pub fn named_effect(effect: &NamedEffect) -> String {
    let NamedEffect { estimate, interval, standard_error, by_chance, .. } = *effect;
    let mut beside = Vec::new();
    beside.extend(interval.map(|interval| format!("{} {}", level(interval), range(interval))));
    beside.extend(standard_error.map(|error| format!("standard error {}", number(error))));
    beside.extend(by_chance.map(|share| format!("{} by chance", number(share))));
    if beside.is_empty() { number(estimate) } else { format!("{} ({})", number(estimate), beside.join(", ")) }
}

/// A cell's mean with its interval; says where there is no interval.
pub fn mean(estimate: Estimate) -> String {
    let mean = number(estimate.mean);
    match estimate.interval {
        Some(interval) => format!("{mean} ({} {})", level(interval), range(interval)),
        None => format!("{mean} (no interval: too few prompts)"),
    }
}

/// "12 %", to a tenth.
pub fn percent(share: f64) -> String {
    format!("{:.1}\u{a0}%", share * 100.0).replace('-', "\u{2212}")
}

/// "12.0 % (10.0 % to 14.0 %)"; where there is no interval, without one.
pub fn share(share: Portion) -> String {
    let interval = share.interval.map(|interval| format!(" ({})", percents(interval)));
    percent(share.estimate) + &interval.unwrap_or_default()
}

/// "10.0 % to 14.0 %".
pub fn percents(interval: Interval) -> String {
    format!("{} to {}", percent(interval.low), percent(interval.high))
}

/// "95 % interval".
pub fn level(interval: Interval) -> String {
    // Rounded, as 0.95 × 100 is not 95 for every level.
    format!("{}\u{a0}% interval", (interval.level * 1000.0).round() / 10.0)
}

/// Begun with a capital and ended with a full stop.
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return String::new() };
    let rest = chars.as_str().trim_end_matches('.');
    format!("{}{rest}.", first.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Interval = Interval { low: -0.25, high: 0.5, level: 0.95 };

    #[test]
    fn numbers_carry_their_intervals() {
        let estimate = Estimate { mean: 0.125, median: 0.1, interval: Some(INTERVAL) };
        assert_eq!(mean(estimate), "0.125 (95\u{a0}% interval \u{2212}0.250 to 0.500)");
        assert_eq!(mean(Estimate { interval: None, ..estimate }), "0.125 (no interval: too few prompts)");
        let effect = NamedEffect {
            name: "it",
            estimate: -0.0001,
            interval: Some(INTERVAL),
            standard_error: Some(0.1),
            by_chance: None,
        };
        let shown = "0.000 (95\u{a0}% interval \u{2212}0.250 to 0.500, standard error 0.100)";
        assert_eq!(named_effect(&effect), shown);
        let share = NamedEffect { interval: None, standard_error: None, by_chance: Some(0.04), ..effect };
        assert_eq!(named_effect(&share), "0.000 (0.040 by chance)");
    }

    #[test]
    fn sentences_are_whole() {
        assert_eq!(sentence("the models are tiny"), "The models are tiny.");
        assert_eq!((sentence("It is so."), sentence("")), ("It is so.".to_owned(), String::new()));
    }

    #[test]
    fn no_p_value_is_0() {
        assert_eq!(p_value(1e-9), "< 0.0001");
        assert_eq!(p_value(0.5), "0.5000");
        assert_eq!(percent(0.1234), "12.3\u{a0}%");
    }
}
