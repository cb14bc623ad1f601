//! llama.cpp's samplers, as far as the chains need them, in plain arithmetic.

use std::collections::HashSet;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A way to pick the next token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chain {
    /// temperature → top-p 0.9 → top-k 40 → penalties (64, repeat 0, presence 1.1) → greedy.
    Shimmy,
    /// The same with the penalty in its place: repeat 1.1, presence 0.
    ShimmyFixed,
    /// The same without the division by zero: repeat 1, presence 1.1.
    NoDivision,
    /// llama.cpp's own: top-k 40 → top-p 0.95 → min-p 0.05 → temperature → draw.
    LlamaCpp,
    /// temperature → draw.
    Pure,
    /// The most probable token.
    Greedy,
}

struct Candidate {
    token: u32,
    logit: f64,
}

/// How many of the last tokens, the prompt's included, are penalised.
const WINDOW: usize = 64;

impl Chain {
    pub const ALL: &[Self] =
        &[Self::Shimmy, Self::ShimmyFixed, Self::NoDivision, Self::LlamaCpp, Self::Pure, Self::Greedy];

    pub fn name(self) -> &'static str {
        match self {
            Self::Shimmy => "shimmy-1.7",
            Self::ShimmyFixed => "shimmy-1.7-fixed",
            Self::NoDivision => "no-division",
            Self::LlamaCpp => "llama.cpp",
            Self::Pure => "pure",
            Self::Greedy => "greedy",
        }
    }

    /// The next token after `seen`.
    pub fn pick(self, logits: &[f32], seen: &[u32], temperature: f64, rng: &mut ChaCha8Rng) -> u32 {
        let mut all: Vec<Candidate> =
            (0..).zip(logits).map(|(token, &logit)| Candidate { token, logit: logit.into() }).collect();
        all.sort_by(|a, b| b.logit.total_cmp(&a.logit));
        match self {
            Self::Shimmy => penalised_greedy(all, seen, temperature, 0.0, 1.1),
            Self::ShimmyFixed => penalised_greedy(all, seen, temperature, 1.1, 0.0),
            Self::NoDivision => penalised_greedy(all, seen, temperature, 1.0, 1.1),
            Self::LlamaCpp => {
                all.truncate(40);
                top_p(&mut all, 0.95);
                min_p(&mut all, 0.05);
                heat(&mut all, temperature);
                draw(&all, rng)
            }
            Self::Pure => {
                heat(&mut all, temperature);
                draw(&all, rng)
            }
            Self::Greedy => all[0].token,
        }
    }
}

fn penalised_greedy(mut all: Vec<Candidate>, seen: &[u32], temperature: f64, repeat: f64, presence: f64) -> u32 {
    heat(&mut all, temperature);
    top_p(&mut all, 0.9);
    all.truncate(40);
    penalise(&mut all, seen, repeat, presence);
    first_greatest(&all)
}

fn heat(candidates: &mut [Candidate], temperature: f64) {
    for candidate in candidates {
        candidate.logit /= temperature;
    }
}

/// Softmax over what is left; candidates are in descending order.
fn probabilities(candidates: &[Candidate]) -> Vec<f64> {
    let greatest = candidates[0].logit;
    let weights: Vec<f64> = candidates.iter().map(|candidate| (candidate.logit - greatest).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// Keeps the fewest whose probabilities reach `p`.
fn top_p(candidates: &mut Vec<Candidate>, p: f64) {
    let mut sum = 0.0;
    let reached = probabilities(candidates).into_iter().position(|probability| {
        sum += probability;
        sum >= p
    });
    candidates.truncate(reached.map_or(candidates.len(), |last| last + 1));
}

/// Keeps those at least `p` times as probable as the first.
fn min_p(candidates: &mut Vec<Candidate>, p: f64) {
    let least = candidates[0].logit + p.ln();
    candidates.retain(|candidate| candidate.logit >= least);
}

/// A positive logit is divided by `repeat`, any other multiplied: 0 sends the positive ones to
/// plus infinity.
fn penalise(candidates: &mut [Candidate], seen: &[u32], repeat: f64, presence: f64) {
    let recent: HashSet<u32> = seen.iter().rev().take(WINDOW).copied().collect();
    for candidate in candidates.iter_mut().filter(|candidate| recent.contains(&candidate.token)) {
        if candidate.logit <= 0.0 {
            candidate.logit *= repeat;
        } else {
            candidate.logit /= repeat;
        }
        candidate.logit -= presence;
    }
}

fn first_greatest(candidates: &[Candidate]) -> u32 {
    let mut best = &candidates[0];
    for candidate in candidates {
        if candidate.logit > best.logit {
            best = candidate;
        }
    }
    best.token
}

fn draw(candidates: &[Candidate], rng: &mut ChaCha8Rng) -> u32 {
    let mut left: f64 = rng.random();
    for (candidate, probability) in candidates.iter().zip(probabilities(candidates)) {
        left -= probability;
        if left < 0.0 {
            return candidate.token;
        }
    }
    candidates[candidates.len() - 1].token
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn pick(chain: Chain, logits: &[f32], seen: &[u32], temperature: f64) -> u32 {
        chain.pick(logits, seen, temperature, &mut ChaCha8Rng::seed_from_u64(0))
    }

    #[test]
    fn a_repeat_of_zero_prefers_the_most_probable_token_seen() {
        let logits = [3.0, 2.9, 2.8, -1.0];
        assert_eq!(pick(Chain::Shimmy, &logits, &[2, 1], 1.0), 1);
        assert_eq!(pick(Chain::Shimmy, &logits, &[], 1.0), 0);
        assert_eq!(pick(Chain::ShimmyFixed, &logits, &[0], 1.0), 1);
    }

    #[test]
    fn at_a_low_temperature_only_the_first_survives() {
        assert_eq!(pick(Chain::Shimmy, &[3.0, 2.0, 1.9], &[1, 2], 0.1), 0);
    }

    #[test]
    fn a_negative_logit_is_not_boosted() {
        assert_eq!(pick(Chain::Shimmy, &[-0.1, -0.2], &[0], 1.0), 1);
    }

    #[test]
    fn the_window_ends() {
        let mut seen = vec![1];
        seen.extend([9; WINDOW]);
        assert_eq!(pick(Chain::Shimmy, &[3.0, 2.9], &seen, 1.0), 0);
    }
}
