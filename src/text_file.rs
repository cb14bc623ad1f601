//! Reads texts out of a file's bytes: it owns their encoding, the format that a name's ending says, and the values of
//! JSON in them.
//!
//! One reader for the prompts of an experiment and for what `score` is given, so that a file means
//! the same to both. Pure: reads no file, and does not know what a text is for.

use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

/// How a file holds its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text, and not JSON.
    Plain,
    /// Each line that is not blank is a JSON value.
    JsonLines,
    /// A list of values, or values one after another over any number of lines.
    Json,
}

impl Format {
    /// The format that the ending of a file's name says, in capitals or not.
    pub fn of(path: &Path) -> Self {
        let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
        match ending.as_ref().and_then(|ending| ending.to_str()) {
            Some("jsonl" | "ndjson") => Self::JsonLines,
            Some("json") => Self::Json,
            _ => Self::Plain,
        }
    }
}

/// Why bytes are no UTF-8 text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodingFault {
    /// In the encoding of this name, as iconv calls it.
    #[error("it is in {}, not in UTF-8", .0.to_uppercase())]
    Wide(&'static str),
    #[error("it is not UTF-8 text")]
    NotUtf8 { line: usize },
}

impl EncodingFault {
    /// Where it shows, counted from 1.
    pub fn line(self) -> usize {
        match self {
            Self::Wide(_) => 1,
            Self::NotUtf8 { line } => line,
        }
    }

    /// What to do about it.
    pub fn remedy(self) -> String {
        match self {
            Self::Wide(name) => format!("convert it first: iconv -f {name} -t utf-8"),
            Self::NotUtf8 { .. } => {
                "convert it from its encoding first, for example: iconv -f latin1 -t utf-8".to_owned()
            }
        }
    }
}

/// The text of a file; a byte order mark in UTF-8 is left in its place.
///
/// # Errors
/// When it is not UTF-8. UTF-16 is known by its mark, and without one by its NULs: English in UTF-16
/// is UTF-8 too, with a NUL beside every letter.
pub fn decode(bytes: &[u8]) -> Result<&str, EncodingFault> {
    if let Some(name) = wide(bytes) {
        return Err(EncodingFault::Wide(name));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = &bytes[..error.valid_up_to()];
        EncodingFault::NotUtf8 { line: 1 + valid.iter().filter(|&&byte| byte == b'\n').count() }
    })
}

/// The name of an encoding with two or four bytes a character.
fn wide(bytes: &[u8]) -> Option<&'static str> {
    let mark = |mark: &[u8]| bytes.starts_with(mark);
    if mark(&[0xff, 0xfe, 0, 0]) || mark(&[0, 0, 0xfe, 0xff]) {
        return Some("utf-32");
    }
    if mark(&[0xff, 0xfe]) || mark(&[0xfe, 0xff]) {
        return Some("utf-16");
    }
    let nuls = |first: usize| bytes.iter().skip(first).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd) = (nuls(0), nuls(1));
    let many = bytes.len() >= 2 && (even + odd) * 4 >= bytes.len();
    // Without a mark, what `utf-16` means differs between systems: of a Latin letter the NUL is the high byte.
    many.then_some(if even > odd { "utf-16be" } else { "utf-16le" })
}

/// A text without the mark that says how its file is encoded, which belongs to no text.
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Where a text is not JSON, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFault {
    pub line: usize,
    pub column: usize,
    pub reason: String,
}

/// The JSON values of a text in JSON lines, each as it is written, with its line counted from 1.
///
/// # Errors
/// At the first line that is not JSON.
pub fn json_lines(text: &str) -> Result<Vec<(usize, &str)>, JsonFault> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| match serde_json::from_str::<&RawValue>(line) {
            Ok(value) => Ok((number, value.get())),
            // To the JSON reader the line is always the first.
            Err(error) => Err(JsonFault { line: number, ..fault(&error) }),
        })
        .collect()
}

/// The JSON values of a text, those of a list each by itself; as [`json_lines`].
///
/// # Errors
/// Where the text is not JSON.
pub fn json_values(text: &str) -> Result<Vec<(usize, &str)>, JsonFault> {
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
        let value = value.map_err(|error| fault(&error))?.get();
        if value.starts_with('[') {
            let list: Vec<&RawValue> = serde_json::from_str(value).map_err(|error| fault(&error))?;
            values.extend(list.into_iter().map(RawValue::get));
        } else {
            values.push(value);
        }
    }
    // Each is a part of the text: its line is where it lies there.
    let (mut line, mut seen) = (1, 0);
    let mut placed = Vec::with_capacity(values.len());
    for value in values {
        let at = value.as_ptr() as usize - text.as_ptr() as usize;
        line += text.as_bytes()[seen..at].iter().filter(|&&byte| byte == b'\n').count();
        seen = at;
        placed.push((line, value));
    }
    Ok(placed)
}

fn fault(error: &serde_json::Error) -> JsonFault {
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let reason = message.strip_suffix(&place).unwrap_or(&message).to_owned();
    JsonFault { line: error.line(), column: error.column(), reason }
}

/// An id as it is written: of a number every digit, for two large ones may differ in their last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id(pub String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Box::<RawValue>::deserialize(deserializer)?;
        let written = written.get();
        match written.as_bytes().first() {
            Some(b'"') => serde_json::from_str(written).map(Self).map_err(serde::de::Error::custom),
            Some(b'-' | b'0'..=b'9') => Ok(Self(written.to_owned())),
            _ => Err(serde::de::Error::custom("an id is a string or a number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_ending_says_the_format_in_any_case() {
        for (name, format) in [
            ("p.jsonl", Format::JsonLines),
            ("p.JSONL", Format::JsonLines),
            ("a.b/p.NdJson", Format::JsonLines),
            ("p.json", Format::Json),
            ("P.JSON", Format::Json),
            ("p.txt", Format::Plain),
            ("jsonl", Format::Plain),
            (".json", Format::Plain),
            ("p.json.txt", Format::Plain),
        ] {
            assert_eq!(Format::of(Path::new(name)), format, "{name}");
        }
    }

    fn utf16(text: &str, in_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(in_bytes).collect()
    }

    #[test]
    fn utf_16_is_told_with_and_without_its_mark() {
        for (in_bytes, name) in [(u16::to_le_bytes as fn(u16) -> [u8; 2], "utf-16le"), (u16::to_be_bytes, "utf-16be")] {
            for text in ["Once upon a time", "a"] {
                assert_eq!(decode(&utf16(text, in_bytes)), Err(EncodingFault::Wide(name)), "{text}");
            }
            for text in ["\u{feff}Once upon a time", "\u{feff}从前"] {
                let found = decode(&utf16(text, in_bytes)).unwrap_err();
                assert_eq!(found.to_string(), "it is in UTF-16, not in UTF-8", "{text}");
                assert_eq!(found.remedy(), "convert it first: iconv -f utf-16 -t utf-8");
            }
        }
        assert_eq!(decode(&[0xff, 0xfe, 0, 0, b'a', 0, 0, 0]), Err(EncodingFault::Wide("utf-32")));
        assert_eq!(decode(b"one\ntwo \xff\n"), Err(EncodingFault::NotUtf8 { line: 2 }));
        assert_eq!(decode(b"one NUL \0 in a text"), Ok("one NUL \0 in a text"));
    }

    #[test]
    fn json_values_may_stand_in_a_list_or_after_one_another() {
        let list = "[\"one\",\n  {\"id\": 1}\n]\n";
        assert_eq!(json_values(list), Ok(vec![(1, "\"one\""), (2, "{\"id\": 1}")]));
        let lines = "{\"a\": 1}\n\n{\"a\":\n 2}";
        assert_eq!(json_values(lines), Ok(vec![(1, "{\"a\": 1}"), (3, "{\"a\":\n 2}")]));
        assert_eq!(json_values(" \n"), Ok(vec![]));
        assert_eq!(json_values("[1,\n 2").map_err(|fault| fault.line), Err(2));
    }

    #[test]
    fn a_line_that_is_not_json_is_named() {
        let found = json_lines("{}\n\n{\"text\": }\n").unwrap_err();
        assert_eq!(found, JsonFault { line: 3, column: 10, reason: "expected value".to_owned() });
    }

    #[test]
    fn an_id_keeps_its_digits() {
        let id = |json: &str| serde_json::from_str::<Id>(json).map(|Id(id)| id).map_err(|error| error.to_string());
        assert_eq!(id("12345678901234567890123"), Ok("12345678901234567890123".to_owned()));
        assert_eq!(id("-1.50"), Ok("-1.50".to_owned()));
        assert_eq!(id("\"a\\u00e9\""), Ok("aé".to_owned()));
        for wrong in ["null", "[1]", "true", "{}"] {
            assert_eq!(id(wrong), Err("an id is a string or a number".to_owned()), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_value_is_found_on_its_line(texts: Vec<String>, gaps in proptest::collection::vec(0_usize..3, 10)) {
            let mut json = "[".to_owned();
            let mut lines = Vec::new();
            for (text, gap) in texts.iter().zip(&gaps) {
                if !lines.is_empty() {
                    json.push(',');
                }
                json += &"\n".repeat(*gap);
                lines.push(1 + json.matches('\n').count());
                json += &serde_json::to_string(text).unwrap();
            }
            json += "]";
            let values = json_values(&json).unwrap();
            prop_assert_eq!(values.iter().map(|(line, _)| *line).collect::<Vec<_>>(), lines);
            let read: Vec<String> = values.iter().map(|(_, json)| serde_json::from_str(json).unwrap()).collect();
            prop_assert_eq!(&read[..], &texts[..read.len()]);
        }

        #[test]
        fn any_bytes_are_text_or_refused_with_a_line(bytes: Vec<u8>) {
            if let Err(fault) = decode(&bytes) {
                prop_assert!(fault.line() >= 1 && !fault.remedy().is_empty());
            }
        }
    }
}
