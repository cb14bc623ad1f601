//! Owns what is wrong with an experiment on its models: what neither of them shows alone. Must not know how it is shown.

use itertools::Itertools as _;

use super::{Load, OnDisk, Plan, Room};
use crate::domain::{Finding, FindingId, Generate, ModelFacts, Rope, RopeScaling};

impl Plan {
    /// Returns what is wrong with the experiment on these models, and is no reason to refuse it.
    pub fn findings(&self) -> Vec<Finding> {
        self.loads.iter().filter_map(|load| beyond_training(load, self.generate)).unique().collect()
    }
}

fn beyond_training(load: &Load, generate: Generate) -> Option<Finding> {
    let OnDisk { facts, .. } = load.surveyed.file()?;
    let (id, rope) = (&load.model.id, *load.key.get::<Rope>());
    let prompt = load.prompts.iter().filter_map(|group| group.n_tokens).max()?;
    let room = Room::of(&load.key, generate);
    let reached = room.reached(prompt);
    let trained = trained(rope, facts).filter(|&trained| f64::from(reached) > trained)?;
    let scaling = match (rope, &facts.rope_scaling) {
        (Rope::Model, None) => "its header has no rope scaling that extends it".to_owned(),
        (Rope::Model, Some(RopeScaling { kind, factor, original_context })) => {
            let kind = kind.as_deref().unwrap_or("without a name");
            let by = factor.map_or_else(String::new, |factor| format!(" by {factor}"));
            let from = original_context.map_or_else(String::new, |context| format!(", from {context}"));
            format!("its rope scaling, {kind}{by}{from}, is already included in that number")
        }
        (rope, _) => format!("rope = \"{rope}\" is already included in that number"),
    };
    let factor = (f64::from(reached) / trained).ceil();
    let reach = if room.can_overflow(prompt) {
        format!("its texts fill context = {}", room.context)
    } else {
        format!("a prompt of {prompt} with max_tokens = {} reaches {reached}", room.max_tokens)
    };
    Some(Finding {
        id: FindingId::ContextBeyondTraining,
        key: "max_tokens".to_owned(),
        value: format!("the model {id} was trained on {trained} tokens, but {reach}: {scaling}"),
        remedy: format!(
            "lower max_tokens, or scale positions: rope = [\"yarn:{factor}\"] in [grid], --rope-scaling yarn \
             --rope-scale {factor} in llama.cpp"
        ),
    })
}

/// The positions that the model knows under this scaling; None where the header, or the level, does not tell.
fn trained(rope: Rope, facts: &ModelFacts) -> Option<f64> {
    // 0: the file does not say.
    let stated = Some(facts.n_ctx_train).filter(|&n| n > 0).map(f64::from);
    let unscaled =
        || facts.rope_scaling.as_ref().and_then(|scaling| scaling.original_context).map(f64::from).or(stated);
    match rope {
        Rope::Model => stated,
        Rope::None => unscaled(),
        Rope::Linear(factor) | Rope::Yarn(factor) => Some(unscaled()? * f64::from(factor.get())),
        Rope::Base(_) => None,
    }
}
