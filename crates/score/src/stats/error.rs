//! Owns what the statistics refuse, and why.

use thiserror::Error;

/// Why a statistic can't be computed. None of them is ever replaced by a NaN.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum StatsError {
    #[error("at least {least} {of} are needed, but there are {got}; run more of them")]
    TooFew { of: &'static str, least: usize, got: usize },
    #[error("{of} must be finite numbers, but one of number {place} (counted from 0) is {value}")]
    NotFinite { of: &'static str, place: usize, value: f64 },
    #[error("{of} number {place} (counted from 0) has {got} values instead of {expected}; remove it")]
    Ragged { of: &'static str, place: usize, expected: usize, got: usize },
    #[error("all {of} are {value}, so there is nothing to compare")]
    NoVariation { of: &'static str, value: f64 },
    #[error("{name} is {value}, but must be {allowed}")]
    OutOfRange { name: &'static str, value: f64, allowed: &'static str },
    #[error("no {of} has a value at the levels {levels:?} (counted from 0); remove a level or a factor")]
    EmptyCell { of: &'static str, levels: Vec<usize> },
}

pub(super) fn at_least(least: usize, got: usize, of: &'static str) -> Result<(), StatsError> {
    if got < least { Err(StatsError::TooFew { of, least, got }) } else { Ok(()) }
}

/// `of` names what the outer list holds, in the plural.
pub(super) fn all_finite(lists: &[impl AsRef<[f64]>], of: &'static str) -> Result<(), StatsError> {
    for (place, list) in lists.iter().enumerate() {
        if let Some(&value) = list.as_ref().iter().find(|value| !value.is_finite()) {
            return Err(StatsError::NotFinite { of, place, value });
        }
    }
    Ok(())
}

/// `of` names what the outer list holds, in the singular.
pub(super) fn of_length<T>(expected: usize, lists: &[impl AsRef<[T]>], of: &'static str) -> Result<(), StatsError> {
    for (place, list) in lists.iter().enumerate() {
        let got = list.as_ref().len();
        if got != expected {
            return Err(StatsError::Ragged { of, place, expected, got });
        }
    }
    Ok(())
}
