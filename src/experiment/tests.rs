//! What an experiment file means, and what is said of one that is wrong. The
//! messages are snapshots: read them as the user would.

use std::path::Path;

use miette::{GraphicalReportHandler, GraphicalTheme};
use proptest::prelude::*;

use super::*;
use crate::model;

const VALID: &str = r#"schema = 1
name = "x"

[generate]
max_tokens = 20
context = 64

[grid]
model = ["tiny"]
chain = ["pure", "greedy", "mine"]
offload = ["none", 1, "all"]
temperature = [0.5, 1.0]
seed = { from = 0, count = 3 }

[[grid.exclude]]
chain = "mine"
temperature = 0.5

[prompts]
inline = ["one", "two"]

[[model]]
id = "tiny"
path = "tiny.gguf"

[[chain]]
id = "mine"
steps = [{ top_p = 0.9 }, { temperature = "T" }, "dist"]
"#;

fn read_with(text: &str, prompts_file: Option<&str>) -> Result<Experiment, BadExperiment> {
    let surroundings = Surroundings {
        directory: "/experiments".into(),
        catalogue: model::parse("catalog.toml", "[[model]]\nid = \"theirs\"\npath = \"t.gguf\"", Path::new("/models"))?,
        prompts_file: prompts_file.map(|text| Ok(text.to_owned())),
    };
    resolve("x.toml", text, &parse("x.toml", text)?, &surroundings)
}

fn read(text: &str) -> Experiment {
    read_with(text, None).unwrap_or_else(|bad| panic!("{}", render(&bad)))
}

/// `VALID` with replacements, each of which must change it.
fn edited(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(VALID.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{text}\nholds no {from:?}");
        text.replacen(from, to, 1)
    })
}

fn with(from: &str, to: &str) -> Experiment {
    read(&edited(&[(from, to)]))
}

fn render(bad: &BadExperiment) -> String {
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    handler.render_report(&mut text, bad).expect("a report can be rendered");
    text
}

/// What is said of a text that must be refused.
fn refusal(text: &str) -> String {
    render(&read_with(text, None).expect_err("this must be refused"))
}

fn refusal_of(edits: &[(&str, &str)]) -> String {
    refusal(&edited(edits))
}

/// What is said of a prompts file that must be refused.
fn refusal_of_prompts(file_name: &str, contents: &str) -> String {
    let text = edited(&[("inline = [\"one\", \"two\"]", &format!("file = {file_name:?}"))]);
    render(&read_with(&text, Some(contents)).expect_err("this must be refused"))
}

/// A snapshot for each named refusal.
macro_rules! refusals {
    ($($name:ident: $refusal:expr,)*) => {
        $(
            #[test]
            fn $name() {
                insta::assert_snapshot!(stringify!($name), $refusal);
            }
        )*
    };
}

/// `VALID` with other steps in its chain.
fn steps(steps: &str) -> String {
    refusal_of(&[("{ top_p = 0.9 }, { temperature = \"T\" }, \"dist\"", steps)])
}

// The file's shape.
refusals! {
    a_misspelt_key_comes_with_a_suggestion: refusal_of(&[("max_tokens", "max_token")]),
    a_misspelt_section_comes_with_a_suggestion: refusal_of(&[("[generate]", "[generat]")]),
    a_misspelt_sampler_comes_with_a_suggestion: steps(r#"{ temprature = "T" }, "dist""#),
    a_wrong_type_is_refused: refusal_of(&[("max_tokens = 20", "max_tokens = \"20\"")]),
    a_wrong_type_in_a_list_is_refused: refusal_of(&[("temperature = [0.5, 1.0]", "temperature = [0.5, \"hot\"]")]),
    a_number_for_a_range_is_refused: refusal_of(&[("temperature = [0.5, 1.0]", "temperature = 0.5")]),
    a_missing_section_is_refused: refusal_of(&[("[generate]\nmax_tokens = 20\ncontext = 64\n", "")]),
    broken_toml_is_refused: refusal_of(&[("[\"tiny\"]", "[\"tiny\"")]),
    a_newer_schema_is_refused_before_anything_else: refusal_of(&[("schema = 1", "schema = 2\nfuture = true")]),
    a_file_without_a_schema_is_refused: refusal_of(&[("schema = 1\n", "")]),
    an_empty_file_is_refused: refusal(""),
    a_step_of_two_samplers_is_refused: steps(r#"{ top_k = 40, top_p = 0.9 }, "dist""#),
    a_sampler_without_its_parameter_is_refused: steps(r#""top_k", "dist""#),
    a_parameter_for_a_sampler_without_one_is_refused: steps(r#"{ dist = 1 }"#),
    a_slot_other_than_t_is_refused: steps(r#"{ temperature = "hot" }, "dist""#),
}

// The grid.
refusals! {
    a_name_that_is_no_directory_is_refused: refusal_of(&[("\"x\"", "\"../x\"")]),
    every_empty_list_is_refused: refusal_of(&[
        ("model = [\"tiny\"]", "model = []"),
        ("chain = [\"pure\", \"greedy\", \"mine\"]", "chain = []"),
        ("offload = [\"none\", 1, \"all\"]", "offload = []"),
        ("temperature = [0.5, 1.0]", "temperature = []"),
        ("seed = { from = 0, count = 3 }", "seed = []"),
        ("inline = [\"one\", \"two\"]", "inline = []"),
    ]),
    an_unknown_model_comes_with_a_suggestion: refusal_of(&[("model = [\"tiny\"]", "model = [\"tinny\"]")]),
    an_unknown_model_like_no_other_comes_with_the_known_ones:
        refusal_of(&[("model = [\"tiny\"]", "model = [\"gpt\"]")]),
    an_unknown_chain_comes_with_a_suggestion: refusal_of(&[("\"pure\"", "\"shimmy-1.7-fix\"")]),
    every_duplicate_level_is_reported_where_it_stands: refusal_of(&[
        ("model = [\"tiny\"]", "model = [\"tiny\", \"tiny\"]"),
        ("\"greedy\", \"mine\"]", "\"greedy\", \"mine\", \"pure\"]"),
        ("1, \"all\"]", "1, \"all\", 1]"),
        ("[0.5, 1.0]", "[0.5, 1.0, 0.5, 5e-1]"),
        ("{ from = 0, count = 3 }", "[7, 8, 7]"),
    ]),
    bad_offloads_are_refused: refusal_of(&[("\"none\", 1, \"all\"", "0, -1, \"some\", 4294967296")]),
    a_range_that_runs_backwards_is_refused: refusal_of(&[("[0.5, 1.0]", "{ from = 1.5, to = 0.1, step = 0.2 }")]),
    a_range_that_begins_below_0_is_refused: refusal_of(&[("[0.5, 1.0]", "{ from = -1.0, to = 1.0, step = 0.5 }")]),
    a_range_that_stands_still_is_refused: refusal_of(&[("[0.5, 1.0]", "{ from = 0.1, to = 1.5, step = 0.0 }")]),
    a_range_of_steps_too_small_to_tell_is_refused:
        refusal_of(&[("[0.5, 1.0]", "{ from = 1.0, to = 1.0000001, step = 0.00000001 }")]),
    a_range_of_nan_is_refused: refusal_of(&[("[0.5, 1.0]", "{ from = nan, to = 1.5, step = 0.2 }")]),
    a_range_without_seeds_is_refused: refusal_of(&[("count = 3", "count = 0")]),
    a_range_past_the_last_seed_is_refused: refusal_of(&[("from = 0, count = 3", "from = 4294967294, count = 2")]),
    a_range_past_every_number_is_refused: refusal_of(&[("from = 0", "from = 9223372036854775807")]),
    the_seed_that_means_random_is_refused: refusal_of(&[("{ from = 0, count = 3 }", "[4294967295, -1]")]),
    a_negative_temperature_is_refused: refusal_of(&[("[0.5, 1.0]", "[-0.5, nan, inf, 1e300]")]),
    no_tokens_are_refused: refusal_of(&[("max_tokens = 20", "max_tokens = 0")]),
    a_context_without_room_for_a_prompt_is_refused: refusal_of(&[("context = 64", "context = 20")]),
    unknown_numerics_are_refused: refusal_of(&[("context = 64", "context = 64\nnumerics = \"exact\"")]),
    an_exclusion_of_unknown_levels_is_refused: refusal_of(&[(
        "chain = \"mine\"\ntemperature = 0.5",
        "model = \"theirs\"\nchain = \"gredy\"\noffload = 2\ntemperature = 0.6\nseed = 3\nprompt = \"p3\"",
    )]),
    the_exclusion_without_a_level_is_refused_and_not_the_others:
        refusal_of(&[("temperature = 0.5\n", "temperature = 0.5\n\n[[grid.exclude]]\n\n[[grid.exclude]]\nseed = 1\n")]),
    exclusions_that_leave_nothing_are_refused: refusal_of(&[(
        "chain = \"mine\"\ntemperature = 0.5",
        "temperature = 0.5\n\n[[grid.exclude]]\ntemperature = 1.0",
    )]),
    several_errors_are_all_reported: refusal_of(&[
        ("\"x\"", "\"a run\""),
        ("max_tokens = 20", "max_tokens = 0"),
        ("\"pure\"", "\"pur\""),
        ("[0.5, 1.0]", "[-1.0]"),
        ("\"two\"", "\"one\""),
        ("top_p = 0.9", "top_p = 1.5"),
    ]),
}

// Models and chains.
refusals! {
    a_model_defined_twice_is_refused:
        refusal_of(&[("[[chain]]", "[[model]]\nid = \"tiny\"\npath = \"other.gguf\"\n\n[[chain]]")]),
    a_hash_that_is_none_is_refused: refusal_of(&[("\"tiny.gguf\"", "\"tiny.gguf\"\nsha256 = \"ABCD\"")]),
    a_built_in_chain_cannot_be_redefined: refusal_of(&[("id = \"mine\"", "id = \"pure\""), (", \"mine\"]", "]")]),
    a_chain_that_selects_nothing_is_refused: steps(r#"{ temperature = "T" }"#),
    a_chain_without_steps_is_refused: steps(""),
    a_step_after_the_selection_is_refused: steps(r#""dist", { top_k = 40 }, "greedy""#),
    faults_of_a_chain_are_all_reported: steps(
        r#"{ top_p = 1.5 }, { top_p = 0.0 }, { min_p = -0.1 }, { typical = 2 },
         { penalties = { repeat = 0.0, last_n = -1 } }, { xtc = { p = 2.0, threshold = -1.0 } },
         { dry = { multiplier = -1.0, base = 0.5, last_n = 64 } }, { temperature_ext = { t = "T", delta = -1.0 } },
         { adaptive_p = { target = 2.0, decay = 1.0 } }"#
    ),
    faults_of_mirostat_are_reported: steps(r#"{ mirostat = { tau = 0.0, eta = 0.1, m = 1 } }"#),
    what_is_no_number_is_refused_in_a_step:
        steps(r#"{ top_p = nan }, { temperature = nan }, { temperature = -1.0 }, { top_n_sigma = inf }, "dist""#),
}

// Prompts.
refusals! {
    prompts_from_nowhere_are_refused: refusal_of(&[("inline = [\"one\", \"two\"]\n", "")]),
    prompts_from_two_places_are_refused: refusal_of(&[("inline", "file = \"p.txt\"\ninline")]),
    inline_duplicates_and_blanks_are_refused: refusal_of(&[("\"two\"]", "\"two\", \"one\", \" \\n\"]")]),
    duplicate_lines_are_refused_with_their_numbers: refusal_of_prompts("p.txt", "one\n\ntwo\none\n"),
    duplicates_in_jsonl_are_refused_with_their_lines: refusal_of_prompts(
        "p.jsonl",
        "{\"id\": \"a\", \"text\": \"one\"}\n\n{\"id\": \"a\", \"text\": \"two\"}\n{\"id\": \"b\", \"text\": \"one\"}\n",
    ),
    a_blank_text_in_jsonl_is_refused_with_its_line: refusal_of_prompts("p.jsonl", "{\"id\": \"a\", \"text\": \" \"}"),
    a_line_that_is_no_json_is_refused: refusal_of_prompts("p.jsonl", "{\"id\": \"a\", \"text\": \"one\"}\nid: b\n"),
    a_line_without_a_text_is_refused: refusal_of_prompts("p.jsonl", "\n{\"id\": \"a\"}\n"),
    an_empty_prompts_file_is_refused: refusal_of_prompts("p.txt", "\n \n"),
}
