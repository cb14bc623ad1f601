//! The ground that every other module stands on: factors and their levels, cells, trials, chains, generated texts.
//!
//! Owns what these words mean. Must not know how they are written in an experiment file, run, scored, stored or shown;
//! of other modules it knows none.

mod cell;
mod chain;
mod chat_form;
mod factor;
mod factors;
mod finding;
mod generation;
pub mod jinja;
mod key;
mod level_type;
mod levels;
mod map;
mod model_facts;
mod model_sampling;
mod said;
mod selection;
mod settings;
mod trial;

pub use cell::Cell;
pub use chain::{
    Author, Chain, Fidelity, JSON_GRAMMAR, ROOT, ResolvedChain, SamplingPlace, Slot, Step, StepKind, TokenBias,
};
pub use chat_form::{ChatForm, RenderedForm};
pub use factor::{Factor, FactorLevel, Level};
pub use factors::*;
pub use finding::{Finding, FindingId, Found, Severity};
pub use generation::{Generation, Stop, Token};
pub use key::{Key, LoadKey, PromptKey, Scopes};
pub use level_type::{Acts, LevelType, MAX_LEVELS, NotALevel, Order, Scope, Steps, Wording, Written};
pub use map::FactorMap;
pub use model_facts::{CacheFacts, KeysAndValues, Memory, ModelFacts, OwnTemplate, RopeScaling};
pub use model_sampling::ModelSampling;
pub use said::{Said, SaidValue};
pub use selection::{Exclusion, Point, Selection};
pub use settings::{Draws, Generate, Numerics, Seed};
pub use trial::{Trial, TrialId};
