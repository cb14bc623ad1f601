//! Measures what this machine can do at most, on the threads that are asked for: what no model's products can exceed.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use matmul::{Peak, peak};

use crate::{Kernels, Llama};

/// What the machine can do at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Products of two 32-bit floats that are added up a second.
    pub floats_per_s: f64,
    /// Products of two bytes that are added up a second.
    pub bytes_per_s: f64,
    /// Bytes read from memory a second.
    pub memory_bytes_per_s: f64,
}

/// Numbers that the threads read together: more than caches hold.
const NUMBERS: usize = 48 << 20;
/// How often they are read.
const READINGS: usize = 3;

impl Llama {
    /// Measures it in half a second; None for kernels whose instructions are not known.
    pub fn limits(&self, threads: u32) -> Option<Limits> {
        let Kernels::Ours(kernels) = self.kernels else { return None };
        let peaks: Vec<_> = on_all(threads, |_| peak(kernels));
        let Peak { floats_per_s, bytes_per_s } =
            peaks.into_iter().try_fold(Peak { floats_per_s: 0., bytes_per_s: 0. }, |sum, peak| {
                let Peak { floats_per_s, bytes_per_s } = peak?;
                let Peak { floats_per_s: floats, bytes_per_s: bytes } = sum;
                Some(Peak { floats_per_s: floats + floats_per_s, bytes_per_s: bytes + bytes_per_s })
            })?;
        Some(Limits { floats_per_s, bytes_per_s, memory_bytes_per_s: reading(threads) })
    }
}

/// Bytes that all threads read a second.
fn reading(threads: u32) -> f64 {
    let numbers = vec![1_u64; NUMBERS];
    let share = NUMBERS.div_ceil(threads.max(1) as usize);
    let parts: Vec<_> = numbers.chunks(share).collect();
    let begun = Instant::now();
    for _ in 0..READINGS {
        on_all(parts.len() as u32, |thread| {
            black_box(parts[thread as usize].iter().fold(0, |sum: u64, n| sum.wrapping_add(*n)))
        });
    }
    (READINGS * size_of_val(numbers.as_slice())) as f64 / begun.elapsed().as_secs_f64()
}

/// What each thread returns, in order.
fn on_all<T: Send>(threads: u32, work: impl Fn(u32) -> T + Sync) -> Vec<T> {
    let work = &work;
    thread::scope(|scope| {
        let all: Vec<_> = (0..threads.max(1)).map(|thread| scope.spawn(move || work(thread))).collect();
        all.into_iter().map(|thread| thread.join().expect("it measures and no more")).collect()
    })
}
