//! Says which command was meant by one that there is not, wherever it is: `inspect` is below `model`; and what has taken the
//! place of an option that took a file.

use clap::Command;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, Error};

use crate::nearest::did_you_mean;

/// The error, with the command that was meant, if one is near: of several with one name, that below a command among
/// `words`.
pub fn with_what_was_meant(mut error: Error, program: &Command, words: &[String]) -> Error {
    let typed = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(typed)) => typed.clone(),
        _ => return error,
    };
    let mut known = Vec::new();
    add_commands(program, "", &mut known);
    let meant = did_you_mean(&typed, known.iter().map(|(name, _)| name.as_str()));
    let of_that_name = || known.iter().filter(|(name, _)| meant == Some(name)).map(|(_, whole)| whole);
    let is_below_one_typed = |whole: &&String| whole.split(' ').any(|part| words.iter().any(|word| word == part));
    if let Some(whole) = of_that_name().find(is_below_one_typed).or_else(|| of_that_name().next()) {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![whole.clone()]));
    }
    error
}

/// The error, with the option that writes JSON to a file where `words` have a file after --json, which prints.
pub fn with_where_json_goes(mut error: Error, words: &[String]) -> Error {
    let Some(ContextValue::String(unexpected)) = error.get(ContextKind::InvalidArg) else { return error };
    let is_its_file = |pair: &[String]| pair[0] == "--json" && pair[1] == *unexpected;
    if words.iter().any(|word| word == "check") && words.windows(2).any(is_its_file) {
        let tip = StyledStr::from(format!("--json prints; to write it to a file: '--json-out {unexpected}'"));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
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
