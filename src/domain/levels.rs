//! Owns how levels are written and read as a map, by their factors' names.

use std::fmt;

use serde::Serializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap;

use super::factor::OfFactor;
use super::{Factor, FactorMap, Level};

/// Writes those that are said.
pub(super) fn serialize_levels<'l, S: Serializer>(
    levels: impl Iterator<Item = &'l Level>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    for level in levels.filter(|level| level.is_said()) {
        map.serialize_entry(level.factor().name(), level)?;
    }
    map.end()
}

/// Reads levels by their factors' names, and fills in what is usual, for that is not said.
pub(super) struct Levels;

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
