//! Diagnoses of a real model.

use crate::support::{Bench, models};

#[test]
fn every_built_in_prompt_has_room_beside_its_text() {
    let bench = Bench::new("");
    let model = models().join("dense-tiny.gguf");
    // The whole of it is written wherever it ends.
    let said = bench.say(&["diagnose", &model.display().to_string(), "--repeat-penalty", "0.8", "--texts", "1"]);
    assert_eq!(said.code, Some(16), "{said:#?}");
    let planned = bench.say(&["plan", "results/diagnose-dense-tiny/diagnosis.toml"]);
    assert_eq!(planned.code, Some(0), "{planned:#?}");
}
