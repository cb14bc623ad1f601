//! A linear layer, with a bias or without.

use candle_core::{Result, Tensor};

use crate::weights::{Init, Precision, Weights};

/// Whether the linear layers of a part add something to their product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bias {
    Without,
    With,
}

impl Bias {
    /// The bias of the part called `name`, if it has one.
    pub fn of(self, weights: &mut Weights, name: &str, width: usize) -> Result<Option<Tensor>> {
        match self {
            Self::Without => Ok(None),
            Self::With => weights.single(format!("{name}.bias"), width, Init::Zeros, Precision::Full).map(Some),
        }
    }
}

/// `x · wᵀ`, plus a bias if there is one.
pub struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    /// `shape` is (outputs, inputs). `precision` is the matrix's; biases are F32.
    pub fn new(
        weights: &mut Weights,
        name: &str,
        shape: (usize, usize),
        init: Init,
        precision: Precision,
        bias: Bias,
    ) -> Result<Self> {
        let weight = weights.single(format!("{name}.weight"), shape, init, precision)?;
        let bias = bias.of(weights, name, shape.0)?;
        Ok(Self { weight, bias })
    }

    /// One an expert.
    pub fn stack(
        weights: &mut Weights,
        name: &str,
        experts: usize,
        shape: (usize, usize),
        init: Init,
        bias: Bias,
    ) -> Result<Vec<Self>> {
        let matrices = weights.stack(format!("{name}.weight"), experts, shape, init, Precision::Free)?;
        let biases = match bias {
            Bias::Without => vec![None; experts],
            Bias::With => {
                let name = format!("{name}.bias");
                weights.stack(name, experts, shape.0, Init::Zeros, Precision::Full)?.into_iter().map(Some).collect()
            }
        };
        Ok(matrices.into_iter().zip(biases).map(|(weight, bias)| Self { weight, bias }).collect())
    }

    /// `x` is (rows, inputs).
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let product = linear(x, &self.weight)?;
        match &self.bias {
            None => Ok(product),
            Some(bias) => product.broadcast_add(bias),
        }
    }
}

/// `x · wᵀ` over the last dimension: a linear layer as llama.cpp stores its matrix.
pub fn linear(x: &Tensor, w: &Tensor) -> Result<Tensor> {
    x.matmul(&w.t()?)
}
