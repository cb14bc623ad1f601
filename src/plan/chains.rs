//! Owns which chains a model can be asked for, what one is for a model whose files decide it, and what must be known of
//! chains to read their results rightly. Must not know how a model's files are read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use itertools::Itertools as _;

use super::{Load, Surveyed};
use crate::domain::{
    Author, Chain, Exclusion, Level, ModelFacts, ModelSampling, SamplingPlace, Selection, Slot, Step, StepKind,
    Temperature,
};
use crate::experiment::{Experiment, Model, caveats};
use crate::format::steps;

/// Why a model can't be asked for a chain whose steps the experiment does not say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "chain {chain} can't be used with the model {model}: {why}, or exclude the pair with [[grid.exclude]] model = \
     {model:?}, chain = {chain:?}"
)]
pub struct Undecided {
    chain: String,
    model: String,
    why: Why,
}

/// What is in the way, and what to write in the chain's place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Why {
    #[error(
        "its file has no sampling settings, neither general.sampling.* in its header nor a generation_config.json \
         beside it; use chain = \"llama.cpp\", the values that llama.cpp uses in that case"
    )]
    Unstated,
    #[error("{place} {why}; correct it, or write the intended steps as a [[chain]]")]
    Unusable { place: SamplingPlace, why: String },
    #[error("its file defines the chain but is not here; fetch the model first")]
    Unread,
    #[error(
        "a server does not show its model's file; use \"server-defaults\", which leaves the sampling to the server"
    )]
    Served,
    #[error("it is a file, but only a server has its own defaults; use \"model-defaults\" or \"llama.cpp\"")]
    NotServed,
}

/// The grid's chains; one that models' files decide as often as there are models that state it.
pub(super) fn of_models(experiment: &Experiment, surveyed: &BTreeMap<String, Surveyed>) -> Vec<Chain> {
    let grid = &experiment.grid;
    let of = |chain: &Chain| match chain.author {
        Author::Model => {
            let asked = grid.models.iter().filter(|model| coldest(experiment, &model.id, &chain.id).is_some());
            asked.map(|model| of_model(chain, &model.id, &surveyed[&model.id]).into_owned()).collect()
        }
        Author::Experiment | Author::ModelFile { .. } | Author::Server => vec![chain.clone()],
    };
    grid.chains.iter().flat_map(of).collect()
}

/// The chain, with the steps that the model's files state where they decide it. Where they state none, `undecided` says so.
pub(super) fn of_model<'c>(chain: &'c Chain, model: &str, surveyed: &Surveyed) -> Cow<'c, Chain> {
    let stated = || surveyed.file()?.sampling.chain(chain, model);
    match chain.author {
        Author::Model => stated().map_or(Cow::Borrowed(chain), Cow::Owned),
        Author::Experiment | Author::ModelFile { .. } | Author::Server => Cow::Borrowed(chain),
    }
}

/// The grid's chains that this model can't be asked for, for nobody says what they are. `sampling` is what its files say;
/// None where a server has them.
pub(super) fn undecided(experiment: &Experiment, model: &Model, sampling: Option<&ModelSampling>) -> Vec<Undecided> {
    let why = |chain: &Chain| match (&chain.author, sampling) {
        (Author::Model, None) => Some(Why::Served),
        (Author::Model, Some(ModelSampling::Unstated)) => Some(Why::Unstated),
        (Author::Model, Some(ModelSampling::Unread)) => Some(Why::Unread),
        (Author::Model, Some(ModelSampling::Unusable { place, why })) => {
            Some(Why::Unusable { place: *place, why: why.clone() })
        }
        (Author::Server, Some(_)) => Some(Why::NotServed),
        (Author::Model, Some(ModelSampling::Stated { .. }))
        | (Author::Server, None)
        | (Author::Experiment | Author::ModelFile { .. }, _) => None,
    };
    let is_asked = |chain: &&Chain| coldest(experiment, &model.id, &chain.id).is_some();
    let asked = experiment.grid.chains.iter().filter(is_asked);
    asked
        .filter_map(|chain| Some(Undecided { why: why(chain)?, chain: chain.id.clone(), model: model.id.clone() }))
        .collect()
}

/// The first of the grid's temperatures at which this model is asked for this chain; None where all are left out.
pub(super) fn coldest(experiment: &Experiment, model: &str, chain: &str) -> Option<Temperature> {
    let chain = Level::Chain(chain.into());
    let excluded = |temperature: &Temperature| {
        excludes(experiment, model, |excluded| {
            excluded.may_take(&chain) && excluded.may_take(&Level::Temperature(*temperature))
        })
    };
    experiment.grid.levels_of().into_iter().find(|temperature| !excluded(temperature))
}

/// Whether an exclusion of this model, or of all, leaves out what `names` says it names.
pub(super) fn excludes(experiment: &Experiment, model: &str, names: impl Fn(&Selection) -> bool) -> bool {
    let model = Level::Model(model.into());
    let of_model = |exclusion: &&Exclusion| {
        exclusion.selection.may_take(&model) && exclusion.seed.is_none() && exclusion.selection.prompt.is_empty()
    };
    experiment.grid.excluded.iter().filter(of_model).any(|exclusion| names(&exclusion.selection))
}

/// Tokens that a chain biases and the model in a file does not have, each with the chain.
pub(super) fn unknown_tokens<'a>(
    facts: &ModelFacts,
    chains: &'a [Chain],
) -> impl Iterator<Item = (&'a Chain, i32)> + use<'a> {
    let n_vocab = facts.n_vocab;
    let biases = chains.iter().flat_map(|chain| biased_tokens(chain).map(move |token| (chain, token)));
    biases.filter(move |&(_, token)| !u32::try_from(token).is_ok_and(|token| token < n_vocab))
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

/// What must be known of a plan's chains: which draw nothing, which steps are off or have values that llama.cpp does not
/// apply, and what of them is decided elsewhere than in the experiment.
pub(super) fn notes(loads: &[Load], chains: &[Chain]) -> Vec<String> {
    let trials = loads.iter().flat_map(Load::planned).map(|planned| &planned.trial);
    let without_draw = trials.filter(|trial| trial.seed.is_none()).map(|trial| trial.cell.chain());
    let without_draw = without_draw.sorted_unstable().dedup().join(", ");
    let no_draw = (!without_draw.is_empty())
        .then(|| format!("deterministic chains, so each is run with one seed only: {without_draw}"));
    let of_chains = chains.iter().flat_map(|chain| decided_elsewhere(chain).into_iter().chain(late_grammar(chain)));
    no_draw.into_iter().chain(applied_otherwise(loads)).chain(of_chains).collect()
}

/// A server's samplers are its own affair.
fn applied_otherwise(loads: &[Load]) -> Vec<String> {
    let here = loads.iter().filter(|load| load.surveyed.file().is_some());
    let chains = here.flat_map(Load::planned).unique_by(|planned| {
        let cell = &planned.trial.cell;
        (cell.model(), cell.chain(), cell.temperature().get().to_bits())
    });
    let caveats = chains.flat_map(|planned| {
        let named = |caveat| format!("chain {}: {caveat}", planned.trial.cell.chain());
        planned.chain.0.iter().flat_map(caveats).map(named).collect::<Vec<_>>()
    });
    caveats.unique().collect()
}

/// A text ends where no token is left that its grammar allows.
fn late_grammar(chain: &Chain) -> Option<String> {
    let is_grammar = |step: &Step<Slot>| matches!(step, Step::Grammar { .. } | Step::Json) && !step.is_off();
    let before = chain.steps.iter().take_while(|step| !is_grammar(step));
    let cuts = before.filter(|step| step.kind() == StepKind::Truncation && !step.is_off()).count();
    let has_grammar = chain.steps.iter().any(is_grammar);
    (has_grammar && cuts > 0).then(|| {
        format!(
            "chain {}: its grammar comes after steps that remove tokens, so a text ends if they leave no token that \
             it allows (stop grammar); make the grammar the first step to avoid this",
            chain.id
        )
    })
}

/// What the experiment does not say of a chain, or says in vain: its steps, its temperature.
fn decided_elsewhere(chain: &Chain) -> Option<String> {
    let id = &chain.id;
    let own = chain.own_temperature().map(|t| format!("its temperature is {t}; the grid's temperature has no effect"));
    match &chain.author {
        Author::Experiment => Some(format!("chain {id}: {}", own?)),
        Author::ModelFile { model, place } => {
            let said = serde_json::to_string(&steps(&chain.steps)).expect("steps are plain data");
            let own = own.map_or(String::new(), |own| format!("; {own}"));
            Some(format!("chain {id} of the model {model}, by {place}: {said}{own}"))
        }
        Author::Server if chain.steps.is_empty() => {
            Some(format!("chain {id}: no sampling fields are sent; the grid's temperature has no effect"))
        }
        Author::Server => {
            let said = serde_json::to_string(&steps(&chain.steps)).expect("steps are plain data");
            Some(format!("chain {id}: only {said} is sent to the server; the grid's temperature has no effect"))
        }
        Author::Model => None,
    }
}
