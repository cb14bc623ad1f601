//! The parts that the families are made of, in candle's terms.
//!
//! Every part is differentiable and, on the CPU, deterministic.

mod attention;
mod causal;
mod clamped;
mod fused;
#[cfg(test)]
mod gradient_check;
mod linear;
mod loss;
mod norm;
mod rope;
mod routed;
mod sigmoid;
mod swiglu;

pub use attention::{Attention, AttentionShape, LayerCache, Sinks};
pub use causal::Sight;
pub use linear::{Bias, Linear, linear};
pub use loss::cross_entropy;
pub use norm::RmsNorm;
pub use rope::{Rope, RopeStyle};
pub use routed::{Gating, Routed, RoutedShape, Routing};
pub use swiglu::{Activation, Swiglu, SwigluShape};
