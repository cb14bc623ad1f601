//! A divergence experiment on the terminal: a table a model.

use std::fmt::Write as _;

use itertools::Itertools as _;

use super::{percent, short, with_interval};
use crate::mechanism::{Compared, Divergence, Pair};
use crate::plain::neutralise;

/// The summary of all pairs, and where their files are.
pub fn summary(pairs: &[Pair], directory: &str) -> String {
    let mut out = String::new();
    for (model, pairs) in &pairs.iter().chunk_by(|pair| &pair.model) {
        let pairs: Vec<_> = pairs.collect();
        let Some(first) = pairs.first() else { continue };
        let _ = writeln!(out, "{}: divergence from {}", neutralise(model), first.base);
        pairs.iter().for_each(|pair| out += &lines(pair));
        out.push('\n');
    }
    out +=
        "KL(base ‖ other) in nats at each position of the base's greedy texts; brackets: 95 % intervals over prompts\n";
    let _ = writeln!(out, "results: {directory}\nplot:    {directory}/plots/divergence.png");
    out
}

fn lines(pair: &Pair) -> String {
    let mut out = format!("  {}\n", pair.other.differences(&pair.base));
    let mut line = |text: String| {
        let _ = writeln!(out, "    {text}");
    };
    match &pair.divergence {
        Divergence::SamePlacement { why } => {
            line(format!("the same placement as the base: {why}; nothing is concluded about offload"));
        }
        Divergence::Compared { summary, .. } => compared(summary).into_iter().for_each(&mut line),
    }
    if let Some(note) = &pair.note {
        line(format!("note: {note}"));
    }
    out
}

fn compared(summary: &Compared) -> Vec<String> {
    let Compared { kl_nats: kl, largest_difference, same_top1, parted, n_positions, n_prompts, .. } = summary;
    let mut lines = if summary.is_identical() {
        vec!["every logit is the same".to_owned()]
    } else {
        vec![
            format!("KL     mean {}", with_interval(kl.mean, short)),
            format!(
                "       p50 {}, p90 {}, p99 {}, max {}",
                short(kl.p50.value),
                short(kl.p90.value),
                short(kl.p99.value),
                short(kl.max)
            ),
            format!(
                "logits largest difference: mean {}, max {}",
                with_interval(largest_difference.mean, short),
                short(largest_difference.max)
            ),
        ]
    };
    let half = summary
        .median_parting
        .map_or_else(|| "more than half never do".to_owned(), |choice| format!("half by token {choice}"));
    lines.push(format!("top-1  the same at {}", with_interval(*same_top1, percent)));
    lines.push(format!("greedy {} of texts part, {half}", with_interval(*parted, percent)));
    lines.push(format!("n      {n_positions} positions, {n_prompts} prompts"));
    lines
}
