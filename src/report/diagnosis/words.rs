//! Words the parts of a diagnosis: shares, differences, switches. One place, so that the screen, the Markdown and the
//! stages say the same.

use crate::diagnosis::{Counted, Looped, Outcome, Period, Rate, Stage, Switch};
use crate::domain::Finding;
use crate::report::number::{bracketed, percent, points, signed_bracketed};
use crate::report::quote::end_of;

/// What is said of a model's file, before a text is made.
pub fn file_line(findings: &[Finding]) -> String {
    let nothing = || "nothing in it is known to make models loop".to_owned();
    format!("0 of 4: The file: {}", faults(findings).unwrap_or_else(nothing))
}

/// What is wrong with a model's file; None where nothing is seen.
pub fn faults(findings: &[Finding]) -> Option<String> {
    let found: Vec<_> = findings.iter().map(|finding| format!("{} ({})", finding.id.name(), finding.key)).collect();
    (!found.is_empty()).then(|| format!("{}; moe-sweep model inspect says why", found.join(", ")))
}

/// What is said when a stage begins.
pub fn stage_line(stage: &Stage) -> String {
    let (n, prompts) = (stage.arms.len() - 1, stage.prompts.len());
    let what = match n {
        0 => format!("{prompts} prompts"),
        1 => format!("1 change compared with it, {prompts} prompts"),
        n => format!("{n} changes compared with it, at most {prompts} prompts each"),
    };
    format!("{} of {}: {} ({what})", stage.kind.number(), stage.kind.of(), stage.kind.question())
}

/// "79 % [58, 91]".
pub fn share(rate: &Rate) -> String {
    let Some(share) = rate.share() else { return "no text".to_owned() };
    format!("{} %{}", percent(share), bracketed(rate.interval))
}

/// "−75 points [−90, −58]".
pub fn difference(outcome: &Outcome) -> String {
    format!("{} points{}", points(outcome.effect), signed_bracketed(outcome.interval))
}

/// "repeat-penalty 0 → 1.0".
fn change(switch: &Switch) -> String {
    let changes = switch.adjustments.iter().map(|a| format!("{} {} → {}", a.knob, a.from, a.to));
    changes.collect::<Vec<_>>().join(", ")
}

/// What several switches together are the cause of: "no penalty (L-PENALTY-MISSING), …".
pub fn named(switches: &[Switch]) -> String {
    let names = switches.iter().map(|switch| format!("{} ({})", switch.cause.title(), switch.cause.id()));
    names.collect::<Vec<_>>().join(", ")
}

/// The same in few words, in a list.
pub fn set(switches: &[Switch]) -> String {
    if switches.len() > 2 { "all changed settings, reset at once".to_owned() } else { changes(switches) }
}

/// Of several switches at once.
pub fn changes(switches: &[Switch]) -> String {
    switches.iter().map(change).collect::<Vec<_>>().join(" and ")
}

/// What is said of the texts that count: that they "end in a loop".
pub fn what_they_do(counted: Counted) -> &'static str {
    match counted {
        Counted::Loops => "end in a loop",
        Counted::Repeats => "repeat themselves",
    }
}

/// The end of a looping text, and what one copy of its loop is.
pub fn looped(looped: &Looped, columns: usize) -> (String, String) {
    // Less the quotes and what says that more was there.
    let quote = end_of(&looped.text, columns.saturating_sub(4));
    if let Some(share) = looped.repeated {
        return (quote, format!("{} % of this text repeats what it said before", percent(share)));
    }
    let copies = format!("{:.0} copies", looped.copies.floor());
    let of = match looped.period {
        Some(Period::Tokens(1.0)) => format!("one token, {copies}"),
        Some(Period::Tokens(n)) => format!("{n:.0} tokens, {copies}"),
        Some(Period::Characters(1.0)) => format!("one character, {copies}"),
        Some(Period::Characters(n)) => format!("{n:.0} characters, {copies}"),
        None => "it repeats without a fixed period".to_owned(),
    };
    (quote, of)
}
