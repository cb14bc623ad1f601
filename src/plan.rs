//! Owns the plan: every trial of an experiment, in order, with its id and its load key.
//!
//! Must not know how anything is run. It is pure: what must be read from disk or asked of the engine is handed in.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use itertools::{Itertools as _, iproduct};

use crate::domain::{
    Cell, Chain, Factor, FactorMap, Finding, Generate, Level, LoadKey, ModelFacts, Numerics, Offload, OpOffload, Point,
    PrefixTokens, PromptKey, ResolvedChain, Scope, Seed, Template, Trial, TrialId, Ubatch, Width, cache_share,
};
use crate::engine::http::request_revision;
use crate::engine::{CACHE_STEP, Limits, Shape, Strategy, Unaskable};
use crate::experiment::{Experiment, Model, Prompt, Source};
use crate::metrics::Markers;

mod chains;
mod design;
mod findings;
mod format;
mod identity;
mod model_notes;
mod refused;
mod room;
mod sequence;
mod server;
mod shard;
mod study;
mod surveyed;

pub use chains::Undecided;
pub use design::{Design, DesignError, Part};
use identity::Identity;
pub use refused::{Meaningless, Refused};
use refused::{meaningless, refused, unaskable};
use room::Room;
pub use sequence::{Needs, Sequence};
pub use server::{Doubt, Misfit};
pub use shard::{NoShard, Shard};
pub use study::misfits as study_misfits;
pub use surveyed::{OnDisk, Origin, Surveyed};

/// Every trial, in the order in which they run and are reported.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub generate: Generate,
    /// Those of the grid, as they are for its models.
    pub chains: Vec<Chain>,
    pub loads: Vec<Load>,
}

/// The trials of one load key: a model loaded once.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    pub model: Model,
    pub surveyed: Surveyed,
    pub key: LoadKey,
    pub prompts: Vec<PromptTrials>,
}

/// The trials that share a load key, a prompt and its template.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptTrials {
    pub prompt: Prompt,
    /// How it is asked.
    pub key: PromptKey,
    /// None where a server does not tell.
    pub n_tokens: Option<u32>,
    pub trials: Vec<PlannedTrial>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PlannedTrial {
    pub trial: Trial,
    /// Shared by the seeds of a cell: a plan may have a million trials.
    pub chain: Arc<ResolvedChain>,
    /// What its sampler is seeded with.
    pub draw: Option<Seed>,
}

/// Why an experiment that reads well can't be run on these models.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum PlanError {
    #[error(
        "prompt {prompt} has {n_prompt_tokens} tokens for the model {model}; with max_tokens = {max_tokens} it \
         exceeds context = {context}: raise context to at least {needed}, shorten the prompt, or set in [grid] what \
         happens when a text fills its context: overflow = [\"stop\"] or [\"shift\"]",
        needed = n_prompt_tokens.saturating_add(*max_tokens)
    )]
    PromptTooLong { prompt: String, model: String, n_prompt_tokens: u32, max_tokens: u32, context: u32 },
    #[error(
        "prompt {prompt} has {n_prompt_tokens} tokens for the model {model}, which alone fill context = {context}: \
         raise context to at least {needed}, or shorten the prompt",
        needed = n_prompt_tokens.saturating_add(1)
    )]
    PromptFillsContext { prompt: String, model: String, n_prompt_tokens: u32, context: u32 },
    #[error(
        "with prefix_tokens = {prefix_tokens} the prompt {prompt} has {n_prompt_tokens} tokens for the model {model}; \
         with max_tokens = {max_tokens} it exceeds context = {context}: raise context to at least {needed}, or \
         exclude it with [[grid.exclude]] model = {model:?}, prefix_tokens = {prefix_tokens}",
        needed = n_prompt_tokens.saturating_add(*max_tokens)
    )]
    FillerTooLong {
        prefix_tokens: u32,
        prompt: String,
        model: String,
        n_prompt_tokens: u32,
        max_tokens: u32,
        context: u32,
    },
    #[error("offload = {asked} is more layers than the model {model} has: use \"all\", or at most {n_layer}")]
    TooManyLayers { model: String, asked: u32, n_layer: u32 },
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Meaningless(#[from] Meaningless),
    #[error("chain {chain} biases token {token}, but the model {model} has only {n_vocab} tokens, with ids from 0")]
    NoSuchToken { chain: String, model: String, token: i32, n_vocab: u32 },
    #[error(
        "template = {template} can't be used with the model {model}: {reason}; use template = [\"raw\"], or exclude \
         the pair with [[grid.exclude]] model = {model:?}, template = \"{template}\""
    )]
    NoTemplate { template: Template, model: String, reason: String },
    #[error(transparent)]
    Undecided(#[from] Undecided),
    #[error(transparent)]
    Server(#[from] server::Misfit),
}

impl PlanError {
    /// The levels that stand in the way, and why, where what has others of the same factors may be run; None where nothing
    /// of the grid can be, or where it is not a matter of levels.
    pub fn refused(&self) -> Option<(Vec<Level>, String)> {
        match self {
            Self::Refused(refused) => Some((refused.levels.clone(), refused.why.clone())),
            Self::Meaningless(meaningless) => Some((meaningless.levels.clone(), meaningless.why.to_owned())),
            Self::NoTemplate { template, reason, .. } => Some((vec![(*template).into()], reason.clone())),
            Self::Server(server::Misfit::Prompt { level, why, .. }) => Some((vec![level.clone()], (*why).to_owned())),
            _ => None,
        }
    }
}

impl Plan {
    /// Lays out the grid: model, quantisation, offload, op_offload, template, prompt,
    /// chain, temperature, seed, the last one fastest.
    ///
    /// `surveyed` holds an entry for every model of the grid.
    ///
    /// # Errors
    /// All that stand in the way, not only the first.
    pub fn new(experiment: &Experiment, surveyed: &BTreeMap<String, Surveyed>) -> Result<Self, Vec<PlanError>> {
        let grid = &experiment.grid;
        let misfits = grid.models.iter().flat_map(|model| misfits(experiment, model, &surveyed[&model.id]));
        let mut errors: Vec<_> = misfits.collect();
        let mut loads = Vec::new();
        for levels in grid.combinations(&LoadKey::factors()) {
            let key = LoadKey::of(|factor| level_in(&levels, factor));
            let (model, surveyed) = (grid.model(key.model()), &surveyed[key.model()]);
            let room = Room::of(&key, experiment.generate);
            let mut prompts = Vec::new();
            let ways: Vec<_> = grid.combinations(&Factor::nested(&[Scope::Prompt])).collect();
            for (way, (index, prompt)) in iproduct!(&ways, experiment.prompts.iter().enumerate()) {
                let levels = [levels.as_slice(), way].concat();
                let stretch = Stretch { model, surveyed, levels: &levels, prompt };
                let trials = stretch.trials(experiment);
                let Some(first) = trials.first() else { continue };
                let key = first.trial.cell.prompt_key();
                match count_tokens(surveyed, &first.trial, index, room) {
                    Ok(n_tokens) => prompts.push(PromptTrials { prompt: prompt.clone(), key, n_tokens, trials }),
                    Err(error) if errors.contains(&error) => {}
                    Err(error) => errors.push(error),
                }
            }
            if !prompts.is_empty() {
                for refused in refused(&key, surveyed, experiment.generate.numerics) {
                    let error = PlanError::from(refused);
                    if !errors.contains(&error) {
                        errors.push(error);
                    }
                }
                loads.push(Load { model: model.clone(), surveyed: surveyed.clone(), key, prompts });
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let plan = Self { generate: experiment.generate, chains: chains::of_models(experiment, surveyed), loads };
        Ok(match experiment.sequential {
            None => plan,
            Some(settings) => plan.of_prompts(&Sequence::new(settings, &plan.loads).order),
        })
    }

    /// How often weights are loaded when all of it is run at once.
    pub fn n_loads(&self) -> usize {
        self.loads.iter().dedup_by(|one, next| one.key.has_weights_of(&next.key)).count()
    }

    /// What decides how many prompts of it are run together, of `n_texts` texts; `least` prompts can decide something.
    pub fn needs(&self, n_texts: usize, least: usize) -> Needs {
        let width = self.loads.iter().map(|load| load.key.get::<Width>().texts()).max().unwrap_or(1);
        Needs { n_loads: self.n_loads(), n_texts, least, width }
    }

    /// Returns the part of the plan that is about these prompts.
    pub fn of_prompts(&self, ids: &[String]) -> Self {
        let mut loads = self.loads.clone();
        for load in &mut loads {
            load.prompts.retain(|group| ids.contains(&group.prompt.id));
        }
        loads.retain(|load| !load.prompts.is_empty());
        Self { generate: self.generate, chains: self.chains.clone(), loads }
    }

    /// Returns the part of the plan that has these trials.
    pub fn of_trials(&self, is_one: impl Fn(&Trial) -> bool) -> Self {
        let mut loads = self.loads.clone();
        for load in &mut loads {
            for group in &mut load.prompts {
                group.trials.retain(|planned| is_one(&planned.trial));
            }
            load.prompts.retain(|group| !group.trials.is_empty());
        }
        loads.retain(|load| !load.prompts.is_empty());
        Self { generate: self.generate, chains: self.chains.clone(), loads }
    }

    /// Returns what of the grid can't be asked of the servers in it, as far as it is known before they are asked
    /// anything.
    pub fn server_misfits(experiment: &Experiment) -> Vec<PlanError> {
        let misfits = |model: &Model| match &model.source {
            Source::Server(served) => {
                let undecided = chains::undecided(experiment, model, None).into_iter().map(PlanError::from);
                let others = server::misfits(experiment, &model.id, served).into_iter().map(PlanError::from);
                undecided.chain(others).collect()
            }
            Source::Path(_) | Source::Hub(_) | Source::Packages(_) => vec![],
        };
        experiment.grid.models.iter().flat_map(misfits).collect()
    }

    pub fn trials(&self) -> impl Iterator<Item = &Trial> {
        self.loads.iter().flat_map(Load::planned).map(|planned| &planned.trial)
    }

    /// Returns what must stand beside every result, for the models' sake.
    pub fn caveat(&self) -> Option<String> {
        let notes: BTreeSet<_> = self.loads.iter().filter_map(|load| load.model.note.as_deref()).collect();
        (!notes.is_empty()).then(|| Vec::from_iter(notes).join("; "))
    }

    /// Whether the offload decides nothing: there is no place but the host, or no
    /// model has experts. A server's are where it put them.
    pub fn offload_moves_nothing(&self) -> bool {
        let here = self.loads.iter().filter_map(|load| Some((load, load.surveyed.file()?)));
        let inert =
            |(load, file): (&Load, &OnDisk)| load.surveyed.engine.accelerators.is_empty() || file.facts.n_expert == 0;
        here.clone().next().is_some() && here.clone().all(inert)
    }

    /// Returns what servers are known not to honour of what is compared.
    pub fn doubts(&self) -> Vec<Doubt> {
        let many_seeds = self.trials().filter_map(|trial| trial.seed).unique().count() > 1;
        self.loads
            .iter()
            .flat_map(|load| server::doubts(load, many_seeds))
            .unique_by(|doubt| format!("{doubt:?}"))
            .collect()
    }

    /// Returns the strings between which each model writes its thought, by the model's name, where they are known.
    pub fn thought_markers(&self) -> BTreeMap<String, Markers> {
        let of_load = |load: &Load| Some((load.model.id.clone(), load.surveyed.file()?.facts.thought_markers.clone()?));
        self.loads.iter().filter_map(of_load).collect()
    }

    /// Before a run: that an accelerator may compute experts that lie on the host. After it the
    /// manifest's counts say whether it did.
    pub fn takeover_warning(&self) -> Option<String> {
        let may_be_taken_over = |load: &Load| {
            let has_experts = load.surveyed.file().is_some_and(|file| file.facts.n_expert > 0);
            let accelerated = has_experts && !load.surveyed.engine.accelerators.is_empty();
            accelerated && load.key.offload() != Offload::None && load.key.op_offload() == OpOffload::On
        };
        self.loads.iter().any(may_be_taken_over).then(|| {
            "op_offload is on: llama.cpp sends every step and every prompt of 32 tokens or more \
             (GGML_OP_OFFLOAD_MIN_BATCH) to the GPU, although the experts are on the CPU. To compute them on the CPU, \
             set op_offload = [false], or run with --batch 31 or less on shorter prompts (docs/offload.md)"
                .to_owned()
        })
    }

    /// Returns what must be known to read the plan, and its results, rightly: its findings too.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.remarks();
        notes.extend(self.findings().iter().map(Finding::sentence));
        notes
    }

    /// Returns what must be known beside the findings.
    pub fn remarks(&self) -> Vec<String> {
        let mut notes = Vec::from_iter(self.caveat());
        let engines = self.loads.iter().map(|load| &load.surveyed.engine);
        if self.loads.iter().map(|load| load.key.offload()).unique().nth(1).is_some() && self.offload_moves_nothing() {
            let no_accelerator = engines.clone().all(|engine| engine.accelerators.is_empty());
            let why = if no_accelerator {
                "this build can't use a GPU here (see moe-sweep devices)"
            } else {
                "no model of this experiment has experts"
            };
            notes.push(format!("{why}, so offload has no effect: settings that differ only in it are identical"));
        }
        if self.generate.numerics == Numerics::Invariant
            && let Some(variance) = engines.filter_map(|engine| engine.variance.as_ref()).next()
        {
            notes.push(format!("numerics = \"invariant\" does not hold, so texts may depend on the batch: {variance}"));
        }
        notes.extend(chains::notes(&self.loads, &self.chains));
        notes.extend(self.loads.iter().flat_map(|load| model_notes::notes(load, self.generate)).unique());
        notes.extend(self.loads.iter().flat_map(server::notes).unique());
        notes
    }
}

impl Load {
    /// Returns what a strategy for this load is chosen by; `model_bytes` is the size of
    /// the file that is loaded.
    fn shape(&self, model_bytes: u64, generate: Generate) -> Shape {
        let distinct = |group: &PromptTrials| group.trials.iter().map(|planned| &planned.trial.id).unique().count();
        let token_bytes = self.surveyed.file().and_then(|file| file.facts.cache_bytes_per_token);
        let tokens = u64::from(self.key.context(generate)).next_multiple_of(CACHE_STEP);
        let share = cache_share(*self.key.get(), *self.key.get());
        Shape {
            model_bytes,
            sequence_bytes: token_bytes.map(|bytes| (bytes.saturating_mul(tokens) as f64 * share) as u64),
            prompts: self.prompts.len() as u32,
            texts_a_prompt: self.prompts.iter().map(distinct).max().unwrap_or(0) as u32,
            numerics: generate.numerics,
        }
    }

    /// How it is spread over cores and memory; `model_bytes` is the size of the file that is loaded.
    pub fn strategy(&self, model_bytes: u64, generate: Generate, limits: Limits) -> Strategy {
        let chosen = match *self.key.get() {
            Width::Any => Strategy::choose(self.shape(model_bytes, generate), limits),
            Width::Texts(n) => Strategy::one_lane(model_bytes, limits.threads, n.get()),
        };
        // No step is cut in two.
        let ubatch: &Ubatch = self.key.get();
        Strategy { batch: chosen.batch.min(ubatch.get()), ..chosen }
    }

    /// Whether all of its trials are among these.
    pub fn is_done(&self, done: &HashSet<TrialId>) -> bool {
        self.planned().all(|planned| done.contains(&planned.trial.id))
    }

    pub fn planned(&self) -> impl Iterator<Item = &PlannedTrial> {
        self.prompts.iter().flat_map(|group| &group.trials)
    }
}

/// What the trials of one [`PromptTrials`] have in common.
struct Stretch<'a> {
    model: &'a Model,
    surveyed: &'a Surveyed,
    /// Of the factors that decide what is loaded, how, and what is asked.
    levels: &'a [Level],
    prompt: &'a Prompt,
}

impl Stretch<'_> {
    fn trials(&self, experiment: &Experiment) -> Vec<PlannedTrial> {
        let grid = &experiment.grid;
        let mut trials = Vec::new();
        for sampler in grid.combinations(&Factor::nested(&[Scope::Sampler])) {
            let levels = [self.levels, &sampler].concat();
            let cell = Cell::new(FactorMap::from_fn(|factor| level_in(&levels, factor)));
            let chain = chains::of_model(grid.chain(cell.chain()), &self.model.id, self.surveyed);
            let resolved = Arc::new(chain.at(cell.temperature()));
            let request = match &self.model.source {
                Source::Server(served) => request_revision(&resolved, served.server.api),
                Source::Path(_) | Source::Hub(_) | Source::Packages(_) => None,
            };
            let identity = Identity::new(self.surveyed, experiment.generate, &cell, &resolved, &self.prompt.text);
            let mut identity = identity.of_request(request);
            for seed in grid.seeds_of(&chain) {
                if grid.excludes(Point { cell: &cell, seed, prompt: &self.prompt.id }) {
                    continue;
                }
                let draw = seed.map(|seed| experiment.generate.draws.seed(seed, &self.prompt.text));
                let id = identity.id(draw);
                let trial = Trial { id, cell: cell.clone(), prompt: self.prompt.id.clone(), seed };
                trials.push(PlannedTrial { trial, chain: Arc::clone(&resolved), draw });
            }
        }
        trials
    }
}

/// The level of a factor that has one here.
fn level_in(levels: &[Level], factor: Factor) -> Level {
    levels.iter().find(|level| level.factor() == factor).expect("the grid has levels of each factor").clone()
}

/// The tokens of the trial's prompt, which is the experiment's `index`th, with all that surrounds it; None where a server
/// does not tell.
fn count_tokens(surveyed: &Surveyed, trial: &Trial, index: usize, room: Room) -> Result<Option<u32>, PlanError> {
    let (model, key) = (trial.cell.model(), trial.cell.prompt_key());
    if let Some(meaningless) = meaningless(&key) {
        return Err(meaningless.into());
    }
    let Some(file) = surveyed.file() else { return Ok(None) };
    let n_prompt_tokens = prompt_tokens(file, model, &key)?[index];
    let prefix_tokens = key.get::<PrefixTokens>().get();
    room.take(model, &trial.prompt, n_prompt_tokens).map(Some).map_err(|error| match error {
        PlanError::PromptTooLong { prompt, model, n_prompt_tokens, max_tokens, context } if prefix_tokens > 0 => {
            PlanError::FillerTooLong { prefix_tokens, prompt, model, n_prompt_tokens, max_tokens, context }
        }
        other => other,
    })
}

/// The tokens of each prompt, in order, with the template around it.
fn prompt_tokens<'a>(file: &'a OnDisk, model: &str, key: &PromptKey) -> Result<&'a [u32], PlanError> {
    file.prompt_counts.get(key).as_deref().map_err(|why| match why {
        Unaskable::Template(reason) => {
            PlanError::NoTemplate { template: *key.get(), model: model.to_owned(), reason: reason.clone() }
        }
        Unaskable::Bos(_) | Unaskable::System(_) | Unaskable::Thinking(_) => unaskable(model, key, why).into(),
    })
}

/// What is wrong with a model for the grid as a whole.
fn misfits(experiment: &Experiment, model: &Model, surveyed: &Surveyed) -> Vec<PlanError> {
    match &surveyed.origin {
        Origin::File(file) => {
            let undecided = chains::undecided(experiment, model, Some(&file.sampling));
            let offloads: Vec<Offload> = experiment.grid.levels_of();
            let others = of_file(&model.id, &file.facts, &offloads, &experiment.grid.chains);
            undecided.into_iter().map(PlanError::from).chain(others).collect()
        }
        // Of its model no more is known than it states; what can be asked of it is (`server_misfits`).
        Origin::Server { facts, .. } => {
            server::contradictions(experiment, model, facts).into_iter().map(PlanError::from).collect()
        }
    }
}

/// Offloads of layers, and biases of tokens, that the model in a file does not have.
fn of_file<'a>(
    model: &'a str,
    facts: &'a ModelFacts,
    offloads: &'a [Offload],
    chains: &'a [Chain],
) -> impl Iterator<Item = PlanError> + 'a {
    let n_layer = facts.n_layer;
    let too_deep = offloads.iter().filter_map(move |offload| match *offload {
        Offload::Layers(asked) if asked > n_layer => {
            Some(PlanError::TooManyLayers { model: model.to_owned(), asked, n_layer })
        }
        _ => None,
    });
    let n_vocab = facts.n_vocab;
    let unknown = chains::unknown_tokens(facts, chains).map(move |(chain, token)| PlanError::NoSuchToken {
        chain: chain.id.clone(),
        model: model.to_owned(),
        token,
        n_vocab,
    });
    too_deep.chain(unknown)
}

#[cfg(test)]
mod tests;
