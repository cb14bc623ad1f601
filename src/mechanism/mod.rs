//! What happens inside a model when it is run in another way, or loops: the
//! numbers of divergence and routing experiments.
//!
//! Pure functions of logits, experts and tokens. Owns the definitions
//! (docs/mechanism.md); must not know how anything was recorded, nor how it is
//! shown.

mod divergence;
mod estimate;
mod parting;
mod placement;

pub use divergence::{BadLogits, Compared, Divergence, Pair, Position, Spread, Text, compare, divergence};
pub use estimate::Estimate;
pub use parting::{Parting, parting};
pub use placement::{Machine, same_placement};

/// The coverage of every interval.
pub const LEVEL: f64 = 0.95;
