//! Answers a shell that completes a line, and prints the script by which a shell asks.
//!
//! The program itself is asked at each Tab (clap_complete's dynamic engine), for only it knows the names that are here. A
//! script that is printed once can't, and clap_complete's for bash finds no command of a program with a hyphen in its name.
//! The engine may change with any release: `Cargo.toml` keeps to one. Must not know where the names come from.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{self, Path};

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter as _};
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};

use super::Cli;

const PROGRAM: &str = "moe-sweep";
/// The variable by which a script asks: one of ours, so that nobody else's COMPLETE makes us answer.
const VARIABLE: &str = "MOE_SWEEP_COMPLETE";

/// The script of bash: clap_complete's completes nothing behind a `=`.
const BASH: &str = include_str!("complete.bash");

/// What an argument names that clap can't list.
#[derive(Clone, Copy, Debug)]
pub enum Named {
    Baseline,
    Cause,
    Chain,
    Model,
    Run,
    /// A factor and one of its levels.
    Setting,
}

/// Says which names there are, here and now.
pub type Names = fn(Named) -> Vec<String>;

/// Answers and ends the process, where a shell asks; returns at once elsewhere.
pub fn answer_shell(names: Names) {
    CompleteEnv::with_factory(|| completed(names)).var(VARIABLE).complete();
}

/// Writes the script that makes a shell ask.
///
/// # Errors
/// When `out` can't be written.
pub fn completions(shell: Shell, out: &mut impl Write) -> io::Result<()> {
    if shell == Shell::Bash {
        let quoted = format!("'{}'", program().replace('\'', r"'\''"));
        return out.write_all(BASH.replace("VARIABLE", VARIABLE).replace("COMPLETER", &quoted).as_bytes());
    }
    let shells = Shells::builtins();
    let shell = shells.completer(&shell.to_string()).ok_or(io::ErrorKind::Unsupported)?;
    shell.write_registration(VARIABLE, PROGRAM, PROGRAM, &program(), out)
}

/// The program as a shell finds it again from any folder: by its name, or by the path that was typed.
fn program() -> String {
    let typed = std::env::args_os().next().unwrap_or_default();
    let typed = Path::new(&typed);
    let found = if typed.components().count() > 1 { path::absolute(typed).ok() } else { None };
    found.map_or_else(|| PROGRAM.to_owned(), |path| path.display().to_string())
}

/// The command line with names for all that is named, and without what is hidden.
fn completed(names: Names) -> Command {
    let whole = Cli::command();
    let shown = whole.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
    with_names(Command::new(PROGRAM).version(env!("CARGO_PKG_VERSION")).subcommands(shown), names)
}

fn with_names(command: Command, names: Names) -> Command {
    let of_argument = move |arg: Arg| match named(&arg) {
        Some((named, or)) => arg.add(ArgValueCompleter::new(move |typed: &OsStr| candidates(names(named), or, typed))),
        None => arg,
    };
    command.mut_args(of_argument).mut_subcommands(move |command| with_names(command, names))
}

/// What else may stand where a name does.
#[derive(Clone, Copy)]
enum Or {
    Path,
    Nothing,
}

/// What an argument names, by the word that stands for it in its command's usage.
fn named(arg: &Arg) -> Option<(Named, Or)> {
    match arg.get_value_names()?.first()?.as_str() {
        "BASELINE" => Some((Named::Baseline, Or::Path)),
        "CAUSE" => Some((Named::Cause, Or::Nothing)),
        "CHAIN" => Some((Named::Chain, Or::Nothing)),
        "ID" => Some((Named::Model, Or::Nothing)),
        "FILE|ID" => Some((Named::Model, Or::Path)),
        "RUN" | "A" | "B" => Some((Named::Run, Or::Path)),
        "FACTOR=LEVEL" | "FACTOR=LEVEL[,LEVEL]" => Some((Named::Setting, Or::Nothing)),
        _ => None,
    }
}

fn candidates(names: Vec<String>, or: Or, typed: &OsStr) -> Vec<CompletionCandidate> {
    let begun = typed.to_string_lossy();
    let names = names.into_iter().filter(|name| name.starts_with(&*begun)).map(CompletionCandidate::new);
    let paths = match or {
        Or::Path => PathCompleter::any().complete(typed),
        Or::Nothing => vec![],
    };
    names.chain(paths).collect()
}
