//! Computes the interval of a metric's mean, over prompts.

use crate::metrics::{Metric, Scores};
use crate::stats::{Component, Ends, Hits, Interval, Strata, bounded_mean_within, clustered_share_within};

/// Of the texts' values; a list a prompt. A mean of 1 and 0 is a share, and has a share's interval. Any other's
/// takes into account that the sample may lack loops: see [`crate::stats::bounded_mean`]. `None` where that has none, or there
/// are fewer than two prompts.
pub(super) fn interval_of_mean(
    metric: Metric,
    prompts: &[Vec<&Scores>],
    strata: &Strata,
    level: f64,
) -> Option<Interval> {
    if metric.is_verdict() {
        let prompts: Vec<Hits> = prompts.iter().map(|texts| hits(metric, texts)).collect();
        return clustered_share_within(&prompts, strata, level).ok().map(|share| share.interval);
    }
    let (best, worst) = metric.ends();
    let text = |scores: &&Scores| Some((component(scores), scores.get(metric)?));
    let prompts: Vec<Vec<(Component, f64)>> =
        prompts.iter().map(|texts| texts.iter().filter_map(text).collect()).collect();
    bounded_mean_within(&prompts, strata, Ends { best, worst }, level)
}

fn hits(metric: Metric, texts: &[&Scores]) -> Hits {
    let verdicts = texts.iter().filter_map(|scores| scores.get(metric));
    let count = |n: usize| u32::try_from(n).expect("a prompt has fewer than 2³² texts");
    Hits { hits: count(verdicts.clone().filter(|verdict| *verdict == 1.0).count()), n: count(verdicts.count()) }
}

fn component(scores: &Scores) -> Component {
    if scores.get(Metric::Loop) == Some(1.0) { Component::Looping } else { Component::Free }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::clustered_share;

    /// As many prompts with a text each, of which so many loop and score 0.9; the others 0.
    fn interval(metric: Metric, looping: usize, n: usize) -> Option<Interval> {
        let text = |place: usize| {
            let value = if place < looping { 0.9 } else { 0.0 };
            Scores::from_fn(|of| Some(if of.is_verdict() { f64::from(value > 0.0) } else { value }))
        };
        let texts: Vec<Scores> = (0..n).map(text).collect();
        interval_of_mean(metric, &texts.iter().map(|scores| vec![scores]).collect::<Vec<_>>(), &Strata::default(), 0.95)
    }

    #[test]
    fn a_verdict_has_the_interval_of_a_share_however_few_the_prompts() {
        let of_share = clustered_share(&[Hits { hits: 1, n: 1 }, Hits { hits: 0, n: 1 }], 0.95).unwrap().interval;
        assert_eq!(interval(Metric::VllmLoop, 1, 2), Some(of_share));
        assert_eq!(interval(Metric::EmptyAnswer, 1, 2), Some(of_share));
        assert_eq!(interval(Metric::RepetitionScore, 1, 2), None);
    }

    #[test]
    fn loops_that_were_not_seen_count_where_the_metric_has_an_end() {
        let unseen = interval(Metric::Loop, 0, 24).unwrap().high;
        let high = |metric| interval(metric, 0, 24).map(|interval| interval.high);
        assert_eq!(high(Metric::RepetitionScore), Some(unseen));
        assert_eq!(high(Metric::SimctgRep2), Some(100.0 * unseen));
        assert_eq!(high(Metric::CompressionRatio), None);
        // A loop has been seen, and its ratio with it.
        assert!(interval(Metric::CompressionRatio, 1, 24).is_some());
        // Of no repetition is 1, of nothing else 0: here all are at 0 already.
        assert_eq!(interval(Metric::SimctgDiversity, 0, 24).map(|interval| interval.low), Some(0.0));
    }
}
