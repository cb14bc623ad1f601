//! Parse, run, print the error, exit.

use std::process::ExitCode;

use miette::MietteHandlerOpts;
use moe_sweep::cli::Cli;
use moe_sweep::commands::execute;
use textwrap::{WordSeparator, WordSplitter};

fn main() -> ExitCode {
    keep_paths_whole();
    match execute(&Cli::from_command_line()) {
        Ok(code) => code.into(),
        Err(failure) => {
            eprintln!("{:?}", failure.report);
            failure.code.into()
        }
    }
}

/// Lines are broken at spaces only: a path must be fit to be copied.
fn keep_paths_whole() {
    let options = || {
        MietteHandlerOpts::new()
            .break_words(false)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation)
    };
    miette::set_hook(Box::new(move |_| Box::new(options().build()))).expect("no other hook is set");
}
