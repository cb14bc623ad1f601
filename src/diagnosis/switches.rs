//! Lists what can be switched of a setup, one thing at a time, and why the rest is not tried. Must not know whether any
//! of it helps: that comes out of texts.

use std::num::NonZeroU32;

use itertools::Itertools as _;

use super::served::{Sampling, all_said, not_said, of_request};
use super::setup::{Edit, Setup, USUAL_TEMPERATURE, truncates};
use super::switch::{
    COOL_TEMPERATURE, Kind, LONG_LAST_N, NotTried, ROOMY_TEMPERATURE, SOME_PENALTY, Switch, adjustment,
    of_repeat_penalty, of_window,
};
use crate::causes::{Cause, Knob};
use crate::domain::{
    Author, Bos, Context, Factor, FlashAttention, KvV, Level, Offload, OpOffload, Overflow, Step, System, Temperature,
    Template, Thinking, Width,
};
use crate::experiment::builtin_chains;

/// What is known of the target before a text is made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    pub place: Place,
    /// Whether its file has a chat template; of a server, whether it takes prompts both with and without one.
    pub template: Known,
    /// Whether its template can be told to have it think, or not.
    pub thinking: Known,
    /// Whether its vocabulary has a beginning-of-sequence token.
    pub bos: Known,
    /// Whether it puts one before a prompt.
    pub adds_bos: Known,
    pub experts: Experts,
    /// Whether there is a device beside the host.
    pub accelerator: Known,
    /// The context in which every text has room, in tokens.
    pub room_tokens: u32,
    /// Of a server.
    pub sampling: Sampling,
    /// The texts that a server is asked for at a time where nothing else is said; of a file one, whose batches change no text.
    pub width: u32,
}

/// Where a model is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    #[default]
    File,
    Server,
}

impl Place {
    /// How a model's own chat template is asked for: a server writes it itself.
    pub fn template(self) -> Template {
        match self {
            Self::File => Template::Jinja,
            Self::Server => Template::Chat,
        }
    }
}

/// Whether a model is a mixture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Experts {
    #[default]
    None,
    Some,
}

/// What is known of a question with two answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known {
    Yes,
    No,
    #[default]
    Unknown,
}

impl From<bool> for Known {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// llama-server's samplers, in their order.
const LLAMA_SERVERS: &str = "penalties;dry;top_n_sigma;top_k;typ_p;top_p;min_p;xtc;temperature";

/// All that can be switched by itself.
pub fn switches(setup: &Setup, about: &About) -> Vec<Switch> {
    let mut found = Vec::new();
    match about.place {
        Place::Server if setup.chain.author == Author::Server => found.extend(of_request(setup, about.sampling)),
        // It runs a chain of its own, of which the temperature alone is asked.
        Place::Server => found.extend(of_choice(setup)),
        Place::File => {
            found.extend(of_penalties(setup));
            found.extend(of_choice(setup));
            found.extend(of_truncation(setup));
        }
    }
    found.extend(put_back(setup));
    found.extend(of_width(setup, about));
    found.extend(of_context(setup, about));
    found.extend(of_prompt(setup, about));
    if about.place == Place::File {
        found.extend(of_engine(setup, about));
    }
    found
}

/// What is not tried here.
pub fn not_tried(about: &About) -> Vec<NotTried> {
    let not = |what: &str, why: &str| NotTried { what: what.to_owned(), why: why.to_owned() };
    let mut found = Vec::new();
    match about.place {
        Place::Server => {
            found.extend(not_said(about.sampling));
            found.push(not(
                "the engine's settings (cache types, flash attention, context)",
                "set when the server starts: start it with others, or give the model's file",
            ));
        }
        Place::File => {
            if about.accelerator != Known::Yes {
                found.push(not("a GPU's kernels", "not looked for"));
            }
            found.push(not("the weights' precision", "no better file is known"));
        }
    }
    found.push(not("speculative decoding, prompt caches", "can't be varied"));
    found
}

/// What is not reached where the search ends with the settings that are not as usual.
pub fn set_aside(medicines: &[Switch]) -> Option<NotTried> {
    let knobs = medicines.iter().flat_map(|switch| &switch.adjustments).map(|adjustment| adjustment.knob);
    let named: Vec<String> = knobs.unique().map(|knob| knob.to_string()).collect();
    let why = "other settings came first";
    (!named.is_empty()).then(|| NotTried { what: named.join(", "), why: why.to_owned() })
}

/// llama.cpp's chain as a whole: all switches of samplers at once.
pub fn usual_chain(setup: &Setup, about: &About) -> Option<Switch> {
    if about.place == Place::Server {
        return all_said(setup, about.sampling);
    }
    let usual = builtin_chains().into_iter().find(|chain| chain.id == "llama.cpp")?;
    let from = setup.chain.steps.clone();
    let is_on = |step: &&Step<_>| !step.is_off();
    let same = from.iter().filter(is_on).eq(usual.steps.iter().filter(is_on));
    (!same).then(|| Switch {
        cause: Cause::Chain,
        kind: Kind::Undo,
        edits: vec![Edit::Chain(usual)],
        adjustments: vec![adjustment(Knob::Samplers, "as run", LLAMA_SERVERS)],
    })
}

fn of_penalties(setup: &Setup) -> Vec<Switch> {
    let off = (64, 1.0, 0.0, 0.0);
    let penalties = setup.find(|step| match *step {
        Step::Penalties { last_n, repeat, frequency, presence } => Some((last_n, repeat, frequency, presence)),
        _ => None,
    });
    let (last_n, repeat, frequency, presence) = penalties.unwrap_or(off);
    let mut found = Vec::new();
    let mut put_back = |cause, edit, knob, from: String, to: &str| {
        let adjustments = vec![adjustment(knob, &from, to)];
        found.push(Switch { cause, kind: Kind::Undo, edits: vec![edit], adjustments });
    };
    if repeat != 1.0 {
        put_back(of_repeat_penalty(repeat), Edit::Repeat(1.0), Knob::RepeatPenalty, repeat.to_string(), "1.0");
    }
    if presence != 0.0 {
        put_back(Cause::PresencePenalty, Edit::Presence(0.0), Knob::PresencePenalty, presence.to_string(), "0");
    }
    if frequency != 0.0 {
        put_back(Cause::FrequencyPenalty, Edit::Frequency(0.0), Knob::FrequencyPenalty, frequency.to_string(), "0");
    }
    let acts = last_n != 0 && (repeat, frequency, presence) != (1.0, 0.0, 0.0);
    if acts && (1..LONG_LAST_N).contains(&last_n) {
        let adjustments = vec![adjustment(Knob::RepeatLastN, &last_n.to_string(), &LONG_LAST_N.to_string())];
        found.push(Switch {
            cause: Cause::WindowShort,
            kind: of_window(last_n),
            edits: vec![Edit::LastN(LONG_LAST_N)],
            adjustments,
        });
    }
    if !acts {
        let adjustments = vec![adjustment(Knob::RepeatPenalty, &repeat.to_string(), &SOME_PENALTY.to_string())];
        let edits = vec![Edit::Repeat(SOME_PENALTY)];
        found.push(Switch { cause: Cause::PenaltyMissing, kind: Kind::Medicine, edits, adjustments });
    }
    found
}

/// Whether, and from how much of the distribution, tokens are drawn.
fn of_choice(setup: &Setup) -> Vec<Switch> {
    let is_greedy = setup.chain.steps.contains(&Step::Greedy);
    let temperature = setup.cell.temperature().get();
    let to = |cause, kind, to: f32| {
        let level = Temperature::new(to).expect("these are temperatures");
        let adjustments = vec![adjustment(Knob::Temperature, &temperature.to_string(), &to.to_string())];
        Switch { cause, kind, edits: vec![Edit::Level(level.into())], adjustments }
    };
    let mut found = Vec::new();
    if is_greedy {
        let drawn_at = if temperature > 0.0 { temperature } else { USUAL_TEMPERATURE };
        let to_draw = adjustment(Knob::Temperature, "greedy", &drawn_at.to_string());
        found.push(Switch {
            cause: Cause::Greedy,
            kind: Kind::Undo,
            edits: vec![Edit::Draw],
            adjustments: vec![to_draw],
        });
    }
    let has_slot = setup.find(|step| match step {
        Step::Temperature { t } | Step::TemperatureExt { t, .. } => Some(*t == crate::domain::Slot::Trial),
        _ => None,
    });
    if has_slot != Some(true) {
        return found;
    }
    if temperature == 0.0 {
        found.push(to(Cause::Greedy, Kind::Undo, USUAL_TEMPERATURE));
        return found;
    }
    // Where it is the usual one, another is a medicine.
    let kind = |from_usual: bool| if from_usual { Kind::Medicine } else { Kind::Undo };
    if temperature < USUAL_TEMPERATURE {
        found.push(to(Cause::TemperatureLow, Kind::Undo, USUAL_TEMPERATURE));
    } else if temperature < ROOMY_TEMPERATURE {
        found.push(to(Cause::TemperatureLow, Kind::Medicine, ROOMY_TEMPERATURE));
    }
    if temperature > COOL_TEMPERATURE {
        found.push(to(Cause::TemperatureHigh, kind(temperature <= USUAL_TEMPERATURE), COOL_TEMPERATURE));
    }
    found
}

fn of_truncation(setup: &Setup) -> Option<Switch> {
    let is_on = |step: &&Step<_>| truncates(step) && !step.is_off();
    let on: Vec<_> = setup.chain.steps.iter().filter(is_on).collect();
    let (edit, adjustments) = if on.is_empty() {
        let usual = [(Knob::TopK, "0", "40"), (Knob::TopP, "1", "0.95"), (Knob::MinP, "0", "0.05")];
        (Edit::Truncation, usual.map(|(knob, from, to)| adjustment(knob, from, to)).to_vec())
    } else {
        let off = on.into_iter().filter_map(|step| match step {
            Step::TopK { k } => Some(adjustment(Knob::TopK, &k.to_string(), "0")),
            Step::TopP { p, .. } => Some(adjustment(Knob::TopP, &p.to_string(), "1")),
            Step::MinP { p, .. } => Some(adjustment(Knob::MinP, &p.to_string(), "0")),
            _ => None,
        });
        (Edit::NoTruncation, off.collect())
    };
    Some(Switch { cause: Cause::Truncation, kind: Kind::Medicine, edits: vec![edit], adjustments })
}

/// Every factor that is not as usual, put back; but for samplers and templates, which have rules of their own.
fn put_back(setup: &Setup) -> Vec<Switch> {
    let mut found: Vec<Switch> = Vec::new();
    for (factor, cause, knob) in PUT_BACK {
        let level = setup.cell.level(factor);
        let Some(usual) = factor.usual().filter(|usual| usual != level) else { continue };
        let adjustment = adjustment(knob, &level.to_string(), &usual.to_string());
        let edit = Edit::Level(usual);
        // Keys and values of a cache are put back together.
        match found.iter_mut().find(|switch| switch.cause == cause) {
            Some(switch) => {
                switch.edits.push(edit);
                switch.adjustments.push(adjustment);
            }
            None => {
                let (edits, adjustments) = (vec![edit], vec![adjustment]);
                found.push(Switch { cause, kind: Kind::Undo, edits, adjustments });
            }
        }
    }
    found
}

/// What it means that a factor was not as usual.
const PUT_BACK: [(Factor, Cause, Knob); 15] = [
    (Factor::KvK, Cause::CacheType, Knob::CacheTypeK),
    (Factor::KvV, Cause::CacheType, Knob::CacheTypeV),
    (Factor::FlashAttention, Cause::FlashAttention, Knob::FlashAttention),
    (Factor::Rope, Cause::Rope, Knob::Rope),
    (Factor::SwaFull, Cause::SlidingWindow, Knob::SwaFull),
    (Factor::Ubatch, Cause::Ubatch, Knob::Ubatch),
    (Factor::ExpertsUsed, Cause::ExpertsUsed, Knob::ExpertsUsed),
    (Factor::Quant, Cause::Quant, Knob::Quant),
    (Factor::OpOffload, Cause::OpOffload, Knob::OpOffload),
    (Factor::Eos, Cause::Eos, Knob::Eos),
    (Factor::System, Cause::System, Knob::System),
    (Factor::Thinking, Cause::Thinking, Knob::Thinking),
    (Factor::Bos, Cause::BosMissing, Knob::Bos),
    (Factor::PrefixTokens, Cause::PromptLength, Knob::PrefixTokens),
    (Factor::Offload, Cause::Offload, Knob::CpuMoe),
];

/// One text at a time, where several are decoded together. What is usual is any number.
fn of_width(setup: &Setup, about: &About) -> Option<Switch> {
    let (several, kind) = match *setup.cell.get() {
        Width::Any => (about.width, Kind::Medicine),
        Width::Texts(n) => (n.get(), Kind::Undo),
    };
    let one = Width::Texts(NonZeroU32::MIN);
    (several > 1).then(|| Switch {
        cause: Cause::Width,
        kind,
        edits: vec![Edit::Level(one.into())],
        adjustments: vec![adjustment(Knob::Parallel, &several.to_string(), &one.to_string())],
    })
}

/// Room for the whole text, where it has less or what becomes of it then is said.
fn of_context(setup: &Setup, about: &About) -> Option<Switch> {
    let (context, overflow): (&Context, &Overflow) = (setup.cell.get(), setup.cell.get());
    if (*context, *overflow) == (Context::default(), Overflow::default()) {
        return None;
    }
    let (from, room) = (context.tokens(about.room_tokens), about.room_tokens);
    let edits = vec![Edit::Level(Context::default().into()), Edit::Level(Overflow::default().into())];
    let adjustments = vec![adjustment(Knob::Context, &from.to_string(), &room.to_string())];
    Some(Switch { cause: Cause::Context, kind: Kind::Undo, edits, adjustments })
}

fn of_prompt(setup: &Setup, about: &About) -> Vec<Switch> {
    let mut found = Vec::new();
    let mut level =
        |cause, kind, knob, from: String, level: Level| found.push(to_level(cause, kind, knob, from, level));
    let template: &Template = setup.cell.get();
    let from = template.to_string();
    match (template, about.template, about.place) {
        (Template::Raw, Known::Yes, place) | (Template::Raw, _, place @ Place::Server) => {
            level(Cause::TemplateMissing, Kind::Undo, Knob::Template, from, place.template().into());
        }
        (Template::Raw, ..) => {}
        // Whether it takes a prompt without a chat is not known.
        (Template::Chat, Known::Unknown, Place::Server) => {}
        (Template::Chat, _, Place::File) => {
            level(Cause::TemplateForm, Kind::Undo, Knob::Template, from, Template::Jinja.into());
            found.extend(to_raw(setup));
        }
        (Template::Chat | Template::Jinja, ..) => found.extend(to_raw(setup)),
    }
    let mut level =
        |cause, kind, knob, from: String, level: Level| found.push(to_level(cause, kind, knob, from, level));
    let thinking: &Thinking = setup.cell.get();
    if about.thinking == Known::Yes && *template == about.place.template() && *thinking != Thinking::Off {
        level(Cause::Thinking, Kind::Medicine, Knob::Thinking, thinking.to_string(), Thinking::Off.into());
    }
    let bos: &Bos = setup.cell.get();
    if about.place == Place::File && about.bos == Known::Yes && *bos == Bos::Model {
        let (cause, other) = match about.adds_bos {
            Known::No => (Cause::BosMissing, Bos::Always),
            Known::Yes | Known::Unknown => (Cause::BosDoubled, Bos::Never),
        };
        level(cause, Kind::Medicine, Knob::Bos, bos.to_string(), other.into());
    }
    found
}

fn to_level(cause: Cause, kind: Kind, knob: Knob, from: String, level: Level) -> Switch {
    let adjustments = vec![adjustment(knob, &from, &level.to_string())];
    Switch { cause, kind, edits: vec![Edit::Level(level)], adjustments }
}

/// The prompt as it is, which has no messages: so not where something is said by them, and no switch of it can be joined.
fn to_raw(setup: &Setup) -> Option<Switch> {
    let said: [Level; 2] = [System::default().into(), Thinking::default().into()];
    let is_said = said.iter().any(|usual| setup.cell.level(usual.factor()) != usual);
    let adjustments = vec![adjustment(Knob::Template, &setup.cell.level(Factor::Template).to_string(), "raw")];
    let edits = said.into_iter().chain([Template::Raw.into()]).map(Edit::Level).collect();
    (!is_said).then_some(Switch { cause: Cause::TemplateUsed, kind: Kind::Medicine, edits, adjustments })
}

fn of_engine(setup: &Setup, about: &About) -> Vec<Switch> {
    let mut found = Vec::new();
    let mut medicine = |cause, knob, from: &dyn std::fmt::Display, level: Level| {
        let adjustments = vec![adjustment(knob, &from.to_string(), &level.to_string())];
        found.push(Switch { cause, kind: Kind::Medicine, edits: vec![Edit::Level(level)], adjustments });
    };
    let (attention, KvV(values)): (&FlashAttention, &KvV) = (setup.cell.get(), setup.cell.get());
    // What is not as usual is put back, which is another switch. llama.cpp has no quantised values without it.
    if *attention == FlashAttention::Auto && !values.is_quantised() {
        medicine(Cause::FlashAttention, Knob::FlashAttention, attention, FlashAttention::Off.into());
    }
    if about.experts == Experts::Some && about.accelerator == Known::Yes {
        let offload: &Offload = setup.cell.get();
        let other = if *offload == Offload::All { Offload::None } else { Offload::All };
        medicine(Cause::Offload, Knob::CpuMoe, offload, other.into());
        if *setup.cell.get::<OpOffload>() == OpOffload::On {
            medicine(Cause::OpOffload, Knob::OpOffload, &OpOffload::On, OpOffload::Off.into());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{Like, Overrides};
    use crate::domain::{CacheType, KvK};

    fn about() -> About {
        About { template: Known::Yes, bos: Known::Yes, adds_bos: Known::No, room_tokens: 640, ..About::default() }
    }

    fn of(like: Like, overrides: Overrides, levels: Vec<Level>) -> Vec<Switch> {
        let setup = like.setup("tiny", overrides).unwrap().at(Template::Jinja.into());
        switches(&levels.into_iter().fold(setup, Setup::at), &about())
    }

    fn causes(switches: &[Switch], kind: Kind) -> Vec<Cause> {
        switches.iter().filter(|switch| switch.kind == kind).map(|switch| switch.cause).collect()
    }

    #[test]
    fn what_is_usual_has_medicines_only() {
        let found = of(Like::LlamaServer, Overrides::default(), vec![]);
        assert_eq!(causes(&found, Kind::Undo), []);
        let expected = [
            Cause::PenaltyMissing,
            Cause::TemperatureLow,
            Cause::TemperatureHigh,
            Cause::Truncation,
            Cause::TemplateUsed,
            Cause::BosMissing,
            Cause::FlashAttention,
        ];
        assert_eq!(causes(&found, Kind::Medicine), expected);
    }

    #[test]
    fn a_runtimes_own_settings_are_put_back_one_by_one() {
        let found = of(Like::Shimmy, Overrides::default(), vec![]);
        let expected = [Cause::PenaltyZero, Cause::PresencePenalty, Cause::Greedy, Cause::TemperatureLow];
        assert_eq!(causes(&found, Kind::Undo), expected);
    }

    #[test]
    fn a_raw_prompt_has_no_system_message_and_no_thought() {
        let raw = |levels| {
            let found = of(Like::LlamaServer, Overrides::default(), levels);
            found.into_iter().find(|switch| switch.cause == Cause::TemplateUsed)
        };
        assert_eq!(raw(vec![System::Text("You are a parrot.".to_owned()).into()]), None);
        let edits = raw(vec![]).unwrap().edits;
        assert!(edits.contains(&Edit::Level(Thinking::default().into())), "else it joins one that is off");
    }

    #[test]
    fn keys_and_values_of_a_cache_are_put_back_together() {
        let quantised = vec![KvK(CacheType::Q4_0).into(), KvV(CacheType::Q8_0).into()];
        let found = of(Like::LlamaServer, Overrides::default(), quantised);
        let cache: Vec<_> = found.iter().filter(|switch| switch.cause == Cause::CacheType).collect();
        assert_eq!((cache.len(), cache[0].edits.len(), cache[0].adjustments.len()), (1, 2, 2));
        let is_attention = |switch: &&Switch| switch.cause == Cause::FlashAttention;
        assert_eq!(found.iter().filter(is_attention).count(), 0, "llama.cpp refuses quantised values without it");
    }

    #[test]
    fn a_context_that_is_short_of_room_is_widened() {
        let short = vec![Context::Tokens(256.try_into().unwrap()).into(), Overflow::Shift(0).into()];
        let found = of(Like::LlamaServer, Overrides::default(), short);
        let switch = found.iter().find(|switch| switch.cause == Cause::Context).unwrap();
        assert_eq!((switch.adjustments[0].from.as_str(), switch.adjustments[0].to.as_str()), ("256", "640"));
    }

    #[test]
    fn of_a_server_only_what_a_request_can_say_is_switched() {
        let setup = Like::LlamaServer.setup("tiny", Overrides::default()).unwrap().at(Template::Chat.into());
        let about = About { place: Place::Server, ..about() };
        let found = switches(&setup, &about);
        let is_of_engine = |switch: &&Switch| matches!(switch.cause, Cause::FlashAttention | Cause::BosMissing);
        assert_eq!(found.iter().filter(is_of_engine).count(), 0);
    }

    #[test]
    fn a_greedy_draw_is_a_temperature_of_0_or_a_chain_that_ends_so() {
        let zero = Overrides { temperature: Some(0.0), ..Overrides::default() };
        assert!(causes(&of(Like::LlamaServer, zero, vec![]), Kind::Undo).contains(&Cause::Greedy));
        assert!(causes(&of(Like::Transformers, Overrides::default(), vec![]), Kind::Undo).contains(&Cause::Greedy));
    }
}
