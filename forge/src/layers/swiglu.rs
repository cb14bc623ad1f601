//! The gated feed-forward part: dense, shared, or one expert.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::{
    Bias, Linear,
    clamped::clamped_swiglu,
    fused::{floats, values},
    sigmoid::sigmoid,
};
use crate::weights::{Init, Precision, Weights};

pub struct Swiglu {
    gate: Linear,
    up: Linear,
    down: Linear,
    activation: Activation,
}

/// What is made of the values of gate and up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// silu(gate) · up
    Silu,
    /// gpt-oss's, see `clamped_swiglu`.
    Clamped,
}

#[derive(Debug, Clone, Copy)]
pub struct SwigluShape {
    pub width: usize,
    pub hidden: usize,
    /// The number of layers: their sum should not grow with it.
    pub depth: usize,
    pub activation: Activation,
    pub bias: Bias,
}

impl Swiglu {
    /// `suffix` tells the dense one ("") from the shared one ("_shexp").
    pub fn new(weights: &mut Weights, layer: &str, suffix: &str, shape: SwigluShape) -> Result<Self> {
        let SwigluShape { width, hidden, activation, bias, .. } = shape;
        let (init_in, init_out) = shape.inits();
        let mut single = |part: &str, shape, init| {
            Linear::new(weights, &format!("{layer}.ffn_{part}{suffix}"), shape, init, Precision::Free, bias)
        };
        Ok(Self {
            gate: single("gate", (hidden, width), init_in)?,
            up: single("up", (hidden, width), init_in)?,
            down: single("down", (width, hidden), init_out)?,
            activation,
        })
    }

    pub fn experts(weights: &mut Weights, layer: &str, experts: usize, shape: SwigluShape) -> Result<Vec<Self>> {
        let SwigluShape { width, hidden, activation, bias, .. } = shape;
        let (init_in, init_out) = shape.inits();
        let mut stack = |part: &str, shape, init| {
            Linear::stack(weights, &format!("{layer}.ffn_{part}_exps"), experts, shape, init, bias)
        };
        let gates = stack("gate", (hidden, width), init_in)?;
        let ups = stack("up", (hidden, width), init_in)?;
        let downs = stack("down", (width, hidden), init_out)?;
        let parts = gates.into_iter().zip(ups).zip(downs);
        Ok(parts.map(|((gate, up), down)| Self { gate, up, down, activation }).collect())
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (gate, up) = (self.gate.forward(x)?, self.up.forward(x)?);
        let mixed = match self.activation {
            Activation::Silu => gate.apply_op2(&up, Operation)?,
            Activation::Clamped => clamped_swiglu(&gate, &up)?,
        };
        self.down.forward(&mixed)
    }
}

impl SwigluShape {
    /// Into and out of the hidden values.
    fn inits(self) -> (Init, Init) {
        let deviation_out = (2.0 * (self.hidden * self.depth) as f64).powf(-0.5);
        (Init::Noise((self.width as f64).powf(-0.5)), Init::Noise(deviation_out))
    }
}

/// silu(gate) · up
struct Operation;

impl CustomOp2 for Operation {
    fn name(&self) -> &'static str {
        "swiglu"
    }

    fn cpu_fwd(&self, gate: &CpuStorage, g_at: &Layout, up: &CpuStorage, u_at: &Layout) -> Result<(CpuStorage, Shape)> {
        let out = floats(gate, g_at)?.iter().zip(floats(up, u_at)?).map(|(gate, up)| gate * sigmoid(*gate) * up);
        Ok((CpuStorage::F32(out.collect()), g_at.shape().clone()))
    }

    fn bwd(&self, gate: &Tensor, up: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (mut gates, mut ups, grads) = (values(gate)?, values(up)?, values(grad)?);
        for ((gate, up), grad) in gates.iter_mut().zip(&mut ups).zip(&grads) {
            let (g, s) = (*gate, sigmoid(*gate));
            *gate = grad * *up * s * (1.0 + g * (1.0 - s));
            *up = grad * g * s;
        }
        let like = |values, tensor: &Tensor| Tensor::from_vec(values, tensor.shape(), tensor.device());
        Ok((Some(like(gates, gate)?), Some(like(ups, up)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::gradient_check::agrees;
    use candle_nn::ops::silu;

    #[test]
    fn agrees_with_candle() {
        agrees(&[(3, 4), (3, 4)], |args| args[0].apply_op2(&args[1], Operation), |args| silu(&args[0])?.mul(&args[1]));
    }
}
