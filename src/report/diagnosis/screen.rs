//! The first screen: verdict, cause, remedy, what was ruled out, what was not tried, doubt, what comes next.

use std::fmt::Write as _;

use itertools::Itertools as _;

use super::shown::Shown;
use super::words::{change, changes, difference, looped, percent, share};
use crate::analysis::sequential::State;
use crate::causes::{Adjustment, Cause, Runtime};
use crate::diagnosis::{Ending, Known, NOT_SAID, NotTried, Place, Remedy, Tried};
use crate::plain::neutralise;

const WIDTH: usize = 80;
/// Where the text stands, right of the head of a line.
const INDENT: usize = 13;
/// The remedies that are shown; others are in the files.
const MOST: usize = 2;
/// The runtimes in whose words a remedy is said.
const RUNTIMES: usize = 2;

pub fn screen(shown: &Shown<'_>) -> String {
    let diagnosis = shown.diagnosis;
    let mut lines = Lines::default();
    verdict(shown, &mut lines);
    if let Some(worst) = &diagnosis.worst {
        let (quote, of) = looped(worst, WIDTH - INDENT - 2);
        lines.push("", &quote);
        lines.push("", &of);
    }
    match diagnosis.ending {
        Ending::Cause | Ending::TwoCauses | Ending::NeedsBoth => cause(shown, &mut lines),
        Ending::NotConfirmed => not_confirmed(shown, &mut lines),
        Ending::LoopsWhatever => lines.push(
            "CAUSE",
            "nothing that was tried is shown to make it loop less. It may be the model, its weights, or these prompts: another \
             model with the same settings, or your own --prompt-file, tells them apart",
        ),
        Ending::NotReproduced | Ending::TooRare => {}
    }
    tried(shown, &mut lines);
    file(shown, &mut lines);
    doubt(shown, &mut lines);
    let texts: usize = diagnosis.stages.iter().map(|stage| stage.texts).sum();
    let dir = shown.directory.display();
    lines.push("WRITTEN", &format!("{texts} texts; {dir}/diagnosis.md, .json, .toml"));
    lines.push("NEXT", &next(shown));
    lines.out
}

#[derive(Default)]
struct Lines {
    out: String,
}

impl Lines {
    /// Puts a text beside its head, folded.
    fn push(&mut self, head: &str, text: &str) {
        let indent = " ".repeat(INDENT);
        let first = format!("{head:<INDENT$}");
        let options = textwrap::Options::new(WIDTH).initial_indent(&first).subsequent_indent(&indent);
        let _ = writeln!(self.out, "{}", textwrap::fill(&neutralise(text), options));
    }

    /// Something to paste, which is not folded.
    fn paste(&mut self, runtime: &str, line: &str) {
        let _ = writeln!(self.out, "{:INDENT$}{runtime:<13}{}", "", neutralise(line));
    }
}

fn verdict(shown: &Shown<'_>, lines: &mut Lines) {
    let rate = &shown.diagnosis.as_run;
    let (loops, texts) = (rate.loops, rate.texts);
    match shown.diagnosis.ending {
        Ending::NotReproduced => {
            let bound = rate.bound_of_none().map(|bound| format!(": under {} % of texts, 95 % sure", percent(bound)));
            let of = bound.unwrap_or_default();
            lines.push("NO LOOP", &format!("none of {texts} texts ends in a loop{of}"));
        }
        Ending::TooRare => lines.push(
            "RARE",
            &format!("{loops} of {texts} texts end in a loop: {}; too few to find a cause by", share(rate)),
        ),
        _ => lines.push("IT LOOPS", &format!("{loops} of {texts} texts end in a loop: {}", share(rate))),
    }
}

fn cause(shown: &Shown<'_>, lines: &mut Lines) {
    let remedies = &shown.diagnosis.remedies;
    let Some(first) = remedies.first() else { return };
    let names: Vec<_> = first.switches.iter().map(|s| format!("{} ({})", s.cause.title(), s.cause.id())).collect();
    let joined = match shown.diagnosis.ending {
        Ending::NeedsBoth => format!("it takes two switches: {}", names.join(", and ")),
        Ending::TwoCauses => format!("two: {}", names.join("; and ")),
        _ => names.join(", "),
    };
    lines.push("CAUSE", &joined);
    lines.push("", &confirmed(first));
    for (place, remedy) in remedies.iter().take(MOST).enumerate() {
        let head = if place == 0 { "CHANGE" } else { "OR" };
        let more = if place == 0 { String::new() } else { format!(": {}", confirmed(remedy)) };
        lines.push(head, &format!("{}{more}", changes(&remedy.switches)));
        if place == 0 {
            pasted(shown, remedy, lines);
        }
    }
}

fn confirmed(remedy: &Remedy) -> String {
    let (before, after) = (share(&remedy.before), share(&remedy.after));
    let n = remedy.outcome.prompts;
    format!("{before} → {after} on {n} fresh prompts: {}", difference(&remedy.outcome))
}

/// In the words of the person's runtime, and of llama-server, a line each.
fn pasted(shown: &Shown<'_>, remedy: &Remedy, lines: &mut Lines) {
    let adjustments: Vec<&Adjustment> = remedy.switches.iter().flat_map(|switch| &switch.adjustments).collect();
    if shown.case.about.place == Place::Server {
        return to_server(shown.case.runtime, &adjustments, lines);
    }
    let runtimes = [shown.case.runtime, Runtime::LlamaServer, Runtime::Ollama];
    let said = |runtime: Runtime| -> Option<(Runtime, Vec<String>)> {
        Some((runtime, adjustments.iter().map(|adjustment| runtime.line(adjustment)).collect::<Option<_>>()?))
    };
    for (runtime, said) in runtimes.into_iter().unique().filter_map(said).take(RUNTIMES) {
        for (place, line) in said.into_iter().unique().enumerate() {
            let name = if place == 0 { runtime.to_string() } else { String::new() };
            lines.paste(&name, &line);
        }
    }
}

/// In a server's words: what a request says, and what the server is started with.
fn to_server(runtime: Runtime, adjustments: &[&Adjustment], lines: &mut Lines) {
    let said = |line: &dyn Fn(&Adjustment) -> Option<String>| -> Vec<String> {
        adjustments.iter().map(|adjustment| line(adjustment)).collect::<Option<_>>().unwrap_or_default()
    };
    let in_request = said(&|adjustment| runtime.request(adjustment));
    let at_start = said(&|adjustment| runtime.line(adjustment));
    for (name, said) in [("request", in_request), (&*runtime.to_string(), at_start)] {
        for (place, line) in said.iter().unique().enumerate() {
            lines.paste(if place == 0 { name } else { "" }, line);
        }
    }
}

fn not_confirmed(shown: &Shown<'_>, lines: &mut Lines) {
    let Some(first) = shown.diagnosis.remedies.first() else { return };
    lines.push(
        "SUSPECT",
        &format!("{}, found by {} prompts; fresh ones do not confirm it", changes(&first.switches), first.found_after),
    );
    lines.push("", &confirmed(first));
}

/// What else was tried, and what was not.
fn tried(shown: &Shown<'_>, lines: &mut Lines) {
    let others = &shown.diagnosis.others;
    let named = |tried: &[&Tried]| tried.iter().map(|tried| change(&tried.switch)).collect::<Vec<_>>().join("; ");
    // What is not decided is not ruled out, however wide the margin that it is known to lie within.
    let is_ruled_out = |tried: &&Tried| tried.outcome.state == State::Negligible;
    let (ignored, others): (Vec<&Tried>, Vec<&Tried>) = others.iter().partition(|tried| is_ignored(shown, tried));
    if let Some(n) = ignored.iter().map(|tried| tried.outcome.prompts).min() {
        let is_known = |tried: &&Tried| tried.switch.adjustments.iter().all(|adjustment| adjustment.from != NOT_SAID);
        let or =
            if ignored.iter().all(is_known) { "" } else { ", or runs so already where it does not say how it runs" };
        let (id, named) = (Cause::ServerIgnores.id(), named(&ignored));
        lines.push("IGNORED", &format!("{named}: no byte of {n} texts changes, so the server ignores it{or} ({id})"));
    }
    let (ruled_out, open): (Vec<&Tried>, Vec<&Tried>) = others.into_iter().partition(is_ruled_out);
    if let Some(widest) = ruled_out.iter().filter_map(|tried| tried.outcome.within).max_by(f64::total_cmp) {
        let within = percent(widest);
        lines.push("RULED OUT", &format!("to change more than {within} points, each 95 % sure: {}", named(&ruled_out)));
    }
    if !open.is_empty() {
        let n = open.iter().map(|tried| tried.outcome.prompts).min().unwrap_or(0);
        lines.push("OPEN", &format!("not decided by {n} prompts: {}", named(&open)));
    }
    let not: Vec<String> =
        shown.diagnosis.not_tried.iter().map(|NotTried { what, why }| format!("{what} ({why})")).collect();
    lines.push("NOT TRIED", &not.join("; "));
}

/// Texts by which a switch is said to be ignored, at least: of fewer, none may happen to change.
const ENOUGH_ALIKE: usize = 8;

/// Whether a server was told something else and wrote the same, byte for byte. A text that is drawn anew each time could not be
/// the same so often, so the server is deterministic where this is so.
fn is_ignored(shown: &Shown<'_>, tried: &Tried) -> bool {
    let Tried { outcome, .. } = tried;
    shown.case.about.place == Place::Server && outcome.changed == 0 && outcome.prompts >= ENOUGH_ALIKE
}

/// What is wrong with the model's file, seen without a text.
fn file(shown: &Shown<'_>, lines: &mut Lines) {
    if !shown.case.findings.is_empty() {
        let found: Vec<_> =
            shown.case.findings.iter().map(|finding| format!("{} ({})", finding.id.name(), finding.key)).collect();
        lines.push("THE FILE", &format!("{}; moe-sweep model inspect says why", found.join(", ")));
    }
}

fn doubt(shown: &Shown<'_>, lines: &mut Lines) {
    let n = shown.diagnosis.as_run.prompts;
    // The chance that a fault of one prompt in twenty hits none of n: 0.95^n.
    let unseen = percent(0.95_f64.powi(i32::try_from(n).unwrap_or(i32::MAX)));
    let longer = format!("a loop that begins after {} tokens is not seen", shown.frame.max_tokens);
    lines.push("DOUBT", &format!("a fault of one prompt in 20 hits none of {n} in {unseen} % of such tests; {longer}"));
    if shown.case.about.template == Known::No {
        lines.push("", "the model's file has no chat template: prompts were sent as they are");
    }
}

fn next(shown: &Shown<'_>) -> String {
    let dir = shown.directory.display();
    let explain = shown.diagnosis.remedies.first().and_then(|remedy| remedy.switches.first());
    match (shown.diagnosis.ending, explain) {
        (Ending::NotReproduced | Ending::TooRare, _) => {
            "moe-sweep diagnose … --prompt-file with prompts that loop, or --max-tokens 512".to_owned()
        }
        (_, Some(switch)) => format!("moe-sweep explain {}; moe-sweep run {dir}/diagnosis.toml", switch.cause.id()),
        (_, None) => format!("moe-sweep run {dir}/diagnosis.toml"),
    }
}
