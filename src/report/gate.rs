//! Shows a gate's outcome: to people, to JUnit's readers, to GitHub.

use std::fmt::Write as _;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use crate::check::{Gate, GateStatus, Verdict};
use crate::plain::{markdown, neutralise, workflow_data};
use crate::stats::Interval;

/// What was checked against what, in words.
#[derive(Clone, Debug)]
pub struct About<'a> {
    pub experiment: &'a str,
    pub baseline: &'a str,
    pub metric: &'a str,
    /// What must be known to read the outcome rightly.
    pub notes: &'a [String],
}

/// `verdict.json`.
#[derive(Serialize)]
struct File<'a> {
    schema: u32,
    experiment: &'a str,
    baseline: &'a str,
    metric: &'a str,
    #[serde(flatten)]
    gate: &'a Gate,
    notes: &'a [String],
}

/// The outcome for programs.
pub fn json(gate: &Gate, &About { experiment, baseline, metric, notes }: &About<'_>) -> Vec<u8> {
    let file = File { schema: 1, experiment, baseline, metric, gate, notes };
    let mut json = serde_json::to_vec_pretty(&file).expect("an outcome is plain data");
    json.push(b'\n');
    json
}

/// The outcome on the terminal: what did not pass, then the whole in a line.
pub fn text(gate: &Gate, about: &About<'_>) -> String {
    let mut out = String::new();
    for verdict in gate.shown().filter(|verdict| verdict.outcome != GateStatus::Pass) {
        let _ = writeln!(out, "{:<12} {}", verdict.outcome.to_string().to_uppercase(), neutralise(&verdict.unit));
        let _ = writeln!(out, "{:<12} {}", "", neutralise(&in_words(verdict)));
    }
    for note in about.notes {
        let _ = writeln!(out, "note: {}", neutralise(note));
    }
    let _ = writeln!(out, "{}", neutralise(&sentence(gate, about)));
    out
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
    let mut out = format!("### moe-sweep check: {}\n\n{}\n\n", gate.outcome, markdown(&sentence(gate, about)));
    out += "| outcome | unit | |\n|---|---|---|\n";
    for verdict in gate.shown() {
        let _ =
            writeln!(out, "| {} | {} | {} |", verdict.outcome, markdown(&verdict.unit), markdown(&in_words(verdict)));
    }
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
    let mut out = format!("::{command} title=moe-sweep check::{}\n", workflow_data(&sentence(gate, about)));
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
        };
        let gate = gate();
        insta::assert_snapshot!("gate_text", text(&gate, &about));
        insta::assert_snapshot!("gate_summary", step_summary(&gate, &about));
        insta::assert_snapshot!("gate_annotations", annotations(&gate, &about));
        insta::assert_snapshot!("gate_junit", junit(&gate, &about).unwrap());
    }
}
