//! Shows a divergence experiment on the terminal: a model after the other, two lines an arm.

use std::fmt::Write as _;

use itertools::Itertools as _;
use unicode_width::UnicodeWidthStr as _;

use super::{percent, short, with_interval};
use crate::plain::neutralise;
use crate::study::numbers::{Compared, Divergence, Pair};

/// The summary of all pairs, and where their files are.
pub fn summary(pairs: &[Pair], directory: &str) -> String {
    let mut out = String::new();
    for (model, pairs) in &pairs.iter().chunk_by(|pair| &pair.model) {
        let pairs: Vec<_> = pairs.collect();
        let Some(first) = pairs.first() else { continue };
        let _ = writeln!(out, "{}: divergence from {}{}", neutralise(model), first.base, counts(&pairs));
        let names: Vec<_> = pairs.iter().map(|pair| pair.other.differences(&pair.base)).collect();
        let widest = names.iter().map(|name| name.width()).max().unwrap_or(0);
        for (pair, name) in pairs.iter().zip(&names) {
            for (index, line) in lines(pair).into_iter().enumerate() {
                let name = if index == 0 { name.as_str() } else { "" };
                let _ = writeln!(out, "  {name:<widest$}  {line}");
            }
        }
        out.push('\n');
    }
    out += "KL(base ‖ other) in nats, at each position of the base's greedy texts; logits: the largest \
            difference;\ntop-1: positions with the same most probable token; brackets: 95 % intervals over prompts\n";
    let _ = writeln!(out, "results: {directory}\nplot:    {directory}/plots/divergence.png");
    out
}

/// The base's texts are the same for all of a model's arms.
fn counts(pairs: &[&Pair]) -> String {
    let compared = pairs.iter().find_map(|pair| match &pair.divergence {
        Divergence::Compared { summary, .. } => Some(summary.as_ref()),
        Divergence::SamePlacement { .. } => None,
    });
    compared.map_or_else(String::new, |Compared { n_positions, n_prompts, .. }| {
        format!("; {n_positions} positions, {n_prompts} prompts")
    })
}

fn lines(pair: &Pair) -> Vec<String> {
    let mut lines = match &pair.divergence {
        Divergence::SamePlacement { why } => {
            vec![format!("same placement as base: {why};"), "no conclusion about offload".to_owned()]
        }
        Divergence::Compared { summary, .. } => compared(summary),
    };
    lines.extend(pair.note.as_ref().map(|note| format!("note: {note}")));
    lines
}

fn compared(summary: &Compared) -> Vec<String> {
    let Compared { kl_nats: kl, largest_difference, same_top1, parted, .. } = summary;
    if summary.is_identical() {
        return vec![format!("every logit is the same; {} of texts diverge", percent(parted.value))];
    }
    let quantiles = [("p50", kl.p50.value), ("p90", kl.p90.value), ("p99", kl.p99.value), ("max", kl.max)];
    let quantiles = quantiles.map(|(name, value)| format!("{name} {}", short(value))).join(", ");
    let half = summary.median_parting.map_or_else(String::new, |choice| format!(", half by token {choice}"));
    vec![
        format!("KL {}, {quantiles}", with_interval(kl.mean, short)),
        format!(
            "logits {}; top-1 {}; {} of texts diverge{half}",
            short(largest_difference.max),
            with_interval(*same_top1, percent),
            with_interval(*parted, percent)
        ),
    ]
}
