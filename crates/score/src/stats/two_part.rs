//! Describes scores that have two humps, of texts that loop and of texts that do not. Each component has a number of
//! its own here; a mean over both describes neither.

use serde::Serialize;

use super::error::{StatsError, all_finite};
use super::{Dispersion, Effect, Hits, LEVEL, Strata, bca_interval_of_mean_within, clustered_share_within, mean};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    Looping,
    Free,
}

/// The outcome of [`two_part`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TwoPart {
    /// P(loop): the share of texts that loop.
    pub loops: Effect,
    /// The mean score of the texts that do not, with a BCa interval over prompts;
    /// `None` where these are of too few prompts for one.
    pub score_without_loop: Option<Effect>,
    pub n_prompts: usize,
    pub n_texts: usize,
    pub n_loops: usize,
    /// Of whether a text loops, 1 or 0.
    pub spread_of_loops: Dispersion,
    pub spread_without_loop: Dispersion,
}

/// Splits the scores of each prompt's texts into a probability and a mean, as two-part
/// models do (Duan et al. 1983, "A comparison of alternative models for the demand
/// for medical care"). Prompts without texts are left out; a text without a score counts in the
/// probability alone.
///
/// # Errors
///
/// For fewer than two prompts with texts, and for scores that are not finite.
pub fn two_part(prompts: &[impl AsRef<[(Component, Option<f64>)]>]) -> Result<TwoPart, StatsError> {
    two_part_within(prompts, &Strata::default())
}

/// The same where prompts are of strata, of which there are so many by design.
///
/// # Errors
///
/// Those of [`two_part`].
pub fn two_part_within(
    prompts: &[impl AsRef<[(Component, Option<f64>)]>],
    strata: &Strata,
) -> Result<TwoPart, StatsError> {
    let strata = &strata.kept(prompts.iter().map(|texts| !texts.as_ref().is_empty()));
    let prompts: Vec<&[(Component, Option<f64>)]> =
        prompts.iter().map(AsRef::as_ref).filter(|texts| !texts.is_empty()).collect();
    let scores = |component: Component| -> Vec<Vec<f64>> {
        let of_prompt = |texts: &&[(Component, Option<f64>)]| {
            texts.iter().filter(|(of, _)| *of == component).filter_map(|(_, score)| *score).collect()
        };
        prompts.iter().map(of_prompt).collect()
    };
    let (looping, free) = (scores(Component::Looping), scores(Component::Free));
    all_finite(&looping, "scores of prompts")?;
    all_finite(&free, "scores of prompts")?;
    let count = |n: usize| u32::try_from(n).expect("a prompt has fewer than 2³² texts");
    let loops_of = |texts: &[(Component, Option<f64>)]| {
        texts.iter().filter(|(component, _)| *component == Component::Looping).count()
    };
    let hits: Vec<Hits> =
        prompts.iter().map(|texts| Hits { hits: count(loops_of(texts)), n: count(texts.len()) }).collect();
    let loops = clustered_share_within(&hits, strata, LEVEL)?;
    let free_mean = mean(&free.concat());
    let free_interval = bca_interval_of_mean_within(&free, strata, LEVEL);
    let verdict = |(component, _): &(Component, Option<f64>)| if *component == Component::Looping { 1.0 } else { 0.0 };
    let verdicts: Vec<Vec<f64>> = prompts.iter().map(|texts| texts.iter().map(verdict).collect()).collect();
    let n_loops = prompts.iter().map(|texts| loops_of(texts)).sum();
    Ok(TwoPart {
        loops,
        score_without_loop: free_mean.zip(free_interval).map(|(estimate, interval)| Effect { estimate, interval }),
        n_prompts: prompts.len(),
        n_texts: prompts.iter().map(|texts| texts.len()).sum(),
        n_loops,
        spread_of_loops: Dispersion::within(&verdicts, strata),
        spread_without_loop: Dispersion::within(&free, strata),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_near;
    use super::*;

    use Component::{Free, Looping};

    /// Prompts with a text that scores 0.2, for the eight that an interval needs.
    fn with_others(prompts: Vec<Vec<(Component, Option<f64>)>>) -> Vec<Vec<(Component, Option<f64>)>> {
        prompts.into_iter().chain(vec![vec![(Free, Some(0.2))]; 7]).collect()
    }

    #[test]
    fn each_part_has_its_number() {
        let prompts = with_others(vec![vec![(Looping, Some(0.9)), (Free, Some(0.1)), (Free, Some(0.3))], vec![]]);
        let found = two_part(&prompts).unwrap();
        assert_eq!((found.loops.estimate, found.n_prompts, found.n_texts, found.n_loops), (0.1, 8, 10, 1));
        assert_eq!((found.spread_of_loops.n_prompts, found.spread_without_loop.n_prompts), (8, 8));
        let free = found.score_without_loop.unwrap();
        assert_near(free.estimate, 0.2, 1e-12);
        assert!(free.interval.low >= 0.2 - 1e-12 && free.interval.high <= 0.2 + 1e-12);
    }

    #[test]
    fn a_text_without_a_score_may_loop_all_the_same() {
        let found = two_part(&with_others(vec![vec![(Looping, None), (Free, Some(1.0))]])).unwrap();
        assert_eq!((found.n_texts, found.n_loops), (9, 1));
        assert_near(found.score_without_loop.unwrap().estimate, 0.3, 1e-12);
    }

    #[test]
    fn few_prompts_have_no_score_without_a_loop() {
        let found = two_part(&[[(Free, Some(0.1))], [(Free, Some(0.2))]]).unwrap();
        assert_eq!((found.loops.estimate, found.score_without_loop), (0.0, None));
    }

    #[test]
    fn where_all_loop_there_is_no_score_without() {
        let found = two_part(&[[(Looping, Some(0.9))], [(Looping, Some(0.8))]]).unwrap();
        assert_eq!((found.loops.estimate, found.score_without_loop), (1.0, None));
    }

    #[test]
    fn says_what_it_refuses() {
        assert!(two_part(&[[(Free, Some(0.1))]]).is_err());
        assert!(two_part(&[[(Free, Some(0.1))], [(Looping, Some(f64::NAN))]]).is_err());
    }
}
