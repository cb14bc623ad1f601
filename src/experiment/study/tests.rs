//! What the file of a study may say, and what is said of one that may not.

use std::collections::BTreeSet;

use miette::Diagnostic as _;

use super::{Kind, Study, Subject, kind_of, parse_study, resolve_study};
use crate::domain::{Numerics, Offload, Quant};
use crate::experiment::{BadExperiment, Surroundings, parse};

const DIVERGENCE: &str = r#"
schema = 1
kind = "divergence"
name = "x"

[generate]
max_tokens = 8
context = 64

[grid]
model = ["m"]

[divergence]
base = { quant = "f16" }
other = [{ quant = "q8_0" }, { numerics = "fast", width = 4 }, { offload = "none" }]

[prompts]
inline = ["p"]

[[model]]
id = "m"
path = "m.gguf"
"#;

const ROUTING: &str = r#"
schema = 1
kind = "routing"
name = "x"

[generate]
max_tokens = 8
context = 64

[grid]
model = ["m"]
chain = ["shimmy-1.7"]
temperature = [0.9]

[prompts]
inline = ["p"]

[[model]]
id = "m"
path = "m.gguf"
"#;

fn read(text: &str) -> Result<Study, BadExperiment> {
    resolve_study("x.toml", text, &parse_study("x.toml", text)?, &Surroundings::default())
}

/// Every problem and its remedy.
fn problems(text: &str) -> Vec<String> {
    let bad = read(text).expect_err("a bad experiment");
    let told = |problem: &crate::experiment::Problem| {
        assert!(problem.labels().is_some(), "{problem} has no place");
        format!("{problem}: {}", problem.help().expect("a remedy"))
    };
    bad.problems.iter().map(told).collect()
}

#[test]
fn arms_take_from_the_base_what_they_leave_out() {
    let study = read(DIVERGENCE).expect("a good experiment");
    assert_eq!(study.kind(), Kind::Divergence);
    let base = study.base;
    assert_eq!(
        (base.quant, base.offload, base.numerics, base.width),
        (Quant::F16, Offload::All, Numerics::Invariant, 1)
    );
    let said: Vec<_> = study.others.iter().map(|arm| arm.differences(&base)).collect();
    assert_eq!(said, ["quant=q8_0", "numerics=fast width=4", "offload=none"]);
    assert_eq!(study.others[1].quant, Quant::F16);
    assert!(study.others[2].differs_in_offload_only(&base));
    assert!(!study.others[0].differs_in_offload_only(&base) && !base.differs_in_offload_only(&base));
    let quants: BTreeSet<_> = study.arms().map(|arm| arm.quant).collect();
    assert_eq!(quants, BTreeSet::from([Quant::F16, Quant::Q8_0]));
    assert_eq!((&study.subject, study.texts_a_model()), (&Subject::Divergence, study.prompts.len()));
}

#[test]
fn one_other_arm_needs_no_list() {
    let text = DIVERGENCE.replace(
        "other = [{ quant = \"q8_0\" }, { numerics = \"fast\", width = 4 }, { offload = \"none\" }]",
        "other = { width = 8 }",
    );
    assert_eq!(read(&text).expect("a good experiment").others.len(), 1);
}

#[test]
fn routing_needs_texts_and_no_other_arm() {
    assert_eq!(read(ROUTING).expect("a good experiment").others, []);
    let text = ROUTING.replace("chain = [\"shimmy-1.7\"]\ntemperature = [0.9]\n", "");
    let said = problems(&text);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].starts_with("chain is missing in [grid]") && said[1].starts_with("temperature is missing in [grid]"),
        "{said:?}"
    );
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_remedy() {
    let cases = [
        ("other = [{ quant = \"q8_0\" }, ", "other = [{ quant = \"f16\" }, ", "this arm equals base: change its"),
        ("{ offload = \"none\" }]", "{ quant = \"q8_0\" }]", "duplicate arm"),
        ("\"q8_0\"", "\"q8_1\"", "unknown quant \"q8_1\": did you mean"),
        ("width = 4", "width = 256", "a batch can't be 256 texts wide: give a width from 1 to 255"),
        ("model = [\"m\"]\n", "model = [\"m\"]\nchain = [\"pure\"]\n", "a divergence can't have chain: remove it"),
        (
            "[divergence]",
            "[routing]",
            "[routing] does not belong in a file with kind = \"divergence\": remove it, or set",
        ),
        ("[prompts]", "[sequential]\nalpha = 0.05\n\n[prompts]", "unknown key \"sequential\": use one of"),
        ("base = {", "bass = {", "unknown key \"bass\": did you mean \"base\"?"),
        (
            "other = [{ quant = \"q8_0\" }, { numerics = \"fast\", width = 4 }, { offload = \"none\" }]",
            "",
            "there is no arm to compare base with: add an arm",
        ),
    ];
    for (from, to, expected) in cases {
        assert!(DIVERGENCE.contains(from), "{from}");
        let said = problems(&DIVERGENCE.replace(from, to));
        assert!(said.iter().any(|said| said.contains(expected)), "{expected}: {said:#?}");
    }
}

#[test]
fn a_kind_is_known_by_name_and_a_sweep_is_the_default() {
    assert_eq!(kind_of("x.toml", "schema = 1").expect("a sweep"), Kind::Sweep);
    assert_eq!(kind_of("x.toml", ROUTING).expect("a kind"), Kind::Routing);
    assert!(kind_of("x.toml", "kind = \"divergance\"").is_err());
    let bad = parse("x.toml", DIVERGENCE).expect_err("no sweep");
    assert!(bad.problems[0].to_string().contains("this is a divergence experiment, not a sweep"), "{bad:?}");
}
