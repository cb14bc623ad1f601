//! Computes how much was evaluated, and the least that could have been.

use std::collections::{BTreeMap, HashSet};

use crate::analysis::{Analysis, Sharing, sharing};
use crate::domain::LoadKey;
use crate::journal::Contents;
use crate::manifest::Manifest;

/// What a loaded model did, and the least it could have done.
pub struct Work {
    pub sharing: Sharing,
    /// None where a run was killed before it could tell, or made other texts as well.
    pub evaluated_tokens: Option<u64>,
}

/// Computes the work of every load key, in tokens.
pub fn work(analysis: &Analysis, contents: &Contents, manifest: &Manifest) -> BTreeMap<LoadKey, Work> {
    // The manifest's runs are those that came to an end, and may have made texts
    // that the plan has no longer.
    let told: usize = manifest.runs.iter().map(|run| run.trials_done).sum();
    let planned: HashSet<_> = analysis.trials.iter().map(|scored| &scored.trial.id).collect();
    let all_told = told >= contents.records.len() && contents.records.keys().all(|id| planned.contains(id));
    let loads = || manifest.runs.iter().flat_map(|run| &run.loads);
    let of_load = |(key, sharing)| {
        let of_key = loads().filter(|load| load.key == key).map(|load| load.effort.evaluated_tokens);
        let evaluated_tokens = all_told.then(|| of_key.sum());
        (key, Work { sharing, evaluated_tokens })
    };
    sharing(&analysis.trials).into_iter().map(of_load).collect()
}
