//! Adjusts the p-values of several hypotheses that are tested at once.

use super::error::StatsError;

/// Holm's adjusted p-values, in the order given: rejecting where they are at
/// most α errs on any true hypothesis with probability at most α, however the
/// tests depend on each other (Holm 1979, "A simple sequentially rejective
/// multiple test procedure").
///
/// # Errors
///
/// For a p-value that does not lie from 0 to 1.
pub fn holm(p: &[f64]) -> Result<Vec<f64>, StatsError> {
    let order = ascending(p)?;
    let mut adjusted = vec![0.0; p.len()];
    let mut least = 0.0_f64;
    for (place, &index) in order.iter().enumerate() {
        least = least.max(p[index] * (p.len() - place) as f64).min(1.0);
        adjusted[index] = least;
    }
    Ok(adjusted)
}

/// Indices from the least p-value to the greatest.
fn ascending(p: &[f64]) -> Result<Vec<usize>, StatsError> {
    if let Some(&value) = p.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(StatsError::OutOfRange { name: "a p-value", value, allowed: "from 0 to 1" });
    }
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    Ok(order)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::testing::{assert_near, oracle};
    use super::*;

    #[derive(Deserialize)]
    struct Case {
        p: Vec<f64>,
        adjusted: Vec<f64>,
    }

    #[test]
    fn agrees_with_statsmodels() {
        for case in oracle::<Vec<Case>>("holm") {
            let adjusted = holm(&case.p).unwrap();
            assert_eq!(adjusted.len(), case.adjusted.len());
            for (adjusted, expected) in adjusted.iter().zip(&case.adjusted) {
                assert_near(*adjusted, *expected, 1e-12);
            }
        }
    }

    #[test]
    fn edges() {
        assert_eq!(holm(&[]), Ok(vec![]));
        assert!(holm(&[0.5, 1.1]).is_err());
        assert!(holm(&[f64::NAN]).is_err());
    }
}
