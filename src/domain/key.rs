//! Takes those levels out of a cell that decide one thing: how a model is loaded, or which tokens a prompt becomes. Must not
//! know which factors there are.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::levels::{Levels, serialize_levels};
use super::{Context, Factor, FactorLevel, Generate, Level, Offload, OpOffload, Quant, Scope};

/// Levels of the factors of some scopes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key<K>(Arc<[Level]>, PhantomData<K>);

/// What texts must have in common to be decoded together, within an experiment: the levels that decide which file is loaded,
/// how, and in which contexts it computes.
pub type LoadKey = Key<Loads>;
/// What prompts must have in common for the same text to be the same tokens.
pub type PromptKey = Key<Prompts>;

/// Which scopes a key is about.
pub trait Scopes {
    const SCOPES: &'static [Scope];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Loads {}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Prompts {}

impl Scopes for Loads {
    const SCOPES: &'static [Scope] = &[Scope::File, Scope::Load, Scope::Context];
}

impl Scopes for Prompts {
    const SCOPES: &'static [Scope] = &[Scope::Prompt];
}

impl<K: Scopes> Key<K> {
    /// Its factors, in the order in which grids nest.
    pub fn factors() -> Vec<Factor> {
        Factor::nested(K::SCOPES)
    }

    /// The key of these levels.
    pub fn of(level: impl FnMut(Factor) -> Level) -> Self {
        Self(Self::factors().into_iter().map(level).collect(), PhantomData)
    }

    /// The same with another level.
    #[must_use]
    pub fn with(&self, level: impl Into<Level>) -> Self {
        let new = level.into();
        let levels = self.0.iter().map(|old| if old.factor() == new.factor() { new.clone() } else { old.clone() });
        Self(levels.collect(), PhantomData)
    }

    /// Its levels, in the order in which grids nest.
    pub fn levels(&self) -> impl Iterator<Item = &Level> {
        self.0.iter()
    }

    /// Its level of the factor whose levels are of this type, which is one of its own.
    pub fn get<T: FactorLevel>(&self) -> &T {
        self.levels().find_map(T::of).expect("it is a factor of this key's scopes")
    }
}

impl LoadKey {
    /// The key of this model, and the usual level of every other factor.
    pub fn usual(model: &str) -> Self {
        Self::of(|factor| match factor {
            Factor::Model => Level::Model(model.into()),
            other => other.usual().expect("only the model must be named"),
        })
    }

    pub fn model(&self) -> &str {
        self.get::<super::ModelId>().as_str()
    }

    /// Whether a model that is loaded for the other one need not be loaded again.
    pub fn has_weights_of(&self, other: &Self) -> bool {
        let of_weights = |key: &'_ Self| -> Vec<Level> {
            key.levels().filter(|level| level.factor().scope() < Scope::Context).cloned().collect()
        };
        of_weights(self) == of_weights(other)
    }

    pub fn offload(&self) -> Offload {
        *self.get()
    }

    pub fn quant(&self) -> Quant {
        *self.get()
    }

    /// Tokens of context for each text.
    pub fn context(&self, generate: Generate) -> u32 {
        self.get::<Context>().tokens(generate.context)
    }

    pub fn op_offload(&self) -> OpOffload {
        *self.get()
    }
}

/// The usual level of each factor.
impl Default for PromptKey {
    fn default() -> Self {
        Self::of(|factor| factor.usual().expect("no factor of prompts must be named"))
    }
}

impl fmt::Display for LoadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.levels().filter(|level| level.is_said()).try_for_each(|level| f.write_str(&level.in_load()))
    }
}

impl<K: Scopes> Serialize for Key<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_levels(self.levels(), serializer)
    }
}

impl<'de, K: Scopes> Deserialize<'de> for Key<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut levels = deserializer.deserialize_map(Levels)?;
        let level = |factor: Factor| levels[factor].take().ok_or_else(|| D::Error::missing_field(factor.name()));
        let levels = Self::factors().into_iter().map(level).collect::<Result<_, _>>()?;
        Ok(Self(levels, PhantomData))
    }
}
