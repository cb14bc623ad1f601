//! Texts to score, taken out of the bytes of a file: all of it, its lines, or
//! its JSON lines. Reads no file itself.

use miette::Diagnostic;
use serde_json::Value;

use crate::engine::Token;

/// A text to score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its own id, or else the input's name and, of several, the line.
    pub id: String,
    pub text: String,
    pub tokens: Option<Vec<Token>>,
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
    #[error("not UTF-8 text")]
    #[diagnostic(help("convert it first: iconv -f latin1 -t utf-8"))]
    Encoding,
    #[error("not JSON, at column {column}: {reason}")]
    #[diagnostic(help("each line must be a JSON object; for plain lines say --lines"))]
    Json { column: usize, reason: String },
    #[error("no text in field '{field}'")]
    #[diagnostic(help("say where it is: --field NAME"))]
    NoText { field: String },
    #[error("field '{field}' holds no string")]
    #[diagnostic(help("say where it is: --field NAME"))]
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
pub fn texts(input: &str, bytes: &[u8], shape: Shape) -> Result<Vec<Text>, TextError> {
    let at = |line, problem| TextError { input: input.to_owned(), line, problem };
    let contents = std::str::from_utf8(bytes).map_err(|error| {
        let valid = &bytes[..error.valid_up_to()];
        at(1 + valid.iter().filter(|&&byte| byte == b'\n').count(), Problem::Encoding)
    })?;
    // A byte order mark says how the file is encoded and belongs to no text.
    let contents = contents.strip_prefix('\u{feff}').unwrap_or(contents);
    let plain = |id, text: &str| Text { id, text: text.to_owned(), tokens: None };
    let lines = (1..).zip(contents.lines()).map(|(line, text)| (line, format!("{input}:{line}"), text));
    match shape {
        Shape::Whole => Ok(vec![plain(input.to_owned(), contents)]),
        Shape::Lines => Ok(lines.map(|(_, id, text)| plain(id, text)).collect()),
        Shape::JsonLines { field } => lines
            .filter(|(_, _, json)| !json.trim().is_empty())
            .map(|(line, id, json)| from_json(id, json, field).map_err(|problem| at(line, problem)))
            .collect(),
    }
}

fn from_json(default_id: String, json: &str, field: &str) -> Result<Text, Problem> {
    let value: Value = serde_json::from_str(json).map_err(|error| describe(&error))?;
    let (holder, text) = look_up(&value, field).ok_or_else(|| Problem::NoText { field: field.to_owned() })?;
    let text = text.as_str().ok_or_else(|| Problem::NotAString { field: field.to_owned() })?;
    let id = match value.get("id") {
        None | Some(Value::Null) => default_id,
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        Some(_) => return Err(Problem::Id),
    };
    let tokens = holder.get("tokens").cloned().unwrap_or(Value::Null);
    let tokens = serde_json::from_value(tokens).map_err(|_| Problem::Tokens)?;
    Ok(Text { id, text: text.to_owned(), tokens })
}

/// The value at `field`, and the one that holds it, where its tokens would be.
fn look_up<'a>(value: &'a Value, field: &str) -> Option<(&'a Value, &'a Value)> {
    match field.rsplit_once('/') {
        Some((holder, _)) if field.starts_with('/') => Some((value.pointer(holder)?, value.pointer(field)?)),
        _ => Some((value, value.get(field)?)),
    }
}

/// serde_json counts lines from the start of what it is given, here one line:
/// its "line 1" would contradict the line of the file.
fn describe(error: &serde_json::Error) -> Problem {
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    Problem::Json { column: error.column(), reason: message.strip_suffix(&place).unwrap_or(&message).to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: Shape = Shape::JsonLines { field: "text" };

    fn text(id: &str, text: &str, tokens: Option<&[Token]>) -> Text {
        Text { id: id.to_owned(), text: text.to_owned(), tokens: tokens.map(<[_]>::to_vec) }
    }

    fn message(bytes: &[u8], shape: Shape) -> String {
        texts("in.jsonl", bytes, shape).unwrap_err().to_string()
    }

    #[test]
    fn a_file_is_one_text() {
        assert_eq!(texts("a.txt", b"one\ntwo\n", Shape::Whole), Ok(vec![text("a.txt", "one\ntwo\n", None)]));
        assert_eq!(texts("a.txt", b"", Shape::Whole), Ok(vec![text("a.txt", "", None)]));
        assert_eq!(texts("a.txt", "\u{feff}one".as_bytes(), Shape::Whole), Ok(vec![text("a.txt", "one", None)]));
    }

    #[test]
    fn a_line_is_a_text_even_when_it_is_empty() {
        let expected = vec![text("a:1", "one", None), text("a:2", "", None), text("a:3", "three", None)];
        assert_eq!(texts("a", b"one\r\n\nthree\n", Shape::Lines), Ok(expected));
        assert_eq!(texts("a", b"", Shape::Lines), Ok(vec![]));
    }

    #[test]
    fn a_json_line_may_have_an_id_and_tokens() {
        let json = r#"{"text": "one", "id": "first", "tokens": [1, 2]}

{"text": "two", "id": 7, "tokens": null}
{"text": "three", "other": {}}
"#;
        let expected = vec![text("first", "one", Some(&[1, 2])), text("7", "two", None), text("a:4", "three", None)];
        assert_eq!(texts("a", json.as_bytes(), JSON), Ok(expected));
    }

    #[test]
    fn a_field_may_lie_deep() {
        let json = br#"{"id": "x", "choices": [{"text": "one", "tokens": [5]}]}"#;
        let shape = Shape::JsonLines { field: "/choices/0/text" };
        assert_eq!(texts("a", json, shape), Ok(vec![text("x", "one", Some(&[5]))]));
        let slash = Shape::JsonLines { field: "a/b" };
        assert_eq!(texts("a", br#"{"a/b": "one"}"#, slash), Ok(vec![text("a:1", "one", None)]));
    }

    #[test]
    fn errors_name_the_input_and_the_line() {
        assert_eq!(message(b"one\ntwo \xff\n", Shape::Lines), "in.jsonl:2: not UTF-8 text");
        let good = "{\"text\": \"\"}\n\n";
        let bad = [
            ("{\"text\": }", "not JSON, at column 10: expected value"),
            ("{\"txt\": \"\"}", "no text in field 'text'"),
            ("[1]", "no text in field 'text'"),
            ("{\"text\": 5}", "field 'text' holds no string"),
            ("{\"text\": \"\", \"id\": []}", "'id' is neither a string nor a number"),
            ("{\"text\": \"\", \"tokens\": [\"be\"]}", "'tokens' is not a list of token ids: whole numbers of 32 bits"),
            (
                "{\"text\": \"\", \"tokens\": [3000000000]}",
                "'tokens' is not a list of token ids: whole numbers of 32 bits",
            ),
        ];
        for (line, problem) in bad {
            let bytes = format!("{good}{line}\n{good}");
            assert_eq!(message(bytes.as_bytes(), JSON), format!("in.jsonl:3: {problem}"));
        }
    }
}
