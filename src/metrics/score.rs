//! All metrics of one text at once, what they share computed once.

use super::{
    CopiesRule, EAD_VOCABULARY, Grams, Metric, Scores, SimCtg, TailCycle, UpToFour, compression_ratio, ead,
    ends_in_copies, is_holtzman_repetition, mattr, mtld, rep_r, rep_w, tail_cycle, word_ids, words, zipf,
};

/// A token's id, as llama.cpp numbers them.
pub type Token = i32;

/// Computes every metric of one text; those of tokens are missing where only
/// the text is known.
pub fn score(text: &str, tokens: Option<&[Token]>) -> Scores {
    let (words, tokens) = (OfWords::new(text), tokens.map(OfTokens::new));
    Scores::from_fn(|metric| words.get(metric).or_else(|| tokens.as_ref()?.get(metric)))
}

/// Computes every metric of a text's first `k` words, and of its first `k`
/// tokens, since most metrics grow with length and texts are compared at equal
/// ones. Metrics of words are missing for a text of fewer words, those of tokens
/// for one of fewer tokens.
pub fn score_head(text: &str, tokens: Option<&[Token]>, k: usize) -> Scores {
    let words = first_words(text, k).map(OfWords::new);
    let tokens = tokens.and_then(|tokens| tokens.get(..k)).map(OfTokens::new);
    Scores::from_fn(|metric| {
        let of_words = words.as_ref().and_then(|words| words.get(metric));
        of_words.or_else(|| tokens.as_ref()?.get(metric))
    })
}

/// The text up to the end of its k-th word; `None` where it has fewer.
fn first_words(text: &str, k: usize) -> Option<&str> {
    let Some(before_last) = k.checked_sub(1) else { return Some("") };
    let last = words(text).nth(before_last)?;
    let end = last.as_ptr() as usize - text.as_ptr() as usize + last.len();
    Some(&text[..end])
}

struct OfWords<'a> {
    text: &'a str,
    grams: UpToFour,
    simctg: SimCtg,
}

impl<'a> OfWords<'a> {
    fn new(text: &'a str) -> Self {
        let grams = UpToFour::new(Grams::of_ids(word_ids(text)));
        Self { text, simctg: SimCtg::of_text(&grams), grams }
    }

    fn get(&self, metric: Metric) -> Option<f64> {
        let [words, pairs, triples, fours] = &self.grams.0;
        let [rep_2, rep_3, rep_4] = self.simctg.rep_percent();
        match metric {
            Metric::RepetitionScore => Some(triples.seq_rep().unwrap_or(0.0)),
            Metric::SeqRepWords1 => words.seq_rep(),
            Metric::SeqRepWords2 => pairs.seq_rep(),
            Metric::SeqRepWords3 => triples.seq_rep(),
            Metric::SeqRepWords4 => fours.seq_rep(),
            Metric::SimctgRep2 => rep_2,
            Metric::SimctgRep3 => rep_3,
            Metric::SimctgRep4 => rep_4,
            Metric::SimctgDiversity => self.simctg.diversity(),
            Metric::MattrWords => mattr(words),
            Metric::MtldWords => mtld(words),
            Metric::EadWords => ead(words.n_unique, words.ids.len(), EAD_VOCABULARY),
            Metric::ZipfWords => zipf(words),
            Metric::CompressionRatio => compression_ratio(self.text),
            _ => None,
        }
    }
}

struct OfTokens {
    grams: UpToFour,
    cycle: Option<TailCycle>,
}

impl OfTokens {
    fn new(tokens: &[Token]) -> Self {
        let grams = UpToFour::new(Grams::of_items(tokens.iter().map(|token| token.cast_unsigned())));
        Self { cycle: tail_cycle(tokens), grams }
    }

    fn get(&self, metric: Metric) -> Option<f64> {
        let [tokens, pairs, triples, fours] = &self.grams.0;
        let verdict = |loops: bool| f64::from(u8::from(loops));
        match metric {
            Metric::SeqRepTokens1 => tokens.seq_rep(),
            Metric::SeqRepTokens2 => pairs.seq_rep(),
            Metric::SeqRepTokens3 => triples.seq_rep(),
            Metric::SeqRepTokens4 => fours.seq_rep(),
            Metric::TailPeriod => self.cycle.map(|cycle| cycle.period as f64),
            Metric::TailCopies => self.cycle.map(TailCycle::copies),
            Metric::TailOnset => self.cycle.map(|cycle| cycle.onset as f64),
            Metric::TailShare => Some(self.cycle.map_or(0.0, TailCycle::share)),
            Metric::HoltzmanRepetition => is_holtzman_repetition(&tokens.ids).map(verdict),
            Metric::VllmLoop => ends_in_copies(&tokens.ids, CopiesRule::OURS).map(verdict),
            Metric::Loop3020 => self.grams.has_30_20_loop().map(verdict),
            Metric::RepW => rep_w(tokens),
            Metric::RepR => rep_r(pairs),
            _ => None,
        }
    }
}
