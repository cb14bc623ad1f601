//! Owns the levels of `repack`: whether weights are repacked for kernels of many rows.

use super::switch::switch;
use crate::domain::Scope;

switch! {
    /// Whether ggml repacks weights when they are loaded, for kernels that multiply several rows at once
    /// (`--no-repack`). In fast numerics alone, and where no kernels but ggml's multiply: elsewhere nothing is repacked.
    Repack, "repack", { const SCOPE: Scope = Scope::Load; }
    /// llama.cpp's default.
    true => On,
    false => Off,
}
