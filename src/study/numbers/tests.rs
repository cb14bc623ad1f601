//! Routing by hand: loads, entropies, loops and agreement that can be counted
//! on fingers.

use super::*;
use crate::engine::trace::{Routed, RoutingShape};

fn shape() -> RoutingShape {
    RoutingShape { layers: vec![1, 2], n_expert: 4, n_used: 2 }
}

fn routed(experts: [u32; 2], probabilities: [f32; 4]) -> Routed {
    Routed { experts: experts.to_vec(), probabilities: probabilities.to_vec() }
}

const EVEN: [f32; 4] = [0.25; 4];
const SURE: [f32; 4] = [1.0, 0.0, 0.0, 0.0];

/// Three positions before the loop, two in it.
fn text(prompt: &str, before: [u32; 2], within: [u32; 2]) -> RoutedText {
    let layers = |experts, probabilities| vec![routed(experts, probabilities), routed([3, 2], EVEN)];
    let positions = [vec![layers(before, EVEN); 3], vec![layers(within, SURE); 2]].concat();
    RoutedText { prompt: prompt.to_owned(), onset: Some(2), positions }
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
}

#[test]
fn loads_are_counted_and_split_where_the_loop_begins() {
    let texts = [text("a", [0, 1], [0, 1]), text("b", [2, 3], [0, 1])];
    let loads = phase_loads(&texts, &shape());
    assert_eq!(loads.iter().map(|load| load.phase).collect::<Vec<_>>(), [Phase::All, Phase::Before, Phase::Loop]);
    let [all, before, within] = [&loads[0].layers[0], &loads[1].layers[0], &loads[2].layers[0]];
    assert_eq!((all.layer, all.n_positions, &all.selections), (1, 10, &vec![7, 7, 3, 3]));
    assert_eq!((before.n_positions, &before.selections), (6, &vec![3, 3, 3, 3]));
    assert_eq!((within.n_positions, &within.selections), (4, &vec![4, 4, 0, 0]));
    near(before.evenness(), 1.0);
    near(within.load_entropy(), 2f64.ln());
    near(within.evenness(), 0.5);
    near(before.router_entropy.value, 4f64.ln());
    near(within.router_entropy.value, 0.0);
    near(loads[0].layers[1].load_entropy(), 2f64.ln());
}

#[test]
fn a_loop_shifts_load_and_entropy() {
    let texts = [text("a", [0, 1], [0, 1]), text("b", [2, 3], [0, 1])];
    let shifts = loop_shifts(&texts, &phase_loads(&texts, &shape()));
    assert_eq!(shifts.iter().map(|shift| (shift.layer, shift.n_texts)).collect::<Vec<_>>(), [(1, 2), (2, 2)]);
    near(shifts[0].load_distance, 0.5);
    near(shifts[0].entropy_change.value, -(4f64.ln()));
    near(shifts[1].load_distance, 0.0);
    near(shifts[1].entropy_change.value, 0.0);
}

#[test]
fn texts_without_a_loop_or_without_a_beginning_have_no_phases() {
    for onset in [None, Some(0)] {
        let texts = [RoutedText { onset, ..text("a", [0, 1], [2, 3]) }];
        let loads = phase_loads(&texts, &shape());
        assert_eq!(loads.iter().map(|load| load.phase).collect::<Vec<_>>(), [Phase::All]);
        assert_eq!(loop_shifts(&texts, &loads), []);
    }
}

#[test]
fn a_loop_needs_copies() {
    assert_eq!(loop_onset(&[1, 2, 3, 4, 4]), None);
    let cycling: Vec<i32> = [9, 8].into_iter().chain([1, 2, 3].into_iter().cycle().take(60)).collect();
    assert_eq!(loop_onset(&cycling), Some(2));
}

#[test]
fn agreement_counts_shared_experts_whatever_their_order() {
    let base = [text("a", [0, 1], [0, 1]), text("b", [0, 1], [0, 1])];
    let other = [text("a", [1, 0], [0, 2]), text("b", [1, 0], [2, 3])];
    let layers = agreement(&base, &other, &shape()).expect("the same texts");
    assert_eq!(layers.iter().map(|layer| layer.layer).collect::<Vec<_>>(), [Some(1), Some(2), None]);
    // Six positions agree, two share one of two, two share none.
    near(layers[0].overlap.value, 7.0 / 10.0);
    near(layers[0].exact.value, 6.0 / 10.0);
    near(layers[1].overlap.value, 1.0);
    near(layers[2].overlap.value, 17.0 / 20.0);
    near(layers[2].exact.value, 16.0 / 20.0);
    assert_eq!((layers[0].n_positions, layers[0].n_prompts, layers[2].n_positions), (10, 2, 20));
    assert!(layers[0].overlap.interval.is_some_and(|interval| interval.low < interval.high));
}

#[test]
fn different_texts_are_not_compared() {
    let base = [text("a", [0, 1], [0, 1])];
    assert_eq!(agreement(&base, &[text("b", [0, 1], [0, 1])], &shape()), None);
    assert_eq!(agreement(&base, &[], &shape()), None);
}
