//! The finding's score.

use std::collections::HashSet;

/// The share of word trigrams that have been there before: Σ(count − 1) / number of trigrams,
/// words being what white space separates; 0 for fewer than three words.
pub fn repetition_score(text: &str) -> f64 {
    let words: Vec<&str> = text.split_whitespace().collect();
    let trigrams = words.windows(3);
    if trigrams.len() == 0 {
        return 0.0;
    }
    let distinct: HashSet<&[&str]> = trigrams.clone().collect();
    (trigrams.len() - distinct.len()) as f64 / trigrams.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let text = "the cat sat on the mat the cat sat on the mat the cat sat";
        assert_eq!(repetition_score(text), 7.0 / 13.0);
        assert_eq!(repetition_score("two words"), 0.0);
        assert_eq!(repetition_score(""), 0.0);
    }
}
