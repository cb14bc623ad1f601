//! Routed experts: every token goes to the few that its router prefers.

use candle_core::{D, Device, Result, Tensor};
use candle_nn::ops::softmax;

use super::{Activation, Bias, Linear, Swiglu, SwigluShape};
use crate::weights::{Init, Precision, Weights};

pub struct Routed {
    router: Linear,
    experts: Vec<Swiglu>,
    used: usize,
    gating: Gating,
}

/// The smallest positive normal F16, as in llama.cpp's `build_moe_ffn`.
const LEAST_SUM: f32 = 6.103_515_6e-5;

/// What the experts' outputs are weighted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gating {
    /// A softmax over all experts; the weights of the chosen are not made to add up to one.
    Softmax,
    /// The same, divided by their sum (llama.cpp's `norm_w`, which keeps the sum from 0).
    RenormalisedSoftmax,
    /// A softmax over the chosen (llama.cpp's `LLAMA_EXPERT_GATING_FUNC_TYPE_SOFTMAX_WEIGHT`).
    SelectedSoftmax,
}

#[derive(Debug, Clone, Copy)]
pub struct RoutedShape {
    pub experts: usize,
    /// How many of them a token goes to.
    pub used: usize,
    pub width: usize,
    pub hidden: usize,
    pub depth: usize,
    pub gating: Gating,
    pub activation: Activation,
    /// Of the router and of the experts.
    pub bias: Bias,
}

/// Where the tokens of a batch went.
pub struct Routing {
    /// Tokens an expert.
    pub load: Vec<usize>,
    /// Switch Transformer's auxiliary loss, 1 when the load is even (Fedus 2021, eq. 4).
    pub imbalance: Tensor,
}

impl Routed {
    pub fn new(weights: &mut Weights, layer: &str, shape: RoutedShape) -> Result<Self> {
        let RoutedShape { experts, used, width, hidden, depth, gating, activation, bias } = shape;
        let init = Init::Noise((width as f64).powf(-0.5));
        let name = format!("{layer}.ffn_gate_inp");
        let router = Linear::new(weights, &name, (experts, width), init, Precision::Full, bias)?;
        let experts = Swiglu::experts(weights, layer, experts, SwigluShape { width, hidden, depth, activation, bias })?;
        Ok(Self { router, experts, used, gating })
    }

    /// Every token through the experts that its router likes best. `x` is (tokens, width).
    pub fn forward(&self, x: &Tensor) -> Result<(Tensor, Routing)> {
        let tokens = x.dim(0)?;
        let n_experts = self.experts.len();
        let logits = self.router.forward(x)?;
        let probabilities = softmax(&logits, D::Minus1)?;
        let best = best_experts(&probabilities.to_vec2()?, self.used);
        let indices = Tensor::from_slice(&best, (tokens, self.used), &Device::Cpu)?;
        let weights = self.gating.weights(&logits, &probabilities, &indices)?;
        let weights = weights.flatten_all()?;

        let mut outputs = Vec::new();
        let mut sources = Vec::new();
        let mut load = Vec::new();
        for (number, expert) in (0u32..).zip(&self.experts) {
            let cells: Vec<u32> = (0u32..).zip(&best).filter(|(_, best)| **best == number).map(|(at, _)| at).collect();
            load.push(cells.len());
            if cells.is_empty() {
                continue;
            }
            let tokens: Vec<u32> = cells.iter().map(|cell| cell / self.used as u32).collect();
            let rows = x.index_select(&Tensor::new(tokens.as_slice(), &Device::Cpu)?, 0)?;
            let weight = weights.index_select(&Tensor::new(cells, &Device::Cpu)?, 0)?.unsqueeze(1)?;
            outputs.push(expert.forward(&rows)?.broadcast_mul(&weight)?);
            sources.extend(tokens);
        }
        let mixed = x.zeros_like()?.index_add(&Tensor::new(sources, &Device::Cpu)?, &Tensor::cat(&outputs, 0)?, 0)?;

        let shares: Vec<f32> = load.iter().map(|&n| n as f32 / (tokens * self.used) as f32).collect();
        let shares = Tensor::new(shares, &Device::Cpu)?;
        let imbalance = (probabilities.mean(0)?.mul(&shares)?.sum_all()? * n_experts as f64)?;
        Ok((mixed, Routing { load, imbalance }))
    }
}

impl Gating {
    /// The weight of every chosen expert; `indices` and the result are (tokens, used).
    fn weights(self, logits: &Tensor, probabilities: &Tensor, indices: &Tensor) -> Result<Tensor> {
        match self {
            Self::Softmax => probabilities.gather(indices, D::Minus1),
            Self::RenormalisedSoftmax => {
                let chosen = probabilities.gather(indices, D::Minus1)?;
                chosen.broadcast_div(&chosen.sum_keepdim(D::Minus1)?.maximum(LEAST_SUM)?)
            }
            Self::SelectedSoftmax => softmax(&logits.gather(indices, D::Minus1)?, D::Minus1),
        }
    }
}

/// For every token the `used` experts that it is sent to, best first; the first of equals wins.
fn best_experts(probabilities: &[Vec<f32>], used: usize) -> Vec<u32> {
    let best = |row: &Vec<f32>| {
        let mut order: Vec<u32> = (0..row.len() as u32).collect();
        order.sort_by(|&a, &b| row[b as usize].total_cmp(&row[a as usize]));
        order.truncate(used);
        order
    };
    probabilities.iter().flat_map(best).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::gradient_check::agrees;

    fn weights(gating: Gating, logits: &Tensor) -> Result<Tensor> {
        let best = best_experts(&logits.to_vec2()?, 2);
        let indices = Tensor::from_slice(&best, (logits.dim(0)?, 2), &Device::Cpu)?;
        gating.weights(logits, &softmax(logits, D::Minus1)?, &indices)
    }

    #[test]
    fn the_best_comes_first_and_the_first_of_equals_wins() {
        assert_eq!(best_experts(&[vec![0.0, 2.0, 1.0, 1.0], vec![3.0; 4]], 2), [1, 2, 0, 1]);
    }

    #[test]
    fn only_the_plain_softmax_leaves_something_to_the_others() {
        // Probabilities of 1/2, 1/4, 1/8 and 1/8.
        let logits = Tensor::new(&[[1f32, 4.0, 1.0, 2.0]], &Device::Cpu).unwrap().log().unwrap();
        let ones = [2.0 / 3.0, 1.0 / 3.0];
        for (gating, expected) in
            [(Gating::Softmax, [0.5, 0.25]), (Gating::RenormalisedSoftmax, ones), (Gating::SelectedSoftmax, ones)]
        {
            let weights: Vec<f32> = weights(gating, &logits).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            assert!(weights.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{gating:?}: {weights:?}");
        }
    }

    #[test]
    fn both_ways_to_a_sum_of_one_have_one_gradient() {
        agrees(
            &[(5, 6)],
            |args| weights(Gating::SelectedSoftmax, &args[0]),
            |args| weights(Gating::RenormalisedSoftmax, &args[0]),
        );
    }
}
