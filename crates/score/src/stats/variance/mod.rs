//! Says where the variation comes from, in shares of a crossed design's sum of squares.

use serde::Serialize;

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::error::{StatsError, all_finite, at_least};
use super::permutation::{PValue, turn_signs};
use super::{Interval, LEAST_PROMPTS, LEVEL, holm};

/// One score: at which level of each factor (counted from 0), for which prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    pub levels: Vec<usize>,
    pub prompt: usize,
    pub value: f64,
}

/// A source of variation; factors are counted from 0, as in `levels`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Factor(usize),
    Pair(usize, usize),
    /// Some prompts score higher than others, whatever the factors.
    Prompts,
    /// All else: prompts that respond differently, interactions of three
    /// factors and more, chance.
    Rest,
}

/// A share of the sum of squares, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Portion {
    pub estimate: f64,
    /// Of what grids over as many prompts have on average, what chance gives them included. `None` where it
    /// would not keep its level: of prompts and the rest, and for fewer than [`LEAST_PROMPTS`] prompts.
    pub interval: Option<Interval>,
}

/// One source's share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    pub source: Source,
    /// The sum of squares over the total one (η²); all sources' sum is 1.
    pub share: Portion,
    /// What only factors and their pairs have: prompts and the rest are measured by nothing else.
    pub against_chance: Option<AgainstChance>,
}

/// What chance alone gives a source, and whether it has more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AgainstChance {
    /// The share expected of a source that does nothing, for chance has squares too.
    pub share: f64,
    /// Of a source that does nothing.
    pub p: PValue,
    /// After Holm's correction over the factors and pairs.
    pub p_holm: f64,
}

/// The outcome of [`attribute`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attribution {
    /// Factors, pairs of factors, prompts, the rest.
    pub shares: Vec<Share>,
    /// For each factor, its share and those of all its pairs together: what there is
    /// to explain by way of it. Pairs count for both their factors, so that these
    /// do not add up.
    pub totals: Vec<Portion>,
    /// Prompts that have every cell.
    pub n_prompts: usize,
    /// Prompts left out because they lack a cell.
    pub n_incomplete_prompts: usize,
    pub n_cells: usize,
}

/// Splits the variation of scores over the cells of a crossed design of factors
/// with so many `levels`, each cell over the same prompts.
///
/// Seeds of a prompt and cell are averaged. Then every prompt has one value per
/// cell, the sums of squares of the sources add up to the total, and none of
/// them depends on the order of the factors. An unbalanced design would need a
/// type of sums of squares (I, II, III), which answer different questions; so
/// prompts that lack a cell are left out, all of them, and counted.
///
/// A share is never quite 0, for chance has squares too. What chance gives a source is the sum of
/// squares that it has within prompts beyond its common part, over prompts − 1 (its expected mean square;
/// Winer 1971, "Statistical Principles in Experimental Design", ch. 4). Whether a source has more is
/// tested by turning the signs of whole prompts' own effects of it (each prompt's cells, freed of
/// all but this source), as in [`super::interaction()`], with Holm's correction over the factors and pairs.
///
/// Intervals are of the root of the share, ± Student's t times its standard error by the jackknife over prompts
/// (Efron and Tibshirani 1993, § 11.5), at least that of one of chance's own squares: of one degree of
/// freedom it is the interval of the effect itself, squared. A bootstrap's would lie too high: a resample
/// adds chance to the chance that is in the data. The limits of a part and its whole are widened so that
/// none of a part's lies beyond its whole's. What they cover is in docs/intervals.md.
///
/// # Errors
///
/// For an observation whose levels are not among the design's, a value that is
/// not finite, a cell that no prompt has, fewer than two complete prompts, a
/// design of one cell, and where all values are equal.
pub fn attribute(levels: &[usize], observations: &[Observation]) -> Result<Attribution, StatsError> {
    let n_cells: usize = levels.iter().product();
    at_least(2, n_cells, "cells")?;
    let (prompts, n_incomplete_prompts) = complete_prompts(levels, observations)?;
    at_least(2, prompts.len(), "prompts that have every cell")?;
    let first = prompts[0][0];
    if prompts.iter().flatten().all(|&value| value == first) {
        return Err(StatsError::NoVariation { of: "values", value: first });
    }
    let design = Design { levels, sources: sources(levels) };

    // Relative to one value, so that squares lose no digits.
    let prompts: Vec<Prompt> = prompts.iter().map(|cells| Prompt::new(&design, cells, first)).collect();
    let with_totals = |drawn: &[usize]| {
        let mut shares = design.shares(&prompts, drawn);
        let totals: Vec<f64> = (0..levels.len()).map(|factor| design.total(factor, &shares)).collect();
        shares.extend(totals);
        shares
    };
    let every: Vec<usize> = (0..prompts.len()).collect();
    let estimates = with_totals(&every);
    let errors = design.errors(&prompts, &estimates, jackknife_errors(prompts.len(), with_totals));
    let portion = |place: usize| Portion {
        estimate: estimates[place],
        interval: errors[place].map(|error| about(estimates[place], error, prompts.len())),
    };
    let mut portions: Vec<Portion> = (0..estimates.len()).map(portion).collect();
    let (shares, totals) = portions.split_at_mut(design.sources.len() + 2);
    for (factor, total) in totals.iter_mut().enumerate() {
        for (source, part) in design.sources.iter().zip(&mut *shares) {
            if let (true, Some(part), Some(whole)) = (source.has_part(factor), &mut part.interval, &mut total.interval)
            {
                part.low = part.low.min(whole.low);
                whole.high = whole.high.max(part.high);
            }
        }
    }
    let against_chance = design.against_chance(&prompts)?;
    let all = design.sources.iter().copied().chain([Source::Prompts, Source::Rest]);
    let share =
        |(place, source)| Share { source, share: shares[place], against_chance: against_chance.get(place).copied() };
    Ok(Attribution {
        shares: all.enumerate().map(share).collect(),
        totals: totals.to_vec(),
        n_prompts: prompts.len(),
        n_incomplete_prompts,
        n_cells,
    })
}

/// The interval of a share whose root has a standard error over `n` prompts.
fn about(estimate: f64, error: f64, n: usize) -> Interval {
    let t = StudentsT::new(0.0, 1.0, n as f64 - 1.0).expect("there are two prompts").inverse_cdf((1.0 + LEVEL) / 2.0);
    let at = |root: f64| root.clamp(0.0, 1.0).powi(2);
    Interval { low: at(estimate.sqrt() - t * error), high: at(estimate.sqrt() + t * error), level: LEVEL }
}

/// The standard errors of statistics of `n` prompts, by the jackknife.
fn jackknife_errors(n: usize, statistics: impl Fn(&[usize]) -> Vec<f64>) -> Vec<f64> {
    let without = |left_out: usize| statistics(&(0..n).filter(|&prompt| prompt != left_out).collect::<Vec<_>>());
    let each: Vec<Vec<f64>> = (0..n).map(without).collect();
    let error = |place: usize| {
        let mean = each.iter().map(|values| values[place]).sum::<f64>() / n as f64;
        let squares: f64 = each.iter().map(|values| (values[place] - mean).powi(2)).sum();
        (squares * (n as f64 - 1.0) / n as f64).sqrt()
    };
    (0..each[0].len()).map(error).collect()
}

/// The cells' means of every prompt that has them all, and how many have not.
fn complete_prompts(levels: &[usize], observations: &[Observation]) -> Result<(Vec<Vec<f64>>, usize), StatsError> {
    let n_cells: usize = levels.iter().product();
    let n_prompts = observations.iter().map(|observation| observation.prompt + 1).max().unwrap_or(0);
    let mut sums = vec![(0.0, 0_u32); n_prompts * n_cells];
    for (place, observation) in observations.iter().enumerate() {
        all_finite(&[[observation.value]], "scores").map_err(|_| StatsError::NotFinite {
            of: "scores",
            place,
            value: observation.value,
        })?;
        let (sum, count) = &mut sums[observation.prompt * n_cells + cell(levels, &observation.levels, place)?];
        *sum += observation.value;
        *count += 1;
    }
    let prompts: Vec<_> = sums.chunks(n_cells).filter(|cells| cells.iter().any(|(_, count)| *count > 0)).collect();
    if let Some(empty) = (0..n_cells).find(|&cell| prompts.iter().all(|cells| cells[cell].1 == 0)) {
        return Err(StatsError::EmptyCell { of: "prompt", levels: levels_of(levels, empty) });
    }
    let complete = prompts.iter().filter(|cells| cells.iter().all(|(_, count)| *count > 0));
    let complete: Vec<Vec<f64>> =
        complete.map(|cells| cells.iter().map(|(sum, count)| sum / f64::from(*count)).collect()).collect();
    let n_incomplete = prompts.len() - complete.len();
    Ok((complete, n_incomplete))
}

/// The place of a cell, the last factor's levels beside each other.
fn cell(levels: &[usize], at: &[usize], place: usize) -> Result<usize, StatsError> {
    if at.len() != levels.len() {
        return Err(StatsError::Ragged { of: "observation", place, expected: levels.len(), got: at.len() });
    }
    let add = |cell: usize, (&at, &of): (&usize, &usize)| (at < of).then_some(cell * of + at);
    at.iter().zip(levels).try_fold(0, add).ok_or(StatsError::OutOfRange {
        name: "the number of a level",
        value: at.iter().copied().max().unwrap_or_default() as f64,
        allowed: "below its factor's number of levels",
    })
}

fn levels_of(levels: &[usize], mut cell: usize) -> Vec<usize> {
    let split = |of: &usize| {
        let level = cell % of;
        cell /= of;
        level
    };
    let mut at: Vec<usize> = levels.iter().rev().map(split).collect();
    at.reverse();
    at
}

fn sources(levels: &[usize]) -> Vec<Source> {
    let factors = 0..levels.len();
    let pairs =
        factors.clone().flat_map(|first| (first + 1..levels.len()).map(move |second| Source::Pair(first, second)));
    factors.clone().map(Source::Factor).chain(pairs).collect()
}

impl Source {
    /// Whether it is the factor, or a pair that the factor is in.
    fn has_part(self, factor: usize) -> bool {
        match self {
            Self::Factor(one) => one == factor,
            Self::Pair(first, second) => first == factor || second == factor,
            Self::Prompts | Self::Rest => false,
        }
    }
}

struct Design<'a> {
    levels: &'a [usize],
    /// Without prompts and the rest.
    sources: Vec<Source>,
}

/// What is needed of a prompt: its cells, and its sums of squares by itself.
struct Prompt {
    cells: Vec<f64>,
    mean: f64,
    /// Of all its cells, about 0.
    squares: f64,
    of_sources: Vec<f64>,
}

impl Prompt {
    fn new(design: &Design, cells: &[f64], origin: f64) -> Self {
        let cells: Vec<f64> = cells.iter().map(|value| value - origin).collect();
        let mean = cells.iter().sum::<f64>() / cells.len() as f64;
        let squares = cells.iter().map(|value| value * value).sum();
        Self { of_sources: design.squares(&cells), cells, mean, squares }
    }
}

impl Design<'_> {
    /// The sum of squares of each source over one value per cell.
    fn squares(&self, cells: &[f64]) -> Vec<f64> {
        let n = cells.len() as f64;
        let about_0 = |sums: &[f64]| sums.iter().map(|sum| sum * sum).sum::<f64>() * sums.len() as f64 / n;
        let grand = about_0(&[cells.iter().sum()]);
        let factor = |factor: usize| about_0(&self.marginal_sums(cells, factor, None)) - grand;
        let factors: Vec<f64> = (0..self.levels.len()).map(factor).collect();
        let of_source = |source: &Source| match *source {
            Source::Factor(factor) => factors[factor],
            Source::Pair(first, second) => {
                let both = about_0(&self.marginal_sums(cells, first, Some(second))) - grand;
                both - factors[first] - factors[second]
            }
            Source::Prompts | Source::Rest => unreachable!("these are not among the design's sources"),
        };
        // Rounding may leave a little less than nothing.
        self.sources.iter().map(|source| of_source(source).max(0.0)).collect()
    }

    /// The sum of those shares that a factor has a part in.
    fn total(&self, factor: usize, shares: &[f64]) -> f64 {
        self.sources.iter().zip(shares).filter(|(source, _)| source.has_part(factor)).map(|(_, share)| share).sum()
    }

    /// The standard errors of the roots of shares, then of factors' totals, from the jackknife's of the shares
    /// themselves. Near 0 these miss the variance of chance's own squares: the root of a sum of squares of
    /// normal effects has at least that of one of its parts.
    fn errors(&self, prompts: &[Prompt], estimates: &[f64], jackknifed: Vec<f64>) -> Vec<Option<f64>> {
        if prompts.len() < LEAST_PROMPTS {
            return vec![None; estimates.len()];
        }
        let every: Vec<usize> = (0..prompts.len()).collect();
        let chance = self.chance_shares(prompts, &every);
        let degrees: Vec<f64> = self.sources.iter().map(|&source| self.degrees(source)).collect();
        let of_sources = chance.iter().zip(&degrees).map(|(share, degrees)| share / degrees);
        let of_totals = (0..self.levels.len()).map(|factor| self.total(factor, &chance) / self.total(factor, &degrees));
        let least = of_sources.map(Some).chain([None; 2]).chain(of_totals.map(Some));
        let error = |((estimate, error), least): ((&f64, f64), Option<f64>)| {
            let seen = if *estimate > 0.0 { error * error / (4.0 * estimate) } else { 0.0 };
            least.map(|least| seen.max(least).sqrt())
        };
        estimates.iter().zip(jackknifed).zip(least).map(error).collect()
    }

    /// How many ways a source has to vary.
    fn degrees(&self, source: Source) -> f64 {
        let of = |factor: usize| self.levels[factor] as f64 - 1.0;
        match source {
            Source::Factor(factor) => of(factor),
            Source::Pair(first, second) => of(first) * of(second),
            Source::Prompts | Source::Rest => unreachable!("these are not among the design's sources"),
        }
    }

    /// The chance of each source, tested.
    fn against_chance(&self, prompts: &[Prompt]) -> Result<Vec<AgainstChance>, StatsError> {
        let every: Vec<usize> = (0..prompts.len()).collect();
        let shares = self.chance_shares(prompts, &every);
        let p: Vec<PValue> = self.sources.iter().map(|&source| self.test(prompts, source)).collect();
        let adjusted = holm(&p.iter().map(|p| p.p).collect::<Vec<_>>())?;
        let all = shares.into_iter().zip(p).zip(adjusted);
        Ok(all.map(|((share, p), p_holm)| AgainstChance { share, p, p_holm }).collect())
    }

    /// Turns the signs of prompts' own effects of a source; the statistic is the sum of squares of their sum.
    fn test(&self, prompts: &[Prompt], source: Source) -> PValue {
        let noise =
            prompts.iter().flat_map(|prompt| &prompt.cells).fold(0.0_f64, |most, cell| most.max(cell.abs())) * 1e-12;
        // A prompt that the source does nothing to, but for rounding, has no sign to turn.
        let effects: Vec<Vec<f64>> = prompts
            .iter()
            .map(|prompt| self.effects(&prompt.cells, source))
            .filter(|effects| effects.iter().any(|effect| effect.abs() > noise))
            .collect();
        let n = effects.first().map_or(0, Vec::len);
        turn_signs(effects.len(), |signs| {
            let mut sums = vec![0.0; n];
            for (effects, sign) in effects.iter().zip(signs) {
                sums.iter_mut().zip(effects).for_each(|(sum, effect)| *sum += sign * effect);
            }
            sums.iter().map(|sum| sum * sum).sum()
        })
    }

    /// The effects of a source at each of its levels, or pairs of levels, in one prompt's cells.
    fn effects(&self, cells: &[f64], source: Source) -> Vec<f64> {
        let means = |first: usize, second: Option<usize>| {
            let sums = self.marginal_sums(cells, first, second);
            let of = cells.len() as f64 / sums.len() as f64;
            sums.into_iter().map(|sum| sum / of).collect::<Vec<f64>>()
        };
        let grand = cells.iter().sum::<f64>() / cells.len() as f64;
        match source {
            Source::Factor(factor) => means(factor, None).into_iter().map(|mean| mean - grand).collect(),
            Source::Pair(first, second) => {
                let (rows, columns) = (means(first, None), means(second, None));
                let both = means(first, Some(second)).into_iter().enumerate();
                let freed = |(place, mean): (usize, f64)| {
                    mean - rows[place / columns.len()] - columns[place % columns.len()] + grand
                };
                both.map(freed).collect()
            }
            Source::Prompts | Source::Rest => unreachable!("these are not among the design's sources"),
        }
    }

    /// Sums of the cells at each level of a factor, or of a pair of factors.
    fn marginal_sums(&self, cells: &[f64], first: usize, second: Option<usize>) -> Vec<f64> {
        let stride = |factor: usize| self.levels[factor + 1..].iter().product::<usize>();
        let level = |cell: usize, factor: usize| cell / stride(factor) % self.levels[factor];
        let width = second.map_or(1, |second| self.levels[second]);
        let mut sums = vec![0.0; self.levels[first] * width];
        for (cell, value) in cells.iter().enumerate() {
            sums[level(cell, first) * width + second.map_or(0, |second| level(cell, second))] += value;
        }
        sums
    }

    /// Of the sources, of prompts, of the rest.
    fn shares(&self, prompts: &[Prompt], drawn: &[usize]) -> Vec<f64> {
        let parts = self.parts(prompts, drawn);
        let explained = parts.of_sources.iter().sum::<f64>() + parts.of_prompts;
        let rest = (parts.total - explained).max(0.0);
        let all = parts.of_sources.iter().copied().chain([parts.of_prompts, rest]);
        // A resample may be of one prompt without variation: nothing explains it.
        all.map(|squares| if parts.total > 0.0 { squares / parts.total } else { 0.0 }).collect()
    }

    fn chance_shares(&self, prompts: &[Prompt], drawn: &[usize]) -> Vec<f64> {
        let parts = self.parts(prompts, drawn);
        let chance = |source: usize| {
            let within: f64 = drawn.iter().map(|&prompt| prompts[prompt].of_sources[source]).sum();
            (within - parts.of_sources[source]).max(0.0) / (drawn.len() as f64 - 1.0) / parts.total
        };
        (0..self.sources.len()).map(chance).collect()
    }

    fn parts(&self, prompts: &[Prompt], drawn: &[usize]) -> Parts {
        let n = drawn.len() as f64;
        let mut means = vec![0.0; prompts[0].cells.len()];
        for &prompt in drawn {
            means.iter_mut().zip(&prompts[prompt].cells).for_each(|(mean, value)| *mean += value / n);
        }
        let n_cells = means.len() as f64;
        let grand = means.iter().sum::<f64>() / n_cells;
        let of_prompts = drawn.iter().map(|&prompt| (prompts[prompt].mean - grand).powi(2)).sum::<f64>() * n_cells;
        let total = drawn.iter().map(|&prompt| prompts[prompt].squares).sum::<f64>() - n * n_cells * grand * grand;
        let of_sources = self.squares(&means).into_iter().map(|squares| squares * n).collect();
        Parts { of_sources, of_prompts, total: total.max(0.0) }
    }
}

/// Sums of squares.
struct Parts {
    of_sources: Vec<f64>,
    of_prompts: f64,
    total: f64,
}

#[cfg(test)]
mod tests;
