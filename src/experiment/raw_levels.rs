//! Owns how a file writes levels: `[grid]`, exclusions, and the selections of hypotheses, all of them tables with a key
//! for each factor. Which factors there are is known to `domain` alone.

use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::fraction::Fraction;
use super::one_of::OneOf;
use super::spanned::Spanned;
use crate::domain::{Factor, FactorMap, Steps, Written};

/// `[grid]`: the levels of factors, and what else it may say.
pub type RawGrid = ByFactor<Spanned<ListOr<RawLevel, RawSteps>>, GridKeys>;
/// `[[grid.exclude]]`: one level of a factor each.
pub type RawExclusion = ByFactor<Spanned<RawLevel>, ExclusionKeys>;
/// `where`, `base` and `other`: levels of factors and groups of prompts, one or a list of them each.
pub type RawSelection = ByFactor<OneOrMore<RawLevel>, SelectionKeys>;

/// A table with a key for each factor, and some other keys.
#[derive(Debug)]
pub struct ByFactor<L, K> {
    pub levels: FactorMap<Option<L>>,
    pub keys: K,
}

/// The keys of such a table that are no factors.
pub trait Keys<'de>: Default {
    const NAMES: &'static [&'static str];
    /// Factors that must be there.
    const NEEDED: &'static [Factor] = &[];

    /// Reads the value of one of these keys.
    ///
    /// # Errors
    /// When it is of another shape.
    fn read<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error>;
}

#[derive(Debug, Default, JsonSchema)]
pub struct GridKeys {
    /// What draws begin with: each seed makes another text of each prompt; default: `[0]`.
    pub seed: Option<Spanned<ListOr<i64, RawCount>>>,
    /// Which combinations of levels are run; default: "full".
    #[schemars(with = "Option<OneOf<Fraction>>")]
    pub design: Option<Spanned<String>>,
    /// Combinations that are left out.
    #[schemars(default)]
    pub exclude: Vec<Spanned<RawExclusion>>,
}

#[derive(Debug, Default, JsonSchema)]
pub struct ExclusionKeys {
    pub seed: Option<Spanned<i64>>,
    pub prompt: Option<Spanned<String>>,
    pub group: Option<Spanned<String>>,
}

#[derive(Debug, Default, JsonSchema)]
pub struct SelectionKeys {
    /// Groups of prompts.
    pub group: Option<OneOrMore<String>>,
}

impl<'de> Keys<'de> for GridKeys {
    const NAMES: &'static [&'static str] = &["seed", "design", "exclude"];
    const NEEDED: &'static [Factor] = &[Factor::Model, Factor::Chain, Factor::Temperature];

    fn read<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "seed" => self.seed = Some(map.next_value()?),
            "design" => self.design = Some(map.next_value()?),
            _ => self.exclude = map.next_value()?,
        }
        Ok(())
    }
}

impl<'de> Keys<'de> for ExclusionKeys {
    const NAMES: &'static [&'static str] = &["seed", "prompt", "group"];

    fn read<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "seed" => self.seed = Some(map.next_value()?),
            "prompt" => self.prompt = Some(map.next_value()?),
            _ => self.group = Some(map.next_value()?),
        }
        Ok(())
    }
}

impl<'de> Keys<'de> for SelectionKeys {
    const NAMES: &'static [&'static str] = &["group"];

    fn read<A: MapAccess<'de>>(&mut self, _: &str, map: &mut A) -> Result<(), A::Error> {
        self.group = Some(map.next_value()?);
        Ok(())
    }
}

impl<'de, L: Deserialize<'de>, K: Keys<'de>> Deserialize<'de> for ByFactor<L, K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V<L, K>(PhantomData<(L, K)>);
        impl<'de, L: Deserialize<'de>, K: Keys<'de>> Visitor<'de> for V<L, K> {
            type Value = ByFactor<L, K>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut read = ByFactor { levels: FactorMap::default(), keys: K::default() };
                while let Some(name) = map.next_key::<Spanned<String>>()? {
                    let name = name.get_ref();
                    if let Ok(factor) = name.parse::<Factor>() {
                        read.levels[factor] = Some(map.next_value()?);
                    } else if K::NAMES.contains(&name.as_str()) {
                        read.keys.read(name, &mut map)?;
                    } else {
                        let known = Factor::NAMES.iter().chain(K::NAMES).map(|name| format!("`{name}`"));
                        let known = known.collect::<Vec<_>>().join(", ");
                        return Err(A::Error::custom(format!("unknown field `{name}`, expected one of {known}")));
                    }
                }
                match K::NEEDED.iter().find(|&&factor| read.levels[factor].is_none()) {
                    Some(missing) => Err(A::Error::missing_field(missing.name())),
                    None => Ok(read),
                }
            }
        }
        deserializer.deserialize_map(V(PhantomData))
    }
}

/// A level, whichever factor's.
#[derive(Debug)]
pub struct RawLevel(pub Written);

impl<'de> Deserialize<'de> for RawLevel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl Visitor<'_> for V {
            type Value = RawLevel;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name, a number, true or false")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<RawLevel, E> {
                Ok(RawLevel(Written::Name(name.to_owned())))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<RawLevel, E> {
                Ok(RawLevel(Written::Integer(number)))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<RawLevel, E> {
                Ok(RawLevel(Written::Number(number)))
            }

            fn visit_bool<E: Error>(self, is: bool) -> Result<RawLevel, E> {
                Ok(RawLevel(Written::Switch(is)))
            }
        }
        deserializer.deserialize_any(V)
    }
}

/// `{ from = 0.1, to = 1.5, step = 0.2 }`, both ends included.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSteps {
    from: f64,
    to: f64,
    step: f64,
}

impl From<&RawSteps> for Steps {
    fn from(&RawSteps { from, to, step }: &RawSteps) -> Self {
        Self { from, to, step }
    }
}

/// `{ from = 0, count = 8 }`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawCount {
    pub from: i64,
    pub count: u32,
}

/// `{ base = { temperature = 0.1 }, other = { temperature = 0.9 } }`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawArms {
    pub base: Spanned<RawSelection>,
    pub other: Spanned<RawSelection>,
}

/// A list of levels, or a table that describes them.
#[derive(Debug, JsonSchema)]
#[schemars(untagged, inline)]
pub enum ListOr<T, R> {
    List(Vec<Spanned<T>>),
    Range(R),
}

/// A level, or a list of levels.
#[derive(Debug)]
pub struct OneOrMore<T>(pub Vec<Spanned<T>>);

impl<'de, T, R> Deserialize<'de> for ListOr<T, R>
where
    T: Deserialize<'de>,
    R: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V<T, R>(PhantomData<(T, R)>);
        impl<'de, T: Deserialize<'de>, R: Deserialize<'de>> Visitor<'de> for V<T, R> {
            type Value = ListOr<T, R>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of levels or a range")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(ListOr::List)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                R::deserialize(MapAccessDeserializer::new(map)).map(ListOr::Range)
            }
        }
        deserializer.deserialize_any(V(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMore<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Either shape, without its place: serde tells the place of a value
        /// only where its shape is known before it is read.
        enum Levels<T> {
            One(T),
            More(Vec<Spanned<T>>),
        }
        struct V<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for V<T> {
            type Value = Levels<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a level or a list of levels")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Levels<T>, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Levels::More)
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Levels<T>, E> {
                T::deserialize(name.into_deserializer()).map(Levels::One)
            }

            fn visit_bool<E: Error>(self, is: bool) -> Result<Levels<T>, E> {
                T::deserialize(is.into_deserializer()).map(Levels::One)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Levels<T>, E> {
                T::deserialize(number.into_deserializer()).map(Levels::One)
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Levels<T>, E> {
                T::deserialize(number.into_deserializer()).map(Levels::One)
            }
        }
        impl<'de, T: Deserialize<'de>> Deserialize<'de> for Levels<T> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(V(PhantomData))
            }
        }
        let levels = Spanned::<Levels<T>>::deserialize(deserializer)?;
        let span = levels.span();
        Ok(match levels.into_inner() {
            Levels::One(level) => Self(vec![Spanned::new(span, level)]),
            Levels::More(levels) => Self(levels),
        })
    }
}
