//! Owns the design: what of an experiment and its plan the outputs need, so that they can be made again from a run's
//! folder, without a model and wherever the folder is by now. Must not know how `plan.json` is written: `format` says
//! that.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Doubt, Plan, Sequence, Shard};
use crate::domain::{Acts, Chain, Factor, Generate, Seed, Trial};
use crate::experiment::{Experiment, Hypothesis, Prompt, Settings};
use crate::metrics::Markers;
use crate::seal::Unfit;

#[derive(Clone, Debug, PartialEq)]
pub struct Design {
    pub name: String,
    pub question: Option<String>,
    pub generate: Generate,
    pub settings: Settings,
    pub hypotheses: Vec<Hypothesis>,
    pub prompts: Vec<Prompt>,
    /// One that models' files decide for each model.
    pub chains: Vec<Chain>,
    /// What must stand beside every result, for the models' sake.
    pub caveat: Option<String>,
    pub notes: Vec<String>,
    /// Factors whose levels are the same computation on this machine, so that
    /// to compare them is no experiment.
    pub inert: Vec<Factor>,
    /// What a server is known not to honour, so that what depends on it is not decided.
    pub doubts: Vec<Doubt>,
    /// Between what each model writes its thought, where its chat template says so.
    pub thought_markers: BTreeMap<String, Markers>,
    /// Of an experiment that stops as soon as its hypotheses are decided.
    pub sequential: Option<Sequence>,
    /// In the order in which they run and are reported.
    pub trials: Vec<Trial>,
    /// Which of them this run makes; all of them where it is no shard.
    pub part: Option<Part>,
}

/// A shard, and its stretch of the trials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub shard: Shard,
    pub trials: Range<usize>,
}

/// Why a `plan.json` can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DesignError {
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error("it is not what moe-sweep wrote: its shard is not part of its {trials} trials")]
    NoPart { trials: usize },
}

/// The factors that act nowhere in this plan.
fn inert(plan: &Plan) -> Vec<Factor> {
    let nowhere = plan.offload_moves_nothing();
    let is_inert = |factor: &Factor| match factor.acts() {
        Acts::Everywhere => false,
        Acts::OnExpertsBesideAnAccelerator => nowhere,
    };
    Factor::ALL.into_iter().filter(is_inert).collect()
}

impl Design {
    pub fn new(experiment: &Experiment, plan: &Plan) -> Self {
        Self {
            name: experiment.name.clone(),
            question: experiment.question.clone(),
            generate: experiment.generate,
            settings: experiment.settings,
            hypotheses: experiment.hypotheses.clone(),
            prompts: experiment.prompts.clone(),
            chains: plan.chains.clone(),
            caveat: plan.caveat(),
            notes: plan.notes(),
            inert: inert(plan),
            doubts: plan.doubts(),
            thought_markers: plan.thought_markers(),
            sequential: experiment.sequential.map(|settings| Sequence::new(settings, &plan.loads)),
            trials: plan.trials().cloned().collect(),
            part: None,
        }
    }

    /// Says of a shard's results that they are a part; None of a whole run's.
    pub fn part_note(&self) -> Option<String> {
        let Part { shard, trials } = self.part.as_ref()?;
        let (own, all) = (trials.len(), self.trials.len());
        Some(format!("{shard}: {own} of {all} trials; moe-sweep merge combines the shards"))
    }

    /// Returns the trials that this run makes: those of its shard, or all.
    pub fn own_trials(&self) -> &[Trial] {
        match &self.part {
            None => &self.trials,
            Some(part) => &self.trials[part.trials.clone()],
        }
    }

    /// Returns what a trial's sampler was seeded with; None where its chain draws nothing.
    pub fn draw_seed(&self, trial: &Trial) -> Option<Seed> {
        let prompt = self.prompts.iter().find(|prompt| prompt.id == trial.prompt)?;
        trial.seed.map(|seed| self.generate.draws.seed(seed, &prompt.text))
    }

    /// Names the first thing of which this design and another say something else, what the machine
    /// made of them aside.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let (ours, theirs) = (self.fields(), other.fields());
        let aside = ["part", "notes", "inert", "doubts", "trials"];
        let named = ours.as_object().into_iter().flatten().filter(|(name, _)| !aside.contains(&name.as_str()));
        let mut differing = named.filter(|(name, ours)| theirs.get(name) != Some(ours)).map(|(name, _)| name.clone());
        differing.next().or_else(|| self.differing_trial(other))
    }

    fn differing_trial(&self, other: &Self) -> Option<String> {
        if self.trials.len() != other.trials.len() {
            return Some(format!("the number of trials, {} and {}", self.trials.len(), other.trials.len()));
        }
        let (ours, theirs) = self.trials.iter().zip(&other.trials).find(|(ours, theirs)| ours != theirs)?;
        let at = format!("{}, prompt {}", ours.cell, ours.prompt);
        Some(if (&ours.cell, &ours.prompt, ours.seed) == (&theirs.cell, &theirs.prompt, theirs.seed) {
            format!(
                "the id of {at}: the model's file, the engine or its CPU features differ (engine and blake3 in \
                 manifest.json)"
            )
        } else {
            format!("the trials, {at} and {}, prompt {}", theirs.cell, theirs.prompt)
        })
    }
}
