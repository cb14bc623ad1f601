//! Combines levels to the cells of a grid, and says what of a cell decides how a model is loaded. Must not know which
//! factors there are.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::levels::serialize_levels;
use super::{Bos, Factor, FactorLevel, FactorMap, Level, LoadKey, Offload, PromptKey, Quant, Temperature, Template};

/// One combination of levels, prompts and seeds aside. Copies share it: a plan may have a million trials.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell(Arc<FactorMap<Level>>);

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

    /// As files from before BOS was a factor mean it: by the experiment's setting, where the cell says nothing.
    #[must_use]
    pub fn under_setting(self, bos: Bos) -> Self {
        if *self.get::<Bos>() == Bos::default() && bos != Bos::default() { self.with(bos) } else { self }
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

    pub fn prompt_key(&self) -> PromptKey {
        PromptKey::of(|factor| self.level(factor).clone())
    }
}

/// Every level that is said, as in tables.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} · T {}", self.arm(), self.temperature())
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_levels(self.levels(), serializer)
    }
}
