//! Owns the levels of `op_offload`: whether an accelerator computes with weights that are on the host.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{Acts, LevelType, NotALevel, Scope, Written};

/// Whether llama.cpp computes products of large batches on the accelerator
/// where the weights are on the host, by copying them; a bool in files
/// (`op_offload`, `--no-op-offload`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "bool", into = "bool")]
pub enum OpOffload {
    /// llama.cpp's default.
    #[default]
    On,
    Off,
}

impl LevelType for OpOffload {
    const SCOPE: Scope = Scope::Context;
    const ACTS: Acts = Acts::OnExpertsBesideAnAccelerator;

    fn usual() -> Option<Self> {
        Some(Self::default())
    }

    fn read(written: &Written) -> Result<Self, NotALevel> {
        match written {
            &Written::Switch(on) => Ok(on.into()),
            _ => Err(NotALevel::other("this is not true or false", "write op_offload = [true, false]")),
        }
    }

    fn written(&self) -> Written {
        Written::Switch((*self).into())
    }

    fn in_title(&self) -> String {
        format!("op_offload {self}")
    }
}

impl From<bool> for OpOffload {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

impl From<OpOffload> for bool {
    fn from(op_offload: OpOffload) -> Self {
        op_offload == OpOffload::On
    }
}

impl fmt::Display for OpOffload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bool::from(*self).fmt(f)
    }
}
