//! Has the content loop detector of gemini-cli, for comparison with ours.

use std::ops::Range;

use super::characters::Coverage;
use super::rolling::hashes;
use super::seen::Seen;

/// Characters of a chunk, how often it must come, and how far apart on average. It remembers
/// 5,000 characters, which is farther than that.
const CHUNK: usize = 50;
const TIMES: usize = 10;
const FARTHEST: usize = 75;
/// Characters from the first of ten chunks to the end of the last.
const SPAN: usize = FARTHEST * (TIMES - 1) + CHUNK;

/// Whether gemini-cli would have ended the text: a chunk of 50 characters comes 10 times, at a
/// mean distance of at most 75 (google-gemini/gemini-cli, `loopDetectionService.ts`, issue 4831).
/// Tables, lists, headings, quotes and code reset it there, piece by piece as they come; here
/// line by line, for a whole text has no pieces.
pub fn is_gemini_cli_loop(text: &str) -> bool {
    let characters: Vec<u32> = text.chars().map(u32::from).collect();
    has_chant(text, &characters, &Coverage::of(&characters))
}

/// The same, of a text whose characters and coverage are known.
pub(super) fn has_chant(text: &str, characters: &[u32], coverage: &Coverage) -> bool {
    // All occurrences of a chunk but the first lie in what stands earlier as well.
    let again: Vec<_> = coverage.stretches.iter().filter(|stretch| stretch.len() >= CHUNK).collect();
    // They stand in order, and apart.
    let has_again = |part: &&Range<usize>| {
        let next = again.partition_point(|again| again.end <= part.start);
        again.get(next).is_some_and(|again| again.start < part.end)
    };
    !again.is_empty() && parts(text).iter().filter(has_again).any(|part| chants(&characters[part.clone()]))
}

/// Ten chunks so near to each other lie in a window of [`SPAN`] characters, so in one of twice as many that
/// begins at a multiple of it: no window knows of others, and none needs much memory.
fn chants(part: &[u32]) -> bool {
    (0..part.len()).step_by(SPAN).any(|from| {
        let window = &part[from..part.len().min(from + 2 * SPAN)];
        let mut seen = Seen::of_at_most(window.len());
        let n_again = hashes(window, CHUNK).filter(|&chunk| !seen.insert(chunk)).count();
        n_again >= TIMES - 1 && chants_within(window)
    })
}

fn chants_within(window: &[u32]) -> bool {
    let mut places: Vec<(u64, usize)> = hashes(window, CHUNK).zip(0..).collect();
    places.sort_unstable();
    let near = |times: &[(u64, usize)]| {
        let [(first, from), .., (last, to)] = times else { return false };
        first == last && to - from <= FARTHEST * (TIMES - 1)
    };
    places.windows(TIMES).any(near)
}

/// The parts of a text that it looks at by themselves, in characters.
fn parts(text: &str) -> Vec<Range<usize>> {
    let mut parts = vec![Range::default()];
    let mut in_code = false;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let range = at..at + line.chars().count();
        at = range.end;
        let n_fences = line.matches("```").count();
        let was_in_code = in_code;
        in_code ^= n_fences % 2 == 1;
        if was_in_code || in_code || is_divider(line.trim()) {
            parts.push(range.end..range.end);
        } else if n_fences > 0 || is_markup(line.trim()) {
            parts.push(range);
        } else if let Some(last) = parts.last_mut() {
            last.end = range.end;
        }
    }
    parts
}

/// Its expression for one has `+-_` in brackets, a range that holds digits and capitals too.
fn is_divider(line: &str) -> bool {
    !line.is_empty() && line.chars().all(|c| matches!(c, '*' | '+'..='_' | '\u{2500}'..='\u{257f}'))
}

/// A row of a table, an item of a list, a heading, a quote.
fn is_markup(line: &str) -> bool {
    let table = (line.starts_with('|') && line[1..].contains('|'))
        || line.bytes().take_while(|byte| b"|+-".contains(byte)).count() >= 3;
    let after = |mark: &str| line.strip_prefix(mark).is_some_and(|rest| rest.starts_with(char::is_whitespace));
    let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = number.len() < line.len() && number.starts_with(". ");
    let hashes = line.trim_start_matches('#');
    let heading = hashes.len() < line.len() && hashes.starts_with(char::is_whitespace);
    table || ["*", "-", "+", ">"].into_iter().any(after) || numbered || heading
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_takes_ten_chunks_and_looks_at_them_as_soon_as_they_are_there() {
        let text = "I will now do it. ".repeat(12);
        assert!(is_gemini_cli_loop(&text[..212]) && !is_gemini_cli_loop(&text[..211]));
        assert!(!is_gemini_cli_loop(""));
    }

    /// The definition, without a look at what stands earlier.
    fn naive(text: &str) -> bool {
        let characters: Vec<char> = text.chars().collect();
        let chunks: Vec<&[char]> = characters.windows(CHUNK).collect();
        (0..chunks.len()).any(|at| {
            let places: Vec<usize> = (0..=at).filter(|&before| chunks[before] == chunks[at]).collect();
            places.len() >= TIMES && at - places[places.len() - TIMES] <= FARTHEST * (TIMES - 1)
        })
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(head in "[a-d ]{0,80}", unit in "[a-d ]{1,90}", copies in 1..16_usize, gap in "[a-d ]{0,30}") {
            let text = format!("x{head}{}", format!("{unit}{gap}").repeat(copies));
            prop_assert_eq!(is_gemini_cli_loop(&text), naive(&text));
        }
    }

    #[test]
    fn long_units_code_and_tables_are_none_for_it() {
        let unit: String = ('!'..='~').collect();
        assert!(!is_gemini_cli_loop(&unit.repeat(20)));
        let line = "let x = f(x);\n";
        assert!(is_gemini_cli_loop(&line.repeat(30)));
        assert!(!is_gemini_cli_loop(&format!("```\n{}```\n", line.repeat(30))));
        assert!(!is_gemini_cli_loop(&"| a row | with cells |\n".repeat(30)));
        assert!(!is_gemini_cli_loop(&"- an item of a list\n".repeat(30)));
    }
}
