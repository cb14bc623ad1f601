//! Makes the manual pages, as troff, of what `--help` teaches.
//!
//! Each command's examples, exit codes and variables become sections of their own: clap knows them as one text, and
//! clap_mangen calls that EXTRA.

use std::io;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::Cli;

/// How a part of a help's last text begins, and what a manual page calls it. What stands before all of them are notes.
const SECTIONS: [(&str, &str); 4] =
    [("Example", "EXAMPLES"), ("Exit codes", "EXIT STATUS"), ("Environment", "ENVIRONMENT"), ("Columns", "COLUMNS")];
const NOTES: &str = "NOTES";

/// A command's page.
pub struct Page {
    /// Such as moe-sweep-run.1.
    pub file_name: String,
    pub troff: Vec<u8>,
}

/// The pages of moe-sweep and of all its commands, the program's own first.
///
/// # Errors
/// Never: only what is written to memory can't fail.
pub fn manual() -> io::Result<Vec<Page>> {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let mut pages = Vec::new();
    add_pages(&program, &mut pages)?;
    Ok(pages)
}

fn add_pages(command: &Command, pages: &mut Vec<Page>) -> io::Result<()> {
    pages.push(page(command)?);
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    shown.into_iter().try_for_each(|command| add_pages(command, pages))
}

fn page(command: &Command) -> io::Result<Page> {
    let source = concat!("moe-sweep ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).source(source).manual("moe-sweep");
    let mut troff = Vec::new();
    man.render_title(&mut troff)?;
    man.render_name_section(&mut troff)?;
    man.render_synopsis_section(&mut troff)?;
    man.render_description_section(&mut troff)?;
    man.render_options_section(&mut troff)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut troff)?;
    }
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    for (title, text) in sections(&after) {
        section(title, &text).to_writer(&mut troff)?;
    }
    Ok(Page { file_name: man.get_filename(), troff })
}

/// The parts of a help's last text, in its order, each with the lines below its heading.
fn sections(text: &str) -> Vec<(&'static str, Vec<&str>)> {
    let mut sections = vec![(NOTES, Vec::new())];
    for line in text.lines() {
        let begun = SECTIONS.iter().find(|(begins, _)| line.starts_with(begins) && line.ends_with(':'));
        match (begun, sections.last_mut()) {
            (Some((_, title)), _) => sections.push((title, Vec::new())),
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => {}
        }
    }
    sections.retain(|(_, lines)| lines.iter().any(|line| !line.is_empty()));
    sections
}

/// Lines stay as they are: they are tables.
fn section(title: &str, lines: &[&str]) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [title]).control("nf", []);
    for line in lines {
        roff.text([roman(*line)]);
    }
    roff.control("fi", []);
    roff
}
