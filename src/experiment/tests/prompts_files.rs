//! Files of prompts: lines, lists and JSON lines.

use super::*;

#[test]
fn prompts_are_the_lines_that_are_not_blank() {
    let text = "\u{feff}one\r\n\r\n  two \n";
    let read = prompts::parse("p.txt", text).expect("lines are prompts");
    assert_eq!(read, [(1, prompts::numbered(1, "one")), (3, prompts::numbered(2, "  two "))]);
}

#[test]
fn prompts_in_json_lines_bring_their_ids() {
    let text = "{\"id\": \"a\", \"text\": \"one\\ntwo\"}\n\n{\"text\": \"three\", \"id\": \"b\"}\n";
    let read = prompts::parse("p.jsonl", text).expect("lines are prompts");
    let prompt = |id: &str, text: &str| Prompt { id: id.into(), text: text.into(), group: None };
    assert_eq!(read, [(1, prompt("a", "one\ntwo")), (3, prompt("b", "three"))]);
}

#[test]
fn json_is_known_by_the_ending_in_any_case() {
    let prompt = |id: &str, text: &str| Prompt { id: id.into(), text: text.into(), group: None };
    for name in ["p.jsonl", "p.JSONL", "p.ndjson", "p.NDJSON", "p.json", "p.Json"] {
        let lines = "{\"id\": \"a\", \"text\": \"Once\"}\n\"The sun\"\n";
        let read = prompts::parse(name, lines).expect("lines are prompts");
        assert_eq!(read, [(1, prompt("a", "Once")), (2, prompt("p2", "The sun"))], "{name}");
    }
    let list = "[\n\"Once\", {\"id\": 12345678901234567890123,\n \"text\": \"The sun\"}]";
    let read = prompts::parse("p.json", list).expect("a list of prompts");
    assert_eq!(read, [(2, prompt("p1", "Once")), (2, prompt("12345678901234567890123", "The sun"))]);
}
