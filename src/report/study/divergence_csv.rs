//! Writes `divergence.csv`, a row a position, and `divergence-summary.csv`, a row a statistic. A missing value is an
//! empty field, never 0.

use std::io::{self, Write};

use crate::report::table::Table;
use crate::study::numbers::{Compared, Divergence, Estimate, Pair, Position, Spread};

/// Writes `divergence.csv`.
pub fn write_positions(pairs: &[Pair], out: impl Write) -> io::Result<()> {
    let mut table = Table::new(out);
    let columns = ["position", "token", "kl_nats", "largest_logit_difference", "same_top1"];
    table.row(["model", "other", "prompt"].into_iter().chain(columns))?;
    for pair in pairs {
        let Divergence::Compared { texts, .. } = &pair.divergence else { continue };
        let other = pair.other.differences(&pair.base);
        for text in texts {
            for (index, (position, token)) in text.positions.iter().zip(&text.tokens).enumerate() {
                let Position { kl_nats, largest_difference, same_top1 } = position;
                table.row([
                    pair.model.clone(),
                    other.clone(),
                    text.prompt.clone(),
                    index.to_string(),
                    token.map_or_else(String::new, |token| token.to_string()),
                    kl_nats.to_string(),
                    largest_difference.to_string(),
                    u8::from(*same_top1).to_string(),
                ])?;
            }
        }
    }
    table.flush()
}

/// Writes `divergence-summary.csv`. A pair that is the same placement has one
/// row without a statistic.
pub fn write_summary(pairs: &[Pair], out: impl Write) -> io::Result<()> {
    let mut table = Table::new(out);
    let columns = ["metric", "statistic", "value", "ci_low", "ci_high", "level", "n_positions", "n_prompts"];
    table.row(["model", "base", "other", "status"].into_iter().chain(columns))?;
    for pair in pairs {
        let head = |status: &str| {
            vec![pair.model.clone(), pair.base.to_string(), pair.other.differences(&pair.base), status.to_owned()]
        };
        match &pair.divergence {
            Divergence::SamePlacement { .. } => {
                table.row([head("same_placement"), vec![String::new(); columns.len()]].concat())?;
            }
            Divergence::Compared { summary, .. } => {
                let counts = [summary.n_positions.to_string(), summary.n_prompts.to_string()];
                for (metric, statistic, Estimate { value, interval }) in statistics(summary) {
                    let bound = |bound: Option<f64>| bound.map_or_else(String::new, |bound| bound.to_string());
                    let fields = vec![
                        metric.to_owned(),
                        statistic.to_owned(),
                        value.to_string(),
                        bound(interval.map(|interval| interval.low)),
                        bound(interval.map(|interval| interval.high)),
                        bound(interval.map(|interval| interval.level)),
                    ];
                    table.row([head("compared"), fields, counts.to_vec()].concat())?;
                }
            }
        }
    }
    table.flush()
}

fn statistics(summary: &Compared) -> Vec<(&'static str, &'static str, Estimate)> {
    let plain = |value| Estimate { value, interval: None };
    let of = |metric, Spread { mean, p50, p90, p99, max }: Spread| {
        [("mean", mean), ("p50", p50), ("p90", p90), ("p99", p99), ("max", plain(max))]
            .map(|(statistic, estimate)| (metric, statistic, estimate))
    };
    let mut rows = of("kl_nats", summary.kl_nats).to_vec();
    rows.extend(of("largest_logit_difference", summary.largest_difference));
    rows.push(("same_top1", "share", summary.same_top1));
    rows.push(("parted", "share", summary.parted));
    rows.extend(summary.median_parting.map(|choice| ("parted_at_choice", "median", plain(choice))));
    rows
}
