//! gpt-oss's gate: a clamped SwiGLU whose linear side is moved by one.
//!
//! llama.cpp's `ggml_swiglu_oai` (`LLM_FFN_SWIGLU_OAI_MOE`), with the constants that it has there.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::{
    fused::{floats, values},
    sigmoid::sigmoid,
};

const ALPHA: f32 = 1.702;
const LIMIT: f32 = 7.0;

/// gate · σ(1.702 · gate) · (up + 1), the gate at most 7 and up between −7 and 7.
pub fn clamped_swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    gate.apply_op2(up, Operation)
}

struct Operation;

impl CustomOp2 for Operation {
    fn name(&self) -> &'static str {
        "clamped-swiglu"
    }

    fn cpu_fwd(&self, gate: &CpuStorage, g_at: &Layout, up: &CpuStorage, u_at: &Layout) -> Result<(CpuStorage, Shape)> {
        let both = floats(gate, g_at)?.iter().zip(floats(up, u_at)?);
        let out = both.map(|(gate, up)| {
            let gate = gate.min(LIMIT);
            gate * sigmoid(ALPHA * gate) * (up.clamp(-LIMIT, LIMIT) + 1.0)
        });
        Ok((CpuStorage::F32(out.collect()), g_at.shape().clone()))
    }

    /// A value that was clamped has no gradient.
    fn bwd(&self, gate: &Tensor, up: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (mut gates, mut ups, grads) = (values(gate)?, values(up)?, values(grad)?);
        for ((gate, up), grad) in gates.iter_mut().zip(&mut ups).zip(&grads) {
            let (g, u) = (gate.min(LIMIT), up.clamp(-LIMIT, LIMIT));
            let s = sigmoid(ALPHA * g);
            let slope = s * (1.0 + ALPHA * g * (1.0 - s));
            *gate = if *gate <= LIMIT { grad * (u + 1.0) * slope } else { 0.0 };
            *up = if up.abs() <= LIMIT { grad * g * s } else { 0.0 };
        }
        let like = |values, tensor: &Tensor| Tensor::from_vec(values, tensor.shape(), tensor.device());
        Ok((Some(like(gates, gate)?), Some(like(ups, up)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::gradient_check::agrees;
    use candle_nn::ops;

    /// Twelve times values between −1 and 1, so that some are clamped on every side.
    const STRETCH: f64 = 12.0;

    #[test]
    fn agrees_with_candle() {
        agrees(
            &[(6, 8), (6, 8)],
            |args| clamped_swiglu(&(&args[0] * STRETCH)?, &(&args[1] * STRETCH)?),
            |args| {
                let gate = (&args[0] * STRETCH)?.minimum(f64::from(LIMIT))?;
                let up = (&args[1] * STRETCH)?.clamp(-LIMIT, LIMIT)?;
                gate.mul(&ops::sigmoid(&(&gate * f64::from(ALPHA))?)?)?.mul(&(up + 1.0)?)
            },
        );
    }
}
