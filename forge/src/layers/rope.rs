//! Rotary positions (Su 2021): tables of angles, computed once a model.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::fused::{floats, values};

/// Interleaved rotation (llama.cpp's NORM): the pairs are neighbours.
pub struct Rope {
    /// Cosine and sine for every position and pair.
    table: Arc<Vec<(f32, f32)>>,
    pairs: usize,
}

impl Rope {
    pub fn new(head_width: usize, base: f32, context: usize) -> Self {
        let pairs = head_width / 2;
        let angle = |position: usize, pair: usize| {
            let exponent = -2.0 * pair as f64 / head_width as f64;
            position as f64 * f64::from(base).powf(exponent)
        };
        let table = (0..context)
            .flat_map(|position| (0..pairs).map(move |pair| angle(position, pair).sin_cos()))
            .map(|(sin, cos)| (cos as f32, sin as f32))
            .collect();
        Self { table: Arc::new(table), pairs }
    }

    /// Turns `x`, (batch, heads, length, head width), whose first position is `start`.
    pub fn forward(&self, x: &Tensor, start: usize) -> Result<Tensor> {
        let length = x.dim(2)?;
        let cells = start * self.pairs..(start + length) * self.pairs;
        x.apply_op1(Operation { table: self.table.clone(), cells, direction: 1.0 })
    }
}

struct Operation {
    table: Arc<Vec<(f32, f32)>>,
    /// The part of the table that belongs to the positions.
    cells: std::ops::Range<usize>,
    /// Minus one turns back.
    direction: f32,
}

impl Operation {
    fn turn(&self, x: &[f32]) -> Vec<f32> {
        let angles = &self.table[self.cells.clone()];
        let mut out = Vec::with_capacity(x.len());
        for head in x.chunks_exact(2 * angles.len()) {
            for (pair, &(cos, sin)) in head.chunks_exact(2).zip(angles) {
                let sin = sin * self.direction;
                out.extend([pair[0] * cos - pair[1] * sin, pair[0] * sin + pair[1] * cos]);
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
        let back = Self { table: self.table.clone(), cells: self.cells.clone(), direction: -self.direction };
        Tensor::from_vec(back.turn(&values(grad)?), x.shape(), x.device()).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::gradient_check::agrees;
    use candle_core::Device;
    use candle_nn::rotary_emb::rope_i_slow;

    #[test]
    fn agrees_with_candle() {
        let rope = Rope::new(4, 100.0, 5);
        let part = |pick: fn(&(f32, f32)) -> f32| {
            Tensor::from_vec(rope.table.iter().map(pick).collect::<Vec<_>>(), (5, 2), &Device::Cpu).unwrap()
        };
        let (cos, sin) = (part(|cell| cell.0), part(|cell| cell.1));
        agrees(
            &[(6, 4)],
            |args| rope.forward(&args[0].reshape((1, 2, 3, 4))?, 2),
            |args| rope_i_slow(&args[0].reshape((1, 2, 3, 4))?, &cos.narrow(0, 2, 3)?, &sin.narrow(0, 2, 3)?),
        );
    }
}
