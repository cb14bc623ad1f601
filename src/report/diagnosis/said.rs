//! Says a diagnosis: verdict, cause, remedy, what was ruled out, what was not tried, doubt, what comes next. Must not know
//! where it is shown.

use itertools::Itertools as _;

use super::shown::{Shown, is_known};
use super::words::{changes, difference, faults, looped, named, set, share, what_they_do};
use crate::analysis::sequential::State;
use crate::causes::{Adjustment, Cause, Runtime};
use crate::diagnosis::{Counted, Diagnosis, Ending, Known, NotTried, Place, Remedy, Tried};
use crate::report::number::percent;

/// A remedy leaves much where at least this share surely loops with it.
const MUCH_LEFT: f64 = 0.05;
const CAUSE: &str = "CAUSE";
/// The remedies that are shown; others are in the files.
const MOST: usize = 2;
/// What is named of a list: the screen is one.
const MOST_LISTED: usize = 5;
/// The runtimes in whose words a remedy is said.
const RUNTIMES: usize = 2;

/// Everything that is said, the most important first. A quotation has so many columns.
pub fn said(shown: &Shown<'_>, columns: usize) -> Vec<Block> {
    let diagnosis = shown.diagnosis;
    let mut lines = Blocks::default();
    verdict(shown, &mut lines);
    if let Some(worst) = &diagnosis.worst {
        let (quote, of) = looped(worst, columns);
        lines.push("", &quote);
        lines.push("", &of);
    }
    match diagnosis.ending {
        Ending::Cause | Ending::NoRemedyHere | Ending::TwoCauses | Ending::NeedsBoth => cause(shown, &mut lines),
        Ending::NotConfirmed => not_confirmed(shown, &mut lines),
        Ending::LoopsWhatever if shown.ignored().next().is_some() => lines.push(
            CAUSE,
            "not found: the requested settings do not reach the model, so they can't be tried (IGNORED, below)",
        ),
        Ending::LoopsWhatever => {
            let less = match diagnosis.counted {
                Counted::Loops => "loop less",
                Counted::Repeats => "repeat itself less",
            };
            lines.push(
                CAUSE,
                &format!(
                    "nothing that was tried is shown to make it {less}. It may be the model, its weights, or these \
                     prompts: to tell, try another model with the same settings, or your own --prompt-file"
                ),
            );
        }
        Ending::Budget => lines.push("STOPPED", budget(diagnosis)),
        Ending::NotReproduced | Ending::TooRare => {}
    }
    tried(shown, &mut lines);
    file(shown, &mut lines);
    doubt(shown, &mut lines);
    let texts: usize = diagnosis.stages.iter().map(|stage| stage.texts).sum();
    let dir = shown.directory.display();
    lines.push("WRITTEN", &format!("{texts} texts; {dir}/report.html, diagnosis.md, .json, .toml"));
    lines.push("NEXT", &next(shown));
    lines.0
}

/// In one line whether it loops, and why.
pub fn headline(shown: &Shown<'_>) -> String {
    let blocks = said(shown, 0);
    let cause = blocks.iter().find(|block| block.head == CAUSE);
    let first_line = |block: &Block| match block.lines.first() {
        Some(Line::Text(text)) if block.head == CAUSE => Some(format!("cause: {text}")),
        Some(Line::Text(text)) => Some(text.clone()),
        _ => None,
    };
    blocks.first().into_iter().chain(cause).filter_map(first_line).join("; ")
}

/// A head, and what is said under it.
pub struct Block {
    pub head: &'static str,
    pub lines: Vec<Line>,
}

pub enum Line {
    Text(String),
    /// Something to paste, in the words of a runtime: its name where the line before is not of the same.
    Paste {
        runtime: String,
        line: String,
    },
}

#[derive(Default)]
struct Blocks(Vec<Block>);

impl Blocks {
    /// Without a head it belongs to what was said before.
    fn push(&mut self, head: &'static str, text: &str) {
        self.add(head, Line::Text(text.to_owned()));
    }

    fn paste(&mut self, runtime: String, line: String) {
        self.add("", Line::Paste { runtime, line });
    }

    fn add(&mut self, head: &'static str, line: Line) {
        match self.0.last_mut().filter(|_| head.is_empty()) {
            Some(block) => block.lines.push(line),
            None => self.0.push(Block { head, lines: vec![line] }),
        }
    }
}

/// What the budget did not suffice for.
fn budget(diagnosis: &Diagnosis) -> &'static str {
    if diagnosis.others.is_empty() {
        "the budget ended during the first stage, the model as it is run; unfinished texts may loop more often. \
         Continue with the same command and a larger --budget"
    } else {
        "the budget ended before any change looked better than chance. Continue with the same command and a larger \
         --budget"
    }
}

fn verdict(shown: &Shown<'_>, lines: &mut Blocks) {
    let rate = &shown.diagnosis.as_run;
    let (loops, texts) = (rate.loops, rate.texts);
    match shown.diagnosis.ending {
        Ending::NotReproduced => {
            let bound = rate.bound_of_none().map(|bound| format!(": under {} % of texts, 95 % sure", percent(bound)));
            let of = bound.unwrap_or_default();
            lines.push("NO LOOP", &format!("none of {texts} texts ends in a loop{of}"));
            if shown.diagnosis.repeats > 0 {
                let n = shown.diagnosis.repeats;
                lines.push(
                    "",
                    &format!("but texts that repeat themselves in another way: {n}; too few to find a cause"),
                );
            }
        }
        Ending::TooRare => {
            let do_so = what_they_do(shown.diagnosis.counted);
            lines.push("RARE", &format!("{loops} of {texts} texts {do_so}: {}; too few to find a cause", share(rate)));
        }
        Ending::Budget if loops == 0 => {
            lines.push("NOT KNOWN", &format!("none of {texts} finished texts loops"));
        }
        _ if shown.diagnosis.counted == Counted::Repeats => lines.push(
            "IT REPEATS",
            &format!("{loops} of {texts} texts repeat themselves, and hardly any ends in a loop: {}", share(rate)),
        ),
        _ => lines.push("IT LOOPS", &format!("{loops} of {texts} texts end in a loop: {}", share(rate))),
    }
    if rate.empty > 0 {
        lines.push("", &format!("{} more are empty: the model ends them at once", rate.empty));
    }
}

fn cause(shown: &Shown<'_>, lines: &mut Blocks) {
    let remedies = &shown.diagnosis.remedies;
    let Some(first) = remedies.first() else { return };
    let names: Vec<_> = first.switches.iter().map(|switch| named(std::slice::from_ref(switch))).collect();
    let joined = match shown.diagnosis.ending {
        Ending::NeedsBoth => format!("all of these together: {}", names.join(", and ")),
        Ending::TwoCauses => format!("each causes a part: {}", names.join("; and ")),
        _ if names.len() > 1 => format!("these together; whether all are needed is open: {}", names.join("; ")),
        _ => names.join(", "),
    };
    lines.push(CAUSE, &joined);
    lines.push("", &confirmed(first));
    if first.after.interval.is_some_and(|interval| interval.low > MUCH_LEFT) {
        lines.push("", "the remaining loops may have another cause");
    }
    if shown.diagnosis.ending == Ending::NoRemedyHere {
        lines.push("NO REMEDY", &format!("{} has no setting for it: use another runtime", shown.case.runtime));
    }
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
    let empty = match remedy.after.empty {
        0 => String::new(),
        n => format!("; {n} more texts are empty with it, {} without", remedy.before.empty),
    };
    format!("{before} → {after}, {}, {n} fresh prompts{empty}", difference(&remedy.outcome))
}

/// In the words of the person's runtime, and of llama-server, a line each.
fn pasted(shown: &Shown<'_>, remedy: &Remedy, lines: &mut Blocks) {
    let adjustments: Vec<&Adjustment> = remedy.switches.iter().flat_map(|switch| &switch.adjustments).collect();
    if shown.case.about.place == Place::Server {
        return to_server(shown.case.runtime, &adjustments, lines);
    }
    let runtimes = [shown.case.runtime, Runtime::LlamaServer, Runtime::Ollama];
    let said = |runtime: Runtime| -> Option<(Runtime, Vec<String>)> {
        Some((runtime, adjustments.iter().map(|adjustment| runtime.line(adjustment)).collect::<Option<_>>()?))
    };
    // One is enough where it takes several lines.
    let most = if adjustments.len() > 1 { 1 } else { RUNTIMES };
    for (runtime, said) in runtimes.into_iter().unique().filter_map(said).take(most) {
        for (place, line) in said.into_iter().unique().enumerate() {
            let name = if place == 0 { runtime.to_string() } else { String::new() };
            lines.paste(name, line);
        }
    }
}

/// In a server's words: what a request says, and what the server is started with.
fn to_server(runtime: Runtime, adjustments: &[&Adjustment], lines: &mut Blocks) {
    let said = |line: &dyn Fn(&Adjustment) -> Option<String>| -> Vec<String> {
        adjustments.iter().map(|adjustment| line(adjustment)).collect::<Option<_>>().unwrap_or_default()
    };
    let in_request = said(&|adjustment| runtime.request(adjustment));
    let at_start = said(&|adjustment| runtime.line(adjustment));
    for (name, said) in [("request".to_owned(), in_request), (runtime.to_string(), at_start)] {
        for (place, line) in said.into_iter().unique().enumerate() {
            lines.paste(if place == 0 { name.clone() } else { String::new() }, line);
        }
    }
}

fn not_confirmed(shown: &Shown<'_>, lines: &mut Blocks) {
    let Some(first) = shown.diagnosis.remedies.first() else { return };
    lines.push(
        "SUSPECT",
        &format!("{}, found on {} prompts, not confirmed on fresh ones", changes(&first.switches), first.found_after),
    );
    lines.push("", &confirmed(first));
}

/// What else was tried, and what was not.
fn tried(shown: &Shown<'_>, lines: &mut Blocks) {
    let others = &shown.diagnosis.others;
    // What is not decided is not ruled out, however wide the margin that it is known to lie within.
    let is_ruled_out = |tried: &&Tried| tried.outcome.state == State::Negligible;
    let (ignored, others): (Vec<&Tried>, Vec<&Tried>) = others.iter().partition(|tried| shown.is_ignored(tried));
    if let Some(n) = ignored.iter().map(|tried| tried.outcome.prompts).min() {
        let is_sure = ignored.iter().all(|tried| is_known(tried));
        let or = if is_sure { "" } else { ", or has this setting already" };
        let (id, all) = (Cause::ServerIgnores.id(), listed(&ignored));
        lines
            .push("IGNORED", &format!("{all}: not one byte of {n} texts changes, so the server ignores it{or} ({id})"));
    }
    let (ruled_out, open): (Vec<&Tried>, Vec<&Tried>) = others.into_iter().partition(is_ruled_out);
    if let Some(widest) = ruled_out.iter().filter_map(|tried| tried.outcome.within).max_by(f64::total_cmp) {
        let within = percent(widest);
        lines
            .push("RULED OUT", &format!("to change more than {within} points, each 95 % sure: {}", listed(&ruled_out)));
    }
    if !open.is_empty() {
        let n = open.iter().map(|tried| tried.outcome.prompts).min().unwrap_or(0);
        lines.push("OPEN", &format!("not decided by {n} prompts: {}", listed(&open)));
    }
    let not: Vec<String> =
        shown.diagnosis.not_tried.iter().map(|NotTried { what, why }| format!("{what} ({why})")).collect();
    lines.push("NOT TRIED", &not.join("; "));
}

/// What was tried, in a list; of a long one the beginning.
fn listed(tried: &[&Tried]) -> String {
    let mut named: Vec<String> = tried.iter().take(MOST_LISTED).map(|tried| set(&tried.switches)).collect();
    if tried.len() > MOST_LISTED {
        named.push(format!("and {} more (diagnosis.md)", tried.len() - MOST_LISTED));
    }
    named.join("; ")
}

/// What is wrong with the model's file, seen without a text.
fn file(shown: &Shown<'_>, lines: &mut Blocks) {
    if let Some(faults) = faults(&shown.case.findings) {
        lines.push("THE FILE", &faults);
    }
}

fn doubt(shown: &Shown<'_>, lines: &mut Blocks) {
    let n = shown.diagnosis.as_run.prompts;
    // The chance that a fault of one prompt in twenty hits none of n: 0.95^n.
    let unseen = percent(0.95_f64.powi(i32::try_from(n).unwrap_or(i32::MAX)));
    let longer = format!("a loop that begins after {} tokens is not seen", shown.frame.max_tokens);
    lines.push("DOUBT", &format!("{n} prompts miss a fault on 1 prompt in 20 in {unseen} % of tests; {longer}"));
    if shown.case.about.template == Known::No {
        lines.push("", "the model's file has no chat template, so prompts were sent unchanged");
    }
}

fn next(shown: &Shown<'_>) -> String {
    let dir = shown.directory.display();
    let explain = shown.diagnosis.remedies.first().and_then(|remedy| remedy.switches.first());
    match (shown.diagnosis.ending, explain) {
        (Ending::Budget, _) => "continue from these texts: the same command with a larger --budget".to_owned(),
        (Ending::NotReproduced | Ending::TooRare, _) => {
            "moe-sweep diagnose … --prompt-file with prompts that loop, or --max-tokens 512".to_owned()
        }
        (_, Some(switch)) => format!("moe-sweep explain {}", switch.cause.id()),
        (_, None) => format!("moe-sweep run {dir}/diagnosis.toml"),
    }
}
