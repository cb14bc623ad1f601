//! Parse, run, say the error, exit.

use std::process::ExitCode;

use moe_sweep::cli::Cli;
use moe_sweep::commands::execute;
use moe_sweep::message::say_failure;

fn main() -> ExitCode {
    match execute(&Cli::from_command_line()) {
        Ok(code) => code.into(),
        Err(failure) => {
            say_failure(&*failure.report);
            failure.code.into()
        }
    }
}
