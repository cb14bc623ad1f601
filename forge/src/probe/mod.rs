//! The mechanism, measured in plain arithmetic: how much a model repeats itself under each chain.
//!
//! Needs no llama.cpp: its chains are written out again here, from their definitions.

mod chain;
mod generate;
mod prompts;
mod score;

pub use chain::Chain;
pub use generate::generate;
pub use prompts::PROMPTS;
pub use score::repetition_score;

use anyhow::Result;
use rayon::prelude::*;

use crate::{family::Model, tokenizer::Tokenizer};

/// Tokens a text.
const LENGTH: usize = 100;

pub const TEMPERATURES: [f64; 8] = [0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5];

/// The texts of one chain at one temperature, in the order of the prompts.
pub struct Cell {
    pub chain: Chain,
    pub temperature: f64,
    pub texts: Vec<Text>,
}

pub struct Text {
    pub prompt: String,
    pub text: String,
    pub score: f64,
}

impl Cell {
    pub fn mean(&self) -> f64 {
        self.texts.iter().map(|text| text.score).sum::<f64>() / self.texts.len() as f64
    }
}

/// Every chain at every temperature.
pub fn probe<P: AsRef<str> + Sync>(model: &dyn Model, tokenizer: &Tokenizer, prompts: &[P]) -> Result<Vec<Cell>> {
    let grid: Vec<_> =
        Chain::ALL.iter().flat_map(|&chain| TEMPERATURES.map(|temperature| (chain, temperature))).collect();
    grid.into_par_iter()
        .map(|(chain, temperature)| {
            let texts = prompts
                .iter()
                .map(P::as_ref)
                .zip(0..)
                .map(|(prompt, seed)| {
                    let text = generate(model, tokenizer, prompt, chain, temperature, seed, LENGTH)?;
                    Ok(Text { prompt: prompt.to_owned(), score: repetition_score(&text), text })
                })
                .collect::<Result<Vec<_>>>()?;
            Ok(Cell { chain, temperature, texts })
        })
        .collect()
}
