//! Words what a design can see, without an experiment: the command `power`.

use std::fmt::Write as _;

use miette::Diagnostic;
use serde::Serialize;

use super::number::short;
use crate::screen::Lines;
use crate::stats::{
    Bounds, Detectable, LEAST_PROMPTS, StatsError, Target, best_texts, design_effect, detectable, effective_texts,
    least_margin, least_p, least_prompts, prompts_for_difference, prompts_for_margin, prompts_for_shares,
};

/// A design, and what is asked of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Asked {
    pub prompts: usize,
    /// Of each prompt, in each arm.
    pub texts: usize,
    pub hypotheses: usize,
    /// Of all hypotheses together.
    pub alpha: f64,
    pub power: f64,
    /// Standard deviation of prompts' mean differences.
    pub sd: f64,
    /// The share of the texts' variance that lies between prompts.
    pub icc: f64,
    /// What a prompt costs, in texts.
    pub cost_ratio: f64,
    pub effects: Vec<f64>,
    pub margin: f64,
    pub from_rate: f64,
    pub to_rate: f64,
    pub correlation: f64,
}

/// What it can see, and what would be needed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    #[serde(flatten)]
    asked: Asked,
    /// The alpha that is left of the hypotheses: that of Holm's first step.
    alpha_each: f64,
    least_p: f64,
    /// After Holm.
    least_p_holm: f64,
    /// The fewest prompts whose p can fall to alpha; none if no number would do.
    least_prompts: Option<usize>,
    /// None where p can't fall to alpha.
    detectable: Option<f64>,
    prompts_for_effects: Vec<PromptsFor>,
    /// With one text a prompt and arm.
    prompts_for_rates: usize,
    /// None with fewer prompts than decide an equivalence.
    least_margin: Option<Margin<f64>>,
    prompts_for_margin: Margin<Option<usize>>,
    design_effect: f64,
    effective_texts: f64,
    /// None where texts of a prompt are independent: each is as good as a prompt.
    best_texts: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct PromptsFor {
    effect: f64,
    /// None where no number would do.
    prompts: Option<usize>,
}

/// Of an equivalence where there is no difference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Margin<T> {
    by_spread: T,
    /// Whatever the spread: for what no prompt shows. None of a margin of 1 or more.
    by_unseen: T,
    greater: T,
}

/// A design whose texts can't be as they are asked for.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{0}")]
#[diagnostic(help(
    "give a --from-rate and a --to-rate that differ, and a --correlation that texts of these rates can have"
))]
pub struct ImpossibleDesign(StatsError);

impl Answer {
    /// Answers what is asked.
    ///
    /// # Errors
    /// Where something asked is out of range, or can't be.
    pub fn to(asked: Asked) -> Result<Self, ImpossibleDesign> {
        Self::computed(asked).map_err(ImpossibleDesign)
    }

    fn computed(asked: Asked) -> Result<Self, StatsError> {
        let Asked { prompts, texts, hypotheses, sd, icc, cost_ratio, margin, .. } = asked;
        let m = hypotheses as f64;
        let target = Target { alpha: asked.alpha / m, power: asked.power };
        let detectable = match detectable(sd, prompts, target)? {
            Detectable::From(size) => Some(size),
            Detectable::Nothing { .. } => None,
        };
        let of_effect = |&effect: &f64| Ok(PromptsFor { effect, prompts: prompts_for_difference(effect, sd, target)? });
        let least_margin = if prompts < LEAST_PROMPTS {
            None
        } else {
            let least = least_margin(sd, prompts, Bounds::Both, target)?;
            Some(Margin { by_spread: least.by_spread, by_unseen: least.by_unseen, greater: least.greater() })
        };
        let needed = prompts_for_margin(margin, sd, Bounds::Both, target)?;
        Ok(Self {
            alpha_each: target.alpha,
            least_p: least_p(prompts),
            least_p_holm: (m * least_p(prompts)).min(1.0),
            least_prompts: least_prompts(target.alpha),
            detectable,
            prompts_for_effects: asked.effects.iter().map(of_effect).collect::<Result<_, _>>()?,
            prompts_for_rates: prompts_for_shares(asked.from_rate, asked.to_rate, asked.correlation, target)?,
            least_margin,
            prompts_for_margin: Margin {
                by_spread: needed.by_spread,
                by_unseen: needed.by_unseen,
                greater: needed.greatest(),
            },
            design_effect: design_effect(texts, icc)?,
            effective_texts: effective_texts(prompts, texts, icc)?,
            best_texts: if icc == 0.0 { None } else { Some(best_texts(icc, cost_ratio)?) },
            asked,
        })
    }
}

/// For people.
pub fn text(answer: &Answer) -> Lines {
    let Asked { prompts, texts, hypotheses, alpha, power, sd, icc, cost_ratio, margin, .. } = answer.asked;
    let mut out = Lines::default();
    out.prose(&format!(
        "{}, {} of each in an arm; {}, alpha {} over all; power {}",
        count(prompts, "prompt"),
        count(texts, "text"),
        count_of(hypotheses, "hypothesis", "hypotheses"),
        short(alpha),
        short(power)
    ));
    out.prose(&format!("prompts' differences with a standard deviation of {}, ICC of texts {}", short(sd), short(icc)));
    out.blank();
    let mut row = |name: &str, value: String| out.text(&format!("{name:<25}"), &value);
    let holm = if hypotheses == 1 { String::new() } else { format!(", after Holm {}", short(answer.least_p_holm)) };
    row("least p", format!("{}{holm}", short(answer.least_p)));
    row("difference found", found(answer));
    let effects: Vec<_> = answer.prompts_for_effects.iter().map(for_effect).collect();
    row("prompts for it", effects.join(", "));
    row("prompts for P(loop)", for_rates(answer));
    row("decided equivalence", equivalence(answer));
    row("prompts for a margin", for_margin(answer, margin));
    row(
        "texts are worth",
        format!(
            "{} of {} independent ones (design effect {})",
            short(answer.effective_texts),
            prompts * texts,
            short(answer.design_effect)
        ),
    );
    row("best texts a prompt", best(answer, cost_ratio));
    out
}

fn found(Answer { detectable, least_p_holm, least_prompts, asked, .. }: &Answer) -> String {
    match (detectable, least_prompts) {
        (Some(size), _) => format!("from {} on", short(*size)),
        (None, enough) => {
            let prompts = count(asked.prompts, "prompt");
            let could = enough
                .filter(|&enough| enough > asked.prompts)
                .map_or_else(|| "no number could".to_owned(), |enough| format!("{enough} could"));
            format!("none: {prompts} can't decide anything, p can't be below {}; {could}", short(*least_p_holm))
        }
    }
}

fn for_effect(&PromptsFor { effect, prompts }: &PromptsFor) -> String {
    format!("{} for {}", or_none(prompts), short(effect))
}

fn or_none(prompts: Option<usize>) -> String {
    prompts.map_or_else(|| "no number".to_owned(), |prompts| prompts.to_string())
}

fn for_rates(Answer { prompts_for_rates, asked, .. }: &Answer) -> String {
    let [from, to] = [asked.from_rate, asked.to_rate].map(short);
    let mut words = format!("{prompts_for_rates} for {from} → {to}, with one text each in both arms");
    if asked.correlation != 0.0 {
        let _ = write!(words, " (correlation {})", short(asked.correlation));
    }
    words
}

fn equivalence(Answer { least_margin, .. }: &Answer) -> String {
    let Some(least) = least_margin else {
        return format!("none: it takes {LEAST_PROMPTS} prompts at least");
    };
    let [greater, unseen] = [least.greater, least.by_unseen].map(short);
    format!("within {greater} if there is no difference; within {unseen} at best, for what no prompt shows")
}

fn for_margin(Answer { prompts_for_margin, .. }: &Answer, margin: f64) -> String {
    let mut words = format!("{} for {}", or_none(prompts_for_margin.greater), short(margin));
    if let Some(unseen) = prompts_for_margin.by_unseen {
        let _ = write!(words, "; {unseen} at least, for what no prompt shows");
    }
    words + " (also of a gate)"
}

fn best(Answer { best_texts, .. }: &Answer, cost_ratio: f64) -> String {
    match best_texts {
        Some(texts) => {
            let cost = if cost_ratio == 1.0 { "1 text".to_owned() } else { format!("{} texts", short(cost_ratio)) };
            format!("{}, where a prompt costs as much as {cost}; round it, to at least 1", short(*texts))
        }
        None => "as many as you like: with an ICC of 0 a text is as good as a prompt".to_owned(),
    }
}

fn count(n: usize, what: &str) -> String {
    count_of(n, what, &format!("{what}s"))
}

fn count_of(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
