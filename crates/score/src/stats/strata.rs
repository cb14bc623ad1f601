//! Owns strata: groups of prompts that a sample has so many of by design, not by chance.
//!
//! What lies between their means is no chance, so it belongs in no standard error: variances are taken within
//! strata and added (Cochran 1977, "Sampling Techniques", § 5.3), and resamples have as many prompts of each as the sample.

use std::collections::BTreeMap;

/// Which stratum each prompt of a sample is of. By default all are of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strata {
    /// A number a prompt; empty where all are of one stratum.
    of: Vec<usize>,
}

impl Strata {
    /// A stratum's number for each prompt, in the order of the prompts.
    pub fn new(of: Vec<usize>) -> Self {
        Self { of }
    }

    /// Those of the prompts that are kept.
    pub(super) fn kept(&self, is_kept: impl Iterator<Item = bool>) -> Self {
        Self { of: self.of.iter().zip(is_kept).filter(|(_, kept)| *kept).map(|(stratum, _)| *stratum).collect() }
    }

    /// The numbers of the `n` prompts, in ascending order, stratum by stratum.
    ///
    /// One prompt shows no variance. So strata of one are pooled, and if there is only one such, it is put to the smallest of the
    /// others (collapsed strata: Cochran 1977, § 5A.12): what lies between them then counts as chance, which makes
    /// a variance too great rather than too small. Each has two prompts at least where `n` is 2 or more.
    pub(super) fn members(&self, n: usize) -> Vec<Vec<usize>> {
        let mut strata: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for prompt in 0..n {
            strata.entry(self.of.get(prompt).copied().unwrap_or(0)).or_default().push(prompt);
        }
        let (lone, mut strata): (Vec<_>, Vec<_>) = strata.into_values().partition(|stratum| stratum.len() == 1);
        let lone = lone.concat();
        match (lone.len(), strata.iter_mut().min_by_key(|stratum| stratum.len())) {
            (0, _) => {}
            (1, Some(smallest)) => {
                smallest.extend(lone);
                smallest.sort_unstable();
            }
            _ => strata.push(lone),
        }
        strata
    }
}

/// The variance of a sum over prompts, and how well it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Variance {
    pub of_sum: f64,
    /// Of Student's t.
    pub degrees: f64,
}

/// Of one value a prompt: `Σ_h v_h`, `v_h = k_h/(k_h − 1) Σ_(i in h) (z_i − z̄_h)²`, with k_h prompts in stratum h (Cochran 1977,
/// § 5.4, without the correction for finite populations). Degrees of freedom are his effective number (5.16),
/// `(Σ v_h)² / Σ v_h²/(k_h − 1)`: where most of the variance is that of a few prompts, they are what is known of it.
///
/// In a single stratum the values must have a mean of 0, as deviations from a mean or a ratio do, and no other is subtracted.
pub(super) fn variance_of_sum(strata: &[Vec<usize>], values: &[f64]) -> Variance {
    let k = |stratum: &Vec<usize>| stratum.len() as f64;
    let of = |stratum: &Vec<usize>| {
        let centre = match strata.len() {
            1 => 0.0,
            _ => stratum.iter().map(|&prompt| values[prompt]).sum::<f64>() / k(stratum),
        };
        let squares = stratum.iter().map(|&prompt| (values[prompt] - centre).powi(2)).sum::<f64>();
        k(stratum) / (k(stratum) - 1.0) * squares
    };
    let each: Vec<f64> = strata.iter().map(of).collect();
    let of_sum = each.iter().sum::<f64>();
    let all = strata.iter().map(|stratum| k(stratum) - 1.0).sum();
    let degrees = match strata.len() {
        1 => all,
        _ if of_sum > 0.0 => {
            let terms = strata.iter().zip(&each).map(|(stratum, v)| (v / of_sum).powi(2) / (k(stratum) - 1.0));
            1.0 / terms.sum::<f64>()
        }
        _ => all,
    };
    Variance { of_sum, degrees }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_strata_all_prompts_are_of_one() {
        assert_eq!(Strata::default().members(3), [[0, 1, 2]]);
        assert_eq!(Strata::new(vec![7, 7, 7]).members(3), [[0, 1, 2]]);
        assert_eq!(Strata::default().kept([true, false].into_iter()), Strata::default());
    }

    #[test]
    fn strata_of_one_prompt_are_pooled() {
        let members = |of: &[usize]| Strata::new(of.to_vec()).members(of.len());
        assert_eq!(members(&[1, 0, 1, 0]), [[1, 3], [0, 2]]);
        assert_eq!(members(&[0, 0, 1, 2]), [[0, 1], [2, 3]]);
        assert_eq!(members(&[1, 0, 0, 0, 2, 2]), [vec![1, 2, 3], vec![0, 4, 5]]);
        assert_eq!(members(&[0, 1]), [[0, 1]]);
        assert_eq!(members(&[3]), [[0]]);
    }

    #[test]
    fn prompts_that_are_left_out_leave_their_stratum() {
        let kept = Strata::new(vec![0, 0, 1, 1]).kept([false, true, true, true].into_iter());
        assert_eq!(kept, Strata::new(vec![0, 1, 1]));
    }

    /// Σ(z − z̄)² is 2 and 8, of two and three prompts: v is 4 and 12, and 16² / (4²/1 + 12²/2) = 2.909.
    #[test]
    fn variances_are_added_within_strata() {
        let strata = Strata::new(vec![0, 0, 1, 1, 1]).members(5);
        let found = variance_of_sum(&strata, &[1.0, 3.0, 12.0, 10.0, 14.0]);
        assert_eq!(found.of_sum, 16.0);
        assert!((found.degrees - 256.0 / 88.0).abs() < 1e-12);
        let alike = variance_of_sum(&strata, &[1.0, 1.0, 2.0, 2.0, 2.0]);
        assert_eq!(alike, Variance { of_sum: 0.0, degrees: 3.0 });
        let one = variance_of_sum(&[vec![0, 1, 2]], &[-1.0, 0.0, 1.0]);
        assert_eq!(one, Variance { of_sum: 3.0, degrees: 2.0 });
    }
}
