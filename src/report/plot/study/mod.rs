//! Draws the figures of divergence and routing experiments.

mod agreement;
mod divergence;
mod load;

pub use agreement::figure as agreement_figure;
pub use divergence::figure as divergence_figure;
pub use load::figure as load_figure;
