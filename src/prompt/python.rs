//! What chat templates take from Python and from transformers beside Jinja: methods of strings and maps, functions,
//! JSON. As transformers 5 has them (`chat_template_utils.py`).

use std::error::Error as _;
use std::fmt::Write as _;
use std::io;

use chrono::NaiveDate;
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, Value};
use minijinja_contrib::pycompat::unknown_method_callback;
use serde::Serialize as _;
use serde_json::ser::{Formatter, PrettyFormatter};

/// The date that templates are told, whenever it is: the same experiment makes the same texts. Llama 3.1's template names
/// it where it is told none.
pub const TODAY: NaiveDate = NaiveDate::from_ymd_opt(2024, 7, 26).expect("there was this day");
/// The function that tells it.
pub const STRFTIME_NOW: &str = "strftime_now";

/// Gives an environment what it lacks.
pub fn add_to(environment: &mut Environment<'_>) {
    environment.set_unknown_method_callback(unknown_method_callback);
    environment.add_function("raise_exception", raise_exception);
    environment.add_function(STRFTIME_NOW, strftime_now);
    environment.add_filter("tojson", to_json);
}

/// What a template said by `raise_exception`.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Raised(String);

fn raise_exception(message: String) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, "raise_exception").with_source(Raised(message)))
}

/// What the template said, where it ended by `raise_exception`.
pub fn raised(error: &Error) -> Option<String> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(Raised(message)) = error.downcast_ref() {
            return Some(message.clone());
        }
        source = error.source();
    }
    None
}

fn strftime_now(format: String) -> Result<String, Error> {
    let midnight = TODAY.and_hms_opt(0, 0, 0).expect("each day has one");
    let mut told = String::new();
    // What is no format is an error of writing.
    write!(told, "{}", midnight.format(&format))
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, format!("{format:?} is not a date format")))?;
    Ok(told)
}

/// Python's `json.dumps`, with `ensure_ascii` off.
fn to_json(value: Value, options: Kwargs) -> Result<String, Error> {
    let indent: Option<usize> = options.get("indent")?;
    let _: Option<bool> = options.get("ensure_ascii")?;
    options.assert_all_used()?;
    let mut bytes = Vec::new();
    let written = match indent {
        None => value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, OneLine)),
        Some(indent) => {
            let indent = " ".repeat(indent.min(WIDEST));
            let formatter = PrettyFormatter::with_indent(indent.as_bytes());
            value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, formatter))
        }
    };
    let invalid = |error: String| Error::new(ErrorKind::BadSerialization, error);
    written.map_err(|error| invalid(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| invalid(error.to_string()))
}

/// Spaces that JSON may be indented by.
const WIDEST: usize = 16;

/// JSON in one line, with a space after each comma and colon.
struct OneLine;

impl Formatter for OneLine {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.begin_array_value(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

/// The template without the tags of `{% generation %}`, by which transformers learns what an assistant said: what stands
/// between them is written as it is.
pub fn without_generation_tags(template: &str) -> String {
    let mut kept = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(open) = rest.find("{%") {
        // What opens a tag does not close it: "{%}".
        let Some(length) = rest[open + 2..].find("%}").map(|at| at + 2) else { break };
        let (before, tag) = (&rest[..open], &rest[open..open + length]);
        let name = tag[2..].trim_matches(['-', '+', ' ', '\n', '\t', '\r']);
        // The marks that take white space away stay.
        let (from, to) = match name {
            "generation" => ("generation", "if true"),
            "endgeneration" => ("endgeneration", "endif"),
            _ => ("", ""),
        };
        kept.push_str(before);
        kept.push_str(&if from.is_empty() { tag.to_owned() } else { tag.replace(from, to) });
        rest = &rest[open + length..];
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_generation_are_left_out_and_halves_of_tags_stay() {
        let template = "{%- generation -%}a{% endgeneration %}{%}{%";
        assert_eq!(without_generation_tags(template), "{%- if true -%}a{% endif %}{%}{%");
    }
}
