//! The built-in chains have the steps, the order and the values of the programs that they are named for.

use super::*;
use crate::domain::{Fidelity, Step, Temperature};

/// A built-in chain at T = 0.9.
fn built_in(id: &str) -> Vec<Step<Temperature>> {
    let chain = builtin::chains().into_iter().find(|chain| chain.id == id).expect("a built-in chain");
    chain.at(Temperature::new(0.9).unwrap()).0
}

fn hot() -> Step<Temperature> {
    Step::Temperature { t: Temperature::new(0.9).unwrap() }
}

fn penalties(repeat: f32, presence: f32) -> Step<Temperature> {
    Step::Penalties { last_n: 64, repeat, frequency: 0.0, presence }
}

#[test]
fn there_are_seven_built_in_chains_and_only_shimmys_is_kept_with_its_fault() {
    let chains = builtin::chains();
    let ids: Vec<_> = chains.iter().map(|chain| chain.id.as_str()).collect();
    assert_eq!(ids, ["shimmy-1.7", "shimmy-1.7-fixed", "llama.cpp", "ollama-go", "vllm", "pure", "greedy"]);
    let faithful: Vec<_> = chains.iter().filter(|chain| chain.fidelity == Fidelity::Faithful).collect();
    assert_eq!(faithful, [&chains[0]]);
}

#[test]
fn shimmys_chain_is_the_one_of_its_releases() {
    let before = [hot(), Step::TopP { p: 0.9, min_keep: 1 }, Step::TopK { k: 40 }];
    let shimmy = |penalties| [&before[..], &[penalties, Step::Greedy]].concat();
    assert_eq!(built_in("shimmy-1.7"), shimmy(penalties(0.0, 1.1)));
    assert_eq!(built_in("shimmy-1.7-fixed"), shimmy(penalties(1.1, 0.0)));
}

#[test]
fn the_chain_of_llama_cpp_has_its_order_and_values() {
    let sequence_breakers = ["\n", ":", "\"", "*"].map(String::from).to_vec();
    let dry = Step::Dry { multiplier: 0.0, base: 1.75, allowed_length: 2, last_n: 64, sequence_breakers };
    let expected = [
        penalties(1.0, 0.0),
        dry,
        Step::TopNSigma { n: -1.0 },
        Step::TopK { k: 40 },
        Step::Typical { p: 1.0, min_keep: 0 },
        Step::TopP { p: 0.95, min_keep: 0 },
        Step::MinP { p: 0.05, min_keep: 0 },
        Step::Xtc { p: 0.0, threshold: 0.1, min_keep: 0 },
        hot(),
        Step::Dist,
    ];
    assert_eq!(built_in("llama.cpp"), expected);
}

#[test]
fn the_other_built_in_chains_are_those_of_the_field_notes() {
    let top_p = |p| Step::TopP { p, min_keep: 0 };
    let ollama = [Step::TopK { k: 40 }, hot(), top_p(0.9), Step::MinP { p: 0.0, min_keep: 0 }, Step::Dist];
    assert_eq!(built_in("ollama-go"), ollama);
    assert_eq!(built_in("vllm"), [penalties(1.0, 0.0), hot(), Step::TopK { k: 0 }, top_p(1.0), Step::Dist]);
    assert_eq!(built_in("pure"), [hot(), Step::Dist]);
    assert_eq!(built_in("greedy"), [Step::Greedy]);
}
