//! What a diagnosis tries can be run: whatever a person has set, the experiment of all its switches is refused nothing that
//! the model as it is run is not refused.

use super::*;
use crate::diagnosis::{
    About, Case, Counted, Diagnosis, Ending, Frame, Known, Like, Overrides, Rate, Setup, Stage, Target,
};
use crate::domain::{CacheType, Context, FlashAttention, KvK, KvV, Level, Overflow, Rope, System, Thinking};

/// What people set, each by itself and in twos.
fn settings() -> Vec<Vec<Level>> {
    let single: Vec<Level> = vec![
        KvK(CacheType::Q8_0).into(),
        KvV(CacheType::Q8_0).into(),
        KvK(CacheType::BF16).into(),
        FlashAttention::On.into(),
        FlashAttention::Off.into(),
        Rope::None.into(),
        Context::Tokens(256.try_into().unwrap()).into(),
        Overflow::Shift(4).into(),
        System::None.into(),
        System::Text("Be brief.".to_owned()).into(),
        Thinking::Off.into(),
        Bos::Never.into(),
        Template::Raw.into(),
        Template::Chat.into(),
        Template::Jinja.into(),
    ];
    let pairs = single.iter().tuple_combinations().filter(|(one, other)| one.factor() != other.factor());
    let pairs = pairs.map(|(one, other)| vec![one.clone(), other.clone()]);
    single.iter().map(|level| vec![level.clone()]).chain(pairs).collect()
}

/// The experiment of all switches of a model that is run so, and that of the model alone.
fn experiments(as_run: Setup) -> [String; 2] {
    let about =
        About { template: Known::Yes, thinking: Known::Yes, bos: Known::Yes, room_tokens: 640, ..About::default() };
    let mut search = crate::diagnosis::built_in().search;
    search.truncate(2);
    let case = Case { as_run, about, runtime: Like::LlamaServer.runtime(), findings: vec![], search, fresh: vec![] };
    let diagnosis = Diagnosis {
        ending: Ending::NotReproduced,
        counted: Counted::Loops,
        as_run: Rate::default(),
        repeats: 0,
        worst: None,
        remedies: vec![],
        others: vec![],
        not_tried: vec![],
        stages: vec![],
    };
    let frame = Frame {
        name: "x".to_owned(),
        model: "a".to_owned(),
        target: Target::File("/a.gguf".into()),
        max_tokens: 128,
        context: 640,
        alpha: 0.05,
        negligible: 0.1,
    };
    [Stage::whole(&case, &diagnosis).toml(&frame), Stage::first(&case).toml(&frame)]
}

fn refused(text: &str) -> Vec<PlanError> {
    let experiment = experiment(text);
    let any = |surveyed: &mut Surveyed| {
        let n_prompts = experiment.prompts.len();
        on_disk(surveyed).prompt_counts = PromptCounts::of(&experiment.grid.prompt_keys(), |_| Ok(vec![9; n_prompts]));
    };
    plan_on(&experiment, any).err().unwrap_or_default()
}

#[test]
fn no_switch_is_refused_whatever_is_set() {
    let mut n_run = 0;
    for levels in settings() {
        let usual = Like::LlamaServer.setup("a", Overrides::default()).unwrap().at(Template::Jinja.into());
        let [whole, alone] = experiments(levels.iter().cloned().fold(usual, Setup::at));
        // What is refused as it is run is refused in the first second.
        if refused(&alone).is_empty() {
            n_run += 1;
            let refused = refused(&whole);
            assert!(refused.is_empty(), "{levels:?}: {refused:#?}");
        }
    }
    assert!(n_run > 60, "{n_run}");
}
