//! Words when an experiment stopped and by what evidence, in a sentence each.

use super::{Ending, Path, Sequential, State};
use crate::analysis::verdict::p_in_words;
use crate::experiment::StopAt;

impl Sequential {
    /// When and why it stopped, and what the fixed design would have taken.
    pub fn sentence(&self) -> String {
        let (t, n) = (self.prompts.len(), self.n_prompts_planned);
        let (texts, all) = (self.n_texts, self.n_texts_planned);
        let decided = self.paths.iter().filter(|path| path.decided_after().is_some()).count();
        match self.ending {
            Ending::Decided => {
                let of = match self.stop {
                    StopAt::All => "of later prompts",
                    StopAt::First { .. } => "that were no longer needed",
                };
                let beyond = match self.n_texts_beyond {
                    0 => String::new(),
                    beyond => format!("; {beyond} texts {of} were generated but are not used"),
                };
                let decided = match self.stop {
                    StopAt::All => "decided",
                    StopAt::First { .. } if self.paths.iter().any(|path| path.state() == State::Supported) => {
                        "the first hypothesis was supported"
                    }
                    StopAt::First { .. } => "decided, with no hypothesis supported,",
                };
                format!(
                    "{decided} after {t} of {n} prompts, {texts} of {all} texts; a fixed design would have generated \
                     the other {}{beyond}",
                    all - texts
                )
            }
            Ending::Spent => format!(
                "all {n} prompts were used, {all} texts; {decided} of {} hypotheses decided",
                self.paths.len() + self.at_the_end.len()
            ),
            Ending::Open => {
                format!("{t} of {n} prompts have been run, and they do not decide it: continue the run")
            }
        }
    }
}

/// When it was decided, by what evidence.
pub fn decided(sequential: &Sequential, path: &Path, state: State, p_holm: Option<f64>) -> String {
    let n = sequential.n_prompts_planned;
    let p = p_holm.map_or_else(String::new, |p| format!(", p {} (valid at any look)", p_in_words(p)));
    let greatest = path.looks.iter().map(|look| look.ln_e).fold(0.0, f64::max);
    let odds = odds(greatest);
    match (state, path.decided_after()) {
        (State::Supported, Some(t)) => format!("decided after {t} of {n} prompts: evidence {odds}{p}"),
        (State::Negligible, Some(t)) => {
            let least = odds_of(1.0 / sequential.alpha);
            format!("dropped after {t} of {n} prompts: the difference is negligible, evidence at least {least}")
        }
        (State::Refuted, Some(t)) => {
            format!("decided after {t} of {n} prompts: evidence for the opposite {odds}{p}")
        }
        _ => {
            let looks = path.looks.len();
            let why = match p_holm {
                Some(p) if p <= sequential.alpha => "but the mean no longer agrees with the evidence".to_owned(),
                _ => format!("and at least {} is needed", odds_of(1.0 / sequential.alpha)),
            };
            format!("not decided by {looks} of {n} prompts: evidence at most {odds}, {why}{p}")
        }
    }
}

fn odds(ln_e: f64) -> String {
    odds_of(ln_e.exp())
}

fn odds_of(e: f64) -> String {
    if e < 9999.5 { format!("{e:.1} to 1") } else { "beyond 10,000 to 1".to_owned() }
}
