//! Softmax of attention scores that looks only back.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::fused::{floats, values};

/// Softmax over the last dimension of `scores · scale`, each row over the columns that are not
/// ahead of it. `scores` is (…, rows, columns), and the last row sees all columns.
pub fn causal_softmax(scores: &Tensor, scale: f32) -> Result<Tensor> {
    scores.apply_op1(Operation { scale })
}

struct Operation {
    scale: f32,
}

/// How many columns each row sees, for as many rows as there are.
fn sights(shape: &Shape) -> (usize, impl Iterator<Item = usize> + use<>) {
    let dims = shape.dims();
    let (rows, columns) = (dims[dims.len() - 2], dims[dims.len() - 1]);
    (columns, (0..rows).map(move |row| columns - rows + row + 1).cycle())
}

impl CustomOp1 for Operation {
    fn name(&self) -> &'static str {
        "causal-softmax"
    }

    fn cpu_fwd(&self, scores: &CpuStorage, at: &Layout) -> Result<(CpuStorage, Shape)> {
        let scores = floats(scores, at)?;
        let (columns, sights) = sights(at.shape());
        let mut out = vec![0f32; scores.len()];
        for ((row, out), sight) in scores.chunks_exact(columns).zip(out.chunks_exact_mut(columns)).zip(sights) {
            let greatest = row[..sight].iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let mut sum = 0.0;
            for (out, score) in out[..sight].iter_mut().zip(row) {
                *out = ((score - greatest) * self.scale).exp();
                sum += *out;
            }
            out[..sight].iter_mut().for_each(|out| *out /= sum);
        }
        Ok((CpuStorage::F32(out), at.shape().clone()))
    }

    fn bwd(&self, scores: &Tensor, probabilities: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (probabilities, mut grad) = (values(probabilities)?, values(grad)?);
        let columns = scores.dims()[scores.rank() - 1];
        for (row, grad) in probabilities.chunks_exact(columns).zip(grad.chunks_exact_mut(columns)) {
            let dot: f32 = row.iter().zip(grad.iter()).map(|(p, g)| p * g).sum();
            grad.iter_mut().zip(row).for_each(|(g, p)| *g = p * (*g - dot) * self.scale);
        }
        Tensor::from_vec(grad, scores.shape(), scores.device()).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::gradient_check::agrees;
    use candle_core::{D, Device};
    use candle_nn::ops::softmax;

    #[test]
    fn agrees_with_candle() {
        let ahead = f32::NEG_INFINITY;
        let mask = Tensor::new(&[[0.0, 0.0, ahead], [0.0, 0.0, 0.0]], &Device::Cpu).unwrap();
        agrees(
            &[(4, 3)],
            |args| causal_softmax(&args[0].reshape((2, 2, 3))?, 0.5),
            |args| softmax(&(args[0].reshape((2, 2, 3))? * 0.5)?.broadcast_add(&mask)?, D::Minus1),
        );
    }
}
