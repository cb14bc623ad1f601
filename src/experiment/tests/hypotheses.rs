//! What hypotheses mean, and what is said of those that mean nothing.

use super::*;
use crate::domain::{Factor, Level, Offload, Selection, Temperature};
use crate::experiment::sequential::StopAt;
use crate::metrics::{Metric, TextPart};

fn text(hypothesis: &str) -> String {
    format!("{VALID}\n[[hypothesis]]\nid = \"it-rises\"\n{hypothesis}\n")
}

fn hypotheses(text: &str) -> Vec<Hypothesis> {
    read(text).hypotheses
}

fn said_of(hypothesis: &str) -> String {
    refusal(&text(hypothesis))
}

const TREND: &str = "trend = \"temperature\"\nexpect = \"increasing\"";

#[test]
fn a_trend_is_of_the_findings_score_and_all_texts_unless_it_says_otherwise() {
    let expected = Hypothesis {
        id: "it-rises".to_owned(),
        claim: "it rises".to_owned(),
        metric: Metric::RepetitionScore,
        part: TextPart::Whole,
        first: None,
        within: Selection::default(),
        each: None,
        test: Test::Trend { factor: Factor::Temperature, expect: Direction::Increasing },
        sides: Sides::Two,
        least: None,
    };
    assert_eq!(hypotheses(&text(TREND)), [expected]);
}

#[test]
fn everything_can_be_said() {
    let text = text(
        "claim = \"It falls.\"\nmetric = \"tail_share\"\nfirst = 64\nsides = 1\neach = \"offload\"\n\
         where = { chain = [\"pure\", \"mine\"], offload = [\"none\", 1] }\nexpect = \"decreasing\"\n\
         contrast = { base = { temperature = 0.5 }, other = { temperature = [1.0] } }",
    );
    let temperature = |t| Selection::of([Temperature::new(t).unwrap()]);
    let expected = Hypothesis {
        id: "it-rises".to_owned(),
        claim: "It falls.".to_owned(),
        metric: Metric::TailShare,
        part: TextPart::Whole,
        first: Some(64),
        within: Selection::of(["pure", "mine"].map(|chain| Level::Chain(chain.into())))
            .and([Offload::None, Offload::Layers(1)]),
        each: Some(Factor::Offload),
        test: Test::Contrast { base: temperature(0.5), other: temperature(1.0), expect: Direction::Decreasing },
        sides: Sides::One,
        least: None,
    };
    assert_eq!(hypotheses(&text), [expected]);
}

#[test]
fn the_settings_are_read() {
    let experiment = read(&format!("{VALID}\n[analysis]\nalpha = 0.01\nmetric = \"tail_share\"\n"));
    assert_eq!(experiment.settings, Settings { alpha: 0.01, metric: Metric::TailShare });
}

refusals! {
    a_hypothesis_without_a_test_is_refused: said_of(""),
    a_hypothesis_of_two_tests_is_refused: said_of(&format!("{TREND}\ninteraction = [\"chain\", \"temperature\"]")),
    two_hypotheses_of_one_name_are_refused: refusal(&format!("{}{}", text(TREND), &text(TREND)[VALID.len()..])),
    a_misspelt_key_of_a_hypothesis_comes_with_a_suggestion: said_of("trends = \"temperature\""),
    an_unknown_metric_comes_with_a_suggestion: said_of(&format!("{TREND}\nmetric = \"repetition\"")),
    an_unknown_factor_comes_with_a_suggestion: said_of("trend = \"temprature\"\nexpect = \"increasing\""),
    a_trend_along_names_is_refused: said_of("trend = \"chain\"\nexpect = \"increasing\""),
    a_trend_along_one_level_is_refused:
        said_of("trend = \"temperature\"\nexpect = \"increasing\"\nwhere = { temperature = 0.5 }"),
    a_trend_without_a_direction_is_refused: said_of("trend = \"temperature\""),
    a_direction_that_is_none_is_refused: said_of("trend = \"temperature\"\nexpect = \"up\""),
    levels_that_the_grid_lacks_are_refused: said_of(&format!(
        "{TREND}\nwhere = {{ model = \"big\", chain = [\"pure\", \"vllm\"], offload = 2, quant = \"q8_0\" }}"
    )),
    a_level_of_the_wrong_type_is_refused: said_of(&format!("{TREND}\nwhere = {{ temperature = \"hot\" }}")),
    arms_that_are_the_same_are_refused: said_of(
        "contrast = { base = { temperature = 0.5 }, other = { temperature = 0.5 } }\nexpect = \"different\""
    ),
    a_contrast_of_each_of_its_own_levels_is_refused: said_of(
        "contrast = { base = { temperature = 0.5 }, other = { temperature = 1.0 } }\nexpect = \"different\"\n\
         each = \"temperature\""
    ),
    an_equivalence_without_a_margin_is_refused:
        said_of("equivalence = { base = { temperature = 0.5 }, other = { temperature = 1.0 } }"),
    a_margin_of_nothing_is_refused: said_of(
        "equivalence = { base = { temperature = 0.5 }, other = { temperature = 1.0 } }\nmargin = 0.0"
    ),
    a_margin_of_a_trend_is_refused: said_of(&format!("{TREND}\nmargin = 0.1")),
    an_interaction_of_one_factor_is_refused: said_of("interaction = [\"chain\", \"chain\"]"),
    one_side_of_no_direction_is_refused: said_of("trend = \"temperature\"\nexpect = \"different\"\nsides = 1"),
    three_sides_are_refused: said_of(&format!("{TREND}\nsides = 3")),
    the_first_0_tokens_are_refused: said_of(&format!("{TREND}\nfirst = 0")),
    an_alpha_that_is_none_is_refused: refusal(&format!("{VALID}\n[analysis]\nalpha = 5\n")),
    one_prompt_is_too_few_for_hypotheses: refusal(&text(TREND).replace(", \"two\"", "")),
    a_misspelt_key_of_the_looks_comes_with_a_suggestion: said_of_looks("order_sed = 1"),
    a_look_after_anything_but_a_prompt_is_refused: said_of_looks("look = \"text\""),
    a_look_at_no_prompts_is_refused: said_of_looks("max_prompts = 0"),
    more_prompts_than_there_are_are_refused: said_of_looks("max_prompts = 3"),
    an_alpha_of_the_looks_that_is_none_is_refused: said_of_looks("alpha = 0.0"),
    a_negligible_difference_of_all_or_nothing_is_refused: said_of_looks("stop = \"first\"\nnegligible = 1.0"),
    a_negligible_difference_is_refused_where_all_is_decided: said_of_looks("negligible = 0.1"),
    looks_without_a_hypothesis_are_refused: refusal(&format!("{VALID}\n[sequential]\n")),
}

fn said_of_looks(keys: &str) -> String {
    refusal(&format!("{}\n[sequential]\n{keys}\n", text(TREND)))
}

#[test]
fn looks_have_the_alpha_of_the_analysis_unless_they_have_their_own() {
    let looks = |more: &str| read(&format!("{}\n{more}", text(TREND))).sequential;
    let default = Sequential { alpha: 0.05, look: LookAfter::Prompt, order_seed: 0, max_prompts: 2, stop: StopAt::All };
    assert_eq!(looks(""), None);
    assert_eq!(looks("[sequential]"), Some(default));
    assert_eq!(looks("[analysis]\nalpha = 0.01\n[sequential]"), Some(Sequential { alpha: 0.01, ..default }));
    assert_eq!(
        looks(
            "[analysis]\nalpha = 0.01\n[sequential]\nalpha = 0.1\nlook = \"prompt\"\norder_seed = 7\nmax_prompts = 1"
        ),
        Some(Sequential { alpha: 0.1, order_seed: 7, max_prompts: 1, ..default })
    );
    let first = |negligible| Some(Sequential { stop: StopAt::First { negligible }, ..default });
    assert_eq!(looks("[sequential]\nstop = \"first\""), first(0.1));
    assert_eq!(looks("[sequential]\nstop = \"first\"\nnegligible = 0.2"), first(0.2));
}

#[test]
fn a_design_of_what_hypotheses_compare_needs_one() {
    let alone = VALID.replacen("[grid]\n", "[grid]\ndesign = \"hypotheses\"\n", 1);
    let said = refusal(&alone);
    assert!(said.contains("and the file has no [[hypothesis]]") && said.contains("add one, or use another"), "{said}");
}
