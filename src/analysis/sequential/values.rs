//! Computes what one prompt says of a hypothesis: its difference, or between which ends that lies.

use crate::analysis::ScoredTrial;
use crate::analysis::verdict::sample::Sample;
use crate::domain::Factor;
use crate::experiment::{Hypothesis, Test};
use crate::stats::sequential::{Bounds, rho_bounds};

/// The differences at the levels of `each`, by the level's name; one without a name where the claim is not of
/// each level. Where a side has no text there is none. A test that needs all cells of a prompt has none
/// either where there are not as many as `n_cells` says of the level.
pub fn differences(
    hypothesis: &Hypothesis,
    prompt: &[&ScoredTrial],
    n_cells: impl Fn(&str) -> usize,
) -> Vec<(String, Bounds)> {
    let samples = Sample::bounds(hypothesis, prompt.iter().copied());
    let [least, greatest] = samples.map(|sample| match hypothesis.each {
        None => vec![(String::new(), sample)],
        Some(factor) => sample.split(factor),
    });
    let mut differences = Vec::new();
    // Both have the same texts, and so the same levels.
    for ((level, least), (_, greatest)) in least.into_iter().zip(greatest) {
        let of_level = difference(&hypothesis.test, [&least, &greatest], n_cells(&level));
        differences.extend(of_level.map(|bounds| (level, bounds)));
    }
    differences
}

fn difference(test: &Test, samples: [&Sample<'_>; 2], n_cells: usize) -> Option<Bounds> {
    match test {
        Test::Contrast { base, other, .. } | Test::Equivalence { base, other, .. } => {
            let [least, greatest] = samples.map(|sample| sample.pairs(base, other).prompts.pop());
            let (least, greatest) = (least?.pairs, greatest?.pairs);
            let pairs = || least.iter().zip(&greatest);
            Some(Bounds {
                low: mean(pairs().map(|(least, greatest)| least.other - greatest.base)),
                high: mean(pairs().map(|(least, greatest)| greatest.other - least.base)),
            })
        }
        Test::Trend { factor, .. } => {
            let [least, greatest] = cells(samples, &[*factor], n_cells)?;
            Some(rho_bounds(&least, &greatest))
        }
        Test::Interaction { factors } => {
            let [least, greatest] = cells(samples, factors, n_cells)?;
            let of = |plus: &[f64], minus: &[f64]| plus[0] - minus[1] - minus[2] + plus[3];
            Some(Bounds { low: of(&least, &greatest), high: of(&greatest, &least) })
        }
    }
}

fn cells(samples: [&Sample<'_>; 2], factors: &[Factor], n_cells: usize) -> Option<[Vec<f64>; 2]> {
    let [least, greatest] = samples.map(|sample| sample.cells(factors).1.prompts.pop());
    Some([least?.means, greatest?.means]).filter(|[least, _]| least.len() == n_cells)
}

/// Of a prompt's pairs. Infinite where one of them is: the mean of [`crate::stats`] asks for finite numbers.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    let infinite = values.iter().copied().find(|value| value.is_infinite());
    infinite.or_else(|| crate::stats::mean(&values)).unwrap_or(0.0)
}
