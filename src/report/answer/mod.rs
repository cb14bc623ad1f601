//! Says what a run came to: one sentence first, then what else changes it, what to do, and how sure that is. Must not know
//! where it is shown.

mod json;
#[cfg(test)]
mod tests;
mod words;

use words::{advice, change, headline, sure};

use crate::analysis::{RunAnswer, Says, Texts};

pub use json::write;

/// Changes that are shown beside the greatest.
const MOST_ALSO: usize = 2;

/// Everything that is said.
pub struct Said {
    pub headline: String,
    pub lines: Vec<Line>,
}

/// What is said under a head.
pub struct Line {
    pub head: &'static str,
    pub text: String,
}

/// Of the run that is called so.
pub fn said(answer: &RunAnswer, run: &str) -> Said {
    let mut lines = Vec::new();
    let mut push = |head, text: String| lines.push(Line { head, text });
    if let Says::Changes(changes) = &answer.says {
        for other in changes.iter().skip(1).take(MOST_ALSO) {
            push("ALSO", change(other));
        }
        if let Some(more) = changes.len().checked_sub(1 + MOST_ALSO).filter(|more| *more > 0) {
            push("", format!("and {more} more (answer.json)"));
        }
    }
    if let Says::NotTested { why } = &answer.says {
        push("WHY", why.clone());
    }
    if let Some(advice) = advice(answer, run) {
        push("DO", advice);
    }
    push("SURE", sure(answer));
    if let Some(caveat) = caveat(answer.texts) {
        push("BUT", caveat);
    }
    Said { headline: headline(answer), lines }
}

/// What must be known before the rest is believed.
fn caveat(Texts { planned, censored, failed, missing, .. }: Texts) -> Option<String> {
    let mut kinds = Vec::new();
    for (n, what) in [(missing, "not run yet"), (failed, "failed"), (censored, "cut by a server")] {
        if n > 0 {
            kinds.push(format!("{n} {what}"));
        }
    }
    (!kinds.is_empty()).then(|| format!("of {planned} texts {}: this may still change", kinds.join(", ")))
}
