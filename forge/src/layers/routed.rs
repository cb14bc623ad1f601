//! Routed experts: every token goes to the few that its router prefers.

use candle_core::{D, Device, Result, Tensor};
use candle_nn::ops::softmax;

use super::{Swiglu, linear};
use crate::weights::{Init, Precision, Weights};

pub struct Routed {
    router: Tensor,
    experts: Vec<Swiglu>,
    used: usize,
}

#[derive(Debug, Clone, Copy)]
pub struct RoutedShape {
    pub experts: usize,
    /// How many of them a token goes to.
    pub used: usize,
    pub width: usize,
    pub hidden: usize,
    pub depth: usize,
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
        let RoutedShape { experts, used, width, hidden, depth } = shape;
        let std = Init::Noise((width as f64).powf(-0.5));
        let router = weights.single(format!("{layer}.ffn_gate_inp.weight"), (experts, width), std, Precision::Full)?;
        Ok(Self { router, experts: Swiglu::experts(weights, layer, experts, width, hidden, depth)?, used })
    }

    /// Softmax over all experts, then the best; their weights are not made to add up to one.
    /// `x` is (tokens, width).
    pub fn forward(&self, x: &Tensor) -> Result<(Tensor, Routing)> {
        let tokens = x.dim(0)?;
        let n_experts = self.experts.len();
        let probabilities = softmax(&linear(x, &self.router)?, D::Minus1)?;
        let chosen = chosen_tokens(&probabilities.to_vec2()?, n_experts, self.used);
        let flat = probabilities.flatten_all()?;

        let mut outputs = Vec::new();
        let mut sources = Vec::new();
        for (number, (expert, tokens)) in self.experts.iter().zip(&chosen).enumerate() {
            if tokens.is_empty() {
                continue;
            }
            let rows = Tensor::new(tokens.as_slice(), &Device::Cpu)?;
            let cells: Vec<u32> = tokens.iter().map(|token| token * n_experts as u32 + number as u32).collect();
            let weight = flat.index_select(&Tensor::new(cells, &Device::Cpu)?, 0)?.unsqueeze(1)?;
            outputs.push(expert.forward(&x.index_select(&rows, 0)?)?.broadcast_mul(&weight)?);
            sources.extend_from_slice(tokens);
        }
        let mixed = x.zeros_like()?.index_add(&Tensor::new(sources, &Device::Cpu)?, &Tensor::cat(&outputs, 0)?, 0)?;

        let load: Vec<usize> = chosen.iter().map(Vec::len).collect();
        let shares: Vec<f32> = load.iter().map(|&n| n as f32 / (tokens * self.used) as f32).collect();
        let shares = Tensor::new(shares, &Device::Cpu)?;
        let imbalance = (probabilities.mean(0)?.mul(&shares)?.sum_all()? * n_experts as f64)?;
        Ok((mixed, Routing { load, imbalance }))
    }
}

/// For every expert the tokens that are sent to it; the first of equals wins.
fn chosen_tokens(probabilities: &[Vec<f32>], experts: usize, used: usize) -> Vec<Vec<u32>> {
    let mut chosen = vec![Vec::new(); experts];
    for (token, row) in (0u32..).zip(probabilities) {
        let mut order: Vec<usize> = (0..experts).collect();
        order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
        for &expert in &order[..used] {
            chosen[expert].push(token);
        }
    }
    chosen
}
