//! Owns what the files that moe-sweep reads again have in common: levels, chains, settings, as they are written.
//!
//! A file's own format module (in `journal`, `plan`, `manifest`, `check`) holds the rest of it. Owns the words on disk,
//! and how the domain's types become them and come of them: a type of the domain is never written as it is, so that it
//! can be renamed without changing a byte. Must not know which file they stand in. It is pure.

mod chain;
mod generate;
mod level;
mod text;

pub use chain::{Chain, Step, steps};
pub use generate::{Bos, Generate, Numerics};
pub use level::{Levels, Selection};
pub use text::{Markers, Stop};

use crate::seal::Unfit;

/// Why what a file says is nothing that this program knows, although it is JSON of the right shape.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unknown(pub String);

impl Unknown {
    /// Makes the error of a word that stands for none of what `what` may be.
    pub fn word(what: &str, word: &str) -> Self {
        Self(format!("unknown {what} {word:?}"))
    }
}

impl From<Unknown> for serde_json::Error {
    fn from(unknown: Unknown) -> Self {
        serde::de::Error::custom(unknown)
    }
}

impl From<Unknown> for Unfit {
    fn from(unknown: Unknown) -> Self {
        Self::Damaged(unknown.into())
    }
}

/// Turns each of a list into another type.
///
/// # Errors
/// Of the first that can't be turned.
pub fn each<A, B>(list: Vec<A>) -> Result<Vec<B>, <A as TryInto<B>>::Error>
where
    A: TryInto<B>,
{
    list.into_iter().map(TryInto::try_into).collect()
}

/// Converts a struct on disk from the domain's struct and into it, field by field: as it is, `into`, or `maybe` and
/// `each` for an `Option` and a `Vec` of what is converted. An `enum` without fields is converted variant by variant.
///
/// It takes both apart whole: a field that is new in one of them does not compile until somebody says what it is in
/// the other.
macro_rules! both_ways {
    (enum $disk:ty, $domain:ty { $($variant:ident),+ $(,)? }) => {
        impl From<$domain> for $disk {
            fn from(domain: $domain) -> Self {
                type Domain = $domain;
                match domain { $(Domain::$variant => Self::$variant,)+ }
            }
        }

        impl From<$disk> for $domain {
            fn from(disk: $disk) -> Self {
                type Disk = $disk;
                match disk { $(Disk::$variant => Self::$variant,)+ }
            }
        }
    };
    ($disk:ty, $domain:ty { $($field:ident $(: $how:ident)?),+ $(,)? }) => {
        impl From<$domain> for $disk {
            fn from(domain: $domain) -> Self {
                type Domain = $domain;
                let Domain { $($field),+ } = domain;
                Self { $($field: crate::format::both_ways!(@ $field $($how)?)),+ }
            }
        }

        impl From<$disk> for $domain {
            fn from(disk: $disk) -> Self {
                type Disk = $disk;
                let Disk { $($field),+ } = disk;
                Self { $($field: crate::format::both_ways!(@ $field $($how)?)),+ }
            }
        }
    };
    (@ $field:ident) => { $field };
    (@ $field:ident into) => { $field.into() };
    (@ $field:ident maybe) => { $field.map(Into::into) };
    (@ $field:ident each) => { $field.into_iter().map(Into::into).collect() };
}
pub(crate) use both_ways;

#[cfg(test)]
mod samples;
#[cfg(test)]
pub mod strategies;
#[cfg(test)]
pub use samples::{sample, samples};
