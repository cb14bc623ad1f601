//! Training: documents in rows, rows in shards, shards on threads.
//!
//! A step's rows are cut into a fixed number of shards, each with a backward pass of its own, and
//! the gradients are added in the shards' order: so the result does not depend on the number of
//! threads, nor on which of them is the fastest.

use std::iter;

use anyhow::{Context, Result};
use candle_core::{Device, Tensor, Var, backprop::GradStore};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use rayon::prelude::*;

use crate::{
    corpus::Corpus,
    family::{Cache, Family, Model, Pass},
    layers::cross_entropy,
    tokenizer::{BOS, EOS, Tokenizer},
    weights::Weights,
};

/// Tokens a row: a whole document, or nearly.
const ROW: usize = 256;
const SHARDS: usize = 8;
const ROWS_PER_SHARD: usize = 3;
const VOCABULARY: usize = 1024;
/// Documents that the tokenizer is trained on.
const TOKENIZER_DOCUMENTS: usize = 4000;
/// Rows that the loss is measured on at the end.
const HELD_OUT_ROWS: usize = 48;

const PEAK_RATE: f64 = 3e-3;
const WARM_UP_STEPS: usize = 30;
const MAX_GRADIENT: f64 = 1.0;
/// How much the load of the experts counts beside the loss.
const BALANCE: f64 = 0.01;

/// Offsets to the seed, so that no two uses share a stream.
const TOKENIZER_STREAM: u64 = 1 << 32;
const HELD_OUT_STREAM: u64 = 2 << 32;

/// What to train.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    pub family: Family,
    pub seed: u64,
    pub steps: usize,
}

/// What came out.
pub struct Trained {
    pub model: Box<dyn Model>,
    pub tokenizer: Tokenizer,
    pub measured: Measured,
}

/// Figures for the model card.
#[derive(Debug, Clone)]
pub struct Measured {
    pub training_tokens: usize,
    /// Nats a token, over the last tenth of the steps.
    pub training_loss: f64,
    /// Nats a token, on documents that were not trained on.
    pub held_out_loss: f64,
    /// For every layer that routes, the share of the held-out tokens that each expert got.
    pub loads: Vec<Vec<f64>>,
}

/// Where the training is.
pub struct Progress {
    pub step: usize,
    pub loss: f64,
    pub rate: f64,
}

pub fn train(recipe: Recipe, mut report: impl FnMut(Progress)) -> Result<Trained> {
    let corpus = Corpus::bundled()?;
    let texts = corpus.documents(recipe.seed + TOKENIZER_STREAM).take(TOKENIZER_DOCUMENTS);
    let tokenizer = Tokenizer::train(texts.collect::<Vec<_>>().into_iter(), VOCABULARY)?;
    let model = recipe.family.build(Weights::fresh(recipe.seed), tokenizer.size())?;

    let vars = model.weights().vars();
    let mut optimizers = optimizers(&vars)?;
    let mut rows = rows(&corpus, &tokenizer, recipe.seed);
    let mut losses = Vec::with_capacity(recipe.steps);
    for step in 0..recipe.steps {
        let batch = rows.by_ref().take(SHARDS * ROWS_PER_SHARD).collect::<Result<Vec<_>>>()?;
        let (loss, gradients) = gradients(model.as_ref(), &vars, &batch)?;
        let rate = rate(step, recipe.steps);
        optimizers.par_iter_mut().try_for_each(|optimizer| {
            optimizer.set_learning_rate(rate);
            optimizer.step(&gradients)
        })?;
        losses.push(loss);
        report(Progress { step, loss, rate });
    }

    drop(rows);

    let tail = &losses[losses.len() - losses.len().div_ceil(10)..];
    let (held_out_loss, loads) = held_out(model.as_ref(), &corpus, &tokenizer, recipe.seed)?;
    let measured = Measured {
        training_tokens: recipe.steps * SHARDS * ROWS_PER_SHARD * ROW,
        training_loss: tail.iter().sum::<f64>() / tail.len() as f64,
        held_out_loss,
        loads,
    };
    Ok(Trained { model, tokenizer, measured })
}

/// Rows of `ROW + 1` tokens. Each begins with a document and goes on with others; the last is cut.
fn rows(corpus: &Corpus, tokenizer: &Tokenizer, seed: u64) -> impl Iterator<Item = Result<Vec<u32>>> {
    let mut documents = corpus.documents(seed);
    iter::repeat_with(move || {
        let mut row = Vec::with_capacity(2 * ROW);
        while row.len() <= ROW {
            let text = documents.next().context("documents are endless")?;
            row.push(BOS);
            row.extend(tokenizer.encode(&text)?);
            row.push(EOS);
        }
        row.truncate(ROW + 1);
        Ok(row)
    })
}

/// Linear warm-up, linear decay to zero.
fn rate(step: usize, steps: usize) -> f64 {
    let up = (step + 1) as f64 / WARM_UP_STEPS as f64;
    let down = (steps - step) as f64 / (steps - WARM_UP_STEPS.min(steps - 1)) as f64;
    PEAK_RATE * up.min(down).min(1.0)
}

/// One a variable, so that they can step side by side.
fn optimizers(vars: &[Var]) -> Result<Vec<AdamW>> {
    let params = ParamsAdamW { lr: 0.0, beta1: 0.9, beta2: 0.98, eps: 1e-9, weight_decay: 0.05 };
    vars.iter().map(|var| Ok(AdamW::new(vec![var.clone()], params.clone())?)).collect()
}

/// The mean loss of a batch and its clipped gradients.
fn gradients(model: &dyn Model, vars: &[Var], batch: &[Vec<u32>]) -> Result<(f64, GradStore)> {
    let shards = batch
        .par_chunks(batch.len().div_ceil(SHARDS))
        .map(|rows| {
            let (pass, loss) = loss(model, rows)?;
            let imbalances: Vec<_> = pass.routings.iter().map(|routing| &routing.imbalance).collect();
            let gradients = if imbalances.is_empty() {
                loss.backward()?
            } else {
                (&loss + Tensor::stack(&imbalances, 0)?.sum_all()? * BALANCE)?.backward()?
            };
            Ok((f64::from(loss.to_scalar::<f32>()?), gradients))
        })
        .collect::<Result<Vec<_>>>()?;
    let loss = shards.iter().map(|(loss, _)| loss).sum::<f64>() / shards.len() as f64;

    let sums = vars
        .par_iter()
        .map(|var| {
            // An expert that no token of a shard went to has no gradient there.
            let mut parts = shards.iter().filter_map(|(_, gradients)| gradients.get(var));
            let first = parts.next().map_or_else(|| var.zeros_like(), |part| Ok(part.clone()))?;
            let sum = parts.try_fold(first, |sum, part| sum + part)?;
            let square = sum.sqr()?.sum_all()?.to_scalar::<f32>()?;
            Ok((sum, f64::from(square)))
        })
        .collect::<Result<Vec<_>>>()?;
    let shard_count = shards.len() as f64;
    let norm = sums.iter().map(|(_, square)| square).sum::<f64>().sqrt() / shard_count;
    let scale = (MAX_GRADIENT / norm).min(1.0) / shard_count;

    let mut gradients = shards.into_iter().next().context("a batch has rows")?.1;
    let scaled = sums.par_iter().map(|(sum, _)| Ok((sum * scale)?)).collect::<Result<Vec<_>>>()?;
    for (var, gradient) in vars.iter().zip(scaled) {
        gradients.insert(var, gradient);
    }
    Ok((loss, gradients))
}

/// The loss of some rows, in nats a token.
fn loss(model: &dyn Model, rows: &[Vec<u32>]) -> Result<(Pass, Tensor)> {
    let part = |from: usize| -> Vec<u32> { rows.iter().flat_map(|row| &row[from..from + ROW]).copied().collect() };
    let inputs = Tensor::from_vec(part(0), (rows.len(), ROW), &Device::Cpu)?;
    let pass = model.forward(&inputs, &mut Cache::default())?;
    let loss = cross_entropy(&pass.logits.flatten_to(1)?, part(1))?;
    Ok((pass, loss))
}

fn held_out(model: &dyn Model, corpus: &Corpus, tokenizer: &Tokenizer, seed: u64) -> Result<(f64, Vec<Vec<f64>>)> {
    let rows = rows(corpus, tokenizer, seed + HELD_OUT_STREAM).take(HELD_OUT_ROWS).collect::<Result<Vec<_>>>()?;
    let parts = rows
        .par_chunks(ROWS_PER_SHARD)
        .map(|rows| {
            let (pass, loss) = loss(model, rows)?;
            let loads = pass.routings.into_iter().map(|routing| routing.load).collect::<Vec<_>>();
            Ok((f64::from(loss.to_scalar::<f32>()?), loads))
        })
        .collect::<Result<Vec<_>>>()?;
    let loss = parts.iter().map(|(loss, _)| loss).sum::<f64>() / parts.len() as f64;
    let layers = parts[0].1.len();
    let loads = (0..layers).map(|layer| shares(parts.iter().map(|(_, loads)| loads[layer].as_slice()))).collect();
    Ok((loss, loads))
}

fn shares<'a>(loads: impl Iterator<Item = &'a [usize]>) -> Vec<f64> {
    let mut sums: Vec<f64> = Vec::new();
    for load in loads {
        sums.resize(load.len(), 0.0);
        sums.iter_mut().zip(load).for_each(|(sum, &n)| *sum += n as f64);
    }
    let total: f64 = sums.iter().sum();
    sums.into_iter().map(|sum| sum / total).collect()
}
