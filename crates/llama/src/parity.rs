//! Finds out whether the samplers in Rust draw as llama.cpp's do in this very build.
//!
//! llama.cpp draws with the C++ standard library that it was linked with, and
//! the standard leaves the way from random words to a number open. The tests
//! compare with one library; this compares with the one at hand.

use crate::fast::{FastChain, Row, Sampled, Scratch};
use crate::{Error, Model, Sampler, Step};

/// A model's worth of candidates, all about equally probable: a draw that is
/// off by a thousandth selects another one.
const CANDIDATES: u16 = 1000;
const DRAWS: usize = 16;

/// # Errors
/// When llama.cpp's samplers can't be built.
pub fn holds(model: &Model) -> Result<bool, Error> {
    let chain = [Step::Dist];
    let seed = 1;
    let Some(mut fast) = FastChain::compile(&chain, seed) else { return Ok(false) };
    let mut llama = Sampler::new(model, &chain, seed, &[])?;
    let logits: Vec<f32> = (0..CANDIDATES).map(|candidate| f32::from(candidate) / f32::from(CANDIDATES)).collect();
    let mut scratch = Scratch::default();
    let mut row = Row::new(&logits, &mut scratch);
    for _ in 0..DRAWS {
        if fast.sample(&mut row) != Sampled::Token(llama.sample(&logits)?) {
            return Ok(false);
        }
    }
    Ok(true)
}
