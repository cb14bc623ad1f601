//! Draws what is random: routers, and the noise by which experts differ. Pure: the same seed, the same numbers.

use std::f64::consts::TAU;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The generator for the tensor of this name in an expert; each row of it has a stream of its own.
pub fn generator(seed: u64, tensor: &str, expert: u32, row: u64) -> ChaCha8Rng {
    let mut key = blake3::Hasher::new_derive_key("moe-sweep 2026 upcycling");
    key.update(&seed.to_le_bytes()).update(&expert.to_le_bytes()).update(tensor.as_bytes());
    let mut generator = ChaCha8Rng::from_seed(*key.finalize().as_bytes());
    generator.set_stream(row);
    generator
}

/// Adds noise to a row of weights: w' = w + s · rms(row) · z, with z from N(0, 1) for each weight, s = `relative` and
/// rms(row) the root of the mean of w². The copies of a row are then √2 · s of its length apart on average.
///
/// Sparse upcycling begins with copies, and tries Gaussian noise added to them so that they differ: Komatsuzaki et al.,
/// "Sparse Upcycling: Training Mixture-of-Experts from Dense Checkpoints", 2022, arXiv:2212.05055. Relative to the row,
/// so that one s means the same for every tensor of every model.
///
/// Leaves a row alone, and returns None, where a weight is not finite.
pub fn disturb(row: &mut [f32], relative: f64, generator: &mut ChaCha8Rng) -> Option<()> {
    let squares: f64 = row.iter().map(|&weight| f64::from(weight).powi(2)).sum();
    if !squares.is_finite() {
        return None;
    }
    let scale = relative * (squares / row.len().max(1) as f64).sqrt();
    for (weight, z) in row.iter_mut().zip(normals(generator)) {
        *weight = (f64::from(*weight) + scale * z) as f32;
    }
    Some(())
}

/// A router's row: weights from N(0, 1/n), so that the scores of a normalised token vary by about 1.
pub fn router_row(n: u64, generator: &mut ChaCha8Rng) -> impl Iterator<Item = f32> {
    let scale = (n as f64).sqrt().recip();
    normals(generator).take(n as usize).map(move |z| (scale * z) as f32)
}

/// Numbers from N(0, 1), by Box and Muller (1958).
fn normals(generator: &mut ChaCha8Rng) -> impl Iterator<Item = f64> {
    std::iter::repeat_with(move || {
        let [radius, angle] = [(); 2].map(|()| (f64::from(generator.next_u32()) + 0.5) / 2_f64.powi(32));
        let (sine, cosine) = (TAU * angle).sin_cos();
        let radius = (-2.0 * radius.ln()).sqrt();
        [radius * cosine, radius * sine]
    })
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and variance.
    fn moments(numbers: &[f64]) -> (f64, f64) {
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        (mean, numbers.iter().map(|n| (n - mean).powi(2)).sum::<f64>() / numbers.len() as f64)
    }

    #[test]
    fn noise_is_normal_and_relative_to_the_row() {
        const N: usize = 100_000;
        let before: Vec<f32> = (0..N).map(|index| 3.0 * (index as f32).sin()).collect();
        let mut after = before.clone();
        disturb(&mut after, 0.1, &mut generator(1, "t", 0, 0)).unwrap();
        let noise: Vec<f64> = before.iter().zip(&after).map(|(a, b)| f64::from(*b) - f64::from(*a)).collect();
        let (mean, variance) = moments(&noise);
        let expected = 0.1 * 3.0 / 2_f64.sqrt();
        // Four standard errors.
        assert!(mean.abs() < 4.0 * expected / (N as f64).sqrt(), "{mean}");
        assert!((variance.sqrt() / expected - 1.0).abs() < 4.0 / (2.0 * N as f64).sqrt(), "{}", variance.sqrt());
        let beyond = noise.iter().filter(|n| n.abs() > 1.959_964 * expected).count() as f64 / N as f64;
        assert!((beyond - 0.05).abs() < 4.0 * (0.05 * 0.95 / N as f64).sqrt(), "{beyond}");
    }

    #[test]
    fn numbers_hang_on_the_seed_the_tensor_the_expert_and_the_row() {
        let first = |mut generator: ChaCha8Rng| generator.next_u64();
        let one = first(generator(1, "t", 0, 0));
        assert_eq!(one, first(generator(1, "t", 0, 0)));
        for other in
            [generator(2, "t", 0, 0), generator(1, "u", 0, 0), generator(1, "t", 1, 0), generator(1, "t", 0, 1)]
        {
            assert_ne!(one, first(other));
        }
    }

    #[test]
    fn a_row_that_is_not_finite_is_left_alone() {
        let mut row = [1.0, f32::NAN];
        assert_eq!(disturb(&mut row, 0.1, &mut generator(1, "t", 0, 0)), None);
        assert_eq!(row[0], 1.0);
        let mut zeros = [0.0; 4];
        disturb(&mut zeros, 0.1, &mut generator(1, "t", 0, 0)).unwrap();
        assert_eq!(zeros, [0.0; 4]);
    }

    #[test]
    fn a_router_gives_normalised_tokens_scores_that_vary_by_about_1() {
        let row: Vec<f64> = router_row(4096, &mut generator(1, "r", 0, 0)).map(f64::from).collect();
        assert_eq!(row.len(), 4096);
        let (_, variance) = moments(&row);
        assert!((variance * 4096.0 - 1.0).abs() < 0.1, "{variance}");
    }
}
