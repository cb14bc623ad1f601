//! Decides when a server is asked again: how often, and after how long.
//!
//! Pure. Exponential backoff without jitter: a handful of requests at a time
//! are no stampede, and a test can say how long it takes.

use std::time::Duration;

/// How often a text is asked for, in all.
pub const ATTEMPTS: u32 = 5;
/// How often an answer that breaks off is asked for again: it may be the
/// server's way to stop a loop, and then it breaks off each time.
pub const BROKEN_OFF_ATTEMPTS: u32 = 2;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// A server that wants a longer pause gets this one.
const LONGEST_ASKED_PAUSE: Duration = Duration::from_secs(300);

/// The pause after the `attempt`th, counted from 1: what the server asks for,
/// or twice the last one.
pub fn pause(attempt: u32, retry_after: Option<Duration>) -> Duration {
    match retry_after {
        Some(asked) => asked.min(LONGEST_ASKED_PAUSE),
        None => FIRST_PAUSE.saturating_mul(1 << attempt.saturating_sub(1).min(8)).min(LONGEST_PAUSE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_the_server_has_the_last_word() {
        let seconds = [1, 2, 3, 4, 5, 6, 99].map(|attempt| pause(attempt, None).as_secs_f64());
        assert_eq!(seconds, [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]);
        assert_eq!(pause(1, Some(Duration::from_secs(20))).as_secs(), 20);
        assert_eq!(pause(1, Some(Duration::from_secs(9999))).as_secs(), 300);
    }
}
