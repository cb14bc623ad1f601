//! The order of a plan, what it leaves out, and what a trial's id depends on.

use std::collections::HashSet;
use std::path::Path;

use super::*;
use crate::domain::{Bos, CacheFacts, ModelSampling, OwnTemplate, Quant, TrialId};
use crate::engine::{EngineFacts, PromptCounts};
use crate::experiment::{Surroundings, parse, resolve};
use crate::seal::{Seal, Trust};

const EXPERIMENT: &str = r#"schema = 1
name = "x"

[generate]
max_tokens = 20
context = 64

[grid]
model = ["a", "b"]
chain = ["pure", "greedy"]
offload = ["none", "all"]
temperature = [1.0, 0.5]
seed = [7, 3]

[prompts]
inline = ["one", "two"]

[[model]]
id = "a"
path = "a.gguf"

[[model]]
id = "b"
path = "b.gguf"
"#;

/// One trial, whose every part can be edited.
const SINGLE: &str = r#"schema = 1
name = "x"

[generate]
max_tokens = 20
context = 64

[grid]
model = ["a"]
chain = ["mine"]
offload = ["none"]
temperature = [1.0]
seed = [7]

[prompts]
inline = ["one"]

[[model]]
id = "a"
path = "a.gguf"

[[chain]]
id = "mine"
steps = [{ top_k = 40 }, { temperature = "T" }, "dist"]
"#;

fn experiment(text: &str) -> Experiment {
    let raw = parse("x.toml", text).expect("the file has the right shape");
    let surroundings = Surroundings { directory: Path::new("/").into(), ..Surroundings::default() };
    resolve("x.toml", text, &raw, &surroundings).expect("the experiment is valid")
}

fn edited(text: &str, edits: &[(&str, &str)]) -> Experiment {
    let text = edits.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{text}\nholds no {from:?}");
        text.replace(from, to)
    });
    experiment(&text)
}

/// How many tokens each prompt has, raw and in the chat template.
fn counts(raw: Result<Vec<u32>, Unaskable>, chat: Result<Vec<u32>, Unaskable>) -> PromptCounts {
    let keys = iproduct!([Template::Raw, Template::Chat], [Bos::Model, Bos::Always, Bos::Never]);
    let keys: Vec<_> = keys.map(|(template, bos)| PromptKey::default().with(template).with(bos)).collect();
    PromptCounts::of(&keys, |key| match key.get() {
        Template::Raw => raw.clone(),
        Template::Chat | Template::Jinja => chat.clone(),
    })
}

fn surveyed(model: &str, n_prompts: usize) -> Surveyed {
    Surveyed {
        origin: Origin::File(OnDisk {
            path: format!("/{model}.gguf").into(),
            commit: None,
            size_bytes: 1000,
            facts: ModelFacts {
                cache_bytes_per_token: None,
                cache: CacheFacts::default(),
                architecture: "scripted".to_owned(),
                n_layer: 4,
                n_expert: 8,
                n_expert_used: 2,
                n_vocab: 100,
                n_ctx_train: 512,
                rope_scaling: None,
                chat: None,
                rendered: vec![],
                thought_markers: None,
                own_template: OwnTemplate::Absent,
            },
            sampling: ModelSampling::Unstated,
            prompt_counts: counts(Ok(vec![5; n_prompts]), Ok(vec![9; n_prompts])),
        }),
        blake3: format!("hash of {model}"),
        engine: EngineFacts { fingerprint: "engine 1".to_owned(), kernels: None, accelerators: vec![], variance: None },
    }
}

/// The plan, each model surveyed and then changed by `change`.
fn plan_on(experiment: &Experiment, change: impl Fn(&mut Surveyed)) -> Result<Plan, Vec<PlanError>> {
    let models = experiment.grid.models.iter();
    let all = models.map(|model| {
        let mut surveyed = surveyed(&model.id, experiment.prompts.len());
        change(&mut surveyed);
        (model.id.clone(), surveyed)
    });
    Plan::new(experiment, &all.collect())
}

fn on_disk(surveyed: &mut Surveyed) -> &mut OnDisk {
    let Origin::File(file) = &mut surveyed.origin else { panic!("the tests' models are files") };
    file
}

fn raw_counts(surveyed: &mut Surveyed, raw: Vec<u32>) {
    on_disk(surveyed).prompt_counts = counts(Ok(raw.clone()), Ok(raw));
}

fn plan(experiment: &Experiment) -> Plan {
    plan_on(experiment, |_| {}).expect("the models fit the experiment")
}

/// A trial in words.
fn words(trial: &Trial) -> String {
    let Trial { cell, prompt, seed, .. } = trial;
    let seed = seed.map_or("-".to_owned(), |seed| seed.to_string());
    format!("{} {} {prompt} {} {} {seed}", cell.model(), cell.offload(), cell.chain(), cell.temperature())
}

#[test]
fn the_order_is_that_of_the_file_and_the_seed_is_fastest() {
    let plan = plan(&experiment(EXPERIMENT));
    let trials: Vec<_> = plan.trials().map(words).collect();
    let first_prompt = [
        "a none p1 pure 1 7",
        "a none p1 pure 1 3",
        "a none p1 pure 0.5 7",
        "a none p1 pure 0.5 3",
        "a none p1 greedy 1 -",
        "a none p1 greedy 0.5 -",
    ];
    assert_eq!(trials[..6], first_prompt);
    let groups: Vec<_> = trials.chunks(6).map(|group| group[0].as_str()).collect();
    let expected = [
        "a none p1 pure 1 7",
        "a none p2 pure 1 7",
        "a all p1 pure 1 7",
        "a all p2 pure 1 7",
        "b none p1 pure 1 7",
        "b none p2 pure 1 7",
        "b all p1 pure 1 7",
        "b all p2 pure 1 7",
    ];
    assert_eq!(groups, expected);
    let loads: Vec<_> = plan.loads.iter().map(|load| (load.model.id.as_str(), load.key.offload())).collect();
    assert_eq!(loads, [("a", Offload::None), ("a", Offload::All), ("b", Offload::None), ("b", Offload::All)]);
}

#[test]
fn an_exclusion_leaves_out_what_matches_all_of_its_levels() {
    let left = |exclusion: &str| {
        let exclude = format!("[[grid.exclude]]\n{exclusion}\n\n[prompts]");
        let plan = plan(&edited(EXPERIMENT, &[("[prompts]", &exclude)]));
        plan.trials().map(words).collect::<Vec<_>>()
    };
    let all: Vec<_> = plan(&experiment(EXPERIMENT)).trials().map(words).collect();
    let all_but = |gone: &dyn Fn(&[&str]) -> bool| {
        all.iter().filter(|trial| !gone(&trial.split(' ').collect::<Vec<_>>())).cloned().collect::<Vec<_>>()
    };
    assert_eq!(left("model = \"b\""), all_but(&|trial| trial[0] == "b"));
    assert_eq!(left("offload = \"all\""), all_but(&|trial| trial[1] == "all"));
    assert_eq!(left("prompt = \"p2\""), all_but(&|trial| trial[2] == "p2"));
    assert_eq!(left("chain = \"pure\""), all_but(&|trial| trial[3] == "pure"));
    assert_eq!(left("temperature = 0.5"), all_but(&|trial| trial[4] == "0.5"));
    assert_eq!(left("seed = 3"), all_but(&|trial| trial[5] == "3"), "what has no seed stays");
    let both = left("chain = \"greedy\"\ntemperature = 0.5");
    assert_eq!(both, all_but(&|trial| trial[3] == "greedy" && trial[4] == "0.5"));
}

#[test]
fn quantisations_are_loads_and_templates_are_prompts() {
    let levels = "[\"none\"]\nquant = [\"source\", \"q8_0\"]\ntemplate = [\"chat\", \"raw\"]";
    let plan = plan(&edited(SINGLE, &[("[\"none\"]", levels)]));
    let loads: Vec<_> = plan.loads.iter().map(|load| load.key.to_string()).collect();
    assert_eq!(loads, ["a, offload none", "a as q8_0, offload none"]);
    for load in &plan.loads {
        let asked: Vec<_> = load.prompts.iter().map(|group| (*group.key.get::<Template>(), group.n_tokens)).collect();
        assert_eq!(asked, [(Template::Chat, Some(9)), (Template::Raw, Some(5))]);
    }
    let cells: Vec<_> = plan.trials().map(|trial| (trial.cell.quant(), trial.cell.template())).collect();
    assert_eq!(cells[1..3], [(Quant::Source, Template::Raw), (Quant::Q8_0, Template::Chat)]);
}

#[test]
fn a_model_without_a_chat_template_can_be_left_out() {
    let without = |surveyed: &mut Surveyed| {
        let no_template = Unaskable::Template("its file has no chat template".to_owned());
        on_disk(surveyed).prompt_counts = counts(Ok(vec![5; 9]), Err(no_template));
    };
    let both = ("offload = [\"none\"]", "offload = [\"none\", \"all\"]\ntemplate = [\"raw\", \"chat\"]");
    let reason = "its file has no chat template".to_owned();
    let no_template = PlanError::NoTemplate { template: Template::Chat, model: "a".to_owned(), reason };
    assert_eq!(errors(&[both], without), [no_template], "once, however many loads");
    let exclude = ("[prompts]", "[[grid.exclude]]\nmodel = \"a\"\ntemplate = \"chat\"\n\n[prompts]");
    let plan = plan_on(&edited(SINGLE, &[both, exclude]), without).expect("nothing is asked of the chat template");
    assert_eq!(plan.trials().count(), 2);
}

#[test]
fn a_load_without_trials_is_not_loaded() {
    let exclude = "[[grid.exclude]]\nmodel = \"a\"\noffload = \"all\"\n\n[prompts]";
    let plan = plan(&edited(EXPERIMENT, &[("[prompts]", exclude)]));
    let loads: Vec<_> = plan.loads.iter().map(|load| (load.model.id.as_str(), load.key.offload())).collect();
    assert_eq!(loads, [("a", Offload::None), ("b", Offload::None), ("b", Offload::All)]);
}

#[test]
fn greedy_is_one_trial_a_temperature_and_one_text_for_them_all() {
    let experiment =
        edited(SINGLE, &[("[\"mine\"]", "[\"greedy\"]"), ("[1.0]", "[0.0, 0.5, 1.0]"), ("[7]", "[1, 2, 3]")]);
    let plan = plan(&experiment);
    let seeds: Vec<_> = plan.trials().map(|trial| trial.seed).collect();
    assert_eq!(seeds, [None, None, None], "a trial for each temperature, whatever the seeds");
    let ids: HashSet<_> = plan.trials().map(|trial| &trial.id).collect();
    assert_eq!(ids.len(), 1);
}

#[test]
fn a_chain_that_draws_runs_every_seed_and_each_has_its_own_text() {
    let plan = plan(&edited(SINGLE, &[("[7]", "{ from = 0, count = 5 }")]));
    let seeds: Vec<_> = plan.trials().map(|trial| trial.seed.map(Seed::get)).collect();
    assert_eq!(seeds, [Some(0), Some(1), Some(2), Some(3), Some(4)]);
    assert_eq!(plan.trials().map(|trial| &trial.id).collect::<HashSet<_>>().len(), 5);
}

fn errors(edits: &[(&str, &str)], change: impl Fn(&mut Surveyed)) -> Vec<PlanError> {
    plan_on(&edited(SINGLE, edits), change).expect_err("the model does not fit the experiment")
}

#[test]
fn a_prompt_may_fill_the_context_and_not_exceed_it() {
    assert!(plan_on(&experiment(SINGLE), |surveyed| raw_counts(surveyed, vec![44])).is_ok());
    let errors = errors(&[], |surveyed| raw_counts(surveyed, vec![45]));
    let too_long = PlanError::PromptTooLong {
        prompt: "p1".to_owned(),
        model: "a".to_owned(),
        n_prompt_tokens: 45,
        max_tokens: 20,
        context: 64,
    };
    assert_eq!(errors, [too_long]);
    assert!(errors[0].to_string().contains("raise context to at least 65"), "{}", errors[0]);
}

#[test]
fn the_longest_generation_does_not_overflow_the_check_of_the_context() {
    let edits = [("max_tokens = 20", "max_tokens = 4294967290"), ("context = 64", "context = 4294967294")];
    let errors = errors(&edits, |surveyed| raw_counts(surveyed, vec![10]));
    assert!(matches!(errors[..], [PlanError::PromptTooLong { .. }]), "{errors:?}");
    assert!(errors[0].to_string().contains("at least 4294967295"), "{}", errors[0]);
}

#[test]
fn layers_that_the_model_lacks_are_refused() {
    assert!(plan_on(&edited(SINGLE, &[("\"none\"", "4")]), |_| {}).is_ok());
    let deep = PlanError::TooManyLayers { model: "a".to_owned(), asked: 5, n_layer: 4 };
    assert_eq!(errors(&[("\"none\"", "5")], |_| {}), [deep]);
}

#[test]
fn a_bias_for_a_token_that_the_model_lacks_is_refused() {
    let biased = |token: i32| format!("{{ logit_bias = [{{ token = {token}, bias = 1.0 }}] }}, {{ top_k = 40 }}");
    for token in [0, 99] {
        assert!(plan_on(&edited(SINGLE, &[("{ top_k = 40 }", &biased(token))]), |_| {}).is_ok(), "token {token}");
    }
    for token in [-1, 100] {
        let unknown = PlanError::NoSuchToken { chain: "mine".to_owned(), model: "a".to_owned(), token, n_vocab: 100 };
        assert_eq!(errors(&[("{ top_k = 40 }", &biased(token))], |_| {}), [unknown]);
    }
}

#[test]
fn all_that_stands_in_the_way_is_reported() {
    let edits = [("\"none\"", "5"), ("\"one\"", "\"one\", \"two\"")];
    let errors = errors(&edits, |surveyed| raw_counts(surveyed, vec![45, 46]));
    assert_eq!(errors.len(), 3, "{errors:?}");
}

#[test]
fn the_notes_say_what_the_results_cannot_show() {
    let variance = "built so".to_owned();
    let notes = |edits: &[(&str, &str)], change: &dyn Fn(&mut Surveyed)| {
        plan_on(&edited(SINGLE, edits), change).expect("the model fits the experiment").notes()
    };
    assert_eq!(notes(&[], &|_| {}), [""; 0]);
    let greedy = notes(&[("[\"mine\"]", "[\"greedy\"]")], &|_| {});
    assert_eq!(greedy, ["deterministic chains, so each is run with one seed only: greedy"]);
    // Who does not vary the offload is told nothing of it.
    assert_eq!(notes(&[("\"none\"", "\"all\"")], &|_| {}), [""; 0]);
    let both = [("\"none\"", "\"none\", \"all\"")];
    let identical = "so offload has no effect: settings that differ only in it are identical";
    let no_gpu = format!("this build can't use a GPU here (see moe-sweep devices), {identical}");
    assert_eq!(notes(&both, &|_| {}), [no_gpu]);
    let accelerated = |surveyed: &mut Surveyed| surveyed.engine.accelerators = vec!["GPU".to_owned()];
    assert_eq!(notes(&both, &accelerated), [""; 0]);
    let dense = |surveyed: &mut Surveyed| {
        accelerated(surveyed);
        on_disk(surveyed).facts.n_expert = 0;
    };
    assert_eq!(notes(&both, &dense), [format!("no model of this experiment has experts, {identical}")]);
    let varying = |surveyed: &mut Surveyed| surveyed.engine.variance = Some(variance.clone());
    assert!(notes(&[], &varying)[0].ends_with("may depend on the batch: built so"));
    assert_eq!(notes(&[("context = 64", "context = 64\nnumerics = \"fast\"")], &varying), [""; 0]);
    assert_eq!(notes(&[("a.gguf\"", "a.gguf\"\nnote = \"trained here\"")], &|_| {}), ["trained here"]);
}

#[test]
fn experts_on_the_host_beside_an_accelerator_are_warned_of() {
    let warning = |level: &str, accelerators: &[&str], n_expert: u32| {
        let change = |surveyed: &mut Surveyed| {
            surveyed.engine.accelerators = accelerators.iter().map(|&name| name.to_owned()).collect();
            on_disk(surveyed).facts.n_expert = n_expert;
        };
        plan_on(&edited(SINGLE, &[("[\"none\"]", level)]), change).expect("it fits").takeover_warning()
    };
    let said = warning("[\"all\"]", &["GPU"], 8).expect("a warning");
    assert!(
        said.contains("32 tokens") && said.contains("op_offload = [false]") && said.contains("--batch 31"),
        "{said}"
    );
    assert_eq!(warning("[\"all\"]\nop_offload = [false]", &["GPU"], 8), None);
    assert_eq!(warning("[\"none\"]", &["GPU"], 8), None);
    assert_eq!(warning("[\"all\"]", &[], 8), None);
    assert_eq!(warning("[\"all\"]", &["GPU"], 0), None);
}

mod diagnosed;
mod fractions;
mod ids;
mod parts;
mod prompts;
mod refused;
mod room;
