//! Says what a figure shows, for its title: whoever cannot see it is told what whoever can sees first.

use super::METRIC;
use crate::analysis::{Analysis, CellSummary, Estimate};
use crate::domain::{Cell, Temperature};
use crate::report::levels::{Arm, Facet, Levels};

/// Of all curves of the score against temperature the one that changes most. Empty where none has two points.
pub fn greatest_change(analysis: &Analysis) -> String {
    let levels = Levels::of(analysis);
    let arms = Arm::all(analysis);
    let changes = arms.iter().filter_map(|&arm| Change::of(analysis, arm).map(|change| (arm, change)));
    let Some((arm, change)) = changes.max_by(|(_, a), (_, b)| a.size().total_cmp(&b.size())) else {
        return String::new();
    };
    let most = if arms.len() > 1 { format!(", the largest of {} curves", arms.len()) } else { String::new() };
    format!("{} ({}, {}{most})", change.sentence(), arm.facet.title(&levels.facets), arm.chain)
}

/// The cells with the highest and the lowest mean. Empty where there are no two.
pub fn extremes<'a>(analysis: &'a Analysis, is_shown: impl Fn(Arm<'a>) -> bool) -> String {
    let levels = Levels::of(analysis);
    let arms: Vec<_> = Arm::all(analysis).into_iter().filter(|&arm| is_shown(arm)).collect();
    let here = |summary: &&CellSummary| summary.metric == METRIC && arms.contains(&Arm::of(&summary.cell));
    let means = analysis.cells.iter().filter(here).filter_map(|s| Some((&s.cell, s.estimate?.mean)));
    let mut means: Vec<(&Cell, f64)> = means.collect();
    means.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let [(low, least), .., (high, most)] = means[..] else { return String::new() };
    let named =
        |cell: &Cell| format!("{}, {}, T {}", Facet::of(cell).title(&levels.facets), cell.chain(), cell.temperature());
    format!("the highest mean is {most:.2} ({}), the lowest {least:.2} ({})", named(high), named(low))
}

/// The chain and temperature under which the most texts of a facet loop. Empty where none does.
pub fn most_loops(analysis: &Analysis, facet: Facet<'_>) -> String {
    let looping = analysis.profiles.iter().filter(|profile| Facet::of(&profile.cell) == facet).filter_map(|profile| {
        let curve = profile.onset.as_ref()?;
        Some((&profile.cell, 1.0 - curve.steps.last()?.survival, curve.last_time))
    });
    looping.max_by(|(_, a, _), (_, b, _)| a.total_cmp(b)).map_or_else(String::new, |(cell, share, last)| {
        let (t, unit) = (cell.temperature(), analysis.onset_unit);
        format!("at T {t} under {}, {:.0}\u{a0}% of texts loop within {last} {unit}", cell.chain(), 100.0 * share)
    })
}

/// From a curve's first point to the one that is farthest from it.
struct Change {
    from: (Temperature, Estimate),
    to: (Temperature, Estimate),
}

impl Change {
    fn of(analysis: &Analysis, arm: Arm<'_>) -> Option<Self> {
        let here = analysis.cells.iter().filter(|s| s.metric == METRIC && Arm::of(&s.cell) == arm);
        let mut points: Vec<_> = here.filter_map(|s| Some((s.cell.temperature(), s.estimate?))).collect();
        points.sort_by_key(|&(t, _)| t);
        let (&from, rest) = points.split_first()?;
        let distance = |(_, estimate): &&(Temperature, Estimate)| (estimate.mean - from.1.mean).abs();
        let &to = rest.iter().max_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        Some(Self { from, to })
    }

    fn size(&self) -> f64 {
        (self.to.1.mean - self.from.1.mean).abs()
    }

    /// A change that the intervals do not show is not called one.
    fn sentence(&self) -> String {
        let ((low_t, from), (high_t, to)) = (self.from, self.to);
        let is_shown = match (from.interval, to.interval) {
            (Some(a), Some(b)) => a.high < b.low || b.high < a.low,
            _ => false,
        };
        let verb = match (is_shown, to.mean > from.mean) {
            (true, true) => "repetition rises from",
            (true, false) => "repetition falls from",
            (false, _) => "no change is clear:",
        };
        format!("{verb} {:.2} at T {low_t} to {:.2} at T {high_t}", from.mean, to.mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Offload, Quant};
    use crate::report::sample::{GRID, Shape, with_findings};

    fn analysis(chains: &[&str], temperatures: &[f32]) -> Analysis {
        let shape = Shape {
            models: &["tiny"],
            chains,
            quants: &[Quant::Source],
            offloads: &[Offload::All],
            temperatures,
            prompts: 24,
            seeds: 2,
        };
        shape.analysis()
    }

    #[test]
    fn a_rise_is_said_with_its_ends_and_noise_is_not_called_one() {
        let mut both = analysis(&["pure", "shimmy-1.7"], &GRID);
        let rise = greatest_change(&both);
        assert!(rise.starts_with("repetition rises from 0.") && rise.contains(" at T 0.1 to 0."), "{rise}");
        assert!(rise.ends_with("(tiny, shimmy-1.7, the largest of 2 curves)"), "{rise}");
        let flat = greatest_change(&analysis(&["pure"], &GRID));
        assert!(flat.starts_with("no change is clear: 0.0"), "{flat}");
        // Downwards, with the same cells: the hottest takes the coolest's place.
        let means: Vec<_> = both.cells.iter().map(|summary| summary.estimate).collect();
        for (summary, estimate) in both.cells.iter_mut().zip(means.into_iter().rev()) {
            summary.estimate = estimate;
        }
        assert!(!greatest_change(&both).is_empty());
        assert_eq!(greatest_change(&analysis(&["pure"], &[0.5])), "");
        assert_eq!(greatest_change(&Analysis::default()), "");
    }

    #[test]
    fn extremes_are_named_with_their_cells() {
        let both = analysis(&["pure", "shimmy-1.7"], &GRID);
        let said = extremes(&both, |_| true);
        assert!(said.starts_with("the highest mean is 0.") && said.contains("(tiny, shimmy-1.7, T 1.5)"), "{said}");
        assert!(said.contains(", the lowest 0.0"), "{said}");
        assert_eq!(extremes(&both, |_| false), "");
    }

    #[test]
    fn the_share_that_loops_is_said() {
        let found = with_findings(analysis(&["pure"], &[0.1, 0.9]));
        let facet = Facet::of(&found.profiles[0].cell);
        assert_eq!(most_loops(&found, facet), "at T 0.9 under pure, 50\u{a0}% of texts loop within 100 tokens");
        assert_eq!(most_loops(&Analysis::default(), facet), "");
    }
}
