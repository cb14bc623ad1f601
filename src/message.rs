//! Tells a person something on stderr, and is the only place that writes there. (A worker's stderr is a pipe to its
//! parent.)
//!
//! A message that can't be written is lost, and nothing else is: its reader may have gone (`| head`), its disk
//! may be full. What a message quotes may come from anywhere (a file, a model, a server): no control character
//! gets through, and no megabyte.

use std::borrow::Cow;
use std::io::{self, Write as _};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use miette::Diagnostic;

use crate::plain::neutralise_lines;
use crate::screen::{Lines, Volume};
use crate::terminal::{stderr, volume};

mod legible;

/// What of one message is shown, in bytes: more than a path may have.
const LONGEST_BYTES: usize = 6000;

/// Tells how things go on, unless the person wants to hear of the answer alone.
pub fn say(message: &str) {
    if volume() > Volume::Quiet {
        warn(message);
    }
}

/// Says what a person must know whatever they asked to hear.
pub fn warn(message: &str) {
    write(&shown(&legible(message)));
}

/// Says something before an end that must not wait: whoever waits for a full pipe holds stderr's lock, and whoever
/// reads it may be gone.
pub fn say_soon(message: &'static str) {
    let (sender, said) = channel();
    // Where there is no room for a thread nothing is said: the end matters more.
    let _ = thread::Builder::new().spawn(move || {
        warn(message);
        let _ = sender.send(());
    });
    let _ = said.recv_timeout(Duration::from_millis(200));
}

/// Says why a command failed, in colours on a terminal.
pub fn say_failure(failure: &dyn Diagnostic) {
    write(&legible::rendered(failure));
}

/// Folded to the width of a terminal. Anywhere else a line stays one, for whoever searches a log.
fn shown(message: &str) -> Cow<'_, str> {
    let Some(layout) = stderr() else { return Cow::Borrowed(message) };
    let mut lines = Lines::default();
    lines.prose(message);
    Cow::Owned(lines.laid_out(layout).trim_end_matches('\n').to_owned())
}

/// One write for all of it, so that lines of several threads stay whole.
fn write(text: &str) {
    let mut line = text.to_owned();
    line.push('\n');
    let _ = io::stderr().write_all(line.as_bytes());
}

/// A text that is fit to be shown: its middle is left out where it is too long.
fn legible(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST_BYTES {
        return neutralise_lines(text);
    }
    let head = text.floor_char_boundary(LONGEST_BYTES * 3 / 4);
    let tail = text.ceil_char_boundary(text.len() - LONGEST_BYTES / 4);
    let left_out = tail - head;
    let shortened = format!("{} … {left_out} bytes left out … {}", &text[..head], &text[tail..]);
    Cow::Owned(neutralise_lines(&shortened).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_BYTES, legible};

    #[test]
    fn a_long_message_keeps_its_ends() {
        let long = format!("begin {}\u{1b} end", "ä".repeat(100_000));
        let shown = legible(&long);
        assert!(shown.len() < LONGEST_BYTES + 100, "{}", shown.len());
        assert!(shown.starts_with("begin ä") && shown.ends_with(r"\u{1b} end"));
        assert!(shown.contains("bytes left out"));
        assert_eq!(legible("short"), "short");
    }
}
