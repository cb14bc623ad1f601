//! How fast llama.cpp decodes when nothing is chosen: what no engine on top of it can exceed.

use std::time::{Duration, Instant};

use super::sequences::Sequences;
use super::{Llama, Model};
use crate::engine::{EngineError, LoadSettings, Token};

/// Decodes one token of each of `strategy.rows` sequences a step, `steps` times, in one
/// context, and says how long it took; a first step warms up and is not counted.
///
/// # Errors
/// When the context is too small for the steps, or llama.cpp fails.
pub fn ceiling(llama: &Llama, model: &Model, settings: &LoadSettings, steps: u32) -> Result<Duration, EngineError> {
    if steps >= settings.context {
        return Err(EngineError::Decode(format!("{steps} steps do not fit a context of {}", settings.context)));
    }
    let mut sequences = Sequences::new(llama, model, settings)?;
    let (rows, n_vocab) = (sequences.rows(), model.facts().n_vocab as usize);
    let mut step = |position: usize| {
        // Different tokens, or experts would be chosen alike.
        let token = |sequence| ((sequence * 37 + position * 11) % n_vocab) as Token;
        sequences.step((0..rows).map(|sequence| (token(sequence), position)))?;
        // Waits for the logits, as an engine must.
        let _ = sequences.logits(0);
        Ok::<_, EngineError>(())
    };
    step(0)?;
    let begun = Instant::now();
    (1..=steps as usize).try_for_each(step)?;
    Ok(begun.elapsed())
}
