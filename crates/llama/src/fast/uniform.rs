//! Draws the random numbers of llama.cpp's `dist`: `std::mt19937`, and `std::uniform_real_distribution<double>` over
//! it.

use rand_mt::Mt;

/// `std::mt19937` with its state.
#[derive(Clone, Debug)]
pub struct Uniform(Mt);

impl Uniform {
    pub fn new(seed: u32) -> Self {
        Self(Mt::new(seed))
    }

    /// The next number in [0, 1), as libstdc++ makes it from two words, the
    /// low one first (`std::generate_canonical<double, 53>` in
    /// `bits/random.tcc`; libc++ computes the same).
    pub fn draw(&mut self) -> f64 {
        const WORD: f64 = 4_294_967_296.0;
        let low = f64::from(self.0.next_u32());
        let high = f64::from(self.0.next_u32());
        let drawn = (low + high * WORD) / (WORD * WORD);
        // The sum may round up to 2^64; the standard's remedy.
        if drawn >= 1.0 { 1.0_f64.next_down() } else { drawn }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [rand.predef]/3 of the C++ standard: "The 10000th consecutive
    /// invocation of a default-constructed object of type mt19937 produces the
    /// value 4123659995."
    #[test]
    fn it_is_the_standards_generator() {
        let mut generator = Mt::new(5489);
        assert_eq!((0..10_000).map(|_| generator.next_u32()).last(), Some(4_123_659_995));
    }

    #[test]
    fn a_draw_takes_two_words_the_low_one_first() {
        let mut words = Mt::new(7);
        let (low, high) = (u64::from(words.next_u32()), u64::from(words.next_u32()));
        let expected = (high << 32 | low) as f64 / 2f64.powi(64);
        assert_eq!(Uniform::new(7).draw(), expected);
    }
}
