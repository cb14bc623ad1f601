//! Deals with want of memory, which is nobody's failure: how long it is waited for, and how much less is asked for
//! then.

use std::time::Duration;

use crate::domain::Numerics;
use crate::engine::{Limits, Strategy};

/// Before a model is loaded again; the last of them for every further time.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30)];

/// The deaths of one load key's workers for want of memory.
#[derive(Debug, Default)]
pub struct Shortage {
    /// In a row, without a text between them.
    deaths: usize,
    waited: Duration,
    /// How often less was asked for; stays when texts are made again.
    halvings: u32,
}

impl Shortage {
    /// A worker died of it: how long to wait for memory, and None once that has been as long as `patience`.
    pub fn pause(&mut self, patience: Duration) -> Option<Duration> {
        let pause = PAUSES[self.deaths.min(PAUSES.len() - 1)].min(patience.saturating_sub(self.waited));
        self.deaths += 1;
        self.waited += pause;
        (!pause.is_zero()).then_some(pause)
    }

    /// Has the next load ask for half of the memory, where that changes no text; whether it does.
    pub fn ask_for_less(&mut self, numerics: Numerics) -> bool {
        let less = numerics == Numerics::Invariant;
        self.halvings += u32::from(less);
        less
    }

    /// What becomes of a strategy that was chosen for free memory.
    pub fn strategy(&self, chosen: Strategy, limits: Limits) -> Strategy {
        (0..self.halvings)
            .try_fold(chosen, |strategy, _| strategy.halved(limits).ok_or(strategy))
            .unwrap_or_else(|least| least)
    }

    /// A text was made: memory is back.
    pub fn is_over(&mut self) {
        (self.deaths, self.waited) = (0, Duration::ZERO);
    }

    /// What to say when it is given up.
    pub fn words(&self, reason: &str) -> String {
        let (deaths, seconds) = (self.deaths, self.waited.as_secs());
        match deaths {
            1 => format!("memory is short: {reason}"),
            _ => format!("memory is short: in {seconds} s the worker died {deaths} times, the last time: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(shortage: &mut Shortage, patience_s: u64) -> Vec<u64> {
        std::iter::from_fn(|| shortage.pause(Duration::from_secs(patience_s))).map(|pause| pause.as_secs()).collect()
    }

    #[test]
    fn memory_is_waited_for_longer_and_longer_but_not_for_ever() {
        let mut shortage = Shortage::default();
        assert_eq!(pauses(&mut shortage, 100), [1, 5, 30, 30, 30, 4]);
        shortage.is_over();
        assert_eq!(pauses(&mut shortage, 2), [1, 1]);
        assert_eq!(pauses(&mut Shortage::default(), 0), [0; 0]);
    }

    #[test]
    fn less_is_asked_for_each_time_where_that_changes_no_text() {
        let chosen = Strategy { lanes: 2, threads: 1, batch: 5 };
        let limits = Limits { threads: 2, lanes: None, batch: None, memory_bytes: None };
        let rows_after = |times, numerics| {
            let mut shortage = Shortage::default();
            for _ in 0..times {
                shortage.ask_for_less(numerics);
            }
            let Strategy { lanes, batch, .. } = shortage.strategy(chosen, limits);
            (lanes, batch)
        };
        assert_eq!([0, 1, 2, 9].map(|times| rows_after(times, Numerics::Invariant)), [(2, 5), (1, 5), (1, 2), (1, 1)]);
        assert_eq!(rows_after(9, Numerics::Fast), (2, 5));
    }
}
