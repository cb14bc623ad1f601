//! Tells how long a run still takes, from its first seconds on. Must not know how it is shown.
//!
//! Work is counted in tokens, not in texts: at the beginning no text has ended, and those that end first are the short
//! ones, whose pace says little of the others.

use std::time::Duration;

/// What is known of a run that goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pace {
    /// Texts of this run, finished or not.
    pub texts: usize,
    pub finished: usize,
    /// Of all prompts.
    pub prompt_tokens: u64,
    /// Of the finished texts, those of prompts not included.
    pub finished_tokens: u64,
    /// All that were evaluated, those of prompts included.
    pub evaluated_tokens: u64,
    /// The most of a text.
    pub max_tokens: u32,
}

impl Pace {
    /// The time left at the pace of the first `elapsed`; None before there is one.
    ///
    /// A text that has not ended is taken to be as long as texts can be; the more have ended, the more it is taken to be
    /// like those.
    pub fn left(&self, elapsed: Duration) -> Option<Duration> {
        let Self { texts, finished, prompt_tokens, finished_tokens, evaluated_tokens, max_tokens } = *self;
        let unfinished = texts.checked_sub(finished).filter(|n| *n > 0)?;
        if evaluated_tokens == 0 {
            return None;
        }
        let share = finished as f64 / texts as f64;
        let most = f64::from(max_tokens);
        let mean = if finished > 0 { finished_tokens as f64 / finished as f64 } else { most };
        let of_unfinished = unfinished as f64 * (share * mean + (1.0 - share) * most);
        // What was evaluated beyond prompts and finished texts is a part of those that have not ended.
        let begun = evaluated_tokens as f64 - (prompt_tokens + finished_tokens) as f64;
        let left_tokens = (of_unfinished - begun).max(of_unfinished / most);
        let seconds = left_tokens * elapsed.as_secs_f64() / evaluated_tokens as f64;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts of these lengths, so many at once, a token of each a second.
    fn simulate(lengths: &[u64], at_once: usize, max_tokens: u32) -> Vec<(Pace, u64)> {
        let mut waiting = lengths.iter().copied();
        let mut running: Vec<(u64, u64)> = waiting.by_ref().take(at_once).map(|length| (length, 0)).collect();
        let mut pace = Pace { texts: lengths.len(), max_tokens, ..Pace::default() };
        let mut paces = Vec::new();
        while !running.is_empty() {
            for text in &mut running {
                text.1 += 1;
                pace.evaluated_tokens += 1;
            }
            for (length, _) in running.extract_if(.., |(length, made)| made == length) {
                pace.finished += 1;
                pace.finished_tokens += length;
            }
            running.extend(waiting.by_ref().take(at_once - running.len()).map(|length| (length, 0)));
            paces.push((pace, paces.len() as u64 + 1));
        }
        paces
    }

    #[test]
    fn from_a_tenth_on_it_is_right_to_three_tenths() {
        // Half of the texts end early.
        let lengths: Vec<u64> = (0..400).map(|i| if i * 7 % 10 < 5 { 30 + i * 13 % 60 } else { 128 }).collect();
        let paces = simulate(&lengths, 32, 128);
        let all_s = paces.len() as f64;
        // At the end fewer texts than fit are made at once, so that a token takes longer: there it says too little.
        let before_the_end = paces.iter().filter(|(_, s)| (0.1..0.8).contains(&(*s as f64 / all_s)));
        for (pace, elapsed_s) in before_the_end {
            let left = pace.left(Duration::from_secs(*elapsed_s)).unwrap().as_secs_f64();
            let ratio = left / (all_s - *elapsed_s as f64);
            assert!((0.7..1.3).contains(&ratio), "{elapsed_s} of {all_s} s: {ratio}");
        }
    }

    #[test]
    fn it_is_known_before_the_first_text_ends() {
        let pace = Pace { texts: 24, prompt_tokens: 1000, evaluated_tokens: 240, max_tokens: 128, ..Pace::default() };
        // 3,832 tokens at 100 a second.
        assert_eq!(pace.left(Duration::from_secs_f64(2.4)).unwrap().as_secs_f64(), 38.32);
    }

    #[test]
    fn nothing_is_said_of_nothing() {
        assert_eq!(Pace { texts: 24, max_tokens: 128, ..Pace::default() }.left(Duration::from_secs(1)), None);
        let done = Pace { texts: 24, finished: 24, evaluated_tokens: 100, max_tokens: 128, ..Pace::default() };
        assert_eq!(done.left(Duration::from_secs(1)), None);
    }
}
