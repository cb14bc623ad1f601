//! The gated feed-forward part: dense, shared, or one expert.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::{
    fused::{floats, values},
    linear,
};
use crate::weights::{Init, Precision, Weights};

pub struct Swiglu {
    gate: Tensor,
    up: Tensor,
    down: Tensor,
}

impl Swiglu {
    /// `suffix` tells the dense one ("") from the shared one ("_shexp").
    pub fn new(
        weights: &mut Weights,
        layer: &str,
        suffix: &str,
        width: usize,
        hidden: usize,
        depth: usize,
    ) -> Result<Self> {
        let (std_in, std_out) = stds(width, hidden, depth);
        let mut single = |part: &str, shape: (usize, usize), std| {
            let name = format!("{layer}.ffn_{part}{suffix}.weight");
            weights.single(name, shape, Init::Noise(std), Precision::Free)
        };
        Ok(Self {
            gate: single("gate", (hidden, width), std_in)?,
            up: single("up", (hidden, width), std_in)?,
            down: single("down", (width, hidden), std_out)?,
        })
    }

    pub fn experts(
        weights: &mut Weights,
        layer: &str,
        experts: usize,
        width: usize,
        hidden: usize,
        depth: usize,
    ) -> Result<Vec<Self>> {
        let (std_in, std_out) = stds(width, hidden, depth);
        let mut stack =
            |part: &str, shape, std| weights.stack(format!("{layer}.ffn_{part}_exps.weight"), experts, shape, std);
        let gates = stack("gate", (hidden, width), std_in)?;
        let ups = stack("up", (hidden, width), std_in)?;
        let downs = stack("down", (width, hidden), std_out)?;
        Ok(gates.into_iter().zip(ups).zip(downs).map(|((gate, up), down)| Self { gate, up, down }).collect())
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        linear(&linear(x, &self.gate)?.apply_op2(&linear(x, &self.up)?, Operation)?, &self.down)
    }
}

fn stds(width: usize, hidden: usize, depth: usize) -> (f64, f64) {
    ((width as f64).powf(-0.5), (2.0 * (hidden * depth) as f64).powf(-0.5))
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

fn sigmoid(x: f32) -> f32 {
    (1.0 + (-x).exp()).recip()
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
