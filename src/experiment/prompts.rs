//! Prompts as they are written: inline, a line each, or JSON lines.

use serde::Deserialize;

use super::Prompt;

/// A prompt and the line it stands on, counted from 1.
pub type Numbered = (usize, Prompt);

/// Reads a prompts file: `.jsonl` holds `{"id": …, "text": …}` on each line,
/// anything else is a prompt a line. Blank lines are passed over. Prompts
/// without an id of their own are `p1`, `p2`, ….
///
/// # Errors
/// The number of a line that can't be read, and why.
pub fn parse(file_name: &str, text: &str) -> Result<Vec<Numbered>, (usize, String)> {
    // Some editors put a byte order mark first; it is no part of a prompt.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    if file_name.ends_with(".jsonl") {
        lines.map(|(number, line)| Ok((number, parse_json(line).map_err(|why| (number, why))?))).collect()
    } else {
        Ok(lines.zip(1..).map(|((number, line), index)| (number, numbered(index, line))).collect())
    }
}

/// The `index`th prompt, counted from 1, of a source without ids.
pub fn numbered(index: usize, text: &str) -> Prompt {
    Prompt { id: format!("p{index}"), text: text.to_owned() }
}

fn parse_json(line: &str) -> Result<Prompt, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        id: String,
        text: String,
    }
    let Line { id, text } = serde_json::from_str(line).map_err(|error| {
        // The line is that of the file: to the JSON reader it is always 1.
        error.to_string().replace(" at line 1 column ", " at column ")
    })?;
    Ok(Prompt { id, text })
}
