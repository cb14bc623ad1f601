//! Combines levels to the cells of a grid, and says what of a cell decides how a model is loaded. Must not know which
//! factors there are.

use std::fmt;
use std::sync::Arc;

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::factor::OfFactor;
use super::{Factor, FactorLevel, FactorMap, Level, Offload, OpOffload, Quant, Scope, Temperature, Template};

/// One combination of levels, prompts and seeds aside. Copies share it: a plan may have a million trials.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell(Arc<FactorMap<Level>>);

/// What texts must have in common to be decoded together, within an experiment: the levels that decide which file is loaded,
/// how, and in which contexts it computes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoadKey(Arc<[Level]>);

impl Cell {
    /// The cell of a level for each factor. A level that is not of its place's factor is a mistake of the program's.
    pub fn new(levels: FactorMap<Level>) -> Self {
        debug_assert!(levels.iter().all(|(factor, level)| level.factor() == factor), "each level has its place");
        Self(Arc::new(levels))
    }

    /// The cell of these, and the usual level of every other factor.
    pub fn usual(model: &str, chain: &str, temperature: Temperature) -> Self {
        Self::new(FactorMap::from_fn(|factor| match factor {
            Factor::Model => Level::Model(model.into()),
            Factor::Chain => Level::Chain(chain.into()),
            Factor::Temperature => Level::Temperature(temperature),
            other => other.usual().expect("only these must be named"),
        }))
    }

    /// The same with another level.
    #[must_use]
    pub fn with(&self, level: impl Into<Level>) -> Self {
        let level = level.into();
        let mut levels = (*self.0).clone();
        let factor = level.factor();
        levels[factor] = level;
        Self::new(levels)
    }

    /// Its levels, in the order of columns.
    pub fn levels(&self) -> impl DoubleEndedIterator<Item = &Level> {
        self.0.values()
    }

    pub fn level(&self, factor: Factor) -> &Level {
        &self.0[factor]
    }

    /// Its level of the factor whose levels are of this type.
    pub fn get<T: FactorLevel>(&self) -> &T {
        self.levels().find_map(T::of).expect("a cell has a level of each factor")
    }

    pub fn model(&self) -> &str {
        match self.level(Factor::Model) {
            Level::Model(id) => id.as_str(),
            _ => unreachable!("each level has its place"),
        }
    }

    pub fn chain(&self) -> &str {
        match self.level(Factor::Chain) {
            Level::Chain(id) => id.as_str(),
            _ => unreachable!("each level has its place"),
        }
    }

    pub fn temperature(&self) -> Temperature {
        match self.level(Factor::Temperature) {
            Level::Temperature(temperature) => *temperature,
            _ => unreachable!("each level has its place"),
        }
    }

    pub fn offload(&self) -> Offload {
        *self.get()
    }

    pub fn quant(&self) -> Quant {
        *self.get()
    }

    pub fn template(&self) -> Template {
        *self.get()
    }

    /// Whether it differs from another in none but these factors.
    pub fn differs_at_most_in(&self, factors: &[Factor], other: &Self) -> bool {
        Factor::ALL.into_iter().all(|factor| factors.contains(&factor) || self.level(factor) == other.level(factor))
    }

    /// Writes all of its levels but that of `factor`.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize_without<S: Serializer>(&self, factor: Factor, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_levels(self.levels().filter(|level| level.factor() != factor), serializer)
    }

    /// All of it but the temperature, in words.
    pub fn arm(&self) -> String {
        let said = self.levels().filter(|level| level.factor() != Factor::Temperature && level.is_said());
        said.map(Level::in_cell).collect::<Vec<_>>().join(" · ")
    }

    pub fn load_key(&self) -> LoadKey {
        LoadKey::of(|factor| self.level(factor).clone())
    }
}

impl LoadKey {
    /// The key of these levels.
    pub fn of(level: impl FnMut(Factor) -> Level) -> Self {
        Self(Factor::of_loads().into_iter().map(level).collect())
    }

    /// The key of this model, and the usual level of every other factor.
    pub fn usual(model: &str) -> Self {
        Self::of(|factor| match factor {
            Factor::Model => Level::Model(model.into()),
            other => other.usual().expect("only the model must be named"),
        })
    }

    /// The same with another level.
    #[must_use]
    pub fn with(&self, level: impl Into<Level>) -> Self {
        let new = level.into();
        Self(self.0.iter().map(|old| if old.factor() == new.factor() { new.clone() } else { old.clone() }).collect())
    }

    /// Its levels, in the order in which grids nest.
    pub fn levels(&self) -> impl Iterator<Item = &Level> {
        self.0.iter()
    }

    /// Its level of the factor whose levels are of this type, which decides what is loaded or how.
    pub fn get<T: FactorLevel>(&self) -> &T {
        self.levels().find_map(T::of).expect("it is a factor of loads")
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

    pub fn op_offload(&self) -> OpOffload {
        *self.get()
    }
}

/// Every level that is said, as in tables.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} · T {}", self.arm(), self.temperature())
    }
}

impl fmt::Display for LoadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.levels().filter(|level| level.is_said()).try_for_each(|level| f.write_str(&level.in_load()))
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_levels(self.levels(), serializer)
    }
}

impl Serialize for LoadKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_levels(self.levels(), serializer)
    }
}

fn serialize_levels<'l, S: Serializer>(
    levels: impl Iterator<Item = &'l Level>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    for level in levels.filter(|level| level.is_said()) {
        map.serialize_entry(level.factor().name(), level)?;
    }
    map.end()
}

impl<'de> Deserialize<'de> for LoadKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut levels = deserializer.deserialize_map(Levels)?;
        let level = |factor: Factor| levels[factor].take().ok_or_else(|| D::Error::missing_field(factor.name()));
        Factor::of_loads().into_iter().map(level).collect::<Result<_, _>>().map(Self)
    }
}

/// Reads levels by their factors' names, and fills in what is usual, for that is not said.
struct Levels;

impl<'de> Visitor<'de> for Levels {
    type Value = FactorMap<Option<Level>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a level for each factor")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut levels = FactorMap::default();
        while let Some(name) = map.next_key::<String>()? {
            match name.parse::<Factor>() {
                Ok(factor) => levels[factor] = Some(map.next_value_seed(OfFactor(factor))?),
                Err(()) => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        for factor in Factor::ALL {
            levels[factor] = levels[factor].take().or_else(|| factor.usual());
        }
        Ok(levels)
    }
}
