//! Estimates how long a planned sweep takes on this machine, by its pace.

use std::collections::BTreeSet;

use super::PlannedSweep;
use crate::domain::{Quant, TrialId};
use crate::engine::Limits;
use crate::model::duration::{Decoding, Span};
use crate::worker::measure_pace;

impl PlannedSweep {
    /// Estimates the time of the texts that are not `made` yet, where this machine gives `limits`. Measures its pace, in half
    /// a second.
    ///
    /// `None` where there is nothing to go by: a model on a server or in the scripted engine, a file that is still to be
    /// quantised, a machine whose pace can't be measured.
    pub fn duration(&self, limits: Limits, made: impl Fn(&TrialId) -> bool) -> Option<Span> {
        let plan = &self.plan;
        let anatomies = plan.loads.iter().map(|load| {
            let anatomy = self.anatomies.get(&load.model.id)?;
            (load.key.quant() == Quant::Source).then_some((load, anatomy))
        });
        let loads: Vec<_> = anatomies.collect::<Option<_>>()?;
        let pace = measure_pace(&self.executable, plan.generate.numerics, limits.threads)?;
        let mut counted = BTreeSet::new();
        let mut sum = Span::default();
        for (load, anatomy) in loads {
            let ids = load.planned().map(|planned| &planned.trial.id);
            let texts = ids.filter(|id| !made(id) && counted.insert((*id).clone())).count() as u64;
            if texts == 0 {
                continue;
            }
            let strategy = load.strategy(anatomy.file_bytes, plan.generate, limits);
            let work = Decoding {
                generated_tokens: texts * u64::from(plan.generate.max_tokens),
                prompt_tokens: load.prompts.iter().filter_map(|group| group.n_tokens).map(u64::from).sum(),
                together: u64::from(strategy.batch).min(texts) as u32,
            };
            sum = sum.and(Span::of(anatomy, work, pace)?);
        }
        Some(sum)
    }
}
