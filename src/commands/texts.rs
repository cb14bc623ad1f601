//! Texts to score, taken out of the bytes of a file: all of it, its lines, or its JSON values.
//! Reads no file itself.

use miette::Diagnostic;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::Token;
use crate::text_file::{EncodingFault, Id, JsonFault, decode, json_lines, json_values, without_mark};

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
    #[diagnostic(help("each line must be a JSON object; for plain lines say --lines"))]
    JsonLine { column: usize, reason: String },
    #[error("not JSON, at column {column}: {reason}")]
    #[diagnostic(help(
        "a .json file must hold a list of texts or of objects; to score it as one text give it on stdin: moe-sweep score - < FILE"
    ))]
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
            found.notes.push(format!(
                "{input}:{line}: halves of characters (lone surrogates), {mended} of them, are read as U+FFFD"
            ));
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
        found.notes.push(format!("{input}: {empty} of {} texts are null, and read as empty", found.texts.len()));
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

/// JSON in which each escape of half a character, without its other half, became U+FFFD; and how
/// many there were. Servers that cut a text in the middle of an emoji write such.
fn mend_surrogates(json: &str) -> (String, usize) {
    let half = |escape: Option<&str>, range: std::ops::RangeInclusive<u32>| {
        let digits = escape.and_then(|escape| escape.strip_prefix("\\u"));
        digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).is_some_and(|unit| range.contains(&unit))
    };
    let (mut mended, mut count, mut rest) = (String::with_capacity(json.len()), 0, json);
    while let Some(at) = rest.find('\\') {
        mended += &rest[..at];
        rest = &rest[at..];
        let length = match (half(rest.get(..6), 0xD800..=0xDBFF), half(rest.get(6..12), 0xDC00..=0xDFFF)) {
            (true, true) => 12,
            (false, _) if !half(rest.get(..6), 0xDC00..=0xDFFF) => {
                1 + rest[1..].chars().next().map_or(0, char::len_utf8)
            }
            _ => {
                count += 1;
                mended += "\\ufffd";
                rest = &rest[6..];
                continue;
            }
        };
        mended += &rest[..length];
        rest = &rest[length..];
    }
    (mended + rest, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: Shape = Shape::JsonLines { field: "text" };

    fn text(id: &str, text: &str, tokens: Option<&[Token]>) -> Text {
        Text { id: id.to_owned(), text: text.to_owned(), tokens: tokens.map(<[_]>::to_vec) }
    }

    fn read(input: &str, bytes: &[u8], shape: Shape) -> Result<Vec<Text>, TextError> {
        texts(input, bytes, shape).map(|found| {
            assert_eq!(found.notes, [""; 0]);
            found.texts
        })
    }

    fn message(bytes: &[u8], shape: Shape) -> String {
        texts("in.jsonl", bytes, shape).unwrap_err().to_string()
    }

    #[test]
    fn a_file_is_one_text() {
        assert_eq!(read("a.txt", b"one\ntwo\n", Shape::Whole), Ok(vec![text("a.txt", "one\ntwo\n", None)]));
        assert_eq!(read("a.txt", b"", Shape::Whole), Ok(vec![text("a.txt", "", None)]));
        assert_eq!(read("a.txt", "\u{feff}one".as_bytes(), Shape::Whole), Ok(vec![text("a.txt", "one", None)]));
    }

    #[test]
    fn a_line_is_a_text_even_when_it_is_empty() {
        let expected = vec![text("a:1", "one", None), text("a:2", "", None), text("a:3", "three", None)];
        assert_eq!(read("a", b"one\r\n\nthree\n", Shape::Lines), Ok(expected));
        assert_eq!(read("a", b"", Shape::Lines), Ok(vec![]));
    }

    #[test]
    fn a_json_line_may_have_an_id_and_tokens() {
        let json = r#"{"text": "one", "id": "first", "tokens": [1, 2]}

{"text": "two", "id": 7, "tokens": null}
{"text": "three", "other": {}}
"#;
        let expected = vec![text("first", "one", Some(&[1, 2])), text("7", "two", None), text("a:4", "three", None)];
        assert_eq!(read("a", json.as_bytes(), JSON), Ok(expected));
    }

    #[test]
    fn a_field_may_lie_deep() {
        let json = br#"{"id": "x", "choices": [{"text": "one", "tokens": [5]}]}"#;
        let shape = Shape::JsonLines { field: "/choices/0/text" };
        assert_eq!(read("a", json, shape), Ok(vec![text("x", "one", Some(&[5]))]));
        let slash = Shape::JsonLines { field: "a/b" };
        assert_eq!(read("a", br#"{"a/b": "one"}"#, slash), Ok(vec![text("a:1", "one", None)]));
    }

    #[test]
    fn errors_name_the_input_and_the_line() {
        assert_eq!(message(b"one\ntwo \xff\n", Shape::Lines), "in.jsonl:2: it is not UTF-8 text");
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

    #[test]
    fn a_json_file_is_a_list_of_texts_or_of_objects() {
        const LIST: Shape = Shape::Json { field: "text" };
        let list = b"[\"one\",\n {\"id\": \"b\", \"text\": \"two\"}]\n";
        assert_eq!(read("a.json", list, LIST), Ok(vec![text("a.json:1", "one", None), text("b", "two", None)]));
        let on_a_line = vec![text("a.json:1#1", "one", None), text("a.json:1#2", "two", None)];
        assert_eq!(read("a.json", b"[\"one\", \"two\"]", LIST), Ok(on_a_line));
        let lines = b"{\"id\": 1, \"text\": \"one\"}\n{\"id\": 2, \"text\": \"two\"}\n";
        assert_eq!(read("a.json", lines, LIST), Ok(vec![text("1", "one", None), text("2", "two", None)]));
        let prose = texts("a.json", b"Once upon", LIST).unwrap_err();
        assert_eq!(prose.to_string(), "a.json:1: not JSON, at column 1: expected value");
    }

    #[test]
    fn null_is_an_empty_answer() {
        let json = "{\"id\": 7, \"text\": null}\n{\"text\": \"so\"}\n";
        let found = texts("a.jsonl", json.as_bytes(), JSON).unwrap();
        assert_eq!(found.texts, [text("7", "", None), text("a.jsonl:2", "so", None)]);
        assert_eq!(found.notes, ["a.jsonl: 1 of 2 texts are null, and read as empty"]);
    }

    #[test]
    fn half_a_character_is_replaced_and_told() {
        for (escaped, expected, halves) in [
            (r"a\ud83d", "a\u{fffd}", 1),
            (r"a\ude00b", "a\u{fffd}b", 1),
            (r"\ud83d\ude00", "😀", 0),
            (r"\ud83d\ud83d\ude00", "\u{fffd}😀", 1),
            (r"\\ud83d", r"\ud83d", 0),
            (r"\ude00\ud83d", "\u{fffd}\u{fffd}", 2),
            (r"\ud83d\n", "\u{fffd}\n", 1),
            (r"\u00e9é", "éé", 0),
        ] {
            let found = texts("a.jsonl", format!("{{\"text\": \"{escaped}\"}}").as_bytes(), JSON).unwrap();
            assert_eq!(found.texts, [text("a.jsonl:1", expected, None)], "{escaped}");
            assert_eq!(found.notes.len(), usize::from(halves > 0), "{escaped}");
            assert!(
                found.notes.iter().all(|note| note.contains(&format!(", {halves} of them, are read as U+FFFD"))),
                "{:?}",
                found.notes
            );
        }
    }

    #[test]
    fn an_id_keeps_its_digits() {
        let json =
            "{\"id\": 12345678901234567890123, \"text\": \"a\"}\n{\"id\": 12345678901234567890124, \"text\": \"b\"}";
        let found = read("a", json.as_bytes(), JSON).unwrap();
        let ids: Vec<_> = found.iter().map(|text| text.id.as_str()).collect();
        assert_eq!(ids, ["12345678901234567890123", "12345678901234567890124"]);
    }

    #[test]
    fn utf_16_is_refused_with_the_way_to_convert_it() {
        for (bytes, name) in [(&b"\xff\xfea\0b\0"[..], "utf-16"), (b"a\0b\0", "utf-16le")] {
            for shape in [Shape::Whole, Shape::Lines, JSON] {
                let error = texts("in.txt", bytes, shape).unwrap_err();
                let help = error.help().map(|help| help.to_string());
                assert_eq!(help, Some(format!("convert it first: iconv -f {name} -t utf-8")));
            }
        }
    }
}
