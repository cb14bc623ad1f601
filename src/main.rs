//! Parse, run, print the error, exit.

use std::process::ExitCode;

use moe_sweep::cli::Cli;
use moe_sweep::commands::execute;

fn main() -> ExitCode {
    match execute(&Cli::from_command_line()) {
        Ok(code) => code.into(),
        Err(failure) => {
            eprintln!("{:?}", failure.report);
            failure.code.into()
        }
    }
}
