//! Measures how fast llama.cpp decodes when nothing is chosen: what no engine on top of it can exceed.

use std::time::{Duration, Instant};

use crate::sequences::Sequences;
use crate::{Error, Llama, Model, Settings, Token};

/// Decodes `texts` side by side in one context, a token of each in a step, and says how long it
/// took; the first step warms up and is not counted. A text that is shorter than the first goes on
/// with its beginning.
///
/// # Errors
/// When a text is empty or does not fit the context, or llama.cpp fails.
pub fn ceiling(llama: &Llama, model: &Model, settings: &Settings, texts: &[Vec<Token>]) -> Result<Duration, Error> {
    let steps = texts.first().map_or(0, Vec::len);
    if steps > settings.context as usize || texts.iter().any(Vec::is_empty) {
        return Err(Error::Decode(format!("texts of 1 to {} tokens are needed", settings.context)));
    }
    let mut sequences = Sequences::new(llama, model, settings)?;
    let mut step = |position: usize| {
        sequences.step(texts.iter().map(|text| (text[position % text.len()], position)))?;
        // Waits for the logits, as an engine must.
        let _ = sequences.logits(0);
        Ok::<_, Error>(())
    };
    step(0)?;
    let begun = Instant::now();
    (1..steps).try_for_each(step)?;
    Ok(begun.elapsed())
}
