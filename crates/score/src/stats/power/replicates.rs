//! Weighs more prompts against more texts of each, which resemble each other.

use super::super::error::{StatsError, at_least};

/// By how much more a mean varies over `texts` texts of each prompt than over as many
/// independent ones, where the share `icc` of the texts' variance lies between prompts:
/// 1 + (k − 1)·ICC (Kish 1965, "Survey Sampling", § 5.4).
///
/// # Errors
///
/// For no texts, and an ICC that does not lie from 0 to 1.
pub fn design_effect(texts: usize, icc: f64) -> Result<f64, StatsError> {
    at_least(1, texts, "texts of a prompt")?;
    if !(0.0..=1.0).contains(&icc) {
        return Err(StatsError::OutOfRange { name: "the ICC", value: icc, allowed: "from 0 to 1" });
    }
    Ok(1.0 + (texts as f64 - 1.0) * icc)
}

/// The independent texts that are worth as much as `texts` of each of `prompts`.
///
/// # Errors
///
/// As for [`design_effect`], and for no prompts.
pub fn effective_texts(prompts: usize, texts: usize, icc: f64) -> Result<f64, StatsError> {
    at_least(1, prompts, "prompts")?;
    Ok(prompts as f64 * texts as f64 / design_effect(texts, icc)?)
}

/// The texts of each prompt that make a mean most exact for what they cost, where a prompt costs
/// as much as `cost_ratio` texts: √(c·(1 − ICC)/ICC) (Cochran 1977, "Sampling Techniques",
/// § 10.6). Round it, to at least 1; a prompt without texts is none.
///
/// # Errors
///
/// For a cost ratio that is not above 0, and an ICC that is not above 0, where ever more texts
/// would be best, or is above 1.
pub fn best_texts(icc: f64, cost_ratio: f64) -> Result<f64, StatsError> {
    if !(icc > 0.0 && icc <= 1.0) {
        return Err(StatsError::OutOfRange { name: "the ICC", value: icc, allowed: "above 0 and at most 1" });
    }
    let cost_ratio = super::above_0("the cost ratio", cost_ratio)?;
    Ok((cost_ratio * (1.0 - icc) / icc).sqrt())
}
