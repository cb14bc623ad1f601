//! Owns what a file says of an experiment that stops as soon as its hypotheses are decided.
//!
//! Owns the settings. Knows neither the order of the prompts (`plan`) nor when to stop (`analysis`).

use super::spanned::Spanned;
use strum::{Display, EnumString, VariantNames};

use super::error::Problems;
use super::hypotheses::resolve_alpha;
use super::named::resolve_named;
use super::raw::{RawExperiment, RawSequential};
use super::{Prompt, Settings};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sequential {
    /// The probability, of all hypotheses together and of all looks, of a verdict that is wrong by chance.
    pub alpha: f64,
    pub look: LookAfter,
    /// Of the order of the prompts.
    pub order_seed: u32,
    /// After so many prompts the experiment ends in any case.
    pub max_prompts: usize,
    pub stop: StopAt,
}

/// What ends it before.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum StopAt {
    /// All hypotheses are decided, each by all texts of the prompts looked at.
    #[default]
    All,
    /// One hypothesis is supported: they are suspects, and one is enough. No more texts are made for a suspect that is
    /// decided, nor for one whose difference is shown to lie within `negligible`.
    First { negligible: f64 },
}

/// The difference that is let go of where the file names none: ten points of a share.
const NEGLIGIBLE: f64 = 0.1;

/// When the evidence is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Display, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum LookAfter {
    #[default]
    Prompt,
}

pub fn resolve_sequential(
    raw: &RawExperiment,
    prompts: &[Prompt],
    settings: Settings,
    problems: &mut Problems,
) -> Option<Sequential> {
    let spanned = raw.sequential.as_ref()?;
    let RawSequential { alpha, look, order_seed, max_prompts, stop, negligible } = spanned.get_ref();
    let alpha = alpha.as_ref().map_or(settings.alpha, |raw| resolve_alpha(raw, problems));
    let look = resolve_named("look", look.as_ref(), problems)?;
    if raw.hypothesis.is_empty() {
        let message = "nothing tells when to stop: there is no hypothesis to decide";
        problems.add(spanned.span(), message, "add a [[hypothesis]], or remove [sequential]");
    }
    if let Some(most) = max_prompts {
        let (n, n_prompts) = (*most.get_ref() as usize, prompts.len());
        if n == 0 {
            problems.add(most.span(), "an experiment of no prompts decides nothing", "set max_prompts to 6 or more");
        } else if n > n_prompts && n_prompts > 0 {
            let message = format!("max_prompts = {n}, but there are {n_prompts} prompts");
            problems.add(most.span(), message, "add prompts, or lower it; left out, it is all of them");
        }
    }
    let max_prompts = max_prompts.as_ref().map_or(prompts.len(), |most| *most.get_ref() as usize);
    let stop = resolve_stop(stop.as_ref(), negligible.as_ref(), problems)?;
    Some(Sequential { alpha, look, order_seed: order_seed.unwrap_or(0), max_prompts, stop })
}

fn resolve_stop(
    stop: Option<&Spanned<String>>,
    negligible: Option<&Spanned<f64>>,
    problems: &mut Problems,
) -> Option<StopAt> {
    #[derive(Default, PartialEq, Display, EnumString, VariantNames)]
    #[strum(serialize_all = "lowercase")]
    enum Word {
        #[default]
        All,
        First,
    }
    if let Some(share) = negligible.filter(|share| !(share.get_ref() > &0.0 && share.get_ref() < &1.0)) {
        problems.add(share.span(), "this is no difference between two shares", "use a number above 0 and below 1");
    }
    match (resolve_named("stop", stop, problems)?, negligible) {
        (Word::First, negligible) => {
            Some(StopAt::First { negligible: negligible.map_or(NEGLIGIBLE, |share| *share.get_ref()) })
        }
        (Word::All, None) => Some(StopAt::All),
        (Word::All, Some(share)) => {
            let message = "nothing is let go of where all hypotheses are decided";
            problems.add(share.span(), message, "add stop = \"first\", or remove negligible");
            None
        }
    }
}
