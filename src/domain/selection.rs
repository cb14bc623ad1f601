//! Says which trials are meant: by levels of factors, by prompts, by seeds.

use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::factor::OfFactor;
use super::{Cell, Factor, FactorMap, Level, Seed};

/// Where a trial stands in the grid.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a> {
    pub cell: &'a Cell,
    /// None where the chain makes no draw.
    pub seed: Option<Seed>,
    pub prompt: &'a str,
}

/// Levels of factors and prompts; of a factor with an empty list, all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    pub levels: FactorMap<Vec<Level>>,
    /// Ids: those of the groups that a file names.
    pub prompt: Vec<String>,
}

/// Leaves out the trials that match every level named here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exclusion {
    pub selection: Selection,
    pub seed: Option<Seed>,
}

impl Selection {
    /// The trials with any of these levels.
    pub fn of<L: Into<Level>>(levels: impl IntoIterator<Item = L>) -> Self {
        Self::default().and(levels)
    }

    /// The same with any of these levels, too.
    #[must_use]
    pub fn and<L: Into<Level>>(mut self, levels: impl IntoIterator<Item = L>) -> Self {
        for level in levels.into_iter().map(Into::into) {
            self.levels[level.factor()].push(level);
        }
        self
    }

    pub fn takes(&self, point: Point<'_>) -> bool {
        fn has<T: PartialEq<U>, U: ?Sized>(names: &[T], name: &U) -> bool {
            names.is_empty() || names.iter().any(|known| known == name)
        }
        self.levels.iter().all(|(factor, levels)| has(levels, point.cell.level(factor)))
            && has(&self.prompt, point.prompt)
    }

    /// The factors of which it does not take all levels.
    pub fn factors(&self) -> impl Iterator<Item = Factor> {
        self.levels.iter().filter(|(_, levels)| !levels.is_empty()).map(|(factor, _)| factor)
    }

    /// Whether it may take a trial with this level.
    pub fn may_take(&self, level: &Level) -> bool {
        let levels = &self.levels[level.factor()];
        levels.is_empty() || levels.contains(level)
    }
}

impl Exclusion {
    pub fn matches(&self, point: Point<'_>) -> bool {
        self.selection.takes(point) && self.seed.is_none_or(|seed| Some(seed) == point.seed)
    }
}

impl Serialize for Selection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (factor, levels) in self.levels.iter() {
            map.serialize_entry(factor.name(), levels)?;
        }
        if !self.prompt.is_empty() {
            map.serialize_entry("prompt", &self.prompt)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Selection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Selection;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("levels by factor")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Selection, A::Error> {
                let mut selection = Selection::default();
                while let Some(name) = map.next_key::<String>()? {
                    match name.parse::<Factor>() {
                        Ok(factor) => selection.levels[factor] = map.next_value_seed(LevelsOf(factor))?,
                        Err(()) if name == "prompt" => selection.prompt = map.next_value()?,
                        Err(()) => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(selection)
            }
        }
        deserializer.deserialize_map(V)
    }
}

struct LevelsOf(Factor);

impl<'de> DeserializeSeed<'de> for LevelsOf {
    type Value = Vec<Level>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Level>, D::Error> {
        struct V(Factor);
        impl<'de> Visitor<'de> for V {
            type Value = Vec<Level>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of levels")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Level>, A::Error> {
                let mut levels = Vec::new();
                while let Some(level) = list.next_element_seed(OfFactor(self.0))? {
                    levels.push(level);
                }
                Ok(levels)
            }
        }
        deserializer.deserialize_seq(V(self.0))
    }
}
