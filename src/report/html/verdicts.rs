//! Shows verdicts and the attribution: a sentence each, then the numbers behind it.

use maud::{Markup, html};

use super::words;
use crate::analysis::{Attribution, Conclusion, LevelVerdict, NamedEffect, RULES, TestKind, Verdict};
use crate::report::number::{points, signed_bracketed};

/// A list, a hypothesis an item.
pub fn list(verdicts: &[Verdict]) -> Markup {
    html! {
        ul.verdicts {
            @for verdict in verdicts { li #{ "verdict-" (verdict.id) } { (item(verdict)) } }
        }
        p.small {
            "A claim is supported or refuted at p ≤ alpha after Holm’s correction over all hypotheses of the \
             experiment, or if the texts are the same; "
            "otherwise it is inconclusive, which does not mean that there is no effect. Decided by rules " (RULES) "."
        }
    }
}

fn item(verdict: &Verdict) -> Markup {
    let first = verdict.first.map(|first| format!(", of a text’s first {first} tokens")).unwrap_or_default();
    let shown = Numbers {
        effects: &verdict.effects,
        p: verdict.p,
        p_holm: verdict.p_holm,
        n_prompts: verdict.n_prompts,
        n_texts: verdict.n_texts,
        detectable: verdict.detectable,
    };
    let plain = in_points(verdict);
    html! {
        div { (outcome(verdict.outcome)) strong { (verdict.claim) } }
        p { (plain.clone().unwrap_or_else(|| words::sentence(&verdict.sentence))) }
        details {
            summary { "Numbers" span.sr { " of " (verdict.id) } }
            @if plain.is_some() { p { (words::sentence(&verdict.sentence)) } }
            dl {
                dt { "hypothesis" } dd { (verdict.id) }
                dt { "metric" } dd { (verdict.metric.name()) (first) }
                dt { "test" } dd { (test(verdict)) ", alpha " (verdict.alpha) }
            }
            (shown.list())
            @if !verdict.levels.is_empty() { (levels(&verdict.id, &verdict.levels)) }
        }
    }
}

/// The effect in points, for what was tested and whose metric is a share; the statistics are among the numbers.
fn in_points(verdict: &Verdict) -> Option<String> {
    let effect = verdict.effects.iter().find(|effect| effect.name.starts_with("mean difference"))?;
    if verdict.p.is_none() || !verdict.metric.ends_at_1() {
        return None;
    }
    let size = format!("{}\u{a0}points{}", points(effect.estimate), signed_bracketed(effect.interval));
    let least = verdict.detectable.filter(|_| verdict.effects[0] == *effect);
    let found = least.map_or_else(String::new, |least| {
        let least = points(least).trim_start_matches('+').to_owned();
        match verdict.test {
            TestKind::Equivalence => format!("; equality to within {least} points would probably have been shown"),
            TestKind::Trend | TestKind::Contrast | TestKind::Interaction => {
                format!("; a difference of {least} points would probably have been found")
            }
        }
    });
    Some(format!("{size} of {}, {} prompts{found}.", verdict.metric.name(), verdict.n_prompts))
}

/// What decided it, or would have.
fn test(verdict: &Verdict) -> &'static str {
    verdict.sequential.as_ref().map_or(verdict.test.name(), |decision| decision.instrument.name())
}

fn levels(id: &str, levels: &[LevelVerdict]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Levels of " (id) } {
            table {
                caption { "The claim at each level; p after Holm’s correction over the levels" }
                thead {
                    tr { th scope="col" { "level" } th scope="col" { "outcome" } th scope="col" { "finding" } th scope="col" { "p" } }
                }
                tbody {
                    @for level in levels {
                        tr {
                            th scope="row" { (level.level) }
                            td { (outcome(level.outcome)) }
                            td { (level.sentence) }
                            td.number { (level.p_holm.map_or(words::MISSING.to_owned(), words::p_value)) }
                        }
                    }
                }
            }
        }
    }
}

/// What a verdict rests on.
struct Numbers<'a> {
    effects: &'a [NamedEffect],
    p: Option<f64>,
    p_holm: Option<f64>,
    n_prompts: usize,
    n_texts: usize,
    detectable: Option<f64>,
}

impl Numbers<'_> {
    fn list(&self) -> Markup {
        let p = |p: Option<f64>| p.map_or("not tested".to_owned(), words::p_value);
        html! {
            dl {
                @for effect in self.effects { dt { (effect.name) } dd { (words::named_effect(effect)) } }
                dt { "p" } dd { (p(self.p)) "; after Holm’s correction " (p(self.p_holm)) }
                dt { "n" } dd { (self.n_prompts) " prompts, " (self.n_texts) " texts" }
                @if let Some(detectable) = self.detectable {
                    dt { "detectable" }
                    dd { "an effect of " (words::number(detectable)) " would be found with a probability of 0.8" }
                }
            }
        }
    }
}

/// In words, with a sign of its own: colour is not needed to tell them apart.
fn outcome(outcome: Conclusion) -> Markup {
    let (sign, word) = match outcome {
        Conclusion::Supported => ("✓", "supported"),
        Conclusion::Refuted => ("✗", "refuted"),
        Conclusion::Inconclusive => ("~", "inconclusive"),
    };
    html! { span.outcome { span aria-hidden="true" { (sign) " " } (word) } " " }
}

/// The shares of the variation as a table, beside the figure of them.
pub fn attribution(attribution: &Attribution) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Table of the shares" {
            table {
                caption {
                    "Shares of the sum of squares of " (attribution.metric.name()) " over " (attribution.n_cells) " cells and "
                    (attribution.n_prompts) " prompts"
                    @if attribution.n_incomplete_prompts > 0 {
                        "; " (attribution.n_incomplete_prompts) " prompts that lack a cell are excluded"
                    }
                }
                thead {
                    tr { th scope="col" { "source" } th scope="col" { "share" } th scope="col" { "interval" } th scope="col" { "by chance" } th scope="col" { "p" } }
                }
                tbody {
                    @for source in &attribution.sources {
                        tr {
                            th scope="row" { (source.name) }
                            td.number { (words::percent(source.share.estimate)) }
                            td.number { (or_missing(source.share.interval, words::percents)) }
                            td.number { (or_missing(source.chance_share, words::percent)) }
                            td.number { (or_missing(source.p_holm, words::p_value)) }
                        }
                    }
                }
            }
        }
        div.scroll tabindex="0" role="region" aria-label="Table of the factors" {
            table {
                caption { "Factors: alone, and with their interactions with one other factor" }
                thead {
                    tr { th scope="col" { "factor" } th scope="col" { "levels" } th scope="col" { "alone" } th scope="col" { "with interactions" } }
                }
                tbody {
                    @for factor in &attribution.factors {
                        tr {
                            th scope="row" { (factor.factor) }
                            td.number { (factor.n_levels) }
                            td.number { (words::share(factor.alone)) }
                            td.number { (words::share(factor.total)) }
                        }
                    }
                }
            }
        }
        p.small {
            "By chance: the share expected of a source without effect. p: for such a source, by flipping the signs of \
             whole prompts, "
            "after Holm’s correction over the factors and pairs; above alpha no effect is shown, which does not mean \
             that there is none. "
            "Intervals are for the average share of grids with as many prompts, chance included."
        }
    }
}

fn or_missing<T>(value: Option<T>, in_words: impl Fn(T) -> String) -> String {
    value.map_or(words::MISSING.to_owned(), in_words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn every_outcome_has_its_word_and_its_numbers() {
        let analysis = sample::with_findings(sample::tiny());
        insta::assert_snapshot!(list(&analysis.verdicts).into_string().replace("><", ">\n<"));
    }

    #[test]
    fn every_share_has_its_interval() {
        let analysis = sample::with_findings(sample::tiny());
        insta::assert_snapshot!(super::attribution(&analysis.attribution.unwrap()).into_string().replace("><", ">\n<"));
    }
}
