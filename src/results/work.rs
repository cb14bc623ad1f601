//! Computes how much was evaluated, and the least that could have been.

use std::collections::{BTreeMap, HashSet};

use crate::analysis::sequential::Ending;
use crate::analysis::{Analysis, Sharing, sharing};
use crate::domain::LoadKey;
use crate::journal::Contents;
use crate::manifest::Manifest;
use crate::plan::Design;

/// What a loaded model did, and the least it could have done.
pub struct Work {
    pub sharing: Sharing,
    /// None where a run was killed before it could tell, or made other texts as well.
    pub evaluated_tokens: Option<u64>,
    /// Tokens of prompts that another prompt's evaluation had already; None where `evaluated_tokens` is.
    pub shared_head_tokens: Option<u64>,
    /// What looks at the hypotheses saved; None where nobody looked, or nothing is decided.
    pub spared: Option<Spared>,
}

/// Texts that were planned and not needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spared {
    pub texts: u64,
    /// To evaluate if each were made by itself and were as long as the texts that were made are on average.
    pub tokens: u64,
}

/// Computes the work of every load key, in tokens.
pub fn work(design: &Design, analysis: &Analysis, contents: &Contents, manifest: &Manifest) -> BTreeMap<LoadKey, Work> {
    // The manifest's runs are those that came to an end, and may have made texts
    // that the plan has no longer.
    let told: usize = manifest.runs.iter().map(|run| run.trials_done).sum();
    let planned: HashSet<_> = analysis.trials.iter().map(|scored| &scored.trial.id).collect();
    let all_told = told >= contents.records.len() && contents.records.keys().all(|id| planned.contains(id));
    let loads = || manifest.runs.iter().flat_map(|run| &run.loads);
    let of_load = |(key, sharing): (LoadKey, Sharing)| {
        let efforts = || loads().filter(|load| load.key == key).map(|load| load.effort);
        let evaluated_tokens = all_told.then(|| efforts().map(|effort| effort.evaluated_tokens).sum());
        let shared_head_tokens = all_told.then(|| efforts().map(|effort| effort.shared_head_tokens).sum());
        let spared = spared(design, analysis, contents, &key, sharing);
        (key, Work { sharing, evaluated_tokens, shared_head_tokens, spared })
    };
    sharing(&analysis.trials).into_iter().map(of_load).collect()
}

fn spared(
    design: &Design,
    analysis: &Analysis,
    contents: &Contents,
    key: &LoadKey,
    sharing: Sharing,
) -> Option<Spared> {
    analysis.sequential.as_ref().filter(|sequential| sequential.ending == Ending::Decided)?;
    let planned = design.own_trials().iter().filter(|trial| trial.cell.load_key() == *key);
    let left = planned.map(|trial| &trial.id).filter(|id| !contents.records.contains_key(id));
    let texts = left.collect::<HashSet<_>>().len() as u64;
    Some(Spared { texts, tokens: (texts * sharing.logical_tokens).checked_div(sharing.texts).unwrap_or(0) })
}
