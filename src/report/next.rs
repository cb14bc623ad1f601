//! Decides which one command helps most after what a person has just been shown. Must not know how that was found.
//!
//! A diagnosis says so itself, as a part of its screen: it knows more of its case. Whoever interrupts a run is told at once,
//! on stderr.

use std::path::Path;

use crate::analysis::{Advice, Change, Recommendation, RunAnswer, Says};
use crate::check::GateStatus;
use crate::domain::Factor;
use crate::screen::Lines;

const HEAD: &str = "next:    ";
const SAME: &str = "the same command";

/// A command, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    command: String,
    why: &'static str,
}

/// What a run left behind.
#[derive(Clone, Copy, Debug)]
pub struct Ran<'a> {
    pub answer: &'a RunAnswer,
    /// Its folder.
    pub run: &'a Path,
    /// Its page.
    pub page: &'a Path,
    /// Whether it is one of several parts.
    pub is_shard: bool,
}

/// After `run`, `report` and `merge`.
pub fn after_run(ran: Ran<'_>) -> Next {
    let Ran { answer, run, page, is_shard } = ran;
    let RunAnswer { says, texts, n_questions, overall, .. } = answer;
    let run = word(run);
    if texts.missing > 0 {
        return next(SAME, "it goes on from the texts that are there");
    }
    if texts.failed > 0 {
        return next(format!("{SAME} with --retry-failed"), "it tries the texts again that failed");
    }
    if is_shard {
        return next("moe-sweep merge SHARD … --out DIR", "it puts the shards together when all of them are there");
    }
    match says {
        Says::Changes(changes) if is_of_sampling(changes) => next(
            format!("moe-sweep recommend {run}"),
            "which temperatures and chains are clean, and what to tell a server",
        ),
        Says::Undecided => {
            let n = overall.n_prompts;
            let command = format!("moe-sweep power --prompts {n} --hypotheses {}", (*n_questions).max(1));
            next(command, "how many prompts would decide it")
        }
        Says::Clean { .. } => next(
            format!("moe-sweep baseline save clean --from {run}"),
            "it keeps this, and moe-sweep check tells when it becomes worse",
        ),
        Says::NoTexts => next(SAME, "it makes the texts"),
        Says::Changes(_)
        | Says::Alike(_)
        | Says::Entangled(_)
        | Says::Measured
        | Says::NotTested { .. }
        | Says::Cut => next(format!("open {}", word(page)), "the figures and the texts, in a browser"),
    }
}

/// Whether a chain or a temperature changes it most.
fn is_of_sampling(changes: &[Change]) -> bool {
    let factors = changes.first().map_or(&[][..], |change| &change.factors);
    factors.iter().any(|factor| matches!(factor, Factor::Chain | Factor::Temperature))
}

/// What a gate was asked.
#[derive(Clone, Copy, Debug)]
pub struct Gated<'a> {
    pub outcome: GateStatus,
    pub run: &'a Path,
    pub baseline: &'a Path,
    /// The run that the baseline was saved of, where it is another one and still there.
    pub base_run: Option<&'a Path>,
    /// The page that was written.
    pub page: Option<&'a Path>,
    /// Whether fresh seeds were run.
    pub is_confirmed: bool,
}

/// After `check`; None where nothing is wrong.
pub fn after_check(gated: Gated<'_>) -> Option<Next> {
    let Gated { outcome, run, baseline, base_run, page, is_confirmed } = gated;
    let (run, baseline) = (word(run), word(baseline));
    match (outcome, base_run, page) {
        (GateStatus::Pass, _, _) => None,
        (GateStatus::Fail, Some(base), _) => Some(next(
            format!("moe-sweep compare {} {run} --html compare.html", word(base)),
            "which cells have changed, and where their texts part",
        )),
        (GateStatus::Fail, None, Some(page)) => {
            Some(next(format!("open {}", word(page)), "what has become worse, in a browser"))
        }
        (GateStatus::Fail, None, None) => Some(next(
            format!("moe-sweep check {run} --baseline {baseline} --html check.html"),
            "the same as a page, with the text that repeats most",
        )),
        (GateStatus::Inconclusive, _, _) if is_confirmed => {
            Some(next("moe-sweep power", "how many prompts would decide it"))
        }
        (GateStatus::Inconclusive, _, _) => Some(next(
            format!("moe-sweep check {run} --baseline {baseline} --confirm EXPERIMENT"),
            "it runs the experiment with fresh seeds, which may decide it",
        )),
    }
}

/// After `compare`: the same as a page, where there is something to see and none was written.
pub fn after_compare(base: &Path, other: &Path, page: Option<&Path>) -> Next {
    match page {
        Some(page) => next(format!("open {}", word(page)), "the same in a browser"),
        None => next(
            format!("moe-sweep compare {} {} --html compare.html", word(base), word(other)),
            "the same as a page, with intervals drawn",
        ),
    }
}

/// After `recommend`; None where what is advised can be done as it is.
pub fn after_recommend(arms: &[Recommendation], page: &Path) -> Option<Next> {
    let is = |fits: fn(&Advice) -> bool| arms.iter().any(|arm| fits(&arm.advice));
    let n_prompts = arms.iter().flat_map(|arm| &arm.temperatures).map(|at| at.n_prompts).max().unwrap_or(0);
    if arms.iter().any(|arm| arm.highest().is_some()) {
        return None;
    }
    if is(|advice| matches!(advice, Advice::Nowhere { .. } | Advice::TooFewPrompts { .. })) {
        let command = format!("moe-sweep power --prompts {}", n_prompts.max(1));
        return Some(next(command, "what so many prompts can show, and how many would do"));
    }
    Some(next(format!("open {}", word(page)), "the texts, the worst first, in a browser"))
}

/// What a plan has found.
#[derive(Clone, Copy, Debug)]
pub struct Planned<'a> {
    pub experiment: &'a Path,
    pub run: &'a Path,
    /// A model that is not here.
    pub absent: Option<&'a str>,
    /// Texts that are not made yet.
    pub left: usize,
}

/// After `plan`.
pub fn after_plan(planned: Planned<'_>) -> Next {
    let Planned { experiment, run, absent, left } = planned;
    match (absent, left) {
        (Some(model), _) => {
            next(format!("moe-sweep model fetch {model} --experiment {}", word(experiment)), "the model is not here")
        }
        (None, 0) => next(format!("moe-sweep report {}", word(run)), "all of its texts are there"),
        (None, _) => next(format!("moe-sweep run {}", word(experiment)), "it can be stopped, and goes on from there"),
    }
}

impl Next {
    pub fn add_to(&self, lines: &mut Lines) {
        lines.whole(&format!("{HEAD}{}", self.command));
        lines.text(&" ".repeat(HEAD.len()), self.why);
    }
}

fn next(command: impl Into<String>, why: &'static str) -> Next {
    Next { command: command.into(), why }
}

/// A path as one word of a shell.
fn word(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    if !path.is_empty() && path.chars().all(is_plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{AskedBy, Course, Side, Texts};
    use crate::domain::{Cell, Temperature};
    use crate::metrics::Metric;

    const COMPLETE: Texts = Texts { planned: 96, scored: 96, censored: 0, failed: 0, missing: 0, loops: 0 };

    fn answer(says: Says, texts: Texts) -> RunAnswer {
        let overall = Side { levels: vec![], mean: Some(0.3), interval: None, n_prompts: 24 };
        RunAnswer { says, metric: Metric::RepetitionScore, asked_by: AskedBy::Design, n_questions: 3, texts, overall }
    }

    fn of(says: Says, texts: Texts) -> String {
        let (run, page) = (Path::new("results/x y"), Path::new("results/x y/report.html"));
        after_run(Ran { answer: &answer(says, texts), run, page, is_shard: false }).command
    }

    fn changes(factor: Factor) -> Says {
        let side = || Side { levels: vec![], mean: Some(0.3), interval: None, n_prompts: 24 };
        Says::Changes(vec![Change {
            id: "h".to_owned(),
            claim: "A claim.".to_owned(),
            metric: Metric::RepetitionScore,
            course: Course::Between,
            factors: vec![factor],
            within: vec![],
            from: side(),
            to: side(),
            difference: -0.2,
            interval: None,
            p: None,
            n_prompts: 24,
        }])
    }

    #[test]
    fn each_end_of_a_run_has_a_next_step() {
        let page = "open 'results/x y/report.html'";
        let cases = [
            (Says::Undecided, "moe-sweep power --prompts 24 --hypotheses 3"),
            (changes(Factor::Temperature), "moe-sweep recommend 'results/x y'"),
            (changes(Factor::Quant), page),
            (Says::Clean { bound: 0.1 }, "moe-sweep baseline save clean --from 'results/x y'"),
            (Says::Measured, page),
            (Says::Cut, page),
            (Says::NotTested { why: String::new() }, page),
            (Says::NoTexts, "the same command"),
        ];
        for (says, expected) in cases {
            assert_eq!(of(says.clone(), COMPLETE), expected, "{says:?}");
        }
        // What is not there decides before what is.
        assert_eq!(of(Says::Undecided, Texts { missing: 1, failed: 1, ..COMPLETE }), "the same command");
        assert_eq!(of(Says::Undecided, Texts { failed: 1, ..COMPLETE }), "the same command with --retry-failed");
        let answer = answer(Says::NotTested { why: String::new() }, COMPLETE);
        let (run, page) = (Path::new("results/x"), Path::new("report.html"));
        let shard = Ran { answer: &answer, run, page, is_shard: true };
        assert_eq!(after_run(shard).command, "moe-sweep merge SHARD … --out DIR");
    }

    #[test]
    fn a_gate_that_failed_leads_to_what_has_changed() {
        let (run, baseline) = (Path::new("results/x"), Path::new("results/baselines/b.json"));
        let gated = |outcome| Gated { outcome, run, baseline, base_run: None, page: None, is_confirmed: false };
        let after = |gated| after_check(gated).map(|next| next.command);
        assert_eq!(after(gated(GateStatus::Pass)), None);
        let check = "moe-sweep check results/x --baseline results/baselines/b.json";
        let failed = gated(GateStatus::Fail);
        assert_eq!(after(failed), Some(format!("{check} --html check.html")));
        let paged = Gated { page: Some(Path::new("gate.html")), ..failed };
        assert_eq!(after(paged).as_deref(), Some("open gate.html"));
        let there = Gated { base_run: Some(Path::new("results/b")), ..paged };
        assert_eq!(after(there).as_deref(), Some("moe-sweep compare results/b results/x --html compare.html"));
        let open = gated(GateStatus::Inconclusive);
        assert_eq!(after(open), Some(format!("{check} --confirm EXPERIMENT")));
        assert_eq!(after(Gated { is_confirmed: true, ..open }).as_deref(), Some("moe-sweep power"));
    }

    #[test]
    fn a_plan_leads_to_its_run_unless_something_lacks_or_all_is_there() {
        let planned = |absent, left| {
            let (experiment, run) = (Path::new("it's.toml"), Path::new("results/x"));
            after_plan(Planned { experiment, run, absent, left }).command
        };
        assert_eq!(planned(None, 3), r"moe-sweep run 'it'\''s.toml'");
        assert_eq!(planned(None, 0), "moe-sweep report results/x");
        assert_eq!(planned(Some("m"), 3), r"moe-sweep model fetch m --experiment 'it'\''s.toml'");
    }

    #[test]
    fn advice_that_can_be_followed_needs_no_next_step() {
        let t = Temperature::new(0.5).unwrap();
        let arm = |advice| Recommendation { cell: Cell::usual("m", "pure", t), temperatures: vec![], advice };
        let after = |advice: &[Advice]| {
            let arms: Vec<_> = advice.iter().cloned().map(arm).collect();
            after_recommend(&arms, Path::new("report.html")).map(|next| next.command)
        };
        let (range, few) = (Advice::Range { from: t, to: t }, Advice::Nowhere { open: vec![t] });
        let over = Advice::Everywhere { clean: vec![] };
        assert_eq!(after(&[few.clone(), range]), None);
        assert_eq!(after(&[over.clone(), few]).as_deref(), Some("moe-sweep power --prompts 1"));
        assert_eq!(after(&[over]).as_deref(), Some("open report.html"));
    }

    #[test]
    fn two_runs_are_shown_as_a_page_unless_one_was_written() {
        let after = |page| after_compare(Path::new("a"), Path::new("b"), page).command;
        assert_eq!(after(None), "moe-sweep compare a b --html compare.html");
        assert_eq!(after(Some(Path::new("c.html"))), "open c.html");
    }
}
