//! Softmax of attention scores that looks only back: over everything, or over a window, and
//! beside a sink that takes a share and gives nothing.

use std::ops::Range;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

use super::fused::{floats, values};

/// How far back a position sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    All,
    /// This many positions, its own included (llama.cpp's `LLAMA_SWA_TYPE_STANDARD`).
    Window(usize),
}

/// Softmax over the last dimension of `scores · scale`, each row over the columns that it sees.
///
/// `scores` is (batch, heads, rows, columns), and the last row is at the last column. `sinks`, one
/// logit a head, is in the sum as one more column would be, and not in the result (Xiao 2023;
/// gpt-oss's `attn_sinks`).
pub fn causal_softmax(scores: &Tensor, scale: f32, sight: Sight, sinks: Option<&Tensor>) -> Result<Tensor> {
    let operation = Operation { scale, sight };
    match sinks {
        None => scores.apply_op1(operation),
        Some(sinks) => scores.apply_op2(sinks, operation),
    }
}

struct Operation {
    scale: f32,
    sight: Sight,
}

impl Operation {
    /// For each row of all heads: the number of its head and the columns that it sees.
    fn rows(&self, shape: &Shape) -> Result<impl Iterator<Item = (usize, Range<usize>)> + use<>> {
        let (_, heads, rows, columns) = shape.dims4()?;
        let sight = self.sight;
        let range = move |row: usize| {
            let end: usize = columns - rows + row + 1;
            match sight {
                Sight::All => 0..end,
                Sight::Window(width) => end.saturating_sub(width)..end,
            }
        };
        Ok((0..heads).cycle().flat_map(move |head| (0..rows).map(move |row| (head, range(row)))))
    }

    fn forward(&self, scores: &[f32], shape: &Shape, sinks: Option<&[f32]>) -> Result<(CpuStorage, Shape)> {
        let (_, _, _, columns) = shape.dims4()?;
        let mut out = vec![0f32; scores.len()];
        let both = scores.chunks_exact(columns).zip(out.chunks_exact_mut(columns));
        for ((row, out), (head, seen)) in both.zip(self.rows(shape)?) {
            // A sink as if it were a score; one at minus infinity adds nothing.
            let sink = sinks.map_or(f32::NEG_INFINITY, |sinks| sinks[head] / self.scale);
            let (row, out) = (&row[seen.clone()], &mut out[seen]);
            let greatest = row.iter().copied().fold(sink, f32::max);
            let mut sum = ((sink - greatest) * self.scale).exp();
            for (out, score) in out.iter_mut().zip(row) {
                *out = ((score - greatest) * self.scale).exp();
                sum += *out;
            }
            out.iter_mut().for_each(|out| *out /= sum);
        }
        Ok((CpuStorage::F32(out), shape.clone()))
    }

    /// The gradients of the scores, and of `heads` sinks: a sink's share is what the row lacks to 1.
    fn backward(&self, probabilities: &Tensor, grad: &Tensor) -> Result<(Tensor, Vec<f32>)> {
        let (_, heads, _, columns) = probabilities.dims4()?;
        let (probs, mut grads) = (values(probabilities)?, values(grad)?);
        let mut sinks = vec![0f32; heads];
        let both = probs.chunks_exact(columns).zip(grads.chunks_exact_mut(columns));
        for ((row, grad), (head, _)) in both.zip(self.rows(probabilities.shape())?) {
            let dot: f32 = row.iter().zip(grad.iter()).map(|(p, g)| p * g).sum();
            grad.iter_mut().zip(row).for_each(|(g, p)| *g = p * (*g - dot) * self.scale);
            sinks[head] -= (1.0 - row.iter().sum::<f32>()) * dot;
        }
        Ok((Tensor::from_vec(grads, probabilities.shape(), probabilities.device())?, sinks))
    }
}

impl CustomOp1 for Operation {
    fn name(&self) -> &'static str {
        "causal-softmax"
    }

    fn cpu_fwd(&self, scores: &CpuStorage, at: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward(floats(scores, at)?, at.shape(), None)
    }

    fn bwd(&self, _: &Tensor, probabilities: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(self.backward(probabilities, grad)?.0))
    }
}

impl CustomOp2 for Operation {
    fn name(&self) -> &'static str {
        "causal-softmax-with-sinks"
    }

    fn cpu_fwd(
        &self,
        scores: &CpuStorage,
        at: &Layout,
        sinks: &CpuStorage,
        s_at: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let sinks = floats(sinks, s_at)?;
        let (_, heads, _, _) = at.shape().dims4()?;
        if sinks.len() != heads {
            candle_core::bail!("{} sinks for {heads} heads", sinks.len())
        }
        self.forward(floats(scores, at)?, at.shape(), Some(sinks))
    }

    fn bwd(
        &self,
        _: &Tensor,
        sinks: &Tensor,
        probabilities: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (scores, sink_grads) = self.backward(probabilities, grad)?;
        Ok((Some(scores), Some(Tensor::from_vec(sink_grads, sinks.shape(), sinks.device())?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::gradient_check::agrees;
    use candle_core::{D, Device};
    use candle_nn::ops::softmax;

    /// Two batches of two heads of two rows of three columns.
    const SCORES: (usize, usize) = (8, 3);
    const SHAPE: (usize, usize, usize, usize) = (2, 2, 2, 3);
    const AHEAD: f32 = f32::NEG_INFINITY;

    /// The scores as candle would mask them.
    fn masked(scores: &Tensor, mask: [[f32; 3]; 2]) -> Result<Tensor> {
        (scores.reshape(SHAPE)? * 0.5)?.broadcast_add(&Tensor::new(&mask, &Device::Cpu)?)
    }

    #[test]
    fn agrees_with_candle() {
        agrees(
            &[SCORES],
            |args| causal_softmax(&args[0].reshape(SHAPE)?, 0.5, Sight::All, None),
            |args| softmax(&masked(&args[0], [[0.0, 0.0, AHEAD], [0.0, 0.0, 0.0]])?, D::Minus1),
        );
    }

    #[test]
    fn a_window_agrees_with_candle() {
        agrees(
            &[SCORES],
            |args| causal_softmax(&args[0].reshape(SHAPE)?, 0.5, Sight::Window(2), None),
            |args| softmax(&masked(&args[0], [[0.0, 0.0, AHEAD], [AHEAD, 0.0, 0.0]])?, D::Minus1),
        );
    }

    #[test]
    fn sinks_agree_with_candle() {
        agrees(
            &[SCORES, (1, 2)],
            |args| causal_softmax(&args[0].reshape(SHAPE)?, 0.5, Sight::Window(2), Some(&args[1].flatten_all()?)),
            |args| {
                let scores = masked(&args[0], [[0.0, 0.0, AHEAD], [AHEAD, 0.0, 0.0]])?;
                let sinks = args[1].reshape((1, 2, 1, 1))?.broadcast_as((2, 2, 2, 1))?;
                softmax(&Tensor::cat(&[scores, sinks], 3)?, D::Minus1)?.narrow(3, 0, 3)
            },
        );
    }

    #[test]
    fn sinks_of_another_number_of_heads_are_refused() {
        let scores = Tensor::zeros(SHAPE, candle_core::DType::F32, &Device::Cpu).unwrap();
        let sinks = Tensor::zeros(3, candle_core::DType::F32, &Device::Cpu).unwrap();
        let error = causal_softmax(&scores, 1.0, Sight::All, Some(&sinks)).unwrap_err();
        assert!(error.to_string().contains("3 sinks for 2 heads"), "{error}");
    }
}
