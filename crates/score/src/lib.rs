//! Scores how much generated texts repeat themselves, and says what groups of such scores show.
//!
//! Owns the definitions of metrics and of statistics, each a pure function: of a text or its tokens ([`metrics`]), of
//! numbers ([`stats`]). Knows no files, no models and no experiments; what is random starts from a fixed key, so the
//! same input gives the same numbers every time.
//!
//! # Texts to scores
//!
//! ```
//! use moe_sweep_score::metrics::{Metric, score};
//!
//! let scores = score(&"to be able ".repeat(40), None);
//! assert!(scores.get(Metric::RepetitionScore).unwrap() > 0.9);
//! assert_eq!(scores.get(Metric::Loop), Some(1.0));
//! // Without token ids a metric of tokens has no value; it is missing, not 0.
//! assert_eq!(scores.get(Metric::TailShare), None);
//! ```
//!
//! A metric may be blind to a text: [`metrics::Scores::sees`] says so, and what it can't see must not count as clean.
//!
//! | metric | formula | source |
//! |---|---|---|
//! | [`metrics::repetition_score`] | Σ(count − 1) / trigrams of white-space words | the benchmark script that this crate began with |
//! | [`metrics::seq_rep`] | 1 − distinct / all n-grams | Welleck et al. 2019, arXiv 1908.04319 |
//! | [`metrics::SimCtg`] | rep-n in percent, Π(1 − rep-n / 100) | Su et al. 2022 |
//! | [`metrics::is_holtzman_repetition`], [`metrics::zipf`] | copies at the end; slope of ln count on ln rank | Holtzman et al. 2020 |
//! | [`metrics::tail_cycle`] | the longest tail that is a cycle | prefix function, Knuth, Morris and Pratt 1977 |
//! | [`metrics::rep_w`], [`metrics::rep_r`] | tokens that occur among those before; in a bigram that recurs | Fu et al. 2021 |
//! | [`metrics::mattr`] | mean of distinct / all words over windows | Covington and McFall 2010 |
//! | [`metrics::mtld`] | mean length over which distinct / all stays high | McCarthy and Jarvis 2010 |
//! | [`metrics::ead`] | N / (V(1 − ((V−1)/V)^C)) | Liu et al. 2022 |
//! | [`metrics::Looping`] | at least three copies of one unit, of any length, at the end | this crate |
//! | [`metrics::compression_ratio`] | bytes / bytes after DEFLATE | Shaib et al. 2024 |
//!
//! # Scores to statements
//!
//! Texts of one prompt resemble each other, so the unit is the prompt: average its seeds first. A result carries its
//! interval and the number of prompts; what can't be computed is a [`stats::StatsError`], never a NaN.
//!
//! | function | method | source |
//! |---|---|---|
//! | [`stats::bca_interval_of_mean`] | BCa bootstrap over clusters, tails expanded for few of them | Efron 1987; Hesterberg 2015 |
//! | [`stats::two_part()`] | P(loop) and the mean of what does not loop, apart | Duan et al. 1983 |
//! | [`stats::widened`], [`stats::p_unseen`] | what the sample may have missed where loops are rare | Clopper and Pearson 1934 |
//! | [`stats::clustered_share`] | a share, with an interval over prompts | Korn and Graubard 1998 |
//! | [`stats::test_difference`], [`stats::sign_test()`] | signs of whole prompts turned | Fisher 1935 |
//! | [`stats::equivalence()`] | two one-sided tests, by t and by the studentised bootstrap | Schuirmann 1987; Efron and Tibshirani 1993 |
//! | [`stats::page_trend`] | Page's L, shuffled within prompts | Page 1963 |
//! | [`stats::kaplan_meier()`] | survival until the onset of a loop | Kaplan and Meier 1958 |
//! | [`stats::holm()`] | correction for several claims | Holm 1979 |
//! | [`stats::attribute`] | shares of the variation, by factor | Winer 1971, ch. 4 |
//! | [`stats::sequential`] | betting and sign-flip e-processes, looked at at any time | Ville 1939; Waudby-Smith and Ramdas 2024 |
//! | [`stats::detectable`] | the least difference that a design can see | Cohen 1988, ch. 2 |
//!
//! Each function's own page has its assumptions, its errors and its source in full.

pub mod metrics;
pub mod stats;

/// The example of the README, which is tested with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
