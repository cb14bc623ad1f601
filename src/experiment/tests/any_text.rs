//! Any text at all is read, or refused with a reason that has a place in it.

use proptest::prelude::*;

use super::*;

/// Pieces that belong in an experiment file, put where they may not belong.
const PIECES: &[&str] = &[
    "",
    "\n",
    "\"",
    "[",
    "]",
    "{",
    "}",
    "=",
    ",",
    "[[chain]]\n",
    "[[grid.exclude]]\n",
    "nan",
    "-inf",
    "1e300",
    "-1",
    "0",
    "9223372036854775807",
    "4294967295",
    "\"T\"",
    "{ from = 0, to = 1e9, step = 1e-9 }",
    "\u{feff}",
    "…",
    "\r",
    "{ from = -1, count = 4294967295 }",
    "true",
    "schema = 1\n",
    "\"greedy\"",
    "{ top_k = 1 }",
    "\0",
];

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![proptest::sample::select(PIECES).prop_map(str::to_owned), any::<String>()]
}

/// `VALID` with stretches of it replaced by such pieces.
fn mutated() -> impl Strategy<Value = String> {
    let edit = (any::<prop::sample::Index>(), 0..30_usize, piece());
    prop::collection::vec(edit, 1..4).prop_map(|edits| {
        edits.into_iter().fold(VALID.to_owned(), |text, (at, length, piece)| {
            let chars: Vec<char> = text.chars().collect();
            let start = at.index(chars.len() + 1);
            let end = (start + length).min(chars.len());
            chars[..start].iter().copied().chain(piece.chars()).chain(chars[end..].iter().copied()).collect()
        })
    })
}

/// Reads, and renders what is said: a span outside the text would fail there.
fn reads_or_refuses(text: &str) -> Result<(), TestCaseError> {
    match read_with(text, Some(text)) {
        Ok(experiment) => prop_assert!(experiment.grid.leaves_a_trial(&experiment.prompts)),
        Err(bad) => {
            prop_assert!(!bad.problems.is_empty(), "refused without a reason");
            prop_assert!(!render(&bad).contains("Failed to read contents"), "a problem without a place");
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_a_reason(text: String) {
        reads_or_refuses(&text)?;
        let lines = prompts::parse("p.txt", &text).expect("any text is lines");
        prop_assert!(lines.iter().all(|(_, prompt)| text.contains(&prompt.text)));
        if let Err((line, _)) = prompts::parse("p.jsonl", &text) {
            prop_assert!((1..=text.lines().count()).contains(&line));
        }
    }

    #[test]
    fn any_edit_of_a_valid_file_is_read_or_refused_with_a_reason(text in mutated()) {
        reads_or_refuses(&text)?;
    }
}
