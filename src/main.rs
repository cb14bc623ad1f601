//! Parse, run, print the error, exit.

use std::process::ExitCode;

use clap::Parser;
use moe_sweep::cli::Cli;
use moe_sweep::commands::execute;

fn main() -> ExitCode {
    match execute(&Cli::parse()) {
        Ok(code) => code.into(),
        Err(failure) => {
            eprintln!("{:?}", failure.report);
            failure.code.into()
        }
    }
}
