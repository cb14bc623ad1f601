//! Words what a design can decide of its hypotheses: the end of what `plan` says.

use std::fmt::Write as _;

use super::number::short;
use crate::analysis::{Each, Needed, Outlook, Quantity, Sight, SpreadSource, TestKind, Unseen};
use crate::screen::Lines;
use crate::stats::{LeastMargin, PromptsForMargin};

/// What stands beside the outlooks.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    pub alpha: f64,
    /// The run of which spreads were taken, if any.
    pub from: Option<&'a str>,
}

/// A paragraph a hypothesis, of lines that begin as those of `plan`; empty where there is none.
pub fn text(outlooks: &[Outlook], about: About<'_>) -> Lines {
    let mut out = Lines::default();
    if outlooks.is_empty() {
        return out;
    }
    let together = match outlooks.len() {
        1 => "1".to_owned(),
        n => format!("{n}, tested together: Holm multiplies p by up to {n}"),
    };
    let alpha = short(about.alpha);
    let found = "found: in 8 of 10 runs, if differences are normal";
    out.text("  claims   ", &format!("{together}; alpha {alpha}; {found}"));
    for outlook in outlooks {
        let words = Words { outlook, n_hypotheses: outlooks.len(), from: about.from.unwrap_or("the earlier run") };
        out.text("  claim    ", &words.head());
        words.lines().iter().for_each(|line| out.text("           ", line));
    }
    let is_assumed = |outlook: &Outlook| {
        let counts = matches!(outlook.sight, Sight::From { .. } | Sight::Within { .. });
        counts && outlook.spread.source == SpreadSource::Assumed
    };
    if outlooks.iter().any(is_assumed) {
        out.text("           ", "assumed: --from DIR takes what an earlier run saw, --sd SD what you know");
    }
    out
}

/// The words for one hypothesis.
struct Words<'a> {
    outlook: &'a Outlook,
    n_hypotheses: usize,
    from: &'a str,
}

impl Words<'_> {
    fn head(&self) -> String {
        let Outlook { id, test, metric, sight, least_p, .. } = self.outlook;
        let test = match test {
            TestKind::Trend => "trend",
            TestKind::Contrast => "contrast",
            TestKind::Equivalence => "equivalence",
            TestKind::Interaction => "interaction",
        };
        let mut head = format!("{id}: {test} of {}, {}", metric.name(), self.prompts());
        if let (Some(p), Sight::From { .. } | Sight::Pattern) = (least_p, sight) {
            let _ = write!(head, "; {} can be as low as {}", self.p(), short(*p));
        }
        head
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = match &self.outlook.sight {
            Sight::NoPrompts => vec!["nothing to test: no prompt has all that is compared".to_owned()],
            Sight::Nothing { enough } => vec![self.nothing(*enough)],
            Sight::Pattern => vec!["its effect has no one size".to_owned()],
            Sight::From { size, needed } => vec![self.found(*size), self.takes(needed)],
            Sight::Within { margin, least, needed, unseen } => self.within(*margin, *least, *needed, *unseen),
        };
        if let Some(Each { factor, n_levels, weakest }) = &self.outlook.each {
            let of = weakest
                .as_ref()
                .map_or(String::new(), |level| format!("; these are of {level}, which has fewest prompts"));
            lines.push(format!("it must hold at all {n_levels} levels of {factor}{of}"));
        }
        lines
    }

    fn prompts(&self) -> String {
        match self.outlook.n_prompts {
            1 => "1 prompt".to_owned(),
            n => format!("{n} prompts"),
        }
    }

    fn p(&self) -> &'static str {
        if self.n_hypotheses == 1 { "p" } else { "p after Holm" }
    }

    fn nothing(&self, enough: Option<usize>) -> String {
        let why = match self.outlook.least_p {
            Some(p) => format!("{} can't be below {}", self.p(), short(p)),
            None => "they are too few for an equivalence".to_owned(),
        };
        let could = enough.map_or_else(|| "no number could".to_owned(), |enough| format!("{enough} could"));
        format!("{} can't decide this: {why}; {could}", self.prompts())
    }

    fn found(&self, least: f64) -> String {
        let Outlook { quantity, metric, spread, .. } = self.outlook;
        let greatest_is_1 = match quantity {
            Quantity::Rho => true,
            Quantity::Difference => metric.ends_at_1(),
            Quantity::DifferenceOfDifferences | Quantity::Pattern => false,
        };
        if greatest_is_1 && least > 1.0 {
            return format!("found only if nearly every prompt shows it, {}", self.spread());
        }
        let least = short(least);
        match (quantity, &spread.source) {
            // Page's test must agree with that over prompts.
            (Quantity::Rho, _) => format!("found, at best, from a mean Spearman's ρ of {least} on, {}", self.spread()),
            (_, SpreadSource::Unit) => format!("found from {least} standard deviations of {} on", self.of()),
            _ => format!("found from a {} of {least} on, {}", self.quantity(), self.spread()),
        }
    }

    fn takes(&self, needed: &[Needed]) -> String {
        let one = |&Needed { effect, prompts }: &Needed| format!("of {} takes {}", short(effect), in_words(prompts));
        let each = needed.iter().map(one).collect::<Vec<_>>().join(", ");
        match &self.outlook.spread.source {
            SpreadSource::Unit => format!("one {each}"),
            _ => format!("a {} {each}", self.quantity()),
        }
    }

    fn within(&self, margin: f64, least: LeastMargin, needed: PromptsForMargin, unseen: Unseen) -> Vec<String> {
        let counts = unseen == Unseen::Counts;
        let size = if counts { least.greater() } else { least.by_spread };
        let [margin_in_words, size_in_words] = [margin, size].map(short);
        let found = if size <= margin {
            format!("found if there is no difference, to within {size_in_words}, {}", self.spread())
        } else {
            format!("not found even if there is no difference: only to within {size_in_words}, {}", self.spread())
        };
        let prompts = in_words(if counts { needed.greatest() } else { needed.by_spread });
        let mut takes = format!("its margin of {margin_in_words} takes {prompts}");
        if let Some(floor) = needed.by_unseen.filter(|_| counts) {
            let _ = write!(takes, "; {floor} at least, for what no prompt shows, unless all texts are the same");
        }
        vec![found, takes]
    }

    fn quantity(&self) -> &'static str {
        match self.outlook.quantity {
            Quantity::Rho => "mean ρ",
            Quantity::DifferenceOfDifferences => "difference of differences",
            Quantity::Difference | Quantity::Pattern => "difference",
        }
    }

    /// What is spread.
    fn of(&self) -> &'static str {
        if self.outlook.quantity == Quantity::Rho { "prompts' ρ" } else { "prompts' differences" }
    }

    fn spread(&self) -> String {
        let (sd, of) = (short(self.outlook.spread.sd), self.of());
        let source = match &self.outlook.spread.source {
            SpreadSource::Assumed => "assumed".to_owned(),
            SpreadSource::Given => "given".to_owned(),
            SpreadSource::Unit => return format!("in standard deviations of {of}"),
            SpreadSource::Seen { id } => format!("that of {id} in {}", self.from),
        };
        format!("if {of} have a standard deviation of {sd} ({source})")
    }
}

fn in_words(prompts: Option<usize>) -> String {
    prompts.map_or_else(|| "more prompts than there are".to_owned(), |n| format!("{n} prompts"))
}
