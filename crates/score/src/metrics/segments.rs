//! Finds the words of a text where white space does not say what they are.

use icu_segmenter::WordSegmenter;
use icu_segmenter::options::WordBreakInvariantOptions;

use super::interner::number_words;
use super::words::words;

/// How a text is cut into words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WordRule {
    /// At white space, as Python's `str.split()` does.
    #[default]
    WhiteSpace,
    /// By Unicode's rules (UAX #29), with dictionaries for scripts that the rules leave open.
    Unicode,
}

/// Words of more characters are none: a run of one letter, a script without spaces. The longest
/// words of European languages in running text have fewer.
const LONGEST_WORD: usize = 40;
/// The share of a text's characters from which on it is in such a script, or in such words.
const LARGE_SHARE: f64 = 0.2;

impl WordRule {
    /// White space does not say what a word is where a fifth of the characters, white space
    /// aside, is of scripts that are written without spaces, or of "words" of more than 40
    /// characters.
    pub fn of(text: &str) -> Self {
        if text.is_ascii() && text.len() <= LONGEST_WORD {
            return Self::WhiteSpace;
        }
        let (mut all, mut spaceless, mut overlong) = (0, 0, 0);
        for word in words(text) {
            let n = word.chars().count();
            all += n;
            overlong += if n > LONGEST_WORD { n } else { 0 };
            spaceless += if word.is_ascii() { 0 } else { word.chars().filter(|&c| is_spaceless(c)).count() };
        }
        let share = |n: usize| n as f64 / all as f64;
        if all > 0 && (share(spaceless) >= LARGE_SHARE || share(overlong) >= LARGE_SHARE) {
            Self::Unicode
        } else {
            Self::WhiteSpace
        }
    }
}

/// The words of a text by Unicode's rules, white space aside, each replaced by the number of the
/// first one equal to it. Punctuation marks count as words: a text may consist of them.
pub fn unicode_word_ids(text: &str) -> Vec<u32> {
    let segmenter = WordSegmenter::new_dictionary(WordBreakInvariantOptions::default());
    let mut from = 0;
    let segments = segmenter.segment_str(text).filter_map(|to| {
        let segment = &text[from..to];
        from = to;
        (!segment.trim().is_empty()).then_some(segment)
    });
    number_words(segments)
}

/// Whether a character is of a script that is written without spaces between words (Unicode
/// Standard, chapters 13, 16 and 18): Han and kana, Thai, Lao, Tibetan, Myanmar, Khmer.
fn is_spaceless(c: char) -> bool {
    matches!(u32::from(c),
        0x0e00..=0x0fff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x3040..=0x30ff | 0x31f0..=0x31ff
        | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_without_spaces_and_endless_words_are_cut_by_unicode() {
        for text in ["今天天气很好我们去公园散步吧。", "ฉันไปตลาดซื้อปลา", &"a".repeat(400), "ខ្ញុំទៅផ្សារទិញត្រី"]
        {
            assert_eq!(WordRule::of(text), WordRule::Unicode, "{text}");
        }
        let url = format!("See {} for the whole story, which is long and has many words.", "https://e.org/a-page");
        for text in ["", "The cat sat.", &url, "Ünïcödé wörds äré fïné", "고양이가 매트 위에 앉았다", "Он сел на стул"]
        {
            assert_eq!(WordRule::of(text), WordRule::WhiteSpace, "{text}");
        }
    }

    #[test]
    fn unicode_words_repeat_where_the_text_does() {
        // A Chinese clause of which each copy is cut alike, and code without blanks.
        assert_eq!(unicode_word_ids("好的，好的，"), [0, 1, 0, 1]);
        assert_eq!(unicode_word_ids("x=x+1;x=x+1;"), [0, 1, 0, 2, 3, 4, 0, 1, 0, 2, 3, 4]);
        assert_eq!(unicode_word_ids("  \n"), [0_u32; 0]);
        let thai = unicode_word_ids(&"ฉันไปตลาดซื้อปลา".repeat(3));
        assert!(thai.len() > 9 && thai.iter().max().unwrap() * 2 < thai.len() as u32, "{thai:?}");
    }
}
