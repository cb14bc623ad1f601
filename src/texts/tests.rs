//! Inputs of every shape, and what is said of those that hold no texts.

use miette::Diagnostic as _;

use super::{Shape, Text, TextError, texts};
use crate::domain::Token;

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
        ("{\"text\": 5}", "field 'text' is not a string"),
        ("{\"text\": \"\", \"id\": []}", "'id' is neither a string nor a number"),
        ("{\"text\": \"\", \"tokens\": [\"be\"]}", "'tokens' is not a list of token ids: whole numbers of 32 bits"),
        ("{\"text\": \"\", \"tokens\": [3000000000]}", "'tokens' is not a list of token ids: whole numbers of 32 bits"),
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
    assert_eq!(found.notes, ["a.jsonl: 1 of 2 texts are null and are read as empty"]);
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
        let told = format!(": {halves} lone surrogates (halves of characters) are read as U+FFFD");
        assert!(found.notes.iter().all(|note| note.contains(&told)), "{:?}", found.notes);
    }
}

#[test]
fn an_id_keeps_its_digits() {
    let json = "{\"id\": 12345678901234567890123, \"text\": \"a\"}\n{\"id\": 12345678901234567890124, \"text\": \"b\"}";
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
