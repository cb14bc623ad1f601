//! This is the program's entry: it answers a shell that completes a line, or reads the command line, runs the command, says an error and ends with its exit code.
//! It owns nothing else; all that a command does is in the library.

use std::process::ExitCode;

use moe_sweep::built::long_version;
use moe_sweep::cli::Cli;
use moe_sweep::commands::{answer_shell, execute};
use moe_sweep::message::say_failure;

fn main() -> ExitCode {
    answer_shell();
    match execute(&Cli::from_command_line(long_version().leak())) {
        Ok(code) => code.into(),
        Err(failure) => {
            say_failure(&*failure.report);
            failure.code.into()
        }
    }
}
