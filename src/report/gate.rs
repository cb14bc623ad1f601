//! Shows a gate's outcome: to people, to JUnit's readers, to GitHub.

use std::fmt::Write as _;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use super::number::percent;
use super::quote::end_of;
use crate::check::{Gate, GateStatus, Means, Verdict, WorstText};
use crate::plain::{markdown, workflow_data};
use crate::screen::{Lines, Tone};
use crate::stats::Interval;

/// Characters of a text that are quoted.
const QUOTED: usize = 160;
/// Columns in which an outcome stands.
const HEAD: usize = 13;

/// What was checked against what, in words.
#[derive(Clone, Debug)]
pub struct About<'a> {
    pub experiment: &'a str,
    pub baseline: &'a str,
    pub metric: &'a str,
    /// What must be known to read the outcome rightly.
    pub notes: &'a [String],
    /// Of the unit that leads, where that has not passed.
    pub worst: Option<&'a WorstText>,
}

/// `verdict.json`.
#[derive(Serialize)]
struct File<'a> {
    schema: u32,
    headline: String,
    experiment: &'a str,
    baseline: &'a str,
    metric: &'a str,
    #[serde(flatten)]
    gate: &'a Gate,
    notes: &'a [String],
}

/// The outcome for programs.
pub fn json(gate: &Gate, about: &About<'_>) -> Vec<u8> {
    let &About { experiment, baseline, metric, notes, .. } = about;
    let file = File { schema: 1, headline: headline(gate, metric), experiment, baseline, metric, gate, notes };
    let mut json = serde_json::to_vec_pretty(&file).expect("an outcome is plain data");
    json.push(b'\n');
    json
}

/// What a person is told first: what has become of the unit that has become worst.
pub fn headline(gate: &Gate, metric: &str) -> String {
    let Some(verdict) = gate.leading() else { return "nothing was compared".to_owned() };
    let unit = &verdict.unit;
    let means = verdict.means.map_or(String::new(), |Means { before, now }| {
        format!(", {metric} {}\u{a0}% → {}\u{a0}%", percent(before), percent(now))
    });
    let margin = percent(gate.rule.margin);
    match gate.outcome {
        GateStatus::Fail => format!("{unit} repeats more than in the baseline{means}"),
        GateStatus::Inconclusive => {
            format!("not decided: {unit}{means}; more prompts, or --confirm with fresh seeds, may decide it")
        }
        GateStatus::Pass => format!("nothing has become worse by more than {margin} points; the most: {unit}{means}"),
    }
}

/// The outcome on the terminal: the headline, what did not pass, then the whole in a line.
pub fn text(gate: &Gate, about: &About<'_>) -> Lines {
    let mut out = Lines::default();
    let indent = " ".repeat(HEAD);
    let head = |outcome: GateStatus| format!("{:<HEAD$}", outcome.to_string().to_uppercase());
    let outcome = (&*head(gate.outcome), tone(gate.outcome));
    out.toned(outcome, (&headline(gate, about.metric), Tone::Heading));
    if let Some(worst) = about.worst {
        out.text(&indent, &quoted(worst));
    }
    for verdict in gate.shown().filter(|verdict| verdict.outcome != GateStatus::Pass) {
        out.toned((&head(verdict.outcome), tone(verdict.outcome)), (&verdict.unit, Tone::Plain));
        out.text(&indent, &in_words(verdict));
    }
    for note in about.notes {
        out.text("note: ", note);
    }
    out.text("", &sentence(gate, about));
    out
}

fn tone(outcome: GateStatus) -> Tone {
    match outcome {
        GateStatus::Pass => Tone::Yes,
        GateStatus::Fail => Tone::No,
        GateStatus::Inconclusive => Tone::Open,
    }
}

/// The whole in a sentence.
pub fn sentence(gate: &Gate, About { experiment, baseline, metric, .. }: &About<'_>) -> String {
    let count = |outcome| gate.shown().filter(|verdict| verdict.outcome == outcome).count();
    let [averaged, worst] = match gate.worst_cell() {
        Some((cell, by)) => {
            [" on average over temperatures".to_owned(), format!("; worst cell {:+.3}, {}", by.estimate, cell.unit)]
        }
        None => Default::default(),
    };
    format!(
        "{}: {experiment} against {baseline}, {metric} worse by at most {}{averaged}: {} pass, {} fail, {} inconclusive \
         at alpha {}{worst}",
        gate.outcome.to_string().to_uppercase(),
        gate.rule.margin,
        count(GateStatus::Pass),
        count(GateStatus::Fail),
        count(GateStatus::Inconclusive),
        gate.rule.alpha,
    )
}

/// The end of a text, which is where it loops.
pub(super) fn quoted(WorstText { prompt, text }: &WorstText) -> String {
    format!("{prompt}: {}", end_of(text, QUOTED))
}

/// What a unit's outcome rests on.
pub(super) fn in_words(verdict: &Verdict) -> String {
    let mut words = match &verdict.worse_by {
        Some(effect) => {
            let Interval { low, high, level } = effect.interval;
            format!("worse by {:.3} [{low:.3}, {high:.3}] ({:.0} %)", effect.estimate, 100.0 * level)
        }
        None => verdict.note.clone().unwrap_or_default(),
    };
    if let (Some(_), Some(note)) = (&verdict.worse_by, &verdict.note) {
        let _ = write!(words, "; {note}");
    }
    let _ = write!(words, ", n = {} prompts", verdict.n_prompts);
    if let (Some(p_fail), Some(p_pass)) = (verdict.p_fail, verdict.p_pass) {
        let _ = write!(words, "; worse than the margin: p = {p_fail:.4}; not worse: p = {p_pass:.4}");
    }
    words
}

/// JUnit, in the Jenkins dialect: a case a unit; inconclusive ones are skipped.
///
/// # Errors
/// Never for text; the writer's own.
pub fn junit(gate: &Gate, about: &About<'_>) -> Result<String, quick_junit::SerializeError> {
    let mut suite = TestSuite::new(format!("{} against {}", about.experiment, about.baseline));
    for verdict in gate.shown() {
        let mut status = match verdict.outcome {
            GateStatus::Pass => TestCaseStatus::success(),
            GateStatus::Inconclusive => TestCaseStatus::skipped(),
            GateStatus::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        };
        if verdict.outcome != GateStatus::Pass {
            status.set_message(in_words(verdict));
        }
        let mut case = TestCase::new(verdict.unit.clone(), status);
        case.set_classname(about.metric);
        suite.add_test_case(case);
    }
    let mut report = Report::new("moe-sweep check");
    report.add_test_suite(suite);
    report.to_string()
}

/// Markdown for `$GITHUB_STEP_SUMMARY`.
pub fn step_summary(gate: &Gate, about: &About<'_>) -> String {
    let mut out = format!("### moe-sweep check: {}\n\n{}\n\n", gate.outcome, markdown(&headline(gate, about.metric)));
    if let Some(worst) = about.worst {
        let _ = writeln!(out, "> {}\n", markdown(&quoted(worst)));
    }
    out += "| outcome | unit | before | now | what was found |\n|---|---|---|---|---|\n";
    for verdict in gate.shown() {
        let [before, now] = verdict.means.map_or(["–", "–"].map(str::to_owned), |Means { before, now }| {
            [before, now].map(|mean| format!("{} %", percent(mean)))
        });
        let (unit, found) = (markdown(&verdict.unit), markdown(&in_words(verdict)));
        let _ = writeln!(out, "| {} | {unit} | {before} | {now} | {found} |", verdict.outcome);
    }
    let _ = writeln!(out, "\n{}", markdown(&sentence(gate, about)));
    for note in about.notes {
        let _ = writeln!(out, "\n> {}", markdown(note));
    }
    out
}

/// Workflow commands that GitHub Actions shows as annotations.
pub fn annotations(gate: &Gate, about: &About<'_>) -> String {
    let command = match gate.outcome {
        GateStatus::Pass => return String::new(),
        GateStatus::Inconclusive => "warning",
        GateStatus::Fail => "error",
    };
    let told = format!("{}. {}", headline(gate, about.metric), sentence(gate, about));
    let mut out = format!("::{command} title=moe-sweep check::{}\n", workflow_data(&told));
    for verdict in gate.shown().filter(|verdict| verdict.outcome == GateStatus::Fail) {
        let _ = writeln!(
            out,
            "::error title=moe-sweep check::{}",
            workflow_data(&format!("{}: {}", verdict.unit, in_words(verdict)))
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{By, Rule, Texts, Unit, decide};
    use crate::screen::{Colours, Layout};
    use crate::stats::{Kinds, PromptDifference};

    fn gate() -> Gate {
        let both = Kinds { loops: true, free: true };
        let unit = |name: &str, by: f64, spread: f64| Unit {
            name: name.to_owned(),
            by: By::Arm,
            prompts: (0..24)
                .map(|i| by + spread * (f64::from(i * 7919 % 24) / 23.0 - 0.5))
                .map(|value| PromptDifference { value, base: both, other: both })
                .collect(),
            means: Some(Means { before: 0.06, now: 0.06 + by }),
            texts: if spread > 0.0 { Texts::Other } else { Texts::Same },
            blind: None,
            loops_more: None,
        };
        let units = [
            unit("tiny · pure <b>", 0.0, 0.0),
            unit("tiny | odd", 0.2, 0.1),
            unit("tiny · greedy", 0.05, 0.3),
            Unit { by: By::Cell, ..unit("tiny · greedy · T 0.9", 0.06, 0.3) },
        ];
        decide(&units, Rule { margin: 0.05, alpha: 0.05 })
    }

    #[test]
    fn every_reader_gets_it() {
        let notes = ["100 % invented".to_owned()];
        let about = About {
            experiment: "smoke",
            baseline: "results/baselines/smoke.json",
            metric: "repetition_score",
            notes: &notes,
            worst: Some(&WorstText { prompt: "p1".to_owned(), text: "so | so ".repeat(99) }),
        };
        let gate = gate();
        insta::assert_snapshot!(
            "gate_text",
            text(&gate, &about).laid_out(Layout { width: 100, colours: Colours::None })
        );
        insta::assert_snapshot!("gate_summary", step_summary(&gate, &about));
        insta::assert_snapshot!("gate_annotations", annotations(&gate, &about));
        insta::assert_snapshot!("gate_junit", junit(&gate, &about).unwrap());
    }
}
