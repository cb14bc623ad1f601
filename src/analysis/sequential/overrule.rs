//! Puts the looks' conclusions into the verdicts of a sequential experiment: what is decided, and p, are the looks';
//! effects stay as description.
//!
//! An ordinary p-value holds at an end that was fixed before. At one that the texts chose it does not.

use super::decision::Decision;
use super::wording::decided;
use super::{Ending, Look, Path, Sequential, State};
use crate::analysis::verdict::{NotTested, Score, Verdict, in_words, obstacle, p_in_words};
use crate::analysis::{Conclusion, Questions, ScoredTrial, TrialResult};
use crate::experiment::Hypothesis;
use crate::stats::holm;

/// Puts what the looks say in the place of what verdicts say of the same `trials`, those of the prompts looked at.
pub fn overrule(verdicts: &mut [Verdict], sequential: &Sequential, questions: Questions<'_>, trials: &[ScoredTrial]) {
    let paths: Vec<Option<&Path>> = verdicts.iter().map(|verdict| sequential.path_of(&verdict.id)).collect();
    let spent = sequential.ending == Ending::Spent;
    let last_p = |path: &Path| path.looks.last().map_or(1.0, |look| look.p);
    let in_family = |verdict: &Verdict| sequential.is_at_the_end(&verdict.id);
    // What is tested at the end had a p of 1 when the others were decided.
    let of_paths = adjusted(
        &paths
            .iter()
            .zip(&*verdicts)
            .map(|(path, verdict)| match path {
                Some(path) => Some(last_p(path)),
                None => in_family(verdict).then_some(1.0),
            })
            .collect::<Vec<_>>(),
    );
    let of_all = adjusted(
        &paths
            .iter()
            .zip(&*verdicts)
            .map(|(path, verdict)| match path {
                Some(path) => Some(last_p(path)),
                None => in_family(verdict).then(|| verdict.p.filter(|_| spent).unwrap_or(1.0)),
            })
            .collect::<Vec<_>>(),
    );
    let hypotheses = questions.hypotheses;
    for (place, (verdict, hypothesis)) in verdicts.iter_mut().zip(hypotheses).enumerate() {
        verdict.alpha = sequential.alpha;
        match paths[place] {
            Some(path) => {
                if let Some(NotTested::TakenOver { .. }) = obstacle(hypothesis, questions, trials) {
                    continue;
                }
                verdict.p_holm = of_paths[place];
                decide(verdict, hypothesis, sequential, path, trials);
            }
            None if in_family(verdict) => at_the_end(verdict, of_all[place], spent),
            None => {}
        }
    }
}

fn adjusted(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let known: Vec<f64> = p.iter().flatten().copied().collect();
    let mut adjusted = holm(&known).expect("p-values lie between 0 and 1").into_iter();
    p.iter().map(|p| p.and_then(|_| adjusted.next())).collect()
}

/// A hypothesis that is tested once, when all prompts are there.
fn at_the_end(verdict: &mut Verdict, p_holm: Option<f64>, spent: bool) {
    if !spent {
        (verdict.p, verdict.p_holm, verdict.outcome) = (None, None, Conclusion::Inconclusive);
        "not tested yet: this needs all prompts".clone_into(&mut verdict.sentence);
    } else if verdict.p.is_some() {
        verdict.p_holm = p_holm;
        if p_holm.is_none_or(|p| p > verdict.alpha) {
            verdict.outcome = Conclusion::Inconclusive;
        }
    }
}

fn decide(
    verdict: &mut Verdict,
    hypothesis: &Hypothesis,
    sequential: &Sequential,
    path: &Path,
    trials: &[ScoredTrial],
) {
    let state = path.state();
    verdict.outcome = outcome(state);
    verdict.p = Some(path.looks.last().map_or(1.0, |look| look.p));
    verdict.detectable = None;
    verdict.sequential = Some(Decision {
        instrument: path.instrument,
        log10_e: path.looks.last().map_or(0.0, |look| look.ln_e / std::f64::consts::LN_10).max(f64::MIN),
        decided_after: path.decided_after(),
        n_prompts_planned: sequential.n_prompts_planned,
    });
    decide_levels(verdict, path);
    let mut found = Vec::new();
    if let Some(weakest) = path.levels.iter().max_by(|a, b| weakness(a).total_cmp(&weakness(b)))
        && let Some(of_level) = verdict.levels.iter().find(|of_level| of_level.level == weakest.level)
    {
        let each = hypothesis.each.map_or_else(String::new, |each| each.to_string());
        let n = path.levels.len();
        found.push(match state {
            State::Supported => format!("supported for every {each} (all {n}); weakest for {}", of_level.level),
            State::Open | State::Refuted | State::Negligible => {
                format!("{n} levels of {each}; weakest for {}", of_level.level)
            }
        });
        verdict.effects.clone_from(&of_level.effects);
    }
    let effect = verdict.effects.first().map(|effect| format!("{}, ", in_words(effect))).unwrap_or_default();
    found.push(format!("{effect}n = {} prompts, {} texts", path.looks.len(), verdict.n_texts));
    found.push(decided(sequential, path, state, verdict.p_holm));
    let n_unknown = trials.iter().filter(|scored| is_unknown(hypothesis, scored)).count();
    if n_unknown > 0 {
        found.push(format!("{n_unknown} texts without a score count against it"));
    }
    verdict.sentence = found.join("; ");
}

/// The level with most of it says least for a claim about each.
fn weakness(level: &super::LevelEvidence) -> f64 {
    if level.speaks_for { level.p } else { 2.0 - level.p }
}

fn decide_levels(verdict: &mut Verdict, path: &Path) {
    let p: Vec<f64> = path.levels.iter().map(|level| level.p).collect();
    let adjusted = holm(&p).expect("p-values lie between 0 and 1");
    for (level, p_holm) in path.levels.iter().zip(adjusted) {
        let Some(of_level) = verdict.levels.iter_mut().find(|of_level| of_level.level == level.level) else { continue };
        of_level.outcome = match (p_holm <= verdict.alpha, level.speaks_for) {
            (true, true) => Conclusion::Supported,
            (true, false) => Conclusion::Refuted,
            (false, _) => Conclusion::Inconclusive,
        };
        (of_level.p, of_level.p_holm, of_level.detectable) = (Some(level.p), Some(p_holm), None);
        let effect = of_level.effects.first().map(|effect| format!("{}, ", in_words(effect))).unwrap_or_default();
        of_level.sentence =
            format!("{effect}n = {} prompts, {} texts, p {}", of_level.n_prompts, of_level.n_texts, p_in_words(p_holm));
    }
}

/// Texts that count as what speaks against the claim.
fn is_unknown(hypothesis: &Hypothesis, scored: &ScoredTrial) -> bool {
    let is_cut = matches!(scored.result, TrialResult::Censored { .. });
    let is_known = matches!(Score::of(hypothesis, scored), Score::Known { .. } | Score::Absent);
    hypothesis.takes(scored.trial.point()) && (is_cut || !is_known)
}

fn outcome(state: State) -> Conclusion {
    match state {
        State::Supported => Conclusion::Supported,
        State::Refuted => Conclusion::Refuted,
        State::Open | State::Negligible => Conclusion::Inconclusive,
    }
}

impl Path {
    /// After the last look.
    pub fn state(&self) -> State {
        self.looks.last().map_or(State::Open, |look| look.state)
    }

    /// The prompts after which it was decided.
    pub fn decided_after(&self) -> Option<usize> {
        self.looks.iter().position(|Look { state, .. }| *state != State::Open).map(|place| place + 1)
    }
}

impl Sequential {
    fn path_of(&self, hypothesis: &str) -> Option<&Path> {
        self.paths.iter().find(|path| path.hypothesis == hypothesis)
    }

    fn is_at_the_end(&self, hypothesis: &str) -> bool {
        self.at_the_end.iter().any(|id| id == hypothesis)
    }
}
