//! Owns the arguments of `explain`.

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_AFTER_HELP)]
pub struct ExplainArgs {
    /// The cause's id, such as L-PENALTY-ZERO; in small letters as well. All causes are listed where it is left out.
    #[arg(value_name = "CAUSE")]
    pub id: Option<String>,
    /// Print JSON instead of text.
    #[arg(long)]
    pub json: bool,
}

const EXPLAIN_AFTER_HELP: &str = "\
Examples:
  moe-sweep explain                       all causes, a line each
  moe-sweep explain L-PENALTY-ZERO        what it is, how it shows, how to test it, what to change
  moe-sweep explain l-thinking --json     the same for programs

That a cause is here says that people report it and that a switch can test it, not that it is
yours: a run says that. docs/causes.md has the table.";
