//! Knows where the program's words go: how wide stdout and stderr are, whether they take colours, how much is told.
//!
//! What the command line says of it is said once, before the first word. Must not know what is told.

use std::env;
use std::io::{self, IsTerminal};
use std::sync::OnceLock;

use anstream::{AutoStream, ColorChoice};
use terminal_size::{Width, terminal_size_of};

use crate::screen::{Colours, Layout, Volume};

/// Says how wide the lines of a pipe are.
const COLUMNS: &str = "COLUMNS";
/// Columns where nobody knows better.
const USUAL: usize = 80;
/// Of a terminal: longer rows are hard to read.
const WIDEST: usize = 100;
/// A terminal that claims fewer columns is not believed.
const NARROWEST: usize = 20;

/// What the command line says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes {
    pub colours: Wanted,
    pub volume: Volume,
}

/// When there are colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// Where a terminal takes them, unless NO_COLOR or CLICOLOR_FORCE say otherwise.
    #[default]
    Auto,
    Always,
    Never,
}

static WISHES: OnceLock<Wishes> = OnceLock::new();

/// Says how the program tells things from here on. The first to say so is heard.
pub fn wish(wishes: Wishes) {
    let _ = WISHES.set(wishes);
}

pub fn volume() -> Volume {
    wishes().volume
}

/// How stdout shows lines.
pub fn stdout() -> Layout {
    layout(terminal_size_of(io::stdout()), AutoStream::choice(&io::stdout()))
}

/// How stderr shows lines; None where it is a file or a pipe, whose lines are not folded.
pub fn stderr() -> Option<Layout> {
    io::stderr().is_terminal().then(|| layout(terminal_size_of(io::stderr()), AutoStream::choice(&io::stderr())))
}

/// Whether an error on stderr has colours.
pub fn stderr_colours() -> Colours {
    colours(AutoStream::choice(&io::stderr()))
}

fn wishes() -> Wishes {
    WISHES.get().copied().unwrap_or_default()
}

fn layout(size: Option<(Width, terminal_size::Height)>, surroundings: ColorChoice) -> Layout {
    let told = || env::var(COLUMNS).ok()?.parse().ok();
    let width = match size {
        Some((Width(columns), _)) => usize::from(columns).min(WIDEST),
        None => told().unwrap_or(USUAL),
    };
    Layout { width: width.max(NARROWEST), colours: colours(surroundings) }
}

fn colours(surroundings: ColorChoice) -> Colours {
    match (wishes().colours, surroundings) {
        (Wanted::Always, _) => Colours::Ansi,
        (Wanted::Never, _) | (Wanted::Auto, ColorChoice::Never) => Colours::None,
        (Wanted::Auto, _) => Colours::Ansi,
    }
}
