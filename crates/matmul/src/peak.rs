//! Measures what a core can do at most: products in registers, without a load from memory. No product of matrices is quicker.

use std::time::{Duration, Instant};

use crate::kernels::Kernels;

/// Products of two numbers that a core adds up a second, at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// Of 32-bit floats, as in sgemm.
    pub floats_per_s: f64,
    /// Of bytes, as in products of quantised weights.
    pub bytes_per_s: f64,
}

/// For how long each is measured.
const PATIENCE: Duration = Duration::from_millis(30);
/// Sums that grow side by side, so that none waits for its own last addition.
const SUMS: usize = 12;
/// Additions to each between two looks at the clock.
const ROUNDS: usize = 100_000;

/// Measures the core that this thread runs on, in some hundredths of a second; None for the kernels that are for any CPU.
pub fn peak(kernels: Kernels) -> Option<Peak> {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: whoever chose the kernels knows that the CPU has their instructions.
    unsafe {
        match kernels {
            Kernels::Portable => None,
            Kernels::Avx2 => {
                Some(Peak { floats_per_s: rate(8, || x86::floats_avx2()), bytes_per_s: rate(32, || x86::bytes_avx2()) })
            }
            Kernels::Avx512 => Some(Peak {
                floats_per_s: rate(16, || x86::floats_avx512()),
                bytes_per_s: rate(64, || x86::bytes_avx512()),
            }),
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = kernels;
        None
    }
}

/// Products a second, where each addition is of so many.
#[cfg(target_arch = "x86_64")]
fn rate(products: usize, rounds: impl Fn()) -> f64 {
    let begun = Instant::now();
    let mut n = 0;
    while n == 0 || begun.elapsed() < PATIENCE {
        rounds();
        n += 1;
    }
    (n * ROUNDS * SUMS * products) as f64 / begun.elapsed().as_secs_f64()
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;
    use std::hint::black_box;

    use super::{ROUNDS, SUMS};

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn floats_avx2() {
        let factor = black_box(_mm256_set1_ps(0.999));
        let mut sums = [_mm256_set1_ps(1.); SUMS];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = _mm256_fmadd_ps(*sum, factor, factor);
            }
        }
        black_box(sums);
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn bytes_avx2() {
        let (one, other) = black_box((_mm256_set1_epi8(3), _mm256_set1_epi16(1)));
        let mut sums = [_mm256_set1_epi32(1); SUMS];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                // Depends on the sum, so that it is not computed once for all rounds.
                let pairs = _mm256_maddubs_epi16(one, *sum);
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, other));
            }
        }
        black_box(sums);
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn floats_avx512() {
        let factor = black_box(_mm512_set1_ps(0.999));
        let mut sums = [_mm512_set1_ps(1.); SUMS];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = _mm512_fmadd_ps(*sum, factor, factor);
            }
        }
        black_box(sums);
    }

    #[target_feature(enable = "avx512f,avx512vnni")]
    pub(super) fn bytes_avx512() {
        let (one, other) = black_box((_mm512_set1_epi8(3), _mm512_set1_epi8(5)));
        let mut sums = [_mm512_set1_epi32(1); SUMS];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = _mm512_dpbusd_epi32(*sum, one, other);
            }
        }
        black_box(sums);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_is_a_rate_that_a_core_can_have() {
        for kernels in Kernels::ALL.into_iter().filter(|kernels| kernels.is_supported()) {
            let Some(Peak { floats_per_s, bytes_per_s }) = peak(kernels) else { continue };
            println!("{kernels}: {:.1} {:.1}", floats_per_s / 1e9, bytes_per_s / 1e9);
            assert!(floats_per_s > 1e8 && floats_per_s < 1e12, "{kernels}: {floats_per_s}");
            assert!(bytes_per_s > 1e8 && bytes_per_s < 4e12, "{kernels}: {bytes_per_s}");
        }
    }
}
