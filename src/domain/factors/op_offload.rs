//! Owns the levels of `op_offload`: whether an accelerator computes with weights that are on the host.

use super::switch::switch;
use crate::domain::{Acts, Scope};

switch! {
    /// Whether llama.cpp computes products of large batches on the accelerator
    /// where the weights are on the host, by copying them; a bool in files
    /// (`op_offload`, `--no-op-offload`).
    OpOffload, "op_offload", {
        const SCOPE: Scope = Scope::Context;
        const ACTS: Acts = Acts::OnExpertsBesideAnAccelerator;
    }
    /// llama.cpp's default.
    true => On,
    false => Off,
}
