//! What llama.cpp refuses is refused before a run, with what leaves it out.

use super::*;
use crate::domain::{KeysAndValues, Memory, RopeScaling};
use crate::engine::kernels::Kernels;
use crate::experiment::{Api, Served, Server};

fn refusals(levels: &str, change: impl Fn(&mut ModelFacts)) -> Vec<String> {
    refusals_in(levels, "invariant", |surveyed| change(&mut on_disk(surveyed).facts))
}

fn refusals_in(levels: &str, numerics: &str, change: impl Fn(&mut Surveyed)) -> Vec<String> {
    let numerics = format!("context = 64\nnumerics = {numerics:?}");
    let experiment = edited(EXPERIMENT, &[("[grid]\n", &format!("[grid]\n{levels}\n")), ("context = 64", &numerics)]);
    match plan_on(&experiment, change) {
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
            "flash_attention = \"off\", kv_v = \"q8_0\" can't be used with the model a: llama.cpp supports quantised \
             values only with flash attention; exclude it with [[grid.exclude]] model = \"a\", flash_attention = \
             \"off\", kv_v = \"q8_0\""
        )
    );
    assert_eq!(refused.len(), 2, "of both models, and no other pair: {refused:?}");
    assert!(refusals("kv_k = [\"q8_0\"]\nflash_attention = [\"off\"]", |_| {}).is_empty(), "keys do not");
}

#[test]
fn quantised_caches_need_heads_of_whole_blocks() {
    let heads = |length| move |facts: &mut ModelFacts| facts.cache.key_length = Some(length);
    let refused = refusals("kv_k = [\"q4_0\"]", heads(80));
    assert!(
        refused[0].contains("its heads have 80 numbers, not a multiple of the block size 32 of q4_0"),
        "{refused:?}"
    );
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

#[test]
fn keys_and_values_in_one_have_one_type() {
    let together = |facts: &mut ModelFacts| facts.cache.kv = KeysAndValues::Together;
    let refused = refusals("kv_k = [\"f16\", \"q8_0\"]\nkv_v = [\"f16\", \"q8_0\"]", together);
    let unlike = ["kv_k = \"f16\", kv_v = \"q8_0\"", "kv_k = \"q8_0\", kv_v = \"f16\""];
    for (refused, unlike) in refused.iter().zip(unlike) {
        assert!(refused.starts_with(unlike) && refused.contains("they have one type"), "{refused}");
    }
    assert_eq!(refused.len(), 4, "two pairs of two models: {refused:?}");
    assert!(refusals("kv_k = [\"q8_0\"]", |_| {}).is_empty(), "others may have two types");
}

#[test]
fn repacking_is_compared_only_where_ggml_repacks() {
    let refused = |numerics: &str, kernels| {
        let refused = refusals_in("repack = [true, false]", numerics, |surveyed| surveyed.engine.kernels = kernels);
        assert!(refused.iter().all(|refused| refused.starts_with("repack = false can't be used")), "{refused:?}");
        refused.first().cloned().unwrap_or_default()
    };
    assert!(refused("invariant", Some(Kernels::Ggml)).contains("use numerics = \"fast\" and --kernels ggml"));
    assert!(refused("fast", Some(Kernels::Avx2)).contains("run with --kernels ggml"));
    assert_eq!(refused("fast", Some(Kernels::Ggml)), "");
}

#[test]
fn a_shift_needs_keys_that_can_be_moved() {
    let shift = "overflow = [\"shift\"]";
    let refused = |levels: &str, numerics: &str, change: &dyn Fn(&mut ModelFacts)| {
        let levels = format!("{shift}\n{levels}");
        let refused = refusals_in(&levels, numerics, |surveyed| change(&mut on_disk(surveyed).facts));
        assert!(refused.is_empty() || refused.len() == 2, "of both models: {refused:?}");
        refused.first().cloned().unwrap_or_default()
    };
    let none = &|_: &mut ModelFacts| {};
    let yarn = |kind: &str| RopeScaling { kind: Some(kind.to_owned()), factor: Some(4.0), original_context: None };
    assert_eq!(refused("", "invariant", none), "");
    for numerics in ["invariant", "fast"] {
        let refused = |levels: &str, change: &dyn Fn(&mut ModelFacts)| refused(levels, numerics, change);
        assert!(refused("", &|facts| facts.cache.memory = Memory::State).contains("no token can be removed"));
        assert!(refused("", &|facts| facts.cache.memory = Memory::Fixed).contains("can't move its tokens"));
        let windows = |facts: &mut ModelFacts| facts.cache.window = Some(16);
        assert!(refused("swa_full = [false]", &windows).contains("swa_full = true"));
        assert_eq!(refused("swa_full = [true]", &windows), "");
        assert_eq!(refused("swa_full = [false]", none), "");
        assert!(refused("kv_k = [\"bf16\"]", none).contains("can't rotate keys in bf16"));
        assert_eq!(refused("kv_k = [\"f32\"]", none), "");
    }
    // Whatever changes the keys of others.
    let scaled = |kind: &'static str| move |facts: &mut ModelFacts| facts.rope_scaling = Some(yarn(kind));
    for (levels, change) in [
        ("kv_k = [\"q8_0\"]", none as &dyn Fn(&mut ModelFacts)),
        ("rope = [\"yarn:2\"]", none),
        ("", &scaled("yarn")),
        ("rope = [\"none\"]", &scaled("longrope")),
    ] {
        assert!(refused(levels, "invariant", change).contains("use numerics = \"fast\""), "{levels}");
        assert_eq!(refused(levels, "fast", change), "", "{levels}");
    }
    assert_eq!(refused("rope = [\"none\"]", "invariant", &scaled("yarn")), "");
    assert_eq!(refused("", "invariant", &scaled("linear")), "");
}

#[test]
fn a_server_has_the_usual_level_of_what_it_is_not_asked_for() {
    let refused = |levels: &str| -> Vec<String> {
        let mut experiment = edited(EXPERIMENT, &[("[\"none\", \"all\"]", &format!("[\"none\"]\n{levels}"))]);
        experiment.grid.chains.truncate(1);
        let server = Server::new("s".to_owned(), "http://h".to_owned(), Api::LlamaServer);
        experiment.grid.models[0].source = Source::Server(Box::new(Served { server, name: "a".to_owned() }));
        Plan::server_misfits(&experiment).iter().map(ToString::to_string).collect()
    };
    for level in [
        "kv_k = [\"q8_0\"]",
        "rope = [\"linear:4\"]",
        "overflow = [\"shift\"]",
        "repack = [false]",
        "op_offload = [false]",
    ] {
        let said = level.replace(['[', ']'], "");
        let [only] = &refused(level)[..] else { panic!("{level}: {:?}", refused(level)) };
        assert!(only.starts_with(&format!("{said} can't be set on the server s")), "{only}");
    }
    assert_eq!(refused("kv_k = [\"f16\"]\noverflow = [\"refuse\"]"), [""; 0], "the usual ones");
    assert_eq!(refused("width = [\"any\", 1, 32]"), [""; 0], "so many requests at a time");
    assert!(refused("kv_k = [\"f16\", \"q8_0\"]")[0].contains("keep one in the grid"));
}
