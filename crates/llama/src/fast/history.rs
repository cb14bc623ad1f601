//! Keeps what the penalties remember: how often each of the last tokens occurred.

use std::collections::{HashMap, VecDeque};

use crate::Token;

/// llama.cpp's `penalties`: its parameters and the tokens it has accepted.
#[derive(Clone, Debug)]
pub struct Penalties {
    last_n: usize,
    repeat: f32,
    frequency: f32,
    presence: f32,
    recent: VecDeque<Token>,
    counts: HashMap<Token, u32, foldhash::fast::FixedState>,
}

impl Penalties {
    /// None where llama.cpp puts an empty sampler in its place.
    pub fn new(last_n: i32, repeat: f32, frequency: f32, presence: f32) -> Option<Self> {
        let last_n = usize::try_from(last_n).ok().filter(|&n| n > 0)?;
        let neutral = repeat == 1.0 && frequency == 0.0 && presence == 0.0;
        (!neutral).then(|| Self {
            last_n,
            repeat,
            frequency,
            presence,
            recent: VecDeque::with_capacity(last_n.min(1024)),
            counts: HashMap::default(),
        })
    }

    pub fn accept(&mut self, token: Token) {
        *self.counts.entry(token).or_insert(0) += 1;
        if self.recent.len() >= self.last_n
            && let Some(old) = self.recent.pop_front()
            && let Some(count) = self.counts.get_mut(&old)
        {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&old);
            }
        }
        self.recent.push_back(token);
    }

    /// Each remembered token once, in no order.
    pub fn tokens(&self) -> impl Iterator<Item = Token> {
        self.counts.keys().copied()
    }

    /// A token's logit after the penalties
    /// (`llama_sampler_penalties_apply`): a repeat penalty of 0 makes it
    /// infinite, or NaN where it was -∞.
    pub fn penalised(&self, token: Token, logit: f32) -> f32 {
        let Some(&count) = self.counts.get(&token) else { return logit };
        let repeated = if logit <= 0.0 { logit * self.repeat } else { logit / self.repeat };
        repeated - (count as f32 * self.frequency + self.presence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_forgets_all_but_the_last_n() {
        let mut penalties = Penalties::new(2, 1.0, 0.5, 0.0).unwrap();
        for token in [3, 3, 4] {
            penalties.accept(token);
        }
        assert_eq!([3, 4, 5].map(|token| penalties.penalised(token, 2.0)), [1.5, 1.5, 2.0]);
        penalties.accept(4);
        assert_eq!([3, 4].map(|token| penalties.penalised(token, 2.0)), [2.0, 1.0]);
    }

    #[test]
    fn a_repeat_penalty_of_zero_divides_by_it() {
        let mut penalties = Penalties::new(64, 0.0, 0.0, 1.1).unwrap();
        penalties.accept(3);
        assert_eq!(penalties.penalised(3, 2.0), f32::INFINITY);
        assert_eq!(penalties.penalised(3, -2.0), -1.1);
        assert!(penalties.penalised(3, f32::NEG_INFINITY).is_nan());
    }

    #[test]
    fn neutral_penalties_are_none() {
        assert!(Penalties::new(64, 1.0, 0.0, 0.0).is_none());
        assert!(Penalties::new(0, 1.1, 0.0, 0.0).is_none());
        assert!(Penalties::new(-1, 1.1, 0.0, 0.0).is_none());
    }
}
