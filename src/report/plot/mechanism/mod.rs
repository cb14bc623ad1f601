//! The figures of divergence and routing experiments.

mod divergence;

pub use divergence::figure as divergence_figure;
