//! Owns the arguments of `explain`.

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_AFTER_HELP)]
pub struct ExplainArgs {
    /// The cause's id, such as L-PENALTY-ZERO, in any case. Without it, all causes are listed.
    #[arg(value_name = "CAUSE")]
    pub id: Option<String>,
    /// Print JSON instead of text.
    #[arg(long)]
    pub json: bool,
}

const EXPLAIN_AFTER_HELP: &str = "\
Examples:
  moe-sweep explain                       all causes, one per line
  moe-sweep explain L-PENALTY-ZERO        what it is, how it shows, how to test it, what to change
  moe-sweep explain l-thinking --json     for a program

The list has causes that people report and that a setting can test. Whether one of them is yours,
`moe-sweep diagnose` finds out. docs/causes.md has the table.";
