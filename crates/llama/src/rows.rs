//! Samples from many rows of logits at once, on as many threads as pay.

use std::sync::{Mutex, PoisonError};

use rayon::ThreadPool;
use rayon::prelude::*;

use crate::Error;
use crate::fast::{Row, Scratch};

/// Below so many logits in all rows, waking threads takes longer than they
/// save (docs/performance.md, Sampling).
const WORTH_WAKING: usize = 131_072;

/// What sampling needs beside the samplers, kept from token to token.
pub struct Rows {
    /// None where there is one thread, or the pool can't be had.
    pool: Option<ThreadPool>,
    /// One for each thread.
    scratch: Vec<Mutex<Scratch>>,
    worth_waking: usize,
}

impl Rows {
    pub fn new(threads: u32) -> Self {
        Self::waking(threads, WORTH_WAKING)
    }

    /// Wakes the threads for so many logits in all rows.
    pub fn waking(threads: u32, worth_waking: usize) -> Self {
        let threads = threads.max(1) as usize;
        let pool = || rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok();
        let pool = if threads > 1 { pool() } else { None };
        Self { scratch: (0..threads).map(|_| Mutex::default()).collect(), pool, worth_waking }
    }

    /// Gives each task its row, and returns what comes of them, in order.
    ///
    /// # Errors
    /// The first that a task returns.
    pub fn sample<T: Send, R: Send>(
        &self,
        tasks: Vec<(&[f32], T)>,
        choose: impl Fn(&mut Row<'_>, T) -> Result<R, Error> + Sync,
    ) -> Result<Vec<R>, Error> {
        let choose = |(logits, task): (&[f32], T)| {
            let thread = rayon::current_thread_index().unwrap_or(0);
            // A scratch is emptied before each use: a panic can't have spoilt it.
            let mut scratch = self.scratch[thread].lock().unwrap_or_else(PoisonError::into_inner);
            choose(&mut Row::new(logits, &mut scratch), task)
        };
        let logits: usize = tasks.iter().map(|(logits, _)| logits.len()).sum();
        match &self.pool {
            Some(pool) if tasks.len() > 1 && logits >= self.worth_waking => {
                pool.install(|| tasks.into_par_iter().map(choose).collect())
            }
            _ => tasks.into_iter().map(choose).collect(),
        }
    }
}
