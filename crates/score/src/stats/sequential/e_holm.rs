//! Adjusts the evidence of several hypotheses, each stopped at its own time.

use crate::stats::error::StatsError;
use crate::stats::holm::holm;

/// The p-values of e-Holm, in the order given: a hypothesis is decided where its p is at most α, which
/// is where the k-th greatest of m e-values is at least (m − k + 1) / α (Vovk and Wang 2021, "E-values: calibration,
/// combination and applications", § 5: Holm's procedure of p = 1/e). `ln_e` are the logarithms of e-values,
/// or of the greatest that e-processes came to so far.
///
/// # Errors
///
/// For an e-value that is no number.
pub fn e_holm(ln_e: &[f64]) -> Result<Vec<f64>, StatsError> {
    let p: Vec<f64> = ln_e.iter().map(|&ln_e| if ln_e.is_nan() { ln_e } else { (-ln_e).exp().min(1.0) }).collect();
    holm(&p)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(e: &[f64]) -> Vec<bool> {
        let ln_e: Vec<f64> = e.iter().map(|e| e.ln()).collect();
        e_holm(&ln_e).unwrap().into_iter().map(|p| p <= 0.05 * (1.0 + 1e-12)).collect()
    }

    #[test]
    fn four_hypotheses_need_80_60_40_and_20() {
        assert_eq!(decided(&[20.1, 60.1, 40.1, 80.1]), [true; 4]);
        assert_eq!(decided(&[20.1, 60.1, 40.1, 79.0]), [false; 4]);
        assert_eq!(decided(&[20.1, 59.0, 40.1, 80.1]), [false, false, false, true]);
        assert_eq!(decided(&[19.9, 60.1, 40.1, 80.1]), [false, true, true, true]);
    }

    #[test]
    fn nothing_is_decided_by_nothing() {
        assert_eq!(e_holm(&[f64::NEG_INFINITY, 0.0]).unwrap(), [1.0, 1.0]);
        assert!(e_holm(&[f64::NAN]).is_err());
        assert_eq!(e_holm(&[]).unwrap(), [0.0; 0]);
    }
}
