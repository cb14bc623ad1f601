//! Has a file for each subcommand, which parses, calls and prints. Must not know what another module could own.
//!
//! `failure` alone says which error ends with which exit code.

use std::io::{self, Write};

use miette::Report;
use serde::Serialize;

use crate::cli::{BaselineCommand, Cli, Command, Custody};
use crate::exit_code::ExitCode;
use crate::experiment::schema;
use crate::report::next::Next;
use crate::screen::{Lines, Volume};
use crate::seal::Trust;
use crate::signals;
use crate::terminal::{self, stdout, volume};
use crate::worker::child;

mod announce;
mod baseline;
mod check;
mod compare;
mod completions;
mod devices;
mod diagnose;
mod explain;
mod failure;
mod init;
mod ls;
mod man;
mod merge;
mod model;
mod open;
mod options;
mod outputs;
mod plan;
mod power;
mod recommend;
mod report;
mod run;
mod score;
mod study;
mod typed_model;
mod variant;

pub use completions::answer_shell;
pub use failure::Failure;

/// Runs the command that was typed.
///
/// # Errors
/// [`Failure`], to be shown to the user.
pub fn execute(cli: &Cli) -> Result<ExitCode, Failure> {
    terminal::wish(options::wishes(cli.output));
    signals::make_children_known();
    match &cli.command {
        Command::Plan(args) => plan::plan(args),
        Command::Power(args) => power::power(args),
        Command::Diagnose(args) => diagnose::diagnose(args),
        Command::Run(args) => run::run(args),
        Command::Compare(args) => compare::compare(args),
        Command::Baseline(BaselineCommand::Save(args)) => baseline::save(args),
        Command::Baseline(BaselineCommand::List) => baseline::list(),
        Command::Check(args) => check::check(args),
        Command::Recommend(args) => recommend::recommend(args),
        Command::Merge(args) => merge::merge(args),
        Command::Init(args) => init::init(args),
        Command::Schema => print_json(&schema()),
        Command::Ls(args) => ls::ls(args),
        Command::Open(args) => open::open(args),
        Command::Report(args) => report::report(args),
        Command::Explain(args) => explain::explain(args),
        Command::Devices(args) => devices::devices(args),
        Command::Model(command) => model::execute(command),
        Command::Score(args) => score::score(args),
        Command::Completions { shell } => completions::completions(*shell),
        Command::Man { out } => man::man(out.as_deref()),
        Command::Worker { kernels } => {
            let served = child::serve(kernels.and_then(variant::wanted), io::stdin(), &mut io::stdout());
            // The parent has been told why.
            Ok(if served.is_ok() { ExitCode::Ok } else { ExitCode::Internal })
        }
    }
}

/// Writes lines for people to stdout.
fn tell(lines: impl Into<Lines>) -> Result<ExitCode, Failure> {
    print(|out| out.write_all(lines.into().laid_out(stdout()).as_bytes()))
}

/// What is told, and what helps next, unless the answer alone is wanted.
fn and_next(mut lines: Lines, next: Option<Next>) -> Lines {
    next.filter(|_| volume() > Volume::Quiet).iter().for_each(|next| next.add_to(&mut lines));
    lines
}

/// Writes a value to stdout as JSON, for programs.
fn print_json(value: &impl Serialize) -> Result<ExitCode, Failure> {
    print(|out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        writeln!(out)
    })
}

/// Writes to stdout, as it is, what programs read. A reader that has seen enough (`| head`) is no error.
fn print(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Result<ExitCode, Failure> {
    let mut text = Vec::new();
    let printed = write(&mut text).and_then(|()| io::stdout().write_all(&text));
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::internal(Report::msg(format!("cannot write to stdout: {error}"))))
        }
        _ => Ok(ExitCode::Ok),
    }
}

/// Whether what was changed after it was written is taken all the same.
fn trust(custody: Custody) -> Trust {
    if custody.trust { Trust::Edits } else { Trust::Seals }
}
