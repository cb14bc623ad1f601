//! What is printed, tabulated and drawn of results made up by hand, the odd
//! ones included.

use super::{divergence_csv, divergence_terminal, routing_csv, routing_terminal};
use crate::domain::{Numerics, Offload, Quant, Temperature};
use crate::engine::trace::{Routed, RoutingShape};
use crate::experiment::Arm;
use crate::report::plot::study::{agreement_figure, divergence_figure, load_figure};
use crate::report::plot::{Caption, Figure, Layout};
use crate::study::numbers::{
    Agreement, AgreementOutcome, Divergence, Pair, Parting, Position, RoutedText, Routing, Text, agreement, divergence,
    loop_shifts, phase_loads,
};

const BASE: Arm = Arm { quant: Quant::Source, offload: Offload::All, numerics: Numerics::Invariant, width: 1 };
const CAPTION: Caption<'_> = Caption { experiment: "made-up", note: None, layout: Layout::NATURAL };

fn position(kl_nats: f64, largest_difference: f64) -> Position {
    Position { kl_nats, largest_difference, same_top1: kl_nats < 0.5 }
}

fn pair(other: Arm, positions: &[Position]) -> Pair {
    let text = |(index, &position): (usize, &Position)| Text {
        prompt: format!("p{index}"),
        tokens: vec![Some(7), None],
        positions: vec![position, position],
        parting: if position.same_top1 { Parting::Never { agreed: 2 } } else { Parting::At(1) },
    };
    let divergence = divergence(positions.iter().enumerate().map(text).collect()).expect("positions");
    Pair { model: "m".to_owned(), base: BASE, other, divergence, note: None }
}

fn same() -> Pair {
    let other = Arm { offload: Offload::None, ..BASE };
    let divergence = Divergence::SamePlacement { why: "there is no GPU".to_owned() };
    Pair { model: "m".to_owned(), base: BASE, other, divergence, note: None }
}

/// An arm that differs, one that does not, one whose logits are all shifted
/// alike, which a softmax does not see, and one that is the base's placement.
fn pairs() -> Vec<Pair> {
    vec![
        pair(Arm { quant: Quant::Q4_K_M, ..BASE }, &[position(0.001, 0.5), position(0.9, 1.5), position(0.02, 0.4)]),
        pair(Arm { width: 8, ..BASE }, &[position(0.0, 0.0); 3]),
        pair(Arm { numerics: Numerics::Fast, ..BASE }, &[position(0.0, 2.0); 3]),
        same(),
    ]
}

fn text(prompt: &str, onset: Option<usize>, experts: [u32; 2]) -> RoutedText {
    let routed = |experts: [u32; 2]| Routed { experts: experts.to_vec(), probabilities: vec![0.25; 4] };
    let positions = vec![vec![routed([0, 1]), routed([2, 3])]; 3];
    let within = vec![vec![routed(experts), routed([2, 3])]; 3];
    RoutedText { prompt: prompt.to_owned(), onset, positions: [positions, within].concat() }
}

fn routing(onset: Option<usize>) -> Routing {
    let shape = RoutingShape { layers: vec![1, 2], n_expert: 4, n_used: 2 };
    let texts = [text("a", onset, [0, 2]), text("b", onset, [1, 3])];
    let others = [text("a", onset, [0, 3]), text("b", onset, [1, 3])];
    let loads = phase_loads(&texts, &shape);
    let compared = AgreementOutcome::Compared(agreement(&texts, &others, &shape).expect("the same texts"));
    let note = Some("offload has no effect".to_owned());
    Routing {
        model: "m".to_owned(),
        chain: "greedy".to_owned(),
        temperature: Temperature::new(0.9).expect("a temperature"),
        base: BASE,
        n_texts: 2,
        n_loops: if onset.is_some() { 2 } else { 0 },
        shifts: loop_shifts(&texts, &loads),
        loads,
        agreements: vec![
            Agreement { other: Arm { quant: Quant::Q8_0, ..BASE }, outcome: compared, note },
            Agreement {
                other: Arm { offload: Offload::None, ..BASE },
                outcome: AgreementOutcome::SamePlacement { why: "there is no GPU".to_owned() },
                note: None,
            },
        ],
        shape,
    }
}

fn table(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).expect("memory");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn a_divergence_in_words_and_rows() {
    insta::assert_snapshot!("divergence_terminal", divergence_terminal::summary(&pairs(), "results/x"));
    insta::assert_snapshot!("divergence_summary", table(|out| divergence_csv::write_summary(&pairs(), out)));
    insta::assert_snapshot!("divergence_positions", table(|out| divergence_csv::write_positions(&pairs(), out)));
}

#[test]
fn a_routing_in_words_and_rows() {
    let found = [routing(Some(2)), routing(None)];
    insta::assert_snapshot!("routing_terminal", routing_terminal::summary(&found, "results/x"));
    insta::assert_snapshot!("routing_loads", table(|out| routing_csv::write_loads(&found[..1], out)));
    insta::assert_snapshot!("routing_layers", table(|out| routing_csv::write_layers(&found, out)));
    insta::assert_snapshot!("routing_loop", table(|out| routing_csv::write_shifts(&found, out)));
    insta::assert_snapshot!("routing_agreement", table(|out| routing_csv::write_agreements(&found[..1], out)));
}

/// Drawn, and fit for a PNG.
fn drawn(figure: Result<Figure, crate::report::plot::PlotError>) -> String {
    let figure = figure.expect("a figure");
    assert!(figure.png().expect("a PNG").starts_with(b"\x89PNG"));
    figure.svg
}

#[test]
fn every_result_has_a_figure() {
    let svg = drawn(divergence_figure(&pairs(), CAPTION));
    assert!(svg.contains("every logit is the same") && svg.contains("same placement: no conclusion"));
    // Without a value above 0 there is still an axis.
    drawn(divergence_figure(&pairs()[2..3], CAPTION));
    drawn(divergence_figure(&pairs()[3..], CAPTION));
    let both = [routing(Some(2)), routing(None)];
    assert!(drawn(load_figure(&both, CAPTION)).contains("no text has a loop after a beginning without one"));
    assert!(!drawn(load_figure(&both[1..], CAPTION)).contains("no text has a loop"));
    drawn(agreement_figure(&both, CAPTION));
    let alone = Routing { agreements: vec![], ..routing(None) };
    assert!(drawn(agreement_figure(&[alone], CAPTION)).contains("no other arm to compare with"));
}

#[test]
fn a_layer_of_very_many_experts_is_drawn() {
    let shape = RoutingShape { layers: (0..48).collect(), n_expert: 256, n_used: 8 };
    let routed = Routed { experts: (0..8).collect(), probabilities: vec![1.0 / 256.0; 256] };
    let texts = [RoutedText { prompt: "a".to_owned(), onset: None, positions: vec![vec![routed; 48]; 2] }];
    let found = Routing { loads: phase_loads(&texts, &shape), shifts: vec![], shape, ..routing(None) };
    drawn(load_figure(&[found], CAPTION));
}
