//! Decides how a model is spread over cores and memory, which changes no text, only the speed.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Work;
use crate::domain::Numerics;

/// The most sequences a llama.cpp context takes, one of them parked.
const MAX_BATCH: u32 = 255;
/// llama.cpp gives every sequence a cache of a multiple of so many tokens.
pub const CACHE_STEP: u64 = 256;
/// Sequences enough for a matrix product to be limited by arithmetic.
const WIDE: u32 = 64;
/// Models up to this size get a context a core: threads that share a matrix wait for each other at every operation, for
/// longer than the products of so small ones take, and for far longer where something else wants a core.
const SMALL_BYTES: u64 = 320 << 20;
/// A text alone of a model up to this size is quicker on one thread than on several.
const TINY_BYTES: u64 = 64 << 20;

/// Texts together from which on a small model is worth several threads that sleep while they wait:
/// between one, which takes 7 times as long on four threads, and 72, which take half as long.
const WORTH_SHARING: usize = 8;

/// How many lanes can have something of their own to decode. In `fast` numerics a text can't go from one context to
/// another: what is decoded beside it may change it.
fn portions(numerics: Numerics, prompts: u32, texts: u32) -> u32 {
    match numerics {
        Numerics::Invariant => texts,
        Numerics::Fast => prompts,
    }
}

/// Contexts, threads and sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strategy {
    /// Contexts that decode side by side, each other texts.
    pub lanes: u32,
    /// Threads of each lane.
    pub threads: u32,
    /// Sequences that a lane decodes together, at most.
    pub batch: u32,
}

/// What a strategy is chosen for.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub model_bytes: u64,
    /// Of one sequence's cache at the experiment's context; None where the
    /// model does not tell.
    pub sequence_bytes: Option<u64>,
    /// Prompts to run.
    pub prompts: u32,
    /// Texts of the prompt that has most of them.
    pub texts_a_prompt: u32,
    pub numerics: Numerics,
}

/// What there is, and what the user insists on.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Threads in all.
    pub threads: u32,
    pub lanes: Option<u32>,
    pub batch: Option<u32>,
    /// Memory that is free; the model and its caches must share it.
    pub memory_bytes: Option<u64>,
}

impl Strategy {
    /// One lane of exactly `batch` sequences; a tiny model has one thread, for
    /// more would wait for each other.
    pub fn one_lane(model_bytes: u64, threads: u32, batch: u32) -> Self {
        let threads = if model_bytes <= TINY_BYTES { 1 } else { threads.max(1) };
        Self { lanes: 1, threads, batch }
    }

    /// A small model gets a lane a core, a large one all cores at once. A
    /// prompt's texts should all have a sequence, for steps are wide then, and
    /// a recurrent model evaluates nothing twice; memory decides how many have.
    pub fn choose(shape: Shape, limits: Limits) -> Self {
        let texts = shape.prompts.saturating_mul(shape.texts_a_prompt);
        let useful = portions(shape.numerics, shape.prompts, texts).clamp(1, limits.threads.max(1));
        let small = shape.model_bytes <= SMALL_BYTES;
        let mut lanes = limits.lanes.unwrap_or(if small { useful } else { 1 }).max(1);
        let wanted = limits.batch.unwrap_or(shape.texts_a_prompt.max(WIDE)).clamp(1, MAX_BATCH);
        // Half of what the model leaves: the rest is for buffers, and for
        // whoever else is on the machine. One sequence of each lane is parked.
        let budget = limits.memory_bytes.map(|free| free.saturating_sub(shape.model_bytes) / 2);
        let affordable = |lanes: u32| match budget.zip(shape.sequence_bytes) {
            Some((budget, bytes)) => {
                let sequences = budget / bytes.max(1) / u64::from(lanes);
                u32::try_from(sequences.saturating_sub(1)).unwrap_or(u32::MAX).max(1)
            }
            None => u32::MAX,
        };
        while limits.lanes.is_none() && lanes > 1 && affordable(lanes) < wanted.min(WIDE) {
            lanes -= 1;
        }
        let threads = (limits.threads / lanes).max(1);
        Self { lanes, threads, batch: wanted.min(affordable(lanes)) }
    }
}

impl Strategy {
    /// For half of the memory: half of the lanes, where the user does not insist on them, or else of the batch.
    /// None where there is one text left.
    #[must_use]
    pub fn halved(self, limits: Limits) -> Option<Self> {
        let Self { lanes, threads, batch } = self;
        match limits.lanes {
            None if lanes > 1 => Some(Self { lanes: lanes / 2, threads: threads * lanes / (lanes / 2), batch }),
            _ if batch > 1 => Some(Self { batch: batch / 2, ..self }),
            _ => None,
        }
    }
}

impl Strategy {
    /// For less work than lanes: fewer lanes, and where they have many texts more threads in
    /// each. For fewer texts than sequences: fewer, whose caches need not be cleared.
    #[must_use]
    pub fn for_work(self, numerics: Numerics, work: &Work) -> Self {
        let Self { lanes, threads, batch } = self;
        let texts = work.groups.iter().map(|group| group.jobs.len());
        let all: usize = texts.clone().sum();
        let fewer = portions(numerics, work.groups.len() as u32, all as u32).clamp(1, lanes);
        let shares = texts.max().is_some_and(|widest| widest >= WORTH_SHARING);
        let threads = if shares { lanes * threads / fewer } else { threads };
        let batch = batch.min(all as u32).max(1);
        Self { lanes: fewer, threads, batch }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |n: u32| if n == 1 { "" } else { "s" };
        let Self { lanes, threads, batch } = *self;
        let (s, t) = (plural(lanes), plural(threads));
        match batch {
            1 => write!(f, "{lanes} lane{s} of {threads} thread{t}, one text at a time in each"),
            _ => write!(f, "{lanes} lane{s} of {threads} thread{t}, up to {batch} texts together in each"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;
    const SMALL: Shape = Shape {
        model_bytes: 10 * MIB,
        sequence_bytes: Some(MIB),
        prompts: 24,
        texts_a_prompt: 8,
        numerics: Numerics::Invariant,
    };
    const LARGE: Shape = Shape { model_bytes: 16 << 30, sequence_bytes: Some(200 * MIB), ..SMALL };
    const MACHINE: Limits = Limits { threads: 4, lanes: None, batch: None, memory_bytes: Some(24 << 30) };

    #[test]
    fn a_small_model_gets_a_lane_a_core_and_a_large_one_all_cores() {
        assert_eq!(Strategy::choose(SMALL, MACHINE), Strategy { lanes: 4, threads: 1, batch: 64 });
        assert_eq!(Strategy::choose(LARGE, MACHINE), Strategy { lanes: 1, threads: 4, batch: 19 });
    }

    #[test]
    fn no_lane_is_without_a_text() {
        let lanes = |prompts, texts_a_prompt, numerics| {
            Strategy::choose(Shape { prompts, texts_a_prompt, numerics, ..SMALL }, MACHINE).lanes
        };
        assert_eq!([lanes(2, 1, Numerics::Invariant), lanes(2, 8, Numerics::Invariant)], [2, 4]);
        assert_eq!([lanes(2, 1, Numerics::Fast), lanes(2, 8, Numerics::Fast)], [2, 2]);
    }

    #[test]
    fn all_texts_of_a_prompt_are_in_flight_where_they_may() {
        let batch = |texts_a_prompt| Strategy::choose(Shape { texts_a_prompt, ..SMALL }, MACHINE).batch;
        assert_eq!([batch(217), batch(1000)], [217, MAX_BATCH]);
    }

    #[test]
    fn memory_takes_lanes_first_and_then_rows() {
        let free = |mib: u64| Strategy::choose(SMALL, Limits { memory_bytes: Some((10 + mib) * MIB), ..MACHINE });
        assert_eq!(free(600), Strategy { lanes: 4, threads: 1, batch: 64 });
        assert_eq!(free(300), Strategy { lanes: 2, threads: 2, batch: 64 });
        assert_eq!(free(100), Strategy { lanes: 1, threads: 4, batch: 49 });
        assert_eq!(free(0), Strategy { lanes: 1, threads: 4, batch: 1 });
        assert_eq!(Strategy::choose(SMALL, Limits { memory_bytes: None, ..MACHINE }).batch, 64);
    }

    #[test]
    fn half_of_the_memory_is_half_of_the_lanes_and_then_of_the_rows() {
        let first = Strategy { lanes: 3, threads: 2, batch: 5 };
        let halved = |limits| {
            let all = std::iter::successors(Some(first), |strategy| strategy.halved(limits)).skip(1);
            all.map(|Strategy { lanes, threads, batch }| (lanes, threads, batch)).collect::<Vec<_>>()
        };
        assert_eq!(halved(MACHINE), [(1, 6, 5), (1, 6, 2), (1, 6, 1)]);
        assert_eq!(halved(Limits { lanes: Some(3), ..MACHINE }), [(3, 2, 2), (3, 2, 1)]);
    }

    #[test]
    fn what_the_user_says_holds() {
        let limits = Limits { lanes: Some(2), batch: Some(7), ..MACHINE };
        assert_eq!(Strategy::choose(LARGE, limits), Strategy { lanes: 2, threads: 2, batch: 7 });
        assert_eq!(Strategy::choose(SMALL, Limits { threads: 1, ..MACHINE }).lanes, 1);
    }
}
