//! How fast llama.cpp decodes when nothing is chosen: what no engine on top of it can exceed.

use std::time::{Duration, Instant};

use super::decode::Lane;
use super::{Llama, Model};
use crate::engine::{EngineError, LoadSettings};

/// Decodes one token of each of `strategy.rows` sequences a step, `steps` times, in one
/// context, and says how long it took; a first step warms up and is not counted.
///
/// # Errors
/// When the context is too small for the steps, or llama.cpp fails.
pub fn ceiling(llama: &Llama, model: &Model, settings: &LoadSettings, steps: u32) -> Result<Duration, EngineError> {
    if steps >= settings.context {
        return Err(EngineError::Decode(format!("{steps} steps do not fit a context of {}", settings.context)));
    }
    let mut lane = Lane::new(llama, model, settings)?;
    lane.step(0)?;
    let begun = Instant::now();
    for position in 1..=steps {
        lane.step(position)?;
    }
    Ok(begun.elapsed())
}
