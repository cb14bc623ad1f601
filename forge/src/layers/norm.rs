//! Root-mean-square norm (Zhang & Sennrich 2019).

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::{
    Bias,
    fused::{floats, values},
};
use crate::weights::{Init, Precision, Weights};

pub struct RmsNorm {
    weight: Tensor,
    bias: Option<Tensor>,
    epsilon: f32,
}

impl RmsNorm {
    pub fn new(weights: &mut Weights, name: &str, width: usize, epsilon: f32, bias: Bias) -> Result<Self> {
        let weight = weights.single(format!("{name}.weight"), width, Init::Ones, Precision::Full)?;
        let bias = bias.of(weights, name, width)?;
        Ok(Self { weight, bias, epsilon })
    }

    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let normed = x.contiguous()?.apply_op2(&self.weight, Operation { epsilon: self.epsilon })?;
        match &self.bias {
            None => Ok(normed),
            Some(bias) => normed.broadcast_add(bias),
        }
    }
}

struct Operation {
    epsilon: f32,
}

impl Operation {
    /// One over the root mean square of a row.
    fn inverse(&self, row: &[f32]) -> f32 {
        let mean = row.iter().map(|x| x * x).sum::<f32>() / row.len() as f32;
        (mean + self.epsilon).sqrt().recip()
    }
}

impl CustomOp2 for Operation {
    fn name(&self) -> &'static str {
        "rms-norm"
    }

    fn cpu_fwd(&self, x: &CpuStorage, x_at: &Layout, w: &CpuStorage, w_at: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, w) = (floats(x, x_at)?, floats(w, w_at)?);
        let mut out = Vec::with_capacity(x.len());
        for row in x.chunks_exact(w.len()) {
            let inverse = self.inverse(row);
            out.extend(row.iter().zip(w).map(|(x, w)| x * inverse * w));
        }
        Ok((CpuStorage::F32(out), x_at.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, w: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (xs, ws, grads) = (values(x)?, values(w)?, values(grad)?);
        let width = ws.len();
        let mut dx = Vec::with_capacity(xs.len());
        let mut dw = vec![0f32; width];
        for (row, grad) in xs.chunks_exact(width).zip(grads.chunks_exact(width)) {
            let inverse = self.inverse(row);
            let dot: f32 = row.iter().zip(grad).zip(&ws).map(|((x, g), w)| x * g * w).sum();
            let pull = dot * inverse * inverse * inverse / width as f32;
            dx.extend(row.iter().zip(grad).zip(&ws).map(|((x, g), w)| g * w * inverse - x * pull));
            dw.iter_mut().zip(row.iter().zip(grad)).for_each(|(dw, (x, g))| *dw += x * g * inverse);
        }
        Ok((Some(Tensor::from_vec(dx, x.shape(), x.device())?), Some(Tensor::from_vec(dw, w.shape(), w.device())?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::gradient_check::agrees;
    use candle_nn::ops::rms_norm_slow;

    #[test]
    fn agrees_with_candle() {
        agrees(
            &[(6, 8), (1, 8)],
            |args| args[0].apply_op2(&args[1].flatten_all()?, Operation { epsilon: 1e-6 }),
            |args| rms_norm_slow(&args[0], &args[1].flatten_all()?, 1e-6),
        );
    }
}
