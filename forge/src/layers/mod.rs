//! The parts that the families are made of, in candle's terms.
//!
//! Every part is differentiable and, on the CPU, deterministic.

mod attention;
mod causal;
mod fused;
#[cfg(test)]
mod gradient_check;
mod loss;
mod norm;
mod rope;
mod routed;
mod swiglu;

pub use attention::{Attention, LayerCache};
pub use loss::cross_entropy;
pub use norm::RmsNorm;
pub use rope::Rope;
pub use routed::{Routed, RoutedShape, Routing};
pub use swiglu::Swiglu;

use candle_core::{Result, Tensor};

/// `x · wᵀ` over the last dimension: a linear layer as llama.cpp stores its matrix.
pub fn linear(x: &Tensor, w: &Tensor) -> Result<Tensor> {
    x.matmul(&w.t()?)
}
