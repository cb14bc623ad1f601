//! Shows files as they come from the hub or a package index. Must not know how they are fetched.

use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar};

use super::{Display, PLAIN_EVERY, bar_or_lines, bar_style};
use crate::message::say;
use crate::model::download::FetchEvent;

/// A display of one model's files.
pub struct FetchProgress {
    display: Display,
    size_bytes: u64,
    /// What was there at the beginning, and when that was: the base of the pace.
    begun: (u64, Instant),
}

impl FetchProgress {
    /// A bar where stderr is a terminal that can move its cursor.
    pub fn new() -> Self {
        Self { display: bar_or_lines(), size_bytes: 0, begun: (0, Instant::now()) }
    }

    pub fn on_event(&mut self, event: FetchEvent<'_>) {
        match event {
            FetchEvent::Started { name, size_bytes, have_bytes } => {
                self.size_bytes = size_bytes;
                self.begun = (have_bytes, Instant::now());
                let size = gigabytes(size_bytes);
                self.display.say(&match have_bytes {
                    0 => format!("fetching {name}, {size}"),
                    have => format!("fetching {name}, {size}, from {} on", gigabytes(have)),
                });
            }
            FetchEvent::Progress { have_bytes } => self.show(have_bytes),
            FetchEvent::Waiting { name } => {
                self.display.say(&format!("another process fetches {name}: waiting for it"));
            }
            FetchEvent::Retrying { reason, pause } => {
                self.display.say(&format!("{reason}; again in {:.1} s", pause.as_secs_f64()));
            }
            FetchEvent::Done { name } => self.display.say(&format!("fetched {name}, its size and SHA-256 are right")),
            FetchEvent::Kept { name } => self.display.say(&format!("{name} is in the cache")),
            FetchEvent::Unpacking { name, size_bytes } => {
                self.display.say(&format!("unpacking {name}, {}", gigabytes(size_bytes)));
            }
            FetchEvent::Unpacked { name } => self.display.say(&format!("{name} is complete")),
        }
    }

    fn show(&mut self, have_bytes: u64) {
        let (from, since) = self.begun;
        let seconds = since.elapsed().as_secs_f64();
        let pace = have_bytes.saturating_sub(from) as f64 / seconds.max(1e-3);
        let text = || {
            let mut text = format!("{} of {}", gigabytes(have_bytes), gigabytes(self.size_bytes));
            if pace > 0.0 {
                let left = (self.size_bytes - have_bytes) as f64 / pace;
                let left = HumanDuration(Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX));
                text += &format!(", {:.1} MB/s, about {left} left", pace / 1e6);
            }
            text
        };
        match &mut self.display {
            Display::Bar(bar) => {
                bar.set_length(self.size_bytes);
                bar.set_position(have_bytes);
                bar.set_style(bar_style("{wide_msg}"));
                bar.set_message(text());
            }
            Display::Plain(last) if last.is_none_or(|last| last.elapsed() >= PLAIN_EVERY) => {
                *last = Some(Instant::now());
                say(&text());
            }
            Display::Plain(_) => {}
        }
    }
}

impl Default for FetchProgress {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for FetchProgress {
    fn drop(&mut self) {
        if let Display::Bar(bar) = &self.display {
            ProgressBar::finish_and_clear(bar);
        }
    }
}

fn gigabytes(bytes: u64) -> String {
    if bytes < 100_000_000 {
        return format!("{:.1} MB", bytes as f64 / 1e6);
    }
    format!("{:.2} GB", bytes as f64 / 1e9)
}
