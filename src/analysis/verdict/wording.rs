//! Words verdicts, in a sentence each.

use super::evidence::{Evidence, LevelTest, Sight};
use super::test::Remark;
use super::{Conclusion, LevelVerdict, NamedEffect};
use crate::experiment::Hypothesis;
use crate::stats::{Detectable, Interval};

/// Of a hypothesis.
pub fn sentence(
    hypothesis: &Hypothesis,
    evidence: &Evidence,
    levels: &[LevelVerdict],
    outcome: Conclusion,
    p_holm: Option<f64>,
    share_of_alpha: f64,
) -> String {
    let Some(weakest) = evidence.weakest() else { return "no scored trial".to_owned() };
    let shown = match outcome {
        Conclusion::Refuted => evidence.strongest_against().unwrap_or(weakest),
        Conclusion::Supported | Conclusion::Inconclusive => weakest,
    };
    let of_shown = of_level(shown, outcome, p_holm, share_of_alpha);
    let Some(each) = hypothesis.each.filter(|_| !levels.is_empty()) else { return of_shown };
    let count = |wanted| levels.iter().filter(|level| level.outcome == wanted).count();
    let held = match levels.len() {
        n if count(Conclusion::Supported) == n => format!("supported for every {each} (all {n})"),
        n => format!(
            "{n} levels of {each}: {} supported, {} refuted, {} inconclusive",
            count(Conclusion::Supported),
            count(Conclusion::Refuted),
            count(Conclusion::Inconclusive)
        ),
    };
    let most = if outcome == Conclusion::Refuted { "strongest against" } else { "weakest" };
    format!("{held}; {most} for {}: {of_shown}", shown.level)
}

/// Of one test.
pub fn of_level(test: &LevelTest, outcome: Conclusion, p_holm: Option<f64>, share_of_alpha: f64) -> String {
    let tested = match &test.tested {
        Ok(tested) => tested,
        Err(error) => return format!("not tested: {error}"),
    };
    let mut sentence = tested.effects.iter().map(in_words).collect::<Vec<_>>().join("; ");
    sentence += &format!(", n = {} prompts, {} texts", tested.n_prompts, tested.n_texts);
    // Where no test says more than that nothing was seen, a p of 1 would look like a finding.
    let is_all_alike = tested.remarks.iter().any(|remark| matches!(remark, Remark::AllAlike { .. }));
    let is_open = is_all_alike && outcome == Conclusion::Inconclusive;
    if let Some(p) = p_holm.filter(|_| tested.certain.is_none() && !is_open) {
        let of_what = if tested.p_for <= tested.p_against { "" } else { " for the opposite" };
        sentence += &format!(", p {}{of_what}", p_in_words(p));
    }
    match (&tested.unknown, outcome) {
        (Some(unknown), Conclusion::Inconclusive) => {
            sentence += &format!(", for any values of the unknown scores: {unknown}");
        }
        (Some(unknown), _) => sentence += &format!("; this holds even if {} count against it", unknown.counted()),
        (None, _) => {}
    }
    for remark in &tested.remarks {
        sentence += "; ";
        sentence += &remark_in_words(remark);
    }
    if outcome == Conclusion::Inconclusive && tested.unknown.is_none() && !is_all_alike {
        sentence += &blind_spot(test, share_of_alpha);
    }
    sentence
}

pub fn in_words(effect: &NamedEffect) -> String {
    let NamedEffect { name, estimate, interval, by_chance, .. } = effect;
    match (interval, by_chance) {
        (Some(Interval { low, high, level }), _) => {
            format!("{name} {} [{}, {}] ({:.0} %)", number(*estimate), number(*low), number(*high), 100.0 * level)
        }
        (None, Some(by_chance)) => format!("{name} {} ({} by chance)", number(*estimate), number(*by_chance)),
        (None, None) => format!("{name} {}", number(*estimate)),
    }
}

/// Without a sign where it is 0.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    if text == "-0.000" { "0.000".to_owned() } else { text }
}

fn remark_in_words(remark: &Remark) -> String {
    match remark {
        Remark::SameTexts => "all texts are the same, word for word".to_owned(),
        Remark::SameTrials => "all levels have the same texts, because no others are possible".to_owned(),
        Remark::AllAlike { n_prompts, share, no_loops: true } => format!(
            "no text of {n_prompts} prompts loops in either arm; at most {} of other prompts would (one-sided 95 %)",
            percent(*share)
        ),
        Remark::AllAlike { n_prompts, share, no_loops: false } => format!(
            "no difference on any of {n_prompts} prompts; at most {} of other prompts would differ (one-sided 95 %)",
            percent(*share)
        ),
        Remark::RanksAgainstMean => {
            "the ranks and the mean change in opposite directions, so this is not a trend".to_owned()
        }
        Remark::RareLoops { n_prompts, p } => format!(
            "so few of {n_prompts} prompts loop that the mean could be of the other sign (p {})",
            p_in_words(*p)
        ),
        Remark::SeesOnlyTheSample { needed } => {
            format!(
                "this assumes that effects seen on no prompt are small; without that assumption it needs {needed} \
                 prompts"
            )
        }
        Remark::LeftOut { combinations } => {
            format!("left out because a level is missing: {}", combinations.join(", "))
        }
    }
}

/// What the design can't see.
fn blind_spot(test: &LevelTest, share_of_alpha: f64) -> String {
    let n = test.tested.as_ref().map_or(0, |tested| tested.n_prompts);
    match test.detectable(share_of_alpha) {
        Some(Sight::Effect(Detectable::Nothing { least_p, enough: Some(enough) })) => {
            format!("; {n} prompts can't decide this: p can't be below {least_p}; {enough} could")
        }
        Some(Sight::Effect(Detectable::Nothing { least_p, enough: None })) => {
            format!("; this can't be decided: p can't be below {least_p}")
        }
        Some(Sight::Effect(Detectable::From(least))) => {
            format!("; smallest effect this design could detect: {least:.3}")
        }
        Some(Sight::Margin(least)) => format!("; smallest margin this design could show: {least:.3}"),
        None => String::new(),
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

pub fn p_in_words(p: f64) -> String {
    match p {
        p if p < 0.0001 => "below 0.0001".to_owned(),
        p if p < 0.001 => format!("= {p:.4}"),
        p => format!("= {p:.3}"),
    }
}
