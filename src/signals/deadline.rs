//! A time at which an end is asked for, as a signal would ask for it.

use std::time::{Duration, Instant};

use super::Watch;

/// When a command is to end, and whether it has been asked to.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    /// None where no clock reaches so far.
    at: Option<Instant>,
    has_asked: bool,
}

impl Deadline {
    pub fn in_minutes(minutes: f64) -> Self {
        let time = Duration::try_from_secs_f64(minutes * 60.0).ok();
        Self { at: time.and_then(|time| Instant::now().checked_add(time)), has_asked: false }
    }

    /// Asks for an end once the time is over, unless a signal has; says whether it has asked, now or before.
    pub fn ask(&mut self, watch: &Watch) -> bool {
        if !self.has_asked && self.at.is_some_and(|at| at <= Instant::now()) {
            self.has_asked = watch.ask_for_an_end();
        }
        self.has_asked
    }

    pub fn has_asked(&self) -> bool {
        self.has_asked
    }
}
