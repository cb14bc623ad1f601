//! Owns how much a diagnosis may take, and when a stage of it has to end.
//!
//! A search ends while there is enough left to put what looks best by then to the test: without that test no cause can be
//! named. Must not know what a stage is for beyond that.

use std::time::{Duration, Instant};

/// What a diagnosis may take at most; None where that is whatever it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    pub time: Option<Duration>,
    /// Texts that are generated, not those that are there already.
    pub texts: Option<usize>,
}

/// What of the budget a stage may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    All,
    /// All but what a confirmation takes.
    ButConfirmation,
}

/// What was spent of a budget.
#[derive(Debug)]
pub struct Spent {
    budget: Budget,
    begun: Instant,
    texts: usize,
}

/// The texts of a confirmation of one remedy: 24 prompts with it and without.
const CONFIRMATION_TEXTS: usize = 48;
/// At most this part of a budget is kept for it.
const MOST_KEPT: f64 = 0.5;

impl Spent {
    /// Nothing yet.
    pub fn of(budget: Budget) -> Self {
        Self { budget, begun: Instant::now(), texts: 0 }
    }

    pub fn add_text(&mut self) {
        self.texts += 1;
    }

    /// Whether a stage that may take such a share has to end now.
    pub fn is_over(&self, share: Share) -> bool {
        let spent_s = self.begun.elapsed().as_secs_f64();
        let is_over = |spent: f64, budget: f64, confirmation: f64| match share {
            Share::All => spent >= budget,
            Share::ButConfirmation => spent >= budget - confirmation.min(MOST_KEPT * budget),
        };
        let over_texts =
            self.budget.texts.is_some_and(|texts| is_over(self.texts as f64, texts as f64, CONFIRMATION_TEXTS as f64));
        let over_time = self.budget.time.is_some_and(|time| {
            let confirmation_s = spent_s / self.texts.max(1) as f64 * CONFIRMATION_TEXTS as f64;
            is_over(spent_s, time.as_secs_f64(), confirmation_s)
        });
        over_texts || over_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spent(budget: Budget, texts: usize, seconds: u64) -> Spent {
        let begun = Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
        Spent { budget, begun, texts }
    }

    #[test]
    fn without_a_budget_nothing_ends() {
        assert!(!spent(Budget::default(), 1000, 1000).is_over(Share::ButConfirmation));
    }

    #[test]
    fn a_search_leaves_the_texts_of_a_confirmation() {
        let budget = Budget { texts: Some(200), ..Budget::default() };
        let is_over = |texts, share| spent(budget, texts, 0).is_over(share);
        assert_eq!([151, 152].map(|texts| is_over(texts, Share::ButConfirmation)), [false, true]);
        assert_eq!([199, 200].map(|texts| is_over(texts, Share::All)), [false, true]);
    }

    #[test]
    fn of_time_it_leaves_what_as_many_texts_took_so_far_but_no_more_than_half() {
        let budget = Budget { time: Some(Duration::from_secs(600)), ..Budget::default() };
        // A text takes 2 s, a confirmation 96.
        assert!(!spent(budget, 250, 500).is_over(Share::ButConfirmation));
        assert!(spent(budget, 255, 510).is_over(Share::ButConfirmation));
        // It would take 4,800 s.
        let slow = |seconds: usize| spent(budget, seconds / 100, seconds as u64).is_over(Share::ButConfirmation);
        assert_eq!([200, 300].map(slow), [false, true]);
    }
}
