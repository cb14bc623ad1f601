//! Computes metrics of several texts together.

use foldhash::{HashMap, HashMapExt};

use super::words::words;

/// Self-repetition: what the texts of a group, such as the seeds of one prompt,
/// have in common. For each text ln(1 + Σ over its distinct 4-grams of words of
/// the number of *other* texts that have it), averaged over the texts (Shaib et
/// al. 2024, "Standardizing the Measurement of Text Diversity"). Texts of fewer
/// than four words are left out; `None` where fewer than two remain.
pub fn self_repetition(texts: &[&str]) -> Option<f64> {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut of_texts: Vec<Vec<[u32; 4]>> = Vec::new();
    for text in texts {
        let ids: Vec<u32> = words(text)
            .map(|word| {
                let next = u32::try_from(numbers.len()).expect("texts hold fewer than 2³² different words");
                *numbers.entry(word).or_insert(next)
            })
            .collect();
        let mut grams: Vec<[u32; 4]> = ids.array_windows::<4>().copied().collect();
        grams.sort_unstable();
        grams.dedup();
        if !grams.is_empty() {
            of_texts.push(grams);
        }
    }
    if of_texts.len() < 2 {
        return None;
    }
    let mut texts_with: HashMap<[u32; 4], u32> = HashMap::new();
    of_texts.iter().flatten().for_each(|gram| *texts_with.entry(*gram).or_default() += 1);
    let of_text = |grams: &Vec<[u32; 4]>| {
        let others: u64 = grams.iter().map(|gram| u64::from(texts_with[gram] - 1)).sum();
        (others as f64).ln_1p()
    };
    Some(of_texts.iter().map(of_text).sum::<f64>() / of_texts.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_other_texts_have_counts() {
        // One 4-gram in common, a second one in common with the third text.
        let texts = ["a b c d x", "y a b c d", "a b c d x"];
        // In turn: a b c d in two others and b c d x in one; in two; as the first.
        let expected = (2.0 * 4.0_f64.ln() + 3.0_f64.ln()) / 3.0;
        assert!((self_repetition(&texts).unwrap() - expected).abs() < 1e-12);
        assert_eq!(self_repetition(&["a b c d a b c d", "e f g h"]), Some(0.0));
    }

    #[test]
    fn one_text_has_no_others() {
        assert_eq!(self_repetition(&["a b c d"]), None);
        assert_eq!(self_repetition(&["a b c d", "a b c"]), None);
        assert_eq!(self_repetition(&[]), None);
    }
}
