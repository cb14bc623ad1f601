//! Owns the options that every command has: how much is printed, and in which colours.

use clap::{Args, ValueEnum};

#[derive(Clone, Copy, Debug, Args)]
#[command(next_help_heading = "What is printed")]
pub struct OutputOptions {
    /// Print no progress: the answer and errors only.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print more: where experts are placed, what texts share, llama.cpp's warnings (RUST_LOG=debug: all that it says).
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// When to use colours; auto is on a terminal, unless NO_COLOR is set, or where CLICOLOR_FORCE is.
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value = "auto")]
    pub color: ColorArg,
}

/// When there are colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ColorArg {
    Auto,
    Always,
    Never,
}
