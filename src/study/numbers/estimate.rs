//! Gives a number its interval over prompts, where there are enough of them.

use super::LEVEL;
use crate::stats::{Hits, Interval, bca_interval_of_mean, clustered_share, mean, quantiles};

/// An estimate; without an interval where there are too few prompts for one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub value: f64,
    /// Over prompts, at [`LEVEL`].
    pub interval: Option<Interval>,
}

impl Estimate {
    /// Estimates the mean over all values; a list a prompt. None of nothing.
    pub fn of_mean(prompts: &[Vec<f64>]) -> Option<Self> {
        let value = mean(&prompts.concat())?;
        Some(Self { value, interval: bca_interval_of_mean(prompts, LEVEL) })
    }

    /// Estimates the mean of what may be far off in a few prompts: the bootstrap covers it in 82 to 91 % for fewer than
    /// 48 (docs/intervals.md), which then have no interval.
    pub fn of_heavy_mean(prompts: &[Vec<f64>]) -> Option<Self> {
        const LEAST: usize = 48;
        let Self { value, interval } = Self::of_mean(prompts)?;
        Some(Self { value, interval: interval.filter(|_| prompts.len() >= LEAST) })
    }

    /// Estimates the share of hits, from 0 to 1. None of nothing.
    pub fn of_share(prompts: &[Hits]) -> Option<Self> {
        let n: u32 = prompts.iter().map(|prompt| prompt.n).sum();
        let hits: u32 = prompts.iter().map(|prompt| prompt.hits).sum();
        let interval = clustered_share(prompts, LEVEL).ok().map(|effect| effect.interval);
        (n > 0).then(|| Self { value: f64::from(hits) / f64::from(n), interval })
    }

    /// Estimates quantiles over all values; a list a prompt. None of nothing.
    pub fn of_quantiles<const N: usize>(prompts: &[Vec<f64>], shares: [f64; N]) -> Option<[Self; N]> {
        let found = quantiles(prompts, &shares, LEVEL)?;
        Some(std::array::from_fn(|index| Self { value: found[index].estimate, interval: found[index].interval }))
    }
}
