//! Tests whether the effect of one factor depends on the level of another.

use serde::Serialize;

use super::error::{StatsError, all_finite, at_least, of_length};
use super::permutation::{PValue, turn_signs};
use super::{Measured, sign_test};

/// The outcome of [`interaction`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interaction {
    /// Where both factors have two levels: the effect of the second factor at
    /// the first one's second level, less that at its first level. Its interval is that of `p`.
    pub difference_of_differences: Option<Measured>,
    /// Partial η²: the interaction's sum of squares over itself and what differs
    /// between prompts; 0 to 1. It is never quite 0, because noise has squares
    /// too: judge it by `p` and beside `chance_share`. It has no interval, for that of a share that
    /// begins at 0 does not keep its level.
    pub share: f64,
    /// The share that is expected without an interaction: 1 / prompts.
    pub chance_share: f64,
    /// Of the sum of squares, which has no sides.
    pub p: PValue,
    pub n_prompts: usize,
}

/// Tests an interaction blocked by prompt. `prompts` holds, for each prompt, the
/// means of all cells: those of the first factor's first level at the second
/// factor's levels, those of its second level, and so on; `levels` holds how
/// many levels each factor has.
///
/// Each prompt's cells are freed of its mean and of its own two main effects;
/// what is left is the prompt's interaction, and its average over prompts is
/// tested by turning the signs of whole prompts (restricted permutation of
/// residuals: Anderson and ter Braak 2003, "Permutation tests for multi-factorial
/// analysis of variance"; it is exact where the prompts' interactions scatter
/// evenly about 0, and prompts may respond differently to each factor). For two
/// levels each it is the paired test of the differences of differences.
///
/// # Errors
///
/// For fewer than two prompts or two levels, lists of the wrong length, values
/// that are not finite, and where no prompt shows any interaction.
pub fn interaction(levels: [usize; 2], prompts: &[impl AsRef<[f64]>]) -> Result<Interaction, StatsError> {
    at_least(2, prompts.len(), "prompts")?;
    at_least(2, levels[0].min(levels[1]), "levels of each factor")?;
    of_length(levels[0] * levels[1], prompts, "prompt")?;
    all_finite(prompts, "cells of prompts")?;
    let residuals: Vec<Vec<f64>> = prompts.iter().map(|cells| centre_twice(levels[1], cells.as_ref())).collect();
    let squares: Vec<f64> = residuals.iter().map(|cells| sum_of_squares(cells)).collect();
    let noise = prompts.iter().flat_map(AsRef::as_ref).fold(0.0_f64, |most, value| most.max(value.abs())) * 1e-12;
    if squares.iter().all(|squares| squares.sqrt() <= noise) {
        return Err(StatsError::NoVariation { of: "prompts' interactions", value: 0.0 });
    }

    let total: f64 = squares.iter().sum();
    let common = average(&residuals, (0..prompts.len()).map(|prompt| (prompt, 1.0)));
    let share = prompts.len() as f64 * sum_of_squares(&common) / total;
    // The four residuals of a prompt are ± a quarter of its difference of differences.
    let differences: Vec<f64> = residuals.iter().map(|cells| 4.0 * cells[0]).collect();
    let is_2_by_2 = levels == [2, 2];
    let statistic = |signs: &[f64]| sum_of_squares(&average(&residuals, signs.iter().copied().enumerate()));
    Ok(Interaction {
        difference_of_differences: if is_2_by_2 { Some(sign_test(&differences, 0.0)?.mean) } else { None },
        share,
        chance_share: 1.0 / prompts.len() as f64,
        p: turn_signs(prompts.len(), statistic),
        n_prompts: prompts.len(),
    })
}

/// Cells less the means of their row and their column, plus the mean of all.
fn centre_twice(columns: usize, cells: &[f64]) -> Vec<f64> {
    let mut cells = cells.to_vec();
    for row in cells.chunks_mut(columns) {
        let mean = row.iter().sum::<f64>() / columns as f64;
        row.iter_mut().for_each(|cell| *cell -= mean);
    }
    let rows = cells.len() / columns;
    for column in 0..columns {
        let mean = cells.iter().skip(column).step_by(columns).sum::<f64>() / rows as f64;
        cells.iter_mut().skip(column).step_by(columns).for_each(|cell| *cell -= mean);
    }
    cells
}

/// The weighted sum of prompts' cells over the number of prompts taken.
fn average(residuals: &[Vec<f64>], weights: impl ExactSizeIterator<Item = (usize, f64)>) -> Vec<f64> {
    let mut sums = vec![0.0; residuals[0].len()];
    let n = weights.len() as f64;
    for (prompt, weight) in weights {
        sums.iter_mut().zip(&residuals[prompt]).for_each(|(sum, cell)| *sum += weight * cell);
    }
    sums.iter_mut().for_each(|sum| *sum /= n);
    sums
}

fn sum_of_squares(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::testing::{assert_near, gaussians, oracle, share_below};
    use super::*;

    #[derive(Deserialize)]
    struct Case {
        data: Vec<Vec<Vec<f64>>>,
        p: f64,
        share: f64,
        difference: Option<f64>,
    }

    #[test]
    fn agrees_with_the_definition_over_all_sign_patterns() {
        for case in oracle::<Vec<Case>>("interaction") {
            let levels = [case.data[0].len(), case.data[0][0].len()];
            let prompts: Vec<Vec<f64>> = case.data.iter().map(|cells| cells.concat()).collect();
            let found = interaction(levels, &prompts).unwrap();
            assert_near(found.p.p, case.p, 1e-12);
            assert_near(found.share, case.share, 1e-12);
            assert_eq!(found.difference_of_differences.is_some(), case.difference.is_some());
            if let (Some(found), Some(expected)) = (found.difference_of_differences, case.difference) {
                assert_near(found.estimate, expected, 1e-12);
                let holds = |interval: super::super::Interval| interval.low <= expected && expected <= interval.high;
                assert!(found.interval.is_none_or(holds));
            }
        }
    }

    #[test]
    fn main_effects_and_prompts_are_no_interaction() {
        // Rows and columns add up, by different amounts in each prompt.
        let prompt = |p: f64| vec![p, p + 1.0, p + 2.0, p + 0.3 * p, p + 1.0 + 0.3 * p, p + 2.0 + 0.3 * p];
        let prompts = [prompt(1.0), prompt(5.0), prompt(2.0)];
        assert!(interaction([2, 3], &prompts).unwrap_err().to_string().contains("nothing to compare"));
    }

    #[test]
    fn says_what_it_refuses() {
        let message = |levels, prompts: &[&[f64]]| interaction(levels, prompts).unwrap_err().to_string();
        assert!(message([2, 2], &[&[1.0; 4]]).contains("prompts"));
        assert!(message([1, 4], &[&[1.0; 4], &[2.0; 4]]).contains("levels of each factor"));
        assert!(message([2, 2], &[&[1.0; 4], &[2.0; 3]]).contains("3 values instead of 4"));
        assert!(message([2, 2], &[&[1.0; 4], &[f64::NAN; 4]]).contains("finite"));
    }

    #[test]
    fn without_an_interaction_p_is_uniform() {
        let p = (0..500).map(|set| {
            let cells: Vec<f64> = gaussians(1000 + set).take(9 * 6).collect();
            let residuals: Vec<Vec<f64>> = cells.chunks(6).map(|cells| centre_twice(3, cells)).collect();
            turn_signs(9, |signs| sum_of_squares(&average(&residuals, signs.iter().copied().enumerate()))).p
        });
        share_below(p.collect());
    }
}
