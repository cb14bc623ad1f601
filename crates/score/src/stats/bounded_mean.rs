//! Estimates the mean of scores that loops throw far off, with an interval that knows of loops that the sample does not
//! have.

use super::cluster_mean::bca_from;
use super::proportion::{Hits, clustered_share_within};
use super::two_part::Component;
use super::{Interval, LEAST_PROMPTS, Strata, mean};

/// Between what a score lies: of a text without any repetition, and of one that is nothing else.
/// `None` where it has no such end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ends {
    pub best: Option<f64>,
    pub worst: Option<f64>,
}

/// The interval of the mean score over all texts of all prompts.
///
/// The BCa interval ([`super::bca_interval_of_mean`]) sees the sample only, and where loops are rare many
/// samples have none: it covered as little as 45 % (P(loop) .05, 12 prompts, one text each). A mean is
/// P(loop) times what loops score and the rest times what the others do, and P(loop) has an
/// interval that keeps its level ([`super::clustered_share`]). So BCa's limits are joined with the two means that
/// follow from the limits of P(loop): `p × (mean of the looping texts) + (1 − p) × (mean of the
/// others)`. Where no text loops, one that does is taken to score `ends.worst`, and where
/// all loop, one that does not `ends.best`. The coverage of this is in docs/intervals.md; the
/// split is that of two-part models ([`super::two_part()`]).
///
/// `prompts` holds, for each, its texts' scores and whether they loop; those without a text are
/// left out. `None` for fewer than [`LEAST_PROMPTS`] prompts, and where a kind of text is not in the sample and the
/// score has no end to stand for it. Scores must be finite, `level` between 0 and 1.
pub fn bounded_mean(prompts: &[impl AsRef<[(Component, f64)]>], ends: Ends, level: f64) -> Option<Interval> {
    bounded_mean_within(prompts, &Strata::default(), ends, level)
}

/// The same where prompts are of strata, of which there are so many by design: of the bootstrap and of P(loop)
/// ([`super::bca_interval_of_mean_within`], [`clustered_share_within`]). Each stratum beyond the first takes one prompt more.
pub fn bounded_mean_within(
    prompts: &[impl AsRef<[(Component, f64)]>],
    strata: &Strata,
    ends: Ends,
    level: f64,
) -> Option<Interval> {
    let strata = &strata.kept(prompts.iter().map(|texts| !texts.as_ref().is_empty()));
    let prompts: Vec<_> = prompts.iter().map(AsRef::as_ref).filter(|texts| !texts.is_empty()).collect();
    if prompts.len() < LEAST_PROMPTS {
        return None;
    }
    let scores = |texts: &&[(Component, f64)]| texts.iter().map(|(_, score)| *score).collect::<Vec<f64>>();
    let of = |component: Component| {
        let texts = prompts.iter().flat_map(|texts| texts.iter());
        mean(&texts.filter(|(of, _)| *of == component).map(|(_, score)| *score).collect::<Vec<f64>>())
    };
    let looping = of(Component::Looping).or(ends.worst)?;
    let free = of(Component::Free).or(ends.best)?;
    let count = |n: usize| u32::try_from(n).expect("a prompt has fewer than 2³² texts");
    let hits = |texts: &&[(Component, f64)]| {
        let loops = texts.iter().filter(|(component, _)| *component == Component::Looping).count();
        Hits { hits: count(loops), n: count(texts.len()) }
    };
    let loops = clustered_share_within(&prompts.iter().map(hits).collect::<Vec<_>>(), strata, level).ok()?.interval;
    let seen = bca_from(LEAST_PROMPTS, &prompts.iter().map(scores).collect::<Vec<_>>(), strata, level)?;
    let [few, many] = [loops.low, loops.high].map(|p| free + p * (looping - free));
    Some(Interval { low: seen.low.min(few).min(many), high: seen.high.max(few).max(many), level })
}

#[cfg(test)]
mod tests {
    use super::super::bca_interval_of_mean;
    use super::super::testing::assert_near;
    use super::*;

    use Component::{Free, Looping};

    const SHARE: Ends = Ends { best: Some(0.0), worst: Some(1.0) };
    const LEVEL: f64 = 0.95;

    fn prompts(looping: usize, n: usize) -> Vec<[(Component, f64); 1]> {
        (0..n).map(|place| [if place < looping { (Looping, 0.8) } else { (Free, 0.02) }]).collect()
    }

    #[test]
    fn without_a_loop_the_limit_is_that_of_loops_not_seen() {
        let found = bounded_mean(&prompts(0, 24), SHARE, LEVEL).unwrap();
        let unseen = 1.0 - 0.025_f64.powf(1.0 / 24.0);
        assert_near(found.low, 0.02, 1e-12);
        assert_near(found.high, unseen + (1.0 - unseen) * 0.02, 1e-8);
        let all = bounded_mean(&prompts(24, 24), SHARE, LEVEL).unwrap();
        assert_near(all.low, 0.8 * (1.0 - unseen), 1e-8);
        assert_near(all.high, 0.8, 1e-12);
    }

    #[test]
    fn a_score_that_falls_is_the_mirror_image() {
        let mirrored: Vec<[(Component, f64); 1]> =
            prompts(3, 24).iter().map(|[(component, score)]| [(*component, 1.0 - score)]).collect();
        let ends = Ends { best: Some(1.0), worst: Some(0.0) };
        let (one, other) =
            (bounded_mean(&prompts(3, 24), SHARE, LEVEL).unwrap(), bounded_mean(&mirrored, ends, LEVEL).unwrap());
        assert_near(one.low, 1.0 - other.high, 1e-12);
        assert_near(one.high, 1.0 - other.low, 1e-12);
    }

    #[test]
    fn it_holds_the_bootstraps_interval() {
        let prompts: Vec<Vec<(Component, f64)>> = (0..30)
            .map(|place| {
                (0..4)
                    .map(|text| if place * text % 7 == 3 { (Looping, 0.9) } else { (Free, 0.01 * f64::from(place)) })
                    .collect()
            })
            .collect();
        let scores: Vec<Vec<f64>> =
            prompts.iter().map(|texts| texts.iter().map(|(_, score)| *score).collect()).collect();
        let (found, seen) =
            (bounded_mean(&prompts, SHARE, LEVEL).unwrap(), bca_interval_of_mean(&scores, LEVEL).unwrap());
        assert!(found.low <= seen.low && seen.high <= found.high);
    }

    /// Of one group every other text loops, of the other none.
    #[test]
    fn what_lies_between_strata_is_no_doubt() {
        let text = |prompt: usize, text: usize| {
            if prompt < 12 && (prompt + text).is_multiple_of(2) { (Looping, 0.9) } else { (Free, 0.01) }
        };
        let prompts: Vec<Vec<_>> = (0..24).map(|prompt| (0..5).map(|place| text(prompt, place)).collect()).collect();
        let strata = Strata::new((0..24).map(|prompt| prompt / 12).collect());
        let within = bounded_mean_within(&prompts, &strata, SHARE, LEVEL).unwrap();
        let pooled = bounded_mean(&prompts, SHARE, LEVEL).unwrap();
        assert!(within.high - within.low < 0.8 * (pooled.high - pooled.low), "{within:?} {pooled:?}");
        assert_eq!(bounded_mean_within(&prompts, &Strata::new(vec![1; 24]), SHARE, LEVEL), Some(pooled));
    }

    #[test]
    fn few_prompts_and_unbounded_scores_have_none() {
        assert_eq!(bounded_mean(&prompts(1, 5), SHARE, LEVEL), None);
        let no_worst = Ends { best: Some(0.0), worst: None };
        assert_eq!(bounded_mean(&prompts(0, 24), no_worst, LEVEL), None);
        // What loops score is in the sample.
        assert!(bounded_mean(&prompts(1, 24), no_worst, LEVEL).is_some());
        assert_eq!(bounded_mean(&[[(Free, 0.0); 0]; 9], SHARE, LEVEL), None);
    }
}
