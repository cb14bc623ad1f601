//! Owns how often something is tried, and what is missing of a file until it is there.

use std::error::Error;
use std::thread::sleep;
use std::time::Duration;

use super::partial::LEAST_BYTES;
use super::{Contents, FetchEvent, Partial, TransferError};

/// Requests that fail one after the other, without a byte between them, before
/// we give up: fewer as long as nothing has been fetched.
const MAX_TRIES: u32 = 7;
pub const MAX_FIRST_TRIES: u32 = 3;
/// Before the second request; doubled before each of the next.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Errors that may be gone a moment later.
pub trait Passing: Error + 'static {
    fn is_passing(&self) -> bool;
}

/// Failures in a row.
pub struct Tries {
    failed: u32,
    limit: u32,
}

impl Tries {
    pub fn up_to(limit: u32) -> Self {
        Self { failed: 0, limit }
    }

    /// Waits before the next request, longer each time.
    ///
    /// # Errors
    /// The error itself, when another request would not help.
    pub fn pause<E: Passing>(&mut self, error: E, on_event: &mut dyn FnMut(FetchEvent<'_>)) -> Result<(), E> {
        self.failed += 1;
        if !error.is_passing() || self.failed == self.limit {
            return Err(error);
        }
        let pause = FIRST_PAUSE * 2_u32.pow(self.failed - 1);
        on_event(FetchEvent::Retrying { reason: &error, pause });
        sleep(pause);
        Ok(())
    }

    /// What `ask` answers, asked again as long as that may help.
    ///
    /// # Errors
    /// The last one, when another request would not help.
    pub fn until<T, E: Passing>(
        mut self,
        mut ask: impl FnMut() -> Result<T, E>,
        on_event: &mut dyn FnMut(FetchEvent<'_>),
    ) -> Result<T, E> {
        loop {
            match ask() {
                Ok(answer) => return Ok(answer),
                Err(error) => self.pause(error, on_event)?,
            }
        }
    }
}

/// Brings what is missing of the file `name`, however often the connection breaks. `contents` asks for it from a byte on, and `in_words`
/// makes the errors of whoever asks.
///
/// # Errors
/// When it can't be had, or written.
pub fn receive<E: Passing>(
    name: &str,
    partial: &mut Partial,
    mut contents: impl FnMut(u64) -> Result<Contents, E>,
    in_words: impl Fn(TransferError) -> E,
    on_event: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<(), E> {
    let mut tries = Tries::up_to(MAX_TRIES);
    while partial.missing_bytes() > 0 {
        let before = partial.have_bytes();
        let received =
            contents(before).and_then(|contents| partial.append(name, contents, on_event).map_err(&in_words));
        if partial.have_bytes() >= before + LEAST_BYTES {
            tries = Tries::up_to(MAX_TRIES);
        }
        if let Err(error) = received {
            tries.pause(error, on_event)?;
        }
    }
    Ok(())
}
