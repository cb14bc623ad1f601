//! Reads prompts as they are written: inline, a line each, or in JSON.

use std::path::Path;

use serde::Deserialize;

use super::Prompt;
use crate::text_file::{Format, Id, JsonFault, json_lines, json_values, without_mark};

/// A prompt and the line it stands on, counted from 1.
pub type Numbered = (usize, Prompt);

/// Reads a prompts file. In JSON lines and in a JSON list each value is a text or
/// `{"id": …, "text": …}`, with a `"group"` if it has one; anything else is a prompt a line. Blank lines are passed over. Prompts
/// without an id of their own are `p1`, `p2`, ….
///
/// # Errors
/// The number of a line that can't be read, and why.
pub fn parse(file_name: &str, text: &str) -> Result<Vec<Numbered>, (usize, String)> {
    // Some editors put a byte order mark first; it is no part of a prompt.
    let text = without_mark(text);
    let values = match Format::of(Path::new(file_name)) {
        Format::Plain => {
            let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
            return Ok(lines.zip(1..).map(|((number, line), index)| (number, numbered(index, line))).collect());
        }
        Format::JsonLines => json_lines(text),
        Format::Json => json_values(text),
    };
    let values = values.map_err(|JsonFault { line, column, reason }| (line, format!("{reason} at column {column}")))?;
    let prompts = (1..).zip(values);
    prompts.map(|(index, (line, json))| Ok((line, from_json(index, json).map_err(|why| (line, why))?))).collect()
}

/// The `index`th prompt, counted from 1, of a source without ids.
pub fn numbered(index: usize, text: &str) -> Prompt {
    Prompt { id: format!("p{index}"), text: text.to_owned(), group: None }
}

fn from_json(index: usize, json: &str) -> Result<Prompt, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Object {
        id: Id,
        text: String,
        group: Option<String>,
    }
    let said = |error: serde_json::Error| error.to_string().replace(" at line 1 column ", " at column ");
    if json.starts_with('"') {
        return serde_json::from_str::<String>(json).map(|text| numbered(index, &text)).map_err(said);
    }
    let Object { id: Id(id), text, group } = serde_json::from_str(json).map_err(said)?;
    Ok(Prompt { id, text, group })
}
