//! The plan: every trial of an experiment, in order, with its id and load key.
//!
//! Pure: what must be read from disk or asked of the engine is handed in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::engine::{EngineFacts, ModelFacts};
use crate::experiment::{
    Chain, Experiment, Generate, Model, Numerics, Offload, Point, Prompt, ResolvedChain, Seed, Step, Temperature,
};

/// A content hash (blake3, its first 128 bits, lower-case hexadecimal) of
/// everything that may change a trial's text. Trials that share an id have
/// the same text, whatever their cells are called.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrialId(String);

/// One cell × one prompt × one seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    pub id: TrialId,
    pub cell: Cell,
    /// The prompt's id.
    pub prompt: String,
    /// None where the chain makes no draw.
    pub seed: Option<Seed>,
}

/// One combination of levels, prompts and seeds aside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    pub model: String,
    pub chain: String,
    pub offload: Offload,
    pub temperature: Temperature,
}

/// What was learnt of a model before planning: its file's hash, what the file
/// says, the engine that will run it.
#[derive(Clone, Debug, PartialEq)]
pub struct Surveyed {
    /// The file, or the first part of a split set.
    pub path: PathBuf,
    /// The repository's commit, where the file is the hub's.
    pub commit: Option<String>,
    /// blake3 of the whole file, lower-case hexadecimal.
    pub blake3: String,
    pub size_bytes: u64,
    pub facts: ModelFacts,
    pub engine: EngineFacts,
    /// For each prompt of the experiment, in its order, BOS included.
    pub n_prompt_tokens: Vec<u32>,
}

/// Every trial, in the order in which they run and are reported.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub generate: Generate,
    pub loads: Vec<Load>,
}

/// The trials of one load key: a model loaded once.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    pub model: Model,
    pub surveyed: Surveyed,
    pub offload: Offload,
    pub prompts: Vec<PromptTrials>,
}

/// The trials that share a load key and a prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptTrials {
    pub prompt: Prompt,
    pub n_tokens: u32,
    pub trials: Vec<PlannedTrial>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PlannedTrial {
    pub trial: Trial,
    pub chain: ResolvedChain,
}

/// Why an experiment that reads well can't be run on these models.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum PlanError {
    #[error(
        "prompt {prompt} has {n_prompt_tokens} tokens for the model {model}; with max_tokens = {max_tokens} it exceeds \
         context = {context}: raise [generate] context to at least {needed}, or shorten the prompt",
        needed = n_prompt_tokens.saturating_add(*max_tokens)
    )]
    PromptTooLong { prompt: String, model: String, n_prompt_tokens: u32, max_tokens: u32, context: u32 },
    #[error("offload = {asked} asks for more layers than the model {model} has: use \"all\", or at most {n_layer}")]
    TooManyLayers { model: String, asked: u32, n_layer: u32 },
    #[error("chain {chain} biases token {token}, but the model {model} has {n_vocab} tokens: ids run from 0")]
    NoSuchToken { chain: String, model: String, token: i32, n_vocab: u32 },
}

impl Plan {
    /// Lays out the grid: model, offload, prompt, chain, temperature, seed,
    /// the last one fastest.
    ///
    /// `surveyed` holds an entry for every model of the grid.
    ///
    /// # Errors
    /// All that stand in the way, not only the first.
    pub fn new(experiment: &Experiment, surveyed: &BTreeMap<String, Surveyed>) -> Result<Self, Vec<PlanError>> {
        let grid = &experiment.grid;
        let errors: Vec<_> =
            grid.models.iter().flat_map(|model| misfits(experiment, model, &surveyed[&model.id])).collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut loads = Vec::new();
        for model in &grid.models {
            for &offload in &grid.offloads {
                let surveyed = surveyed[&model.id].clone();
                let with_counts = experiment.prompts.iter().zip(surveyed.n_prompt_tokens.clone());
                let prompts: Vec<_> = with_counts
                    .map(|(prompt, n_tokens)| PromptTrials {
                        prompt: prompt.clone(),
                        n_tokens,
                        trials: trials(experiment, model, &surveyed, offload, prompt),
                    })
                    .filter(|group| !group.trials.is_empty())
                    .collect();
                if !prompts.is_empty() {
                    loads.push(Load { model: model.clone(), surveyed, offload, prompts });
                }
            }
        }
        Ok(Self { generate: experiment.generate, loads })
    }

    pub fn trials(&self) -> impl Iterator<Item = &Trial> {
        self.loads.iter().flat_map(Load::planned).map(|planned| &planned.trial)
    }

    /// What must stand beside every result, for the models' sake.
    pub fn caveat(&self) -> Option<String> {
        let notes: BTreeSet<_> = self.loads.iter().filter_map(|load| load.model.note.as_deref()).collect();
        (!notes.is_empty()).then(|| Vec::from_iter(notes).join("; "))
    }

    /// What must be known to read the plan, and its results, rightly.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::from_iter(self.caveat());
        let engines = self.loads.iter().map(|load| &load.surveyed.engine);
        if self.loads.iter().any(|load| load.offload != Offload::None)
            && engines.clone().all(|engine| engine.accelerators.is_empty())
        {
            let mut note =
                "this build has no accelerator: the offload moves nothing, all experts are on the host".to_owned();
            if self.loads.windows(2).any(|pair| pair[0].model.id == pair[1].model.id) {
                note += "; arms that differ in their offload alone are the same arm and compare nothing";
            }
            notes.push(note);
        }
        if self.generate.numerics == Numerics::Invariant
            && let Some(variance) = engines.filter_map(|engine| engine.variance.as_ref()).next()
        {
            notes.push(format!("numerics = \"invariant\" does not hold, texts may depend on the batch: {variance}"));
        }
        let without_draw: BTreeSet<_> = self.trials().filter(|t| t.seed.is_none()).map(|t| &*t.cell.chain).collect();
        if !without_draw.is_empty() {
            let chains = Vec::from_iter(without_draw).join(", ");
            notes.push(format!("no random draw, so one run whatever the seeds: {chains}"));
        }
        notes
    }
}

impl Load {
    pub fn planned(&self) -> impl Iterator<Item = &PlannedTrial> {
        self.prompts.iter().flat_map(|group| &group.trials)
    }
}

fn trials(
    experiment: &Experiment,
    model: &Model,
    surveyed: &Surveyed,
    offload: Offload,
    prompt: &Prompt,
) -> Vec<PlannedTrial> {
    let mut trials = Vec::new();
    for chain in &experiment.grid.chains {
        for &temperature in &experiment.grid.temperatures {
            let resolved = chain.at(temperature);
            let cell = Cell { model: model.id.clone(), chain: chain.id.clone(), offload, temperature };
            for seed in experiment.grid.seeds_of(chain) {
                let point =
                    Point { model: &model.id, chain: &chain.id, offload, temperature, seed, prompt: &prompt.id };
                if experiment.grid.excludes(point) {
                    continue;
                }
                let id = trial_id(experiment.generate, surveyed, offload, &resolved, seed, prompt);
                let trial = Trial { id, cell: cell.clone(), prompt: prompt.id.clone(), seed };
                trials.push(PlannedTrial { trial, chain: resolved.clone() });
            }
        }
    }
    trials
}

fn trial_id(
    generate: Generate,
    surveyed: &Surveyed,
    offload: Offload,
    chain: &ResolvedChain,
    seed: Option<Seed>,
    prompt: &Prompt,
) -> TrialId {
    /// The names and their order are part of every id: a change of either
    /// makes every journal incomplete.
    #[derive(Serialize)]
    struct Identity<'a> {
        engine: &'a str,
        model_blake3: &'a str,
        quant: &'static str,
        offload: Offload,
        numerics: Numerics,
        context: u32,
        max_tokens: u32,
        chain: &'a ResolvedChain,
        seed: Option<Seed>,
        prompt: &'a str,
    }
    let identity = Identity {
        engine: &surveyed.engine.fingerprint,
        model_blake3: &surveyed.blake3,
        quant: "source",
        offload,
        numerics: generate.numerics,
        context: generate.context,
        max_tokens: generate.max_tokens,
        chain,
        seed,
        prompt: &prompt.text,
    };
    let canonical = serde_json::to_vec(&identity).expect("an identity is plain data");
    let hash = blake3::hash(&canonical);
    TrialId(hash.to_hex()[..32].to_owned())
}

fn misfits(experiment: &Experiment, model: &Model, surveyed: &Surveyed) -> Vec<PlanError> {
    let Generate { max_tokens, context, .. } = experiment.generate;
    let counted = experiment.prompts.iter().zip(surveyed.n_prompt_tokens.iter().copied());
    let too_long = counted.filter(|(_, n_prompt_tokens)| n_prompt_tokens.saturating_add(max_tokens) > context);
    let too_long = too_long.map(|(prompt, n_prompt_tokens)| PlanError::PromptTooLong {
        prompt: prompt.id.clone(),
        model: model.id.clone(),
        n_prompt_tokens,
        max_tokens,
        context,
    });
    let n_layer = surveyed.facts.n_layer;
    let too_deep = experiment.grid.offloads.iter().filter_map(|&offload| match offload {
        Offload::Layers(asked) if asked > n_layer => {
            Some(PlanError::TooManyLayers { model: model.id.clone(), asked, n_layer })
        }
        _ => None,
    });
    let n_vocab = surveyed.facts.n_vocab;
    let biases = experiment.grid.chains.iter().flat_map(|chain| biased_tokens(chain).map(move |token| (chain, token)));
    let unknown_tokens =
        biases.filter(|&(_, token)| !u32::try_from(token).is_ok_and(|token| token < n_vocab)).map(|(chain, token)| {
            PlanError::NoSuchToken { chain: chain.id.clone(), model: model.id.clone(), token, n_vocab }
        });
    too_long.chain(too_deep).chain(unknown_tokens).collect()
}

fn biased_tokens(chain: &Chain) -> impl Iterator<Item = i32> {
    chain
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::LogitBias { biases } => Some(biases.iter().map(|bias| bias.token)),
            _ => None,
        })
        .flatten()
}

impl TrialId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TrialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
