//! Texts to score, taken out of the bytes of an input: all of it, its lines, or its JSON values.
//!
//! Pure. Owns where an input holds a text, its id and its tokens. Must not know where bytes come from nor what a text
//! scores.

use std::io;
use std::path::Path;

use miette::Diagnostic;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::Token;
use crate::text_file::{EncodingFault, Format, Id, JsonFault, decode, json_lines, json_values, without_mark};

mod surrogates;
#[cfg(test)]
mod tests;

use surrogates::mend_surrogates;

/// A text to score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its own id, or else the input's name and, of several, the line.
    pub id: String,
    pub text: String,
    pub tokens: Option<Vec<Token>>,
}

/// The texts of an input, and what was made of some of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    pub texts: Vec<Text>,
    /// What must be known to read their scores rightly.
    pub notes: Vec<String>,
}

/// How an input holds its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape<'a> {
    /// It is one text.
    Whole,
    /// Each line is a text, an empty one too.
    Lines,
    /// Each line that is not blank is a JSON value with a text at `field`: a
    /// key, or a JSON pointer (RFC 6901) where it begins with `/`.
    JsonLines { field: &'a str },
    /// A list of texts, or of such values; or such values one after another.
    Json { field: &'a str },
}

impl<'a> Shape<'a> {
    /// The shape that the name of an input tells. `field` is where a text is to be found in JSON, if that is said:
    /// then an input of no known ending is JSON, a value a line.
    pub fn of(input: &Path, field: Option<&'a str>) -> Self {
        match (Format::of(input), field) {
            (Format::Plain, None) => Self::Whole,
            (Format::Json, _) => Self::Json { field: field.unwrap_or(Self::FIELD) },
            (Format::Plain | Format::JsonLines, _) => Self::JsonLines { field: field.unwrap_or(Self::FIELD) },
        }
    }

    /// Where a text is to be found in JSON, unless it is said.
    pub const FIELD: &'static str = "text";
}

/// An input whose bytes can't be had.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("cannot read {input}")]
pub struct Unreadable {
    pub input: String,
    pub source: io::Error,
}

/// What is wrong with an input, and where.
#[derive(Debug, PartialEq, Eq, thiserror::Error, Diagnostic)]
#[error("{input}:{line}: {problem}")]
#[diagnostic(forward(problem))]
pub struct TextError {
    pub input: String,
    pub line: usize,
    pub problem: Problem,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum Problem {
    #[error("{0}")]
    #[diagnostic(help("{}", .0.remedy()))]
    Encoding(EncodingFault),
    #[error("not JSON, at column {column}: {reason}")]
    #[diagnostic(help("each line must be a JSON object; for plain lines use --lines"))]
    JsonLine { column: usize, reason: String },
    #[error("not JSON, at column {column}: {reason}")]
    #[diagnostic(help(
        "a .json file must contain a list of texts or of objects; to score it as one text, pass it on stdin: \
         moe-sweep score - < FILE"
    ))]
    Json { column: usize, reason: String },
    #[error("no text in field '{field}'")]
    #[diagnostic(help("name the field that has it: --field NAME"))]
    NoText { field: String },
    #[error("field '{field}' is not a string")]
    #[diagnostic(help("name the field that has it: --field NAME"))]
    NotAString { field: String },
    #[error("'id' is neither a string nor a number")]
    Id,
    #[error("'tokens' is not a list of token ids: whole numbers of 32 bits")]
    Tokens,
}

/// The texts of an input, in its order.
///
/// # Errors
/// At the first line that is not what `shape` says.
pub fn texts(input: &str, bytes: &[u8], shape: Shape) -> Result<Texts, TextError> {
    let at = |line, problem| TextError { input: input.to_owned(), line, problem };
    let contents = decode(bytes).map_err(|fault| at(fault.line(), Problem::Encoding(fault)))?;
    let contents = without_mark(contents);
    let plain = |id, text: &str| Text { id, text: text.to_owned(), tokens: None };
    let (values, field) = match shape {
        Shape::Whole => return Ok(Texts { texts: vec![plain(input.to_owned(), contents)], notes: vec![] }),
        Shape::Lines => {
            let lines = (1..).zip(contents.lines());
            let texts = lines.map(|(line, text)| plain(format!("{input}:{line}"), text));
            return Ok(Texts { texts: texts.collect(), notes: vec![] });
        }
        Shape::JsonLines { field } => {
            let not_json = |JsonFault { line, column, reason }| at(line, Problem::JsonLine { column, reason });
            (json_lines(contents).map_err(not_json)?, field)
        }
        Shape::Json { field } => {
            let not_json = |JsonFault { line, column, reason }| at(line, Problem::Json { column, reason });
            (json_values(contents).map_err(not_json)?, field)
        }
    };
    let mut found = Texts::default();
    let mut empty = 0;
    for (index, &(line, json)) in values.iter().enumerate() {
        // Values that share a line are told apart by their number.
        let shared = |other: Option<&(usize, &str)>| other.is_some_and(|(other, _)| *other == line);
        let alone =
            !shared(index.checked_sub(1).and_then(|before| values.get(before))) && !shared(values.get(index + 1));
        let default_id = if alone { format!("{input}:{line}") } else { format!("{input}:{line}#{}", index + 1) };
        let (json, mended) = mend_surrogates(json);
        if mended > 0 {
            found
                .notes
                .push(format!("{input}:{line}: {mended} lone surrogates (halves of characters) are read as U+FFFD"));
        }
        match from_json(default_id, &json, field).map_err(|problem| at(line, problem))? {
            Answer::Given(text) => found.texts.push(text),
            Answer::None { id } => {
                empty += 1;
                found.texts.push(Text { id, text: String::new(), tokens: None });
            }
        }
    }
    if empty > 0 {
        found.notes.push(format!("{input}: {empty} of {} texts are null and are read as empty", found.texts.len()));
    }
    Ok(found)
}

enum Answer {
    Given(Text),
    /// `null`: an answer of no text.
    None {
        id: String,
    },
}

fn from_json(default_id: String, json: &str, field: &str) -> Result<Answer, Problem> {
    #[derive(Deserialize)]
    struct Identified {
        id: Option<Id>,
    }
    let value: Value = serde_json::from_str(json)
        .map_err(|error| Problem::JsonLine { column: error.column(), reason: error.to_string() })?;
    if let Value::String(text) = value {
        return Ok(Answer::Given(Text { id: default_id, text, tokens: None }));
    }
    let id = match value.get("id") {
        None | Some(Value::Null) => default_id,
        Some(_) => match serde_json::from_str(json) {
            Ok(Identified { id: Some(Id(id)) }) => id,
            _ => return Err(Problem::Id),
        },
    };
    let (holder, text) = look_up(&value, field).ok_or_else(|| Problem::NoText { field: field.to_owned() })?;
    let text = match text {
        Value::String(text) => text.clone(),
        Value::Null => return Ok(Answer::None { id }),
        _ => return Err(Problem::NotAString { field: field.to_owned() }),
    };
    let tokens = holder.get("tokens").cloned().unwrap_or(Value::Null);
    let tokens = serde_json::from_value(tokens).map_err(|_| Problem::Tokens)?;
    Ok(Answer::Given(Text { id, text, tokens }))
}

/// The value at `field`, and the one that holds it, where its tokens would be.
fn look_up<'a>(value: &'a Value, field: &str) -> Option<(&'a Value, &'a Value)> {
    match field.rsplit_once('/') {
        Some((holder, _)) if field.starts_with('/') => Some((value.pointer(holder)?, value.pointer(field)?)),
        _ => Some((value, value.get(field)?)),
    }
}
