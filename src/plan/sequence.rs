//! Owns the order in which a sequential experiment takes its prompts, and how many at a time.
//!
//! It is a function of the file and the prompts' texts. What is run must hang neither on the machine nor on what an
//! earlier run got done.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Load;
use crate::experiment::{LookAfter, Sequential, StopAt};

/// How an experiment that stops as soon as its hypotheses are decided takes its prompts.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    /// The probability, of all hypotheses and looks together, of a verdict that is wrong by chance.
    pub alpha: f64,
    pub look: LookAfter,
    pub order_seed: u32,
    /// Ids of all prompts that may be run, the first one first.
    pub order: Vec<String>,
    pub stop: StopAt,
}

/// What decides how many prompts are run together.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// How often weights are loaded.
    pub n_loads: usize,
    /// The texts of all prompts.
    pub n_texts: usize,
    /// Prompts by which something can be decided.
    pub least: usize,
    /// Texts that are to be decoded together, where that is said: a part has as many prompts, for one text may be all that
    /// a prompt still needs.
    pub width: usize,
}

/// If a model is loaded again for every part, the next part is at least this share of what is done, so
/// that loads grow as the logarithm of the prompts.
const PART: usize = 4;
/// Texts that a part has at least: fewer leave cores without work, more are made in vain when the first of them decide.
/// It was chosen, not measured: each prompt begins in one lane as a whole, so four texts of one prompt keep one core busy.
const TEXTS: usize = 16;

impl Sequence {
    pub fn new(settings: Sequential, loads: &[Load]) -> Self {
        let Sequential { alpha, look, order_seed, max_prompts, stop } = settings;
        // By a hash of each text, so that a prompt that is added leaves the others in their order.
        let place = |text: &str| {
            let mut hasher = blake3::Hasher::new();
            hasher.update(&order_seed.to_le_bytes());
            hasher.update(text.as_bytes());
            *hasher.finalize().as_bytes()
        };
        let groups = loads.iter().flat_map(|load| &load.prompts);
        let by_place: BTreeMap<_, _> = groups.map(|group| (place(&group.prompt.text), &group.prompt.id)).collect();
        let order = by_place.into_values().take(max_prompts).cloned().collect();
        Self { alpha, look, order_seed, order, stop }
    }

    /// Divides the prompts into those to be run together: first so many that something can be decided, then as many as give
    /// the cores enough to do; where there are several loads, more at a time, for each part loads each of them.
    pub fn parts(&self, Needs { n_loads, n_texts, least, width }: Needs) -> Vec<Range<usize>> {
        let n = self.order.len();
        let enough = (TEXTS * n).div_ceil(n_texts.max(1)).max(1);
        let mut parts = Vec::new();
        let mut done = 0;
        while done < n {
            let step = match (done, n_loads) {
                (0, _) => least.max(1),
                (_, 0 | 1) => enough,
                (done, _) => done.div_ceil(PART).max(enough),
            };
            let end = done + step.max(width);
            // What would be left is too few.
            let end = if end + width > n { n } else { end };
            parts.push(done..end);
            done = end;
        }
        parts
    }
}
