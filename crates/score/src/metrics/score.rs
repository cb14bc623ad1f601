//! Computes all metrics of one text at once, and what they share only once.

use super::characters::{Characters, Coverage, repeat_4_chars};
use super::gemini::has_chant;
use super::metric::Sight;
use super::together::together;
use super::{
    CopiesRule, EAD_VOCABULARY, Grams, Looping, Metric, Scores, SimCtg, TailCycle, UpToFour, WordRule, Written,
    compression_ratio, ead, ends_in_copies, has_ollama_repeats, is_holtzman_repetition, loop_of_tokens, mattr, mtld,
    recycled, rep_r, rep_w, tail_cycle, unicode_word_ids, word_ids, words, zipf,
};

/// A token's id, as llama.cpp numbers them.
pub type Token = i32;

/// What of a generation is scored.
///
/// All that the model wrote is the default: a model that loops in its thought costs its user the
/// same time and the same tokens, and never comes to an answer, so to score the answer alone
/// would call it clean. What the user reads is part of it, and stands apart in `parts.csv`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, strum::Display)]
#[derive(strum::EnumString, strum::VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum TextPart {
    /// Thought and answer, in the order in which they were written.
    #[default]
    Whole,
    Thought,
    Answer,
}

/// Computes every metric of all that a model wrote.
///
/// Metrics are of the whole, but for the loops of a text that has a thought: it loops where its
/// thought or its answer does. Those of tokens are missing where only the text is known, and all
/// are where there is not one word.
pub fn score_written(written: &Written<'_>, tokens: Option<&[Token]>) -> Scores {
    let loops = match written.thought.as_deref() {
        None => Loops::OfWhole,
        Some(thought) => Loops::OfParts { thought, answer: &written.answer },
    };
    all(Some(&written.whole), tokens, loops, Some(written.is_unanswered()))
}

/// Computes every metric of one text; those of tokens are missing where only
/// the text is known.
pub fn score(text: &str, tokens: Option<&[Token]>) -> Scores {
    all(Some(text), tokens, Loops::OfWhole, Some(text.trim().is_empty()))
}

/// Where loops of characters are looked for.
#[derive(Clone, Copy)]
enum Loops<'a> {
    OfWhole,
    /// What ends in a loop is followed by something else in the whole.
    OfParts {
        thought: &'a str,
        answer: &'a str,
    },
}

/// Computes every metric of a text's first `k` words, and of its first `k`
/// tokens, since most metrics grow with length and texts are compared at equal
/// ones. Metrics of words and characters are missing for a text of fewer words, those of tokens
/// for one of fewer tokens.
pub fn score_head(text: &str, tokens: Option<&[Token]>, k: usize) -> Scores {
    let head = first_words(text, k);
    let tokens = tokens.and_then(|tokens| tokens.get(..k));
    all(head, tokens, Loops::OfWhole, head.map(|head| head.trim().is_empty()))
}

fn all(text: Option<&str>, tokens: Option<&[Token]>, loops: Loops<'_>, unanswered: Option<bool>) -> Scores {
    // Half of the time is of words.
    let ((words, compression), characters) = together(
        text.map_or(0, str::len),
        || (text.map(OfWords::new), text.and_then(compression_ratio)),
        || text.map(|text| OfCharacters::new(text, loops)),
    );
    let tokens = tokens.map(OfTokens::new);
    let sight = Sight {
        white_space: words.as_ref().is_some_and(OfWords::is_cut_at_white_space),
        words: words.as_ref().is_some_and(|words| words.has_words()),
        tokens: tokens.as_ref().is_some_and(|tokens| !tokens.grams.0[0].ids.is_empty()),
        repeated_share: f64::max(
            characters.as_ref().map_or(0.0, |characters| characters.looping.repeated_share),
            tokens.as_ref().and_then(|tokens| tokens.ends_in).map_or(0.0, TailCycle::repeated_share),
        ),
        repeated_of_whole: f64::max(
            characters.as_ref().map_or(0.0, OfCharacters::repeated_of_whole),
            tokens.as_ref().and_then(|tokens| tokens.ends_in).map_or(0.0, TailCycle::repeated_share),
        ),
        loop_onset_tokens: tokens.as_ref().and_then(|tokens| tokens.ends_in).map(|tail| tail.onset),
        loop_onset_chars: characters.as_ref().and_then(|characters| characters.looping.onset),
        n_chars: characters.as_ref().map_or(0, |characters| characters.n_characters),
    };
    let loops = match (&characters, &tokens) {
        (None, None) => None,
        (characters, tokens) => {
            let by_characters = characters.as_ref().is_some_and(|characters| characters.looping.ends_in_loop);
            let by_tokens = tokens.as_ref().is_some_and(|tokens| tokens.ends_in.is_some());
            let has_any = sight.words || sight.tokens || by_characters;
            has_any.then_some(by_characters || by_tokens)
        }
    };
    let repeats_otherwise = characters.as_ref().is_some_and(OfCharacters::is_repetitive);
    let scores = Scores::from_fn(|metric| match metric {
        Metric::EmptyAnswer => unanswered.map(verdict),
        Metric::CompressionRatio => compression,
        Metric::Loop => loops.map(verdict),
        Metric::Repeats => loops.map(|loops| verdict(loops || repeats_otherwise)),
        metric => {
            let of_words = || words.as_ref()?.get(metric);
            let of_characters = || characters.as_ref()?.get(metric);
            of_words().or_else(of_characters).or_else(|| tokens.as_ref()?.get(metric))
        }
    });
    scores.with_sight(sight)
}

fn verdict(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// The text up to the end of its k-th word; `None` where it has fewer.
fn first_words(text: &str, k: usize) -> Option<&str> {
    let Some(before_last) = k.checked_sub(1) else { return Some("") };
    let last = words(text).nth(before_last)?;
    let end = last.as_ptr() as usize - text.as_ptr() as usize + last.len();
    Some(&text[..end])
}

struct OfWords {
    rule: WordRule,
    grams: UpToFour,
    /// The finding's trigrams are of white-space words, whatever the script.
    finding: Option<f64>,
    n_white_space_words: usize,
    simctg: SimCtg,
    recycled: Option<f64>,
}

impl OfWords {
    fn new(text: &str) -> Self {
        let rule = WordRule::of(text);
        let by_white_space = word_ids(text);
        let n_white_space_words = by_white_space.len();
        let (ids, finding) = match rule {
            WordRule::WhiteSpace => (by_white_space, None),
            WordRule::Unicode => (unicode_word_ids(text), UpToFour::new(Grams::of_ids(by_white_space)).0[2].seq_rep()),
        };
        let recycled = match rule {
            WordRule::WhiteSpace => recycled(&ids),
            WordRule::Unicode => recycled(&text.chars().map(u32::from).collect::<Vec<_>>()),
        };
        let grams = UpToFour::new(Grams::of_ids(ids));
        let finding = match rule {
            WordRule::WhiteSpace => grams.0[2].seq_rep(),
            WordRule::Unicode => finding,
        };
        // A text of one or two words scores 0 by the definition; one of none says nothing.
        let finding = finding.or((n_white_space_words > 0).then_some(0.0));
        Self { rule, simctg: SimCtg::of_text(&grams), grams, finding, n_white_space_words, recycled }
    }

    fn has_words(&self) -> bool {
        !self.grams.0[0].ids.is_empty()
    }

    fn is_cut_at_white_space(&self) -> bool {
        self.rule == WordRule::WhiteSpace && self.n_white_space_words >= 3
    }

    fn get(&self, metric: Metric) -> Option<f64> {
        let [words, pairs, triples, fours] = &self.grams.0;
        let [rep_2, rep_3, rep_4] = self.simctg.rep_percent();
        match metric {
            Metric::RepetitionScore => self.finding,
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
            Metric::Recycled => self.recycled,
            _ => None,
        }
    }
}

struct OfCharacters {
    repeat_4: Option<f64>,
    covered_20: Option<f64>,
    cycle: Option<TailCycle>,
    /// Equal to `cycle` where there are no digits.
    masked: Option<TailCycle>,
    n_characters: usize,
    looping: Looping,
    gemini_cli: bool,
}

impl OfCharacters {
    fn new(text: &str, loops: Loops<'_>) -> Self {
        let plain = Characters::of(text);
        let masked = plain.masked();
        let (coverage, looping) = match loops {
            Loops::OfWhole => {
                let coverage = Coverage::of(plain.items());
                let looping = Looping::of_both(&plain, &coverage, masked.as_ref());
                (coverage, looping)
            }
            Loops::OfParts { thought, answer } => {
                let n_before = plain.items().len() - answer.chars().count();
                let (coverage, (thought, answer)) = together(
                    text.len(),
                    || Coverage::of(plain.items()),
                    || together(text.len(), || Looping::of(thought), || Looping::of(answer)),
                );
                (coverage, thought.or(answer.behind(n_before)))
            }
        };
        let cycle = plain.tail(2);
        let masked = masked.map_or(cycle, |masked| masked.tail(2));
        Self {
            repeat_4: repeat_4_chars(plain.items()),
            covered_20: coverage.share(),
            cycle,
            masked,
            n_characters: plain.items().len(),
            looping,
            gemini_cli: has_chant(text, plain.items(), &coverage),
        }
    }

    /// Whether it got out of a loop, or half of it has been written before.
    fn is_repetitive(&self) -> bool {
        self.looping.recovered || self.covered_20.is_some_and(|share| share >= 0.5)
    }

    /// Of all characters, those that are copies in a loop of the text or of a part.
    fn repeated_of_whole(&self) -> f64 {
        self.looping.n_repeated_chars as f64 / self.n_characters.max(1) as f64
    }

    fn get(&self, metric: Metric) -> Option<f64> {
        let share = |cycle: Option<TailCycle>| (self.n_characters > 0).then(|| cycle.map_or(0.0, TailCycle::share));
        match metric {
            Metric::Recovered => (self.n_characters > 0).then(|| verdict(self.looping.recovered)),
            Metric::Repeat4Chars => self.repeat_4,
            Metric::Covered20Chars => self.covered_20,
            Metric::TailPeriodChars => self.cycle.map(|cycle| cycle.period as f64),
            Metric::TailCopiesChars => self.cycle.map(TailCycle::copies),
            Metric::TailOnsetChars => self.cycle.map(|cycle| cycle.onset as f64),
            Metric::TailShareChars => share(self.cycle),
            Metric::TailPeriodMasked => self.masked.map(|cycle| cycle.period as f64),
            Metric::TailCopiesMasked => self.masked.map(TailCycle::copies),
            Metric::TailOnsetMasked => self.masked.map(|cycle| cycle.onset as f64),
            Metric::TailShareMasked => share(self.masked),
            Metric::GeminiCliLoop => (self.n_characters > 0).then(|| verdict(self.gemini_cli)),
            _ => None,
        }
    }
}

struct OfTokens {
    grams: UpToFour,
    cycle: Option<TailCycle>,
    ends_in: Option<TailCycle>,
}

impl OfTokens {
    fn new(tokens: &[Token]) -> Self {
        let grams = UpToFour::new(Grams::of_items(tokens.iter().map(|token| token.cast_unsigned())));
        Self { cycle: tail_cycle(tokens), ends_in: loop_of_tokens(tokens), grams }
    }

    fn get(&self, metric: Metric) -> Option<f64> {
        let [tokens, pairs, triples, fours] = &self.grams.0;
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
            Metric::OllamaRepeats => has_ollama_repeats(&tokens.ids).map(verdict),
            Metric::RepW => rep_w(tokens),
            Metric::RepR => rep_r(pairs),
            _ => None,
        }
    }
}
