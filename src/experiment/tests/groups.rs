//! Groups of prompts: how they are named, and what can be said of them.

use super::*;
use crate::domain::{Cell, Exclusion, Level, Point, Selection, Temperature};

const INLINE: &str = r#"inline = ["one", "two"]"#;
const GROUPED: &str = r#"inline = [
    { text = "one", group = "trained" },
    "two",
    { text = "three", group = "untrained" },
    { text = "four", group = "trained" },
]"#;
const TREND: &str = "trend = \"temperature\"\nexpect = \"increasing\"";

fn grouped(hypothesis: &str) -> String {
    format!("{}\n[[hypothesis]]\nid = \"it-rises\"\n{hypothesis}\n", edited(&[(INLINE, GROUPED)]))
}

fn within(group: &str) -> Vec<String> {
    read(&grouped(&format!("{TREND}\nwhere = {{ group = {group} }}"))).hypotheses[0].within.prompt.clone()
}

fn excluding(keys: &str) -> String {
    edited(&[(INLINE, GROUPED), ("[prompts]", &format!("[[grid.exclude]]\n{keys}\n\n[prompts]"))])
}

#[test]
fn prompts_name_their_group_or_none() {
    let groups: Vec<_> = read(&grouped(TREND)).prompts.into_iter().map(|prompt| prompt.group).collect();
    assert_eq!(
        groups,
        [Some("trained"), None, Some("untrained"), Some("trained")].map(|group| group.map(str::to_owned))
    );
    let file = "{\"id\": \"a\", \"text\": \"one\", \"group\": \"g\"}\n{\"id\": \"b\", \"text\": \"two\"}\n\"three\"\n";
    let read = prompts::parse("p.jsonl", file).expect("lines are prompts");
    let groups: Vec<_> = read.iter().map(|(_, prompt)| prompt.group.as_deref()).collect();
    assert_eq!(groups, [Some("g"), None, None]);
}

#[test]
fn a_group_is_its_prompts() {
    assert_eq!(within("\"trained\""), ["p1", "p4"]);
    assert_eq!(within("[\"untrained\", \"trained\"]"), ["p3", "p1", "p4"]);
}

#[test]
fn a_hypothesis_of_a_group_takes_its_prompts_only() {
    let hypothesis = &read(&grouped(&format!("{TREND}\nwhere = {{ group = \"trained\" }}"))).hypotheses[0];
    let takes = |prompt| {
        let cell = Cell::usual("tiny", "pure", Temperature::new(0.5).unwrap());
        hypothesis.takes(Point { cell: &cell, seed: None, prompt })
    };
    assert_eq!(["p1", "p2", "p3", "p4"].map(takes), [true, false, false, true]);
}

#[test]
fn a_group_is_excluded_prompt_by_prompt() {
    let excluded = read(&excluding("chain = \"greedy\"\ngroup = \"trained\"")).grid.excluded;
    let of = |id: &str| {
        let selection = Selection { prompt: vec![id.to_owned()], ..Selection::of([Level::Chain("greedy".into())]) };
        Exclusion { selection, seed: None }
    };
    assert_eq!(excluded[1..], [of("p1"), of("p4")]);
}

refusals! {
    an_unknown_group_comes_with_a_suggestion:
        refusal(&grouped(&format!("{TREND}\nwhere = {{ group = [\"trained\", \"untraned\"] }}"))),
    a_group_of_prompts_without_groups_is_refused:
        refusal(&format!("{VALID}\n[[hypothesis]]\nid = \"h\"\n{TREND}\nwhere = {{ group = \"trained\" }}\n")),
    a_group_of_one_prompt_is_refused: refusal(&grouped(&format!("{TREND}\nwhere = {{ group = \"untrained\" }}"))),
    a_group_of_one_arm_is_refused: refusal(&grouped(
        "contrast = { base = { group = \"trained\" }, other = { group = \"untrained\" } }\nexpect = \"different\""
    )),
    an_exclusion_of_an_unknown_group_is_refused: refusal(&excluding("group = \"trainee\"")),
    an_exclusion_of_a_prompt_and_a_group_is_refused: refusal(&excluding("group = \"trained\"\nprompt = \"p1\"")),
    a_blank_group_is_refused: refusal_of(&[("\"two\"]", "{ text = \"two\", group = \" \" }]")]),
    a_prompt_of_another_shape_is_refused: refusal_of(&[("\"two\"]", "{ txt = \"two\" }]")]),
    a_group_that_is_no_text_is_refused:
        refusal_of_prompts("p.jsonl", "{\"id\": \"a\", \"text\": \"one\", \"group\": 1}\n"),
}
