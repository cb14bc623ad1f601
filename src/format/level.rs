//! Owns how files hold levels of factors, by the factors' names.

use std::fmt;

use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Unknown;
use crate::domain::{self, Cell, Factor, FactorMap, LoadKey, Written};

/// Levels by the names of their factors, in the order of the file. Those that nobody need say are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels(Vec<(String, Level)>);

/// One level.
#[derive(Clone, Debug, PartialEq)]
pub enum Level {
    Switch(bool),
    Integer(i64),
    Number(f64),
    Name(String),
    /// `{"layers": 2}`: the first version wrote the offload of some layers so.
    Layers(i64),
    /// Several, in a selection.
    List(Vec<Level>),
    /// Nothing that a level is written as, which something else beside levels may be.
    Other,
}

/// A list of levels for each factor by its name, an empty one for all of them; and prompts, where some are named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    #[serde(flatten)]
    levels: Levels,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    prompt: Vec<String>,
}

/// Factors of which a selection has a list even where it selects any level, as it had before there were others: with a new
/// factor the files of experiments that do not name it stay what they were.
const SAID_WHEN_EMPTY: [&str; 7] = ["model", "chain", "offload", "quant", "template", "op_offload", "temperature"];
const LAYERS: &str = "layers";
/// What a model's level is called beside those of all other factors.
const MODEL: &str = "model";

impl Levels {
    fn of<'l>(levels: impl Iterator<Item = &'l domain::Level>, model: &str) -> Self {
        let name = |factor: Factor| if factor == Factor::Model { model } else { factor.name() };
        let said = levels.filter(|level| level.is_said());
        Self(said.map(|level| (name(level.factor()).to_owned(), level.into())).collect())
    }

    /// Takes the levels of a trial's id, in the order in which they are given.
    pub fn of_id<'l>(levels: impl IntoIterator<Item = &'l domain::Level>) -> Self {
        Self::of(levels.into_iter(), MODEL)
    }

    /// Takes the levels that say what is loaded, and how, with another name for the model's level.
    pub fn of_load(key: &LoadKey, model: &str) -> Self {
        Self::of(key.levels(), model)
    }

    /// Reads what [`Self::of_load`] wrote.
    ///
    /// # Errors
    /// When a level is missing, or none of its factor's.
    pub fn load_key(self, model: &str) -> Result<LoadKey, Unknown> {
        let mut levels = self.by_factor(model)?;
        let found = |factor| levels[factor].take().ok_or_else(|| missing(factor));
        let found: Vec<domain::Level> = LoadKey::factors().into_iter().map(found).collect::<Result<_, _>>()?;
        Ok(LoadKey::of(|factor| {
            found.iter().find(|level| level.factor() == factor).expect("each was found above").clone()
        }))
    }

    /// By factor; what is usual where none is said, for older files do not know later factors.
    fn by_factor(self, model: &str) -> Result<FactorMap<Option<domain::Level>>, Unknown> {
        let mut levels = FactorMap::from_fn(Factor::usual);
        for (name, level) in self.0 {
            let factor = if name == model { Ok(Factor::Model) } else { name.parse::<Factor>() };
            let Ok(factor) = factor else { continue };
            levels[factor] = Some(level.of(factor)?);
        }
        Ok(levels)
    }
}

fn missing(factor: Factor) -> Unknown {
    Unknown(format!("missing field `{factor}`"))
}

impl From<&Cell> for Levels {
    fn from(cell: &Cell) -> Self {
        Self::of(cell.levels(), MODEL)
    }
}

impl From<&LoadKey> for Levels {
    fn from(key: &LoadKey) -> Self {
        Self::of(key.levels(), MODEL)
    }
}

impl TryFrom<Levels> for Cell {
    type Error = Unknown;

    fn try_from(levels: Levels) -> Result<Self, Unknown> {
        let mut levels = levels.by_factor(MODEL)?;
        match Factor::ALL.into_iter().find(|&factor| levels[factor].is_none()) {
            Some(factor) => Err(missing(factor)),
            None => Ok(Self::new(FactorMap::from_fn(|factor| levels[factor].take().expect("it was looked at above")))),
        }
    }
}

impl TryFrom<Levels> for LoadKey {
    type Error = Unknown;

    fn try_from(levels: Levels) -> Result<Self, Unknown> {
        levels.load_key(MODEL)
    }
}

impl From<&domain::Selection> for Selection {
    fn from(selection: &domain::Selection) -> Self {
        let said = |(factor, levels): &(Factor, &Vec<domain::Level>)| {
            !levels.is_empty() || SAID_WHEN_EMPTY.contains(&factor.name())
        };
        let list = |(factor, levels): (Factor, &Vec<domain::Level>)| {
            (factor.name().to_owned(), Level::List(levels.iter().map(Level::from).collect()))
        };
        let levels = selection.levels.iter().filter(said).map(list).collect();
        Self { levels: Levels(levels), prompt: selection.prompt.clone() }
    }
}

impl TryFrom<Selection> for domain::Selection {
    type Error = Unknown;

    fn try_from(Selection { levels: Levels(lists), prompt }: Selection) -> Result<Self, Unknown> {
        let mut selection = Self { prompt, ..Self::default() };
        for (name, list) in lists {
            let factor: Factor = name.parse().map_err(|()| Unknown::word("factor", &name))?;
            let Level::List(levels) = list else { return Err(Unknown(format!("this is not a list of {factor}s"))) };
            selection.levels[factor] = levels.into_iter().map(|level| level.of(factor)).collect::<Result<_, _>>()?;
        }
        Ok(selection)
    }
}

impl Level {
    fn of(self, factor: Factor) -> Result<domain::Level, Unknown> {
        let written = match self {
            Self::Switch(on) => Some(Written::Switch(on)),
            Self::Integer(n) => Some(Written::Integer(n)),
            Self::Number(number) => Some(Written::Number(number)),
            Self::Name(name) => Some(Written::Name(name)),
            Self::Layers(n) if factor == Factor::Offload => Some(Written::Integer(n)),
            Self::Layers(_) | Self::List(_) | Self::Other => None,
        };
        let level = written.as_ref().and_then(|written| factor.read(written).ok());
        level.ok_or_else(|| match written {
            Some(Written::Name(name)) => Unknown::word(factor.name(), &name),
            Some(Written::Integer(n)) => Unknown::word(factor.name(), &n.to_string()),
            Some(Written::Number(number)) => Unknown::word(factor.name(), &number.to_string()),
            Some(Written::Switch(on)) => Unknown::word(factor.name(), &on.to_string()),
            None => Unknown(format!("this is not a {factor}")),
        })
    }
}

impl From<&domain::Level> for Level {
    fn from(level: &domain::Level) -> Self {
        match level.written() {
            Written::Switch(on) => Self::Switch(on),
            Written::Integer(n) if level.factor() == Factor::Offload => Self::Layers(n),
            Written::Integer(n) => Self::Integer(n),
            Written::Number(number) => Self::Number(number),
            Written::Name(name) => Self::Name(name),
        }
    }
}

impl Serialize for Levels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, level)| (name, level)))
    }
}

impl<'de> Deserialize<'de> for Levels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Levels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("levels by factor")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Levels, A::Error> {
                let mut levels = Vec::new();
                while let Some(level) = map.next_entry()? {
                    levels.push(level);
                }
                Ok(Levels(levels))
            }
        }
        deserializer.deserialize_map(V)
    }
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Switch(on) => serializer.serialize_bool(*on),
            Self::Integer(n) => serializer.serialize_i64(*n),
            // As short as it is known: 0.7, and not 0.699999988079071.
            Self::Number(number) => serializer.serialize_f32(*number as f32),
            Self::Name(name) => serializer.serialize_str(name),
            Self::Layers(n) => serializer.collect_map([(LAYERS, n)]),
            Self::List(levels) => serializer.collect_seq(levels),
            Self::Other => serializer.serialize_unit(),
        }
    }
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Level;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a level")
            }

            fn visit_bool<E: de::Error>(self, on: bool) -> Result<Level, E> {
                Ok(Level::Switch(on))
            }

            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Level, E> {
                Ok(Level::Integer(n))
            }

            fn visit_u64<E: de::Error>(self, n: u64) -> Result<Level, E> {
                Ok(i64::try_from(n).map_or(Level::Number(n as f64), Level::Integer))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Level, E> {
                Ok(Level::Number(number))
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Level, E> {
                Ok(Level::Name(name.to_owned()))
            }

            fn visit_string<E: de::Error>(self, name: String) -> Result<Level, E> {
                Ok(Level::Name(name))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Level, E> {
                Ok(Level::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Level, A::Error> {
                let mut levels = Vec::new();
                while let Some(level) = list.next_element()? {
                    levels.push(level);
                }
                Ok(Level::List(levels))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Level, A::Error> {
                let mut level = Level::Other;
                while let Some((name, value)) = map.next_entry::<String, Level>()? {
                    if let (LAYERS, Level::Integer(n)) = (&*name, value) {
                        level = Level::Layers(n);
                    }
                }
                Ok(level)
            }
        }
        deserializer.deserialize_any(V)
    }
}
