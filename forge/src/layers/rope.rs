//! Rotary positions (Su 2021): tables of angles, computed once a model.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::fused::{floats, values};

/// Which two values of a head turn together (llama.cpp's `LLAMA_ROPE_TYPE_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RopeStyle {
    /// Neighbours.
    Norm,
    /// Those half a head apart.
    Neox,
}

pub struct Rope {
    style: RopeStyle,
    /// Cosine and sine for every position and pair.
    table: Arc<Vec<(f32, f32)>>,
    pairs: usize,
}

impl Rope {
    pub fn new(style: RopeStyle, head_width: usize, base: f32, context: usize) -> Self {
        let pairs = head_width / 2;
        let angle = |position: usize, pair: usize| {
            let exponent = -2.0 * pair as f64 / head_width as f64;
            position as f64 * f64::from(base).powf(exponent)
        };
        let table = (0..context)
            .flat_map(|position| (0..pairs).map(move |pair| angle(position, pair).sin_cos()))
            .map(|(sin, cos)| (cos as f32, sin as f32))
            .collect();
        Self { style, table: Arc::new(table), pairs }
    }

    /// Turns `x`, (batch, heads, length, head width), whose first position is `start`.
    pub fn forward(&self, x: &Tensor, start: usize) -> Result<Tensor> {
        let length = x.dim(2)?;
        let cells = start * self.pairs..(start + length) * self.pairs;
        x.apply_op1(Operation {
            style: self.style,
            table: self.table.clone(),
            cells,
            pairs: self.pairs,
            direction: 1.0,
        })
    }
}

struct Operation {
    style: RopeStyle,
    table: Arc<Vec<(f32, f32)>>,
    /// The part of the table that belongs to the positions.
    cells: std::ops::Range<usize>,
    /// A head's.
    pairs: usize,
    /// Minus one turns back.
    direction: f32,
}

impl Operation {
    fn turn(&self, x: &[f32]) -> Vec<f32> {
        let angles = self.table[self.cells.clone()].chunks_exact(self.pairs);
        let mut out = vec![0f32; x.len()];
        let heads = x.chunks_exact(2 * self.pairs).zip(out.chunks_exact_mut(2 * self.pairs));
        for ((head, out), angles) in heads.zip(angles.cycle()) {
            for (pair, &(cos, sin)) in angles.iter().enumerate() {
                let (one, other) = match self.style {
                    RopeStyle::Norm => (2 * pair, 2 * pair + 1),
                    RopeStyle::Neox => (pair, pair + self.pairs),
                };
                let sin = sin * self.direction;
                out[one] = head[one] * cos - head[other] * sin;
                out[other] = head[one] * sin + head[other] * cos;
            }
        }
        out
    }
}

impl CustomOp1 for Operation {
    fn name(&self) -> &'static str {
        "rope"
    }

    fn cpu_fwd(&self, x: &CpuStorage, at: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(self.turn(floats(x, at)?)), at.shape().clone()))
    }

    /// The gradient turns back.
    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (table, cells) = (self.table.clone(), self.cells.clone());
        let back = Self { style: self.style, table, cells, pairs: self.pairs, direction: -self.direction };
        Tensor::from_vec(back.turn(&values(grad)?), x.shape(), x.device()).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::gradient_check::agrees;
    use candle_core::Device;
    use candle_nn::rotary_emb::{rope_i_slow, rope_slow};

    fn agrees_with(style: RopeStyle, slow: fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor>) {
        let rope = Rope::new(style, 4, 100.0, 5);
        let part = |pick: fn(&(f32, f32)) -> f32| {
            Tensor::from_vec(rope.table.iter().map(pick).collect::<Vec<_>>(), (5, 2), &Device::Cpu).unwrap()
        };
        let (cos, sin) = (part(|cell| cell.0), part(|cell| cell.1));
        agrees(
            &[(6, 4)],
            |args| rope.forward(&args[0].reshape((1, 2, 3, 4))?, 2),
            |args| slow(&args[0].reshape((1, 2, 3, 4))?, &cos.narrow(0, 2, 3)?, &sin.narrow(0, 2, 3)?),
        );
    }

    #[test]
    fn norm_agrees_with_candle() {
        agrees_with(RopeStyle::Norm, rope_i_slow);
    }

    #[test]
    fn neox_agrees_with_candle() {
        agrees_with(RopeStyle::Neox, rope_slow);
    }
}
