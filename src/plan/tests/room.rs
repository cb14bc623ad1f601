//! Where a prompt and its text have room, and what is said of contexts.

use super::*;

/// A plan of one prompt of ten tokens, its texts of 20 at most.
fn planned(levels: &str) -> Result<Plan, Vec<String>> {
    let levels = format!("[\"none\"]\n{levels}");
    let experiment = edited(SINGLE, &[("[\"none\"]", &levels), ("context = 64\n", "")]);
    let planned = plan_on(&experiment, |surveyed| raw_counts(surveyed, vec![10]));
    planned.map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn notes(levels: &str, n_ctx_train: u32) -> Vec<String> {
    let mut plan = planned(levels).expect("there is room");
    for load in &mut plan.loads {
        on_disk(&mut load.surveyed).facts.n_ctx_train = n_ctx_train;
    }
    plan.notes()
}

#[test]
fn a_full_context_is_refused_unless_something_becomes_of_it() {
    assert!(planned("context = [30]").is_ok());
    let [refused] = &planned("context = [29, 30]").expect_err("29 are too few")[..] else { panic!("one is refused") };
    assert!(refused.contains("exceeds context = 29: raise context to at least 30, shorten the prompt"), "{refused}");
    assert!(refused.contains("overflow = [\"stop\"] or [\"shift\"]"), "{refused}");
    for overflow in ["stop", "shift", "shift:4"] {
        assert!(planned(&format!("context = [11]\noverflow = [{overflow:?}]")).is_ok());
        let [refused] = &planned(&format!("context = [10]\noverflow = [{overflow:?}]")).expect_err("no room")[..]
        else {
            panic!("one is refused")
        };
        let expected = "has 10 tokens for the model a, which alone fill context = 10: raise context to at least 11";
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn an_overflow_of_which_nothing_comes_is_noted() {
    let expected = "overflow = \"shift\" has no effect on the model a at context = 30: its longest prompt has 10 \
                    tokens, which fits with max_tokens = 20";
    assert_eq!(notes("context = [29, 30]\noverflow = [\"shift\"]", 512), [expected]);
}

#[test]
fn a_context_that_the_model_was_not_trained_for_is_noted() {
    let noted = |levels: &str| notes(levels, 29);
    let [long] = &noted("context = [100, 30]")[..] else { panic!("what a text reaches is said once") };
    assert!(long.contains("trained on 29 tokens, but a prompt of 10 with max_tokens = 20 reaches 30:"), "{long}");
    let [never_full, beyond] = &noted("context = [29, 30]\noverflow = [\"stop\"]")[..] else { panic!("of 30 alone") };
    assert!(beyond.contains("reaches 30:") && never_full.contains("has no effect"), "{beyond}, {never_full}");
    let filled = notes("context = [29]\noverflow = [\"shift\"]", 28);
    assert!(filled[0].contains("trained on 28 tokens, but its texts fill context = 29:"), "{filled:?}");
    let unreached = notes("context = [31]", 30);
    let expected = "context = 31 is more than the 30 tokens that the model a was trained on; its texts reach 30 tokens";
    assert_eq!(unreached, [expected]);
}

#[test]
fn memory_is_estimated_for_each_context() {
    let plan = planned("context = [64, 1024]\nkv_k = [\"f16\", \"q8_0\"]").expect("there is room");
    let limits = Limits { threads: 1, lanes: None, batch: None, memory_bytes: Some(80 << 20) };
    let batches: Vec<u32> = plan
        .loads
        .iter()
        .map(|load| {
            let mut load = load.clone();
            on_disk(&mut load.surveyed).facts.cache_bytes_per_token = Some(4096);
            load.strategy(1000, plan.generate, limits).batch
        })
        .collect();
    // Contexts of 1024 tokens take as many times as much as those of 256, into which 64 are made; keys of 8.5 bits less.
    let [small, large, small_q8, large_q8] = batches[..] else { panic!("four loads: {batches:?}") };
    assert!(large < large_q8 && large_q8 < small && small <= small_q8, "{batches:?}");
}
