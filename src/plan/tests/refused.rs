//! What llama.cpp refuses is refused before a run, with what leaves it out.

use super::*;

fn refusals(levels: &str, change: impl Fn(&mut ModelFacts)) -> Vec<String> {
    let experiment = edited(EXPERIMENT, &[("[grid]\n", &format!("[grid]\n{levels}\n"))]);
    match plan_on(&experiment, |surveyed| change(&mut on_disk(surveyed).facts)) {
        Ok(_) => vec![],
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn quantised_values_need_flash_attention() {
    let refused = refusals("kv_v = [\"f16\", \"q8_0\"]\nflash_attention = [\"auto\", \"off\"]", |_| {});
    assert_eq!(
        refused.first().map(String::as_str),
        Some(
            "flash_attention = \"off\", kv_v = \"q8_0\" can't be used with the model a: llama.cpp keeps quantised values for \
             flash attention only; leave it out with [[grid.exclude]] model = \"a\", flash_attention = \"off\", kv_v = \"q8_0\""
        )
    );
    assert_eq!(refused.len(), 2, "of both models, and no other pair: {refused:?}");
    assert!(refusals("kv_k = [\"q8_0\"]\nflash_attention = [\"off\"]", |_| {}).is_empty(), "keys do not");
}

#[test]
fn quantised_caches_need_heads_of_whole_blocks() {
    let heads = |length| move |facts: &mut ModelFacts| facts.key_length = Some(length);
    let refused = refusals("kv_k = [\"q4_0\"]", heads(80));
    assert!(refused[0].contains("its heads have 80 numbers, and q4_0 keeps whole blocks of 32"), "{refused:?}");
    assert!(refusals("kv_k = [\"q4_0\"]", heads(64)).is_empty());
    assert!(refusals("kv_k = [\"bf16\"]", heads(80)).is_empty());
}

#[test]
fn invariant_numerics_have_no_token_alone_and_no_width() {
    let refused = refusals("ubatch = [2, 3]\nwidth = [\"any\", 1]", |_| {});
    assert!(refused.iter().any(|refused| refused.starts_with("ubatch = 2 can't be used")), "{refused:?}");
    assert!(refused.iter().any(|refused| refused.starts_with("width = 1 can't be used")), "{refused:?}");
    assert_eq!(refused.len(), 4, "{refused:?}");
}

#[test]
fn a_token_goes_through_experts_that_there_are() {
    let refused = refusals("experts_used = [9]", |_| {});
    assert!(refused[0].contains("its layers have 8 experts"), "{refused:?}");
    let refused = refusals("experts_used = [\"model\", 1]", |facts| facts.n_expert = 0);
    assert!(refused[0].contains("it has no experts"), "{refused:?}");
    assert_eq!(refused.len(), 2, "of both models, and of 1 alone: {refused:?}");
    assert!(refusals("experts_used = [8]", |_| {}).is_empty());
}
