//! The experiment: what a TOML file means once it is understood.
//!
//! `raw` is the file's shape, `resolve` turns it into the types here and
//! collects every error on the way. Nothing here reads files, runs a model
//! or knows how results look.

use itertools::iproduct;
use serde::{Deserialize, Serialize};

mod builtin;
mod chain;
mod error;
mod excerpt;
mod faults;
mod groups;
mod hypotheses;
mod hypothesis;
mod levels;
mod mechanism;
mod model;
mod prompts;
mod raw;
mod resolve;
mod rules;
mod sequential;
mod server;
mod split;
#[cfg(test)]
mod tests;

pub use builtin::chains as builtin_chains;
pub use chain::{Chain, Fidelity, ResolvedChain, Slot, Step, StepKind, TokenBias};
pub use error::{BadExperiment, Problem, Problems};
pub use faults::caveats;
pub use hypothesis::{Direction, Factor, Hypothesis, Selection, Settings, Sides, Test};
pub use levels::{Bos, Draws, Numerics, Offload, OpOffload, Quant, Seed, Temperature, Template};
pub use mechanism::{Arm, Kind, Mechanism, RawMechanism, kind_of, parse_mechanism, resolve_mechanism};
pub use model::{HubFile, Model, Source, resolve_models};
pub use raw::{RawExperiment, RawModel, RawPrompts};
pub use resolve::{Surroundings, Unreadable, parse, resolve};
pub use sequential::{LookAfter, Sequential};
pub use server::{Api, Delivery, Extension, Served, Server, resolve_servers, server_url, shown_url};
pub use split::{SplitName, split_name};

/// An experiment, complete and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// Also the name of the run's directory: letters, digits, `-`, `_`, `.`.
    pub name: String,
    pub question: Option<String>,
    pub generate: Generate,
    pub grid: Grid,
    /// In file order; ids and texts are unique.
    pub prompts: Vec<Prompt>,
    /// In file order; ids are unique.
    pub hypotheses: Vec<Hypothesis>,
    pub settings: Settings,
    /// `None` where all of the plan is run.
    pub sequential: Option<Sequential>,
}

/// Settings that hold for every trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generate {
    /// The most tokens a trial may generate.
    pub max_tokens: u32,
    /// Tokens of context for one sequence: prompt and generated together.
    pub context: u32,
    pub numerics: Numerics,
    /// `serde(default)`: manifests before this field had the model's own way.
    #[serde(default)]
    pub bos: Bos,
    #[serde(default = "Draws::before_it_was_a_choice", skip_serializing_if = "Draws::is_common")]
    pub draws: Draws,
}

/// The levels of every factor, in file order, and what is left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    pub models: Vec<Model>,
    pub chains: Vec<Chain>,
    pub offloads: Vec<Offload>,
    pub quants: Vec<Quant>,
    pub templates: Vec<Template>,
    pub op_offloads: Vec<OpOffload>,
    pub temperatures: Vec<Temperature>,
    pub seeds: Vec<Seed>,
    pub excluded: Vec<Exclusion>,
}

/// One trial's coordinates, as exclusions see them.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a> {
    pub model: &'a str,
    pub chain: &'a str,
    pub offload: Offload,
    pub quant: Quant,
    pub template: Template,
    pub op_offload: OpOffload,
    pub temperature: Temperature,
    /// None where the chain makes no draw.
    pub seed: Option<Seed>,
    pub prompt: &'a str,
}

/// Leaves out the cells that match every level named here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exclusion {
    pub model: Option<String>,
    pub chain: Option<String>,
    pub offload: Option<Offload>,
    pub quant: Option<Quant>,
    pub template: Option<Template>,
    pub op_offload: Option<OpOffload>,
    pub temperature: Option<Temperature>,
    pub seed: Option<Seed>,
    /// A prompt's id.
    pub prompt: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    pub id: String,
    pub text: String,
    /// What kind of prompt it is, such as its topic: claims may be of a group, and groups are the strata of intervals.
    /// It is no part of a trial's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

impl Grid {
    pub fn excludes(&self, point: Point<'_>) -> bool {
        self.excluded.iter().any(|exclusion| exclusion.matches(point))
    }

    /// Adds `offset` to every seed.
    ///
    /// # Errors
    /// When one would be none.
    pub fn offset_seeds(&mut self, offset: u32) -> Result<(), String> {
        for seed in &mut self.seeds {
            let moved = seed.get().checked_add(offset).and_then(Seed::new);
            *seed = moved.ok_or_else(|| format!("the seed {seed} + {offset} is beyond the last one, 4294967294"))?;
        }
        Ok(())
    }

    /// The seeds a chain runs with: none at all, once, where it makes no draw.
    pub fn seeds_of(&self, chain: &Chain) -> Vec<Option<Seed>> {
        if chain.draws() { self.seeds.iter().copied().map(Some).collect() } else { vec![None] }
    }

    /// How many texts these prompts have, exclusions aside.
    fn texts(&self, prompts: usize) -> u64 {
        let Self { models, chains, offloads, quants, templates, op_offloads, temperatures, seeds, .. } = self;
        let seeds_of = |chain: &Chain| if chain.draws() { seeds.len() } else { 1 };
        let draws: usize = chains.iter().map(seeds_of).sum();
        let levels =
            [models.len(), offloads.len(), quants.len(), templates.len(), op_offloads.len(), temperatures.len()];
        levels.into_iter().chain([draws, prompts]).fold(1, |product, n| product.saturating_mul(n as u64))
    }

    /// Whether the exclusions leave anything to run on these prompts.
    fn leaves_a_trial(&self, prompts: &[Prompt]) -> bool {
        let Self { models, chains, offloads, quants, templates, op_offloads, temperatures, .. } = self;
        let cells = iproduct!(models, chains, offloads, quants, templates, op_offloads, temperatures);
        cells.into_iter().any(|(model, chain, &offload, &quant, &template, &op_offload, &temperature)| {
            let (model, seeds) = (&*model.id, self.seeds_of(chain));
            let chain = &*chain.id;
            iproduct!(&seeds, prompts).any(|(&seed, prompt)| {
                let prompt = &*prompt.id;
                !self.excludes(Point { model, chain, offload, quant, template, op_offload, temperature, seed, prompt })
            })
        })
    }
}

impl Exclusion {
    fn matches(&self, point: Point<'_>) -> bool {
        let Self { model, chain, offload, quant, template, op_offload, temperature, seed, prompt } = self;
        model.as_ref().is_none_or(|model| model == point.model)
            && chain.as_ref().is_none_or(|chain| chain == point.chain)
            && offload.is_none_or(|offload| offload == point.offload)
            && quant.is_none_or(|quant| quant == point.quant)
            && template.is_none_or(|template| template == point.template)
            && op_offload.is_none_or(|op_offload| op_offload == point.op_offload)
            && temperature.is_none_or(|temperature| temperature == point.temperature)
            && seed.is_none_or(|seed| Some(seed) == point.seed)
            && prompt.as_ref().is_none_or(|prompt| prompt == point.prompt)
    }
}
