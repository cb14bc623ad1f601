//! Owns the levels of `swa_full`: how much of a text layers with a sliding window keep.

use super::switch::switch;
use crate::domain::Scope;

switch! {
    /// How much of a text llama.cpp keeps for layers that look back on a window of it only; a bool in files (`--swa-full`).
    /// Without effect on models that have no such layers.
    SwaFull, "swa_full", { const SCOPE: Scope = Scope::Context; }
    /// All of it, as llama.cpp's library does where nothing is said.
    true => Full,
    /// The window, as llama-server does where nothing is said.
    false => Window,
}
