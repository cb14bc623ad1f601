//! Divides a plan among machines, the same way on each of them.
//!
//! It is a function of the plan and two numbers. Must not know who runs which shard, and when: that is for Slurm or
//! Kubernetes to say.

use std::fmt;
use std::num::NonZeroU32;
use std::ops::Range;
use std::str::FromStr;

use itertools::Itertools as _;

use super::{Load, Plan, PromptTrials};

/// One of several parts of a plan, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    index: NonZeroU32,
    count: NonZeroU32,
}

/// What is no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoShard {
    #[error("{0:?} is not a shard: write K/N, such as 2/4 for the second of four, or auto")]
    Form(String),
    #[error("there is no shard {index} of {count}: shards are numbered from 1")]
    Range { index: u32, count: u32 },
}

impl Shard {
    /// Makes the shard `index`, counted from 1, of `count`.
    ///
    /// # Errors
    /// When there is no such shard.
    pub fn new(index: u32, count: u32) -> Result<Self, NoShard> {
        let range = NoShard::Range { index, count };
        let (Some(index), Some(count)) = (NonZeroU32::new(index), NonZeroU32::new(count)) else { return Err(range) };
        if index <= count { Ok(Self { index, count }) } else { Err(range) }
    }

    /// Returns which of them it is, counted from 1.
    pub fn index(self) -> NonZeroU32 {
        self.index
    }

    /// Returns how many there are.
    pub fn count(self) -> NonZeroU32 {
        self.count
    }

    /// Makes a folder's name for its results.
    pub fn directory(self) -> String {
        format!("shard-{}-of-{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let parts = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        let (index, count) = parts.ok_or_else(|| NoShard::Form(text.to_owned()))?;
        Self::new(index, count)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shard {} of {}", self.index, self.count)
    }
}

impl Plan {
    /// Returns a shard's part: a stretch of the plan's order, so that few models are loaded, with whole
    /// prompts, so that what their texts share is evaluated once. A shard's texts are an even part of
    /// all, but for at most those of one prompt. Also where its trials stand among all.
    pub fn shard(&self, shard: Shard) -> (Self, Range<usize>) {
        let texts = |group: &PromptTrials| group.trials.iter().map(|t| &t.trial.id).unique().count() as u64;
        let total: u64 = self.loads.iter().flat_map(|load| &load.prompts).map(texts).sum();
        let (index, count) = (u64::from(shard.index.get() - 1), u64::from(shard.count.get()));
        let (mut texts_before, mut trials_before) = (0, 0);
        let (mut start, mut end) = (None, 0);
        let mut loads: Vec<Load> = Vec::new();
        for load in &self.loads {
            let mut prompts = Vec::new();
            for group in &load.prompts {
                let n_texts = texts(group);
                // Where its middle lies.
                let owner = (2 * texts_before + n_texts) * count / (2 * total);
                if owner == index {
                    start.get_or_insert(trials_before);
                    end = trials_before + group.trials.len();
                    prompts.push(group.clone());
                }
                texts_before += n_texts;
                trials_before += group.trials.len();
            }
            if !prompts.is_empty() {
                loads.push(Load { prompts, ..load.clone() });
            }
        }
        let start = start.unwrap_or(0);
        (Self { generate: self.generate, chains: self.chains.clone(), loads }, start..end.max(start))
    }
}
