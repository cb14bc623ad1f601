//! The content loop detector of gemini-cli, for comparison with ours.

use std::collections::VecDeque;
use std::ops::Range;

use foldhash::{HashMap, HashMapExt};

use super::rolling::hashes;

/// Characters of a chunk, how often it must come, how far apart on average, and how far back
/// the detector remembers.
const CHUNK: usize = 50;
const TIMES: usize = 10;
const FARTHEST: usize = 75;
const HISTORY: usize = 5000;

/// Whether gemini-cli would have ended the text: a chunk of 50 characters comes 10 times, at a
/// mean distance of at most 75 (google-gemini/gemini-cli, `loopDetectionService.ts`, issue 4831).
/// Tables, lists, headings, quotes and code reset it there, piece by piece as they come; here
/// line by line, for a whole text has no pieces.
pub fn is_gemini_cli_loop(text: &str) -> bool {
    text.chars().nth(CHUNK + TIMES - 2).is_some() && stretches(text).into_iter().any(|range| chants(&text[range]))
}

fn chants(text: &str) -> bool {
    let characters: Vec<u32> = text.chars().map(u32::from).collect();
    let mut last: HashMap<u64, VecDeque<usize>> = HashMap::new();
    hashes(&characters, CHUNK).enumerate().any(|(at, chunk)| {
        let places = last.entry(chunk).or_default();
        while places.front().is_some_and(|&first| first + HISTORY < at + CHUNK) {
            places.pop_front();
        }
        places.push_back(at);
        if places.len() > TIMES {
            places.pop_front();
        }
        places.len() == TIMES && at - places[0] <= FARTHEST * (TIMES - 1)
    })
}

/// The parts of a text that it looks at by themselves.
fn stretches(text: &str) -> Vec<Range<usize>> {
    let mut stretches = vec![0..0];
    let mut in_code = false;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let range = at..at + line.len();
        at = range.end;
        let n_fences = line.matches("```").count();
        let was_in_code = in_code;
        in_code ^= n_fences % 2 == 1;
        if was_in_code || in_code || is_divider(line.trim()) {
            stretches.push(range.end..range.end);
        } else if n_fences > 0 || is_markup(line.trim()) {
            stretches.push(range);
        } else if let Some(last) = stretches.last_mut() {
            last.end = range.end;
        }
    }
    stretches
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
    use super::*;

    #[test]
    fn it_takes_ten_chunks_and_looks_at_them_as_soon_as_they_are_there() {
        let text = "I will now do it. ".repeat(12);
        assert!(is_gemini_cli_loop(&text[..212]) && !is_gemini_cli_loop(&text[..211]));
        assert!(!is_gemini_cli_loop(""));
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
