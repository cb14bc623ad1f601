//! Says which command was meant by one that there is not, wherever it is: `inspect` is below `model`.

use clap::Command;
use clap::error::{ContextKind, ContextValue, Error};

use crate::nearest::did_you_mean;

/// The error, with the command that was meant, if one is near.
pub fn with_what_was_meant(mut error: Error, program: &Command) -> Error {
    let typed = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(typed)) => typed.clone(),
        _ => return error,
    };
    let mut known = Vec::new();
    add_commands(program, "", &mut known);
    let meant = did_you_mean(&typed, known.iter().map(|(name, _)| name.as_str()));
    if let Some((_, whole)) = known.iter().find(|(name, _)| meant == Some(name)) {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![whole.clone()]));
    }
    error
}

/// Adds the commands below `command`: the name of each, and all that is typed for it. Those above come first.
fn add_commands(command: &Command, above: &str, known: &mut Vec<(String, String)>) {
    let shown = || command.get_subcommands().filter(|command| !command.is_hide_set());
    known.extend(shown().map(|command| (command.get_name().to_owned(), format!("{above}{}", command.get_name()))));
    for command in shown() {
        add_commands(command, &format!("{above}{} ", command.get_name()), known);
    }
}
