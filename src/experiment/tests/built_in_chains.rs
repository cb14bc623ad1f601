//! The built-in chains have the steps, the order and the values of the programs that they are named for.

use std::collections::BTreeSet;

use super::builtin::BuiltIn;
use super::*;
use crate::domain::{Chain, Fidelity, Slot, Step, Temperature};

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
fn seven_built_in_chains_keep_their_names_and_only_shimmys_is_kept_with_its_fault() {
    let ids = |chains: &[Chain]| chains.iter().map(|chain| chain.id.clone()).collect::<Vec<_>>();
    let reserved = BuiltIn::read().reserved;
    assert_eq!(ids(&reserved), ["shimmy-1.7", "shimmy-1.7-fixed", "llama.cpp", "ollama-go", "vllm", "pure", "greedy"]);
    let chains = builtin::chains();
    let distinct: BTreeSet<_> = ids(&chains).into_iter().collect();
    assert_eq!(distinct.len(), chains.len(), "a name is one chain's");
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

#[test]
fn the_runners_of_llama_cpp_differ_in_the_values_that_they_are_known_for() {
    let runner = |penalty, top_p, min_p| {
        let cuts = [Step::TopP { p: top_p, min_keep: 0 }, Step::MinP { p: min_p, min_keep: 0 }, hot(), Step::Dist];
        let [top_p, min_p, temperature, dist] = cuts;
        (penalties(penalty, 0.0), Step::TopK { k: 40 }, top_p, min_p, temperature, dist)
    };
    let said = |id| {
        let steps = built_in(id).into_iter().filter(|step| !matches!(step, Step::Typical { p: 1.0, .. }));
        let steps: [Step<Temperature>; 6] = steps.collect::<Vec<_>>().try_into().expect("six steps");
        let [penalties, top_k, top_p, min_p, temperature, dist] = steps;
        (penalties, top_k, top_p, min_p, temperature, dist)
    };
    assert_eq!(said("ollama-runner"), runner(1.1, 0.9, 0.0));
    assert_eq!(said("ollama-2026-08"), runner(1.0, 0.9, 0.0));
    assert_eq!(said("lm-studio"), runner(1.1, 0.95, 0.05));
}

#[test]
fn the_chains_of_cards_have_temperatures_of_their_own() {
    let cards = builtin::chains().into_iter().filter(|chain| chain.id.starts_with("card-"));
    let own = |chain: Chain| {
        let slot = chain.steps.iter().find_map(|step| match step {
            Step::Temperature { t } => Some(*t),
            _ => None,
        });
        let Some(Slot::Fixed(temperature)) = slot else { panic!("{} takes the grid's temperature", chain.id) };
        (chain.id, temperature.get())
    };
    let expected = [
        ("card-gpt-oss", 1.0),
        ("card-qwen3-instruct", 0.7),
        ("card-qwen3-thinking", 0.6),
        ("card-qwen3-thinking-gguf", 0.6),
        ("card-deepseek-r1", 0.6),
        ("card-deepseek-v3-0324", 0.3),
        ("card-gemma-3", 1.0),
        ("card-glm-4.6", 1.0),
        ("card-glm-4.6-code", 1.0),
        ("card-mistral-small-3.2", 0.15),
        ("card-magistral-small", 0.7),
    ];
    assert_eq!(cards.map(own).collect::<Vec<_>>(), expected.map(|(id, t)| (id.to_owned(), t)));
}

/// A file could have a chain of this name before it was built in.
#[test]
fn a_files_own_chain_takes_the_place_of_a_preset() {
    let own = "[[chain]]\nid = \"lm-studio\"\nsteps = [\"greedy\"]\n\n[[chain]]";
    let grid = read(&edited(&[("[[chain]]", own), ("\"pure\"", "\"lm-studio\"")])).grid;
    let chain = grid.chains.iter().find(|chain| chain.id == "lm-studio").expect("the grid names it");
    assert_eq!(chain.steps, [Step::Greedy]);
}
