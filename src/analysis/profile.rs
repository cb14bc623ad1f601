//! Shows what a mean of scores hides: how many texts of a cell loop, when they begin, what the others score, and how
//! alike the seeds' texts are.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::{Groups, ScoredTrial, TrialResult};
use crate::domain::Cell;
use crate::metrics::{Metric, Scores, self_repetition};
use crate::stats::{
    Component, Dispersion, Effect, Onset, SurvivalCurve, TwoPart, bca_interval_of_mean_within, kaplan_meier, mean,
    two_part_within,
};

/// What the time to a loop is counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum OnsetUnit {
    #[default]
    Tokens,
    /// Where the tokens of some looping text are not known, or show no loop: copies whose
    /// counters differ, a loop in a thought.
    Characters,
}

impl OnsetUnit {
    /// The same for all cells, which stand side by side.
    pub(super) fn of(trials: &[ScoredTrial]) -> Self {
        let scores = trials.iter().filter_map(|scored| match &scored.result {
            TrialResult::Scored { scores, .. } | TrialResult::Censored { scores, .. } => Some(scores),
            TrialResult::Failed(_) | TrialResult::Missing => None,
        });
        let lacks_token =
            |scores: &Scores| scores.get(Metric::Loop) == Some(1.0) && scores.sight().loop_onset_tokens.is_none();
        if scores.into_iter().any(lacks_token) { Self::Characters } else { Self::Tokens }
    }
}

/// The loops of one cell: see [`Metric::Loop`].
#[derive(Clone, Debug, PartialEq)]
pub struct CellProfile {
    pub cell: Cell,
    /// P(loop), and the repetition score of the texts that do not; `None` for too few prompts.
    pub two_part: Option<TwoPart>,
    /// Tokens or characters until the loop begins; texts that end before they loop are censored
    /// there, and so are those that a server ended for a loop that the text does not show. A text that ends
    /// is beyond looping, so that the end competes with the loop: the curve is of texts that would go on
    /// for ever. A loop is seen once it has repeated itself, so what begins within its last periods counts as none.
    pub onset: Option<SurvivalCurve>,
    /// [`self_repetition`] across the seeds of each prompt; `None` where there is one seed,
    /// or where prompts are too few for an interval.
    pub self_repetition: Option<Effect>,
    /// Of the self-repetition, which is one value a prompt.
    pub spread_of_self_repetition: Dispersion,
}

#[derive(Default)]
struct OfPrompt<'a> {
    texts: Vec<&'a str>,
    scores: Vec<(Component, Option<f64>)>,
    onsets: Vec<Onset>,
}

/// In the order of the cells' first trials.
pub(super) fn profiles(trials: &[ScoredTrial], groups: &Groups, unit: OnsetUnit) -> Vec<CellProfile> {
    let mut order: Vec<&Cell> = Vec::new();
    let mut cells: BTreeMap<&Cell, BTreeMap<&str, OfPrompt>> = BTreeMap::new();
    for ScoredTrial { trial, result, .. } in trials {
        let prompts = cells.entry(&trial.cell).or_insert_with(|| {
            order.push(&trial.cell);
            BTreeMap::new()
        });
        let (TrialResult::Scored { generation, scores } | TrialResult::Censored { generation, scores }) = result else {
            continue;
        };
        let prompt = prompts.entry(&trial.prompt).or_default();
        let Some(loops) = scores.get(Metric::Loop) else { continue };
        let component = if loops == 1.0 { Component::Looping } else { Component::Free };
        // Up to where it was cut, a text tells when a loop begins, and no more.
        if matches!(result, TrialResult::Scored { .. }) {
            prompt.texts.push(&generation.text);
            prompt.scores.push((component, scores.get(Metric::RepetitionScore)));
        }
        let sight = scores.sight();
        let (begun, end) = match unit {
            OnsetUnit::Tokens => (sight.loop_onset_tokens, generation.n_tokens().map(f64::from)),
            OnsetUnit::Characters => (sight.loop_onset_chars, Some(sight.n_chars as f64)),
        };
        let onset = begun.filter(|_| component == Component::Looping).map(|at| Onset::At(at as f64));
        prompt.onsets.extend(onset.or(end.map(Onset::Censored)));
    }
    order.into_par_iter().map(|cell| profile(cell, &cells[cell], groups)).collect()
}

fn profile(cell: &Cell, prompts: &BTreeMap<&str, OfPrompt>, groups: &Groups) -> CellProfile {
    let strata = groups.strata(prompts.keys().copied());
    let scores: Vec<_> = prompts.values().map(|prompt| &prompt.scores).collect();
    let onsets: Vec<_> = prompts.values().map(|prompt| &prompt.onsets).collect();
    let alike = |prompt: &OfPrompt| self_repetition(&prompt.texts).into_iter().collect();
    let alike: Vec<Vec<f64>> = prompts.values().map(alike).collect();
    let estimate = mean(&alike.concat());
    let interval = bca_interval_of_mean_within(&alike, &strata, 0.95);
    CellProfile {
        cell: cell.clone(),
        two_part: two_part_within(&scores, &strata).ok(),
        onset: kaplan_meier(&onsets).ok(),
        self_repetition: estimate.zip(interval).map(|(estimate, interval)| Effect { estimate, interval }),
        spread_of_self_repetition: Dispersion::within(&alike, &strata),
    }
}
