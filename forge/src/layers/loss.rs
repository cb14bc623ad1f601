//! The loss of a language model.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::fused::{floats, values};

/// The mean of −ln p(target) over the rows of `logits`, (rows, vocabulary).
pub fn cross_entropy(logits: &Tensor, targets: Vec<u32>) -> Result<Tensor> {
    logits.apply_op1(Operation { targets })
}

struct Operation {
    targets: Vec<u32>,
}

impl CustomOp1 for Operation {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(&self, logits: &CpuStorage, at: &Layout) -> Result<(CpuStorage, Shape)> {
        let logits = floats(logits, at)?;
        let rows = logits.chunks_exact(logits.len() / self.targets.len());
        let sum: f64 = rows
            .zip(&self.targets)
            .map(|(row, &target)| {
                let greatest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let sum: f32 = row.iter().map(|logit| (logit - greatest).exp()).sum();
                f64::from(sum.ln() + greatest - row[target as usize])
            })
            .sum();
        Ok((CpuStorage::F32(vec![(sum / self.targets.len() as f64) as f32]), ().into()))
    }

    fn bwd(&self, logits: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let share = grad.to_scalar::<f32>()? / self.targets.len() as f32;
        let mut values = values(logits)?;
        let columns = values.len() / self.targets.len();
        for (row, &target) in values.chunks_exact_mut(columns).zip(&self.targets) {
            let greatest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            row.iter_mut().for_each(|logit| *logit = (*logit - greatest).exp());
            let sum: f32 = row.iter().sum();
            row.iter_mut().for_each(|probability| *probability *= share / sum);
            row[target as usize] -= share;
        }
        Tensor::from_vec(values, logits.shape(), logits.device()).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::gradient_check::agrees;

    #[test]
    fn agrees_with_candle() {
        let targets = vec![0u32, 3, 1];
        agrees(
            &[(3, 4)],
            |args| cross_entropy(&args[0], targets.clone()),
            |args| candle_nn::loss::cross_entropy(&args[0], &Tensor::new(targets.as_slice(), args[0].device())?),
        );
    }
}
