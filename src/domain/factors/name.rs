//! Owns the levels of models and chains, which are names that an experiment gives them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::{LevelType, NotALevel, Scope, Wording, Written};

/// A model's id in the experiment. Copies share the text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct ModelId(Arc<str>);

/// A sampler chain's id. Copies share the text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct ChainId(Arc<str>);

macro_rules! name {
    ($id:ident, $scope:expr) => {
        impl $id {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl LevelType for $id {
            const SCOPE: Scope = $scope;
            const WORDING: Wording = Wording::Always;

            fn usual() -> Option<Self> {
                None
            }

            fn read(written: &Written) -> Result<Self, NotALevel> {
                match written {
                    Written::Name(name) => Ok(name.as_str().into()),
                    _ => Err(NotALevel::other("this is not a name", "write it in quotes")),
                }
            }

            fn in_title(&self) -> String {
                self.to_string()
            }

            fn in_load(&self) -> String {
                self.to_string()
            }
        }

        impl From<&str> for $id {
            fn from(id: &str) -> Self {
                Self(id.into())
            }
        }

        impl From<String> for $id {
            fn from(id: String) -> Self {
                Self(id.into())
            }
        }

        impl From<$id> for String {
            fn from(id: $id) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

name!(ModelId, Scope::File);
name!(ChainId, Scope::Sampler);
