//! How a prompt can be asked, of a model in a file and of a server; what can't is refused with what leaves it out.

use super::*;
use crate::domain::{PrefixTokens, System, Thinking};
use crate::experiment::{Api, Served, Server};

fn with(levels: &str, excluded: &str) -> Experiment {
    let levels = format!("[grid]\n{levels}\n");
    edited(SINGLE, &[("[grid]\n", &levels), ("[prompts]", &format!("{excluded}\n\n[prompts]"))])
}

fn words(found: Result<Plan, Vec<PlanError>>) -> Vec<String> {
    found.map_or_else(|errors| errors.iter().map(ToString::to_string).collect(), |_| vec![])
}

/// What stands in the way of these levels, of a model that is asked so.
fn refusals(levels: &str, asked: impl Fn(&PromptKey) -> Result<u32, Unaskable>) -> Vec<String> {
    refusals_but(levels, "", asked)
}

fn refusals_but(levels: &str, excluded: &str, asked: impl Fn(&PromptKey) -> Result<u32, Unaskable>) -> Vec<String> {
    let experiment = with(levels, excluded);
    words(plan_on(&experiment, |surveyed| {
        let count = |key: &PromptKey| asked(key).map(|n| vec![n; experiment.prompts.len()]);
        on_disk(surveyed).prompt_counts = PromptCounts::of(&experiment.grid.prompt_keys(), count);
    }))
}

#[test]
fn levels_that_mean_nothing_together_are_refused_whatever_the_model() {
    let any = |_: &PromptKey| Ok(5);
    assert_eq!(
        refusals("system = [\"Be brief.\"]", any),
        ["template = \"raw\", system = \"Be brief.\" can't be combined: a raw prompt has no messages; exclude them \
          with [[grid.exclude]] template = \"raw\", system = \"Be brief.\""]
    );
    let refused = refusals("template = [\"raw\", \"chat\", \"jinja\"]\nthinking = [\"default\", \"off\"]", any);
    assert_eq!(refused.len(), 2, "jinja may know it: {refused:?}");
    assert!(refused[1].starts_with("template = \"chat\", thinking = \"off\" can't be combined"), "{refused:?}");
    let refused = refusals("template = [\"chat\", \"jinja\"]\nsystem = [\"default\", \"none\", \"Be brief.\"]", any);
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].contains("no default system message"), "{refused:?}");
    let excluded = "[[grid.exclude]]\ntemplate = \"raw\"\nsystem = \"none\"";
    let both = "template = [\"raw\", \"jinja\"]\nsystem = [\"default\", \"none\"]";
    assert_eq!(refusals(both, any).len(), 1);
    assert_eq!(refusals_but(both, excluded, any), [""; 0]);
}

#[test]
fn what_a_template_does_not_know_is_refused_of_its_model() {
    let asked = |key: &PromptKey| match (key.get(), key.get()) {
        (System::None, _) => Err(Unaskable::System("it has none".to_owned())),
        (_, Thinking::On | Thinking::Off) => Err(Unaskable::Thinking("it has no switch".to_owned())),
        (System::Default | System::Text(_), Thinking::Default) => Ok(5),
    };
    let refused =
        refusals("template = [\"jinja\"]\nsystem = [\"default\", \"none\"]\nthinking = [\"default\", \"on\"]", asked);
    assert_eq!(
        refused,
        [
            "template = \"jinja\", thinking = \"on\" can't be used with the model a: it has no switch; exclude it \
             with [[grid.exclude]] model = \"a\", template = \"jinja\", thinking = \"on\"",
            "template = \"jinja\", system = \"none\" can't be used with the model a: it has none; exclude it with \
             [[grid.exclude]] model = \"a\", template = \"jinja\", system = \"none\"",
        ]
    );
}

#[test]
fn filler_that_the_context_has_no_room_for_is_refused_with_both_remedies() {
    let asked = |key: &PromptKey| Ok(5 + key.get::<PrefixTokens>().get());
    assert!(refusals("prefix_tokens = [0, 30]", asked).is_empty());
    let refused = refusals("prefix_tokens = [0, 4000]", asked);
    let [refused] = &refused[..] else { panic!("{refused:?}") };
    for expected in
        ["with prefix_tokens = 4000 the prompt", "has 4005 tokens", "raise context to at least", "[[grid.exclude]]"]
    {
        assert!(refused.contains(expected), "{refused}");
    }
}

/// What stands in the way of these levels, of a model on a server of this API.
fn misfits(api: Api, levels: &str, excluded: &str) -> Vec<String> {
    let mut experiment = with(levels, excluded);
    let server = Server::new("s".to_owned(), "http://h".to_owned(), api);
    experiment.grid.models[0].source = Source::Server(Box::new(Served { server, name: "a".to_owned() }));
    let of_prompts = |error: &PlanError| matches!(error, PlanError::Server(Misfit::Prompt { .. }));
    Plan::server_misfits(&experiment).iter().filter(|error| of_prompts(error)).map(ToString::to_string).collect()
}

#[test]
fn a_server_is_asked_what_its_api_has_words_for() {
    let levels =
        "template = [\"chat\"]\nsystem = [\"default\", \"none\", \"Be brief.\"]\nthinking = [\"default\", \"on\"]";
    assert_eq!(misfits(Api::Openai, levels, ""), [""; 0]);
    assert_eq!(misfits(Api::Ollama, levels, ""), [""; 0]);
    assert_eq!(misfits(Api::LlamaServer, levels, ""), [""; 0]);
    assert_eq!(misfits(Api::Shimmy, levels, "").len(), 3, "{:?}", misfits(Api::Shimmy, levels, ""));
    let refused = misfits(Api::Openai, "template = [\"chat\", \"jinja\"]\nprefix_tokens = [0, 600]", "");
    let [filler, jinja] = &refused[..] else { panic!("{refused:?}") };
    assert!(jinja.starts_with("template = \"jinja\" can't be used with the model a on the server s"), "{jinja}");
    assert!(filler.contains("[[grid.exclude]] model = \"a\", prefix_tokens = 600"), "{filler}");
    let excluded = "[[grid.exclude]]\nmodel = \"a\"\nprefix_tokens = 600\n\n[[grid.exclude]]\ntemplate = \"jinja\"";
    assert_eq!(misfits(Api::Openai, "template = [\"chat\", \"jinja\"]\nprefix_tokens = [0, 600]", excluded), [""; 0]);
    // What leaves one of its pairs out leaves the other in.
    let excluded = "[[grid.exclude]]\ntemplate = \"raw\"\nsystem = \"none\"";
    let left = misfits(Api::Shimmy, "template = [\"raw\", \"chat\"]\nsystem = [\"default\", \"none\"]", excluded);
    assert_eq!(left.len(), 1, "{left:?}");
}
