//! Makes values of the domain that stand in several files, for property tests.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use crate::domain::{
    Author, Bos, Cell, Chain, Draws, Factor, FactorMap, Fidelity, Generate, Level, LoadKey, NotALevel, Numerics,
    PrefixTokens, Said, SamplingPlace, Seed, Selection, Slot, Step, Temperature, TokenBias, Width, Written,
};
use crate::metrics::Markers;

/// Levels of a factor.
pub fn levels(factor: Factor) -> BoxedStrategy<Level> {
    let named =
        |names: &'static [&'static str]| prop::sample::select(names).prop_map(String::from).prop_map(Written::Name);
    let written = match factor {
        Factor::Model | Factor::Chain => ".+".prop_map(Written::Name).boxed(),
        Factor::Offload => {
            prop_oneof![named(&["none", "all"]), (1..=u32::MAX).prop_map(|n| Written::Integer(n.into()))].boxed()
        }
        Factor::Rope => {
            let scaled = (prop::sample::select(&["linear", "yarn", "base"][..]), 0.1..1e6_f32);
            let scaled = scaled.prop_map(|(kind, number)| Written::Name(format!("{kind}:{number}")));
            prop_oneof![named(&["model", "none"]), scaled].boxed()
        }
        Factor::Eos => {
            prop_oneof![named(&["model", "ignore"]), (0..=i32::MAX).prop_map(|n| Written::Integer(n.into()))].boxed()
        }
        Factor::Ubatch => (1..=u32::MAX).prop_map(|n| Written::Integer(n.into())).boxed(),
        Factor::Width => {
            prop_oneof![named(&["any"]), (1..=Width::MOST).prop_map(|n| Written::Integer(n.into()))].boxed()
        }
        Factor::ExpertsUsed => {
            prop_oneof![named(&["model"]), (1..=u32::MAX).prop_map(|n| Written::Integer(n.into()))].boxed()
        }
        Factor::Context => {
            prop_oneof![named(&["setting"]), (1..=u32::MAX).prop_map(|n| Written::Integer(n.into()))].boxed()
        }
        Factor::Overflow => {
            let kept = any::<u32>().prop_map(|keep| Written::Name(format!("shift:{keep}")));
            prop_oneof![named(&["refuse", "stop", "shift"]), kept].boxed()
        }
        Factor::System => prop_oneof![named(&["default", "none"]), "[a-z][^\\x00]*".prop_map(Written::Name)].boxed(),
        Factor::PrefixTokens => (0..=PrefixTokens::MOST).prop_map(|n| Written::Integer(n.into())).boxed(),
        Factor::OpOffload | Factor::SwaFull | Factor::Repack => any::<bool>().prop_map(Written::Switch).boxed(),
        Factor::Temperature => (0.0..9.0_f32).prop_map(|t| Written::Number(t.into())).boxed(),
        // The levels of all others are names, which they say where they know none.
        of_names => match of_names.read(&Written::Name("no level's name".to_owned())) {
            Err(NotALevel::Unknown { names }) => named(names).boxed(),
            other => panic!("how are levels of {of_names} written? {other:?}"),
        },
    };
    written.prop_map(move |written| factor.read(&written).expect("it is a level")).boxed()
}

/// A value for each factor.
fn of_each<T: Clone + std::fmt::Debug + 'static>(
    values: impl Fn(Factor) -> BoxedStrategy<T>,
) -> impl Strategy<Value = FactorMap<T>> {
    Factor::ALL.map(values).to_vec().prop_map(|values| FactorMap::from_fn(|factor| values[factor as usize].clone()))
}

pub fn cells() -> impl Strategy<Value = Cell> {
    of_each(levels).prop_map(Cell::new)
}

pub fn load_keys() -> impl Strategy<Value = LoadKey> {
    cells().prop_map(|cell| cell.load_key())
}

pub fn selections() -> impl Strategy<Value = Selection> {
    let lists = of_each(|factor| vec(levels(factor), 0..3).boxed());
    (lists, vec(".*", 0..3)).prop_map(|(levels, prompt)| Selection { levels, prompt })
}

pub fn factors() -> impl Strategy<Value = Factor> {
    prop::sample::select(Factor::ALL.to_vec())
}

pub fn generates() -> impl Strategy<Value = Generate> {
    let numerics = prop::sample::select(vec![Numerics::Invariant, Numerics::Fast]);
    let bos = prop::sample::select(vec![Bos::Model, Bos::Always, Bos::Never]);
    let draws = prop::sample::select(vec![Draws::PerPrompt, Draws::Common]);
    (any::<u32>(), any::<u32>(), numerics, bos, draws)
        .prop_map(|(max_tokens, context, numerics, bos, draws)| Generate { max_tokens, context, numerics, bos, draws })
}

pub fn seeds() -> impl Strategy<Value = Option<Seed>> {
    of(0..u32::MAX).prop_map(|seed| seed.and_then(Seed::new))
}

pub fn markers() -> impl Strategy<Value = Markers> {
    (".*", ".*").prop_map(|(open, close)| Markers { open: open.into(), close: close.into() })
}

pub fn chains() -> impl Strategy<Value = Chain> {
    let fidelity = prop::sample::select(vec![Fidelity::Checked, Fidelity::Faithful]);
    let place = prop::sample::select(vec![SamplingPlace::Header, SamplingPlace::GenerationConfig]);
    let author = prop_oneof![
        Just(Author::Experiment),
        Just(Author::Model),
        (".*", place).prop_map(|(model, place)| Author::ModelFile { model, place }),
        Just(Author::Server),
    ];
    (".*", vec(steps(), 0..6), fidelity, author).prop_map(|(id, steps, fidelity, author)| Chain {
        id,
        steps,
        fidelity,
        author,
    })
}

fn steps() -> impl Strategy<Value = Step<Slot>> {
    let fixed = (0.0..9.0_f32).prop_map(|t| Slot::Fixed(Temperature::new(t).expect("it is one")));
    let slot = prop_oneof![Just(Slot::Trial), fixed];
    let number = || -1e9..1e9_f32;
    let bias = (any::<i32>(), number()).prop_map(|(token, bias)| TokenBias { token, bias });
    let parameters = (
        (slot, (number(), number(), number())),
        (any::<i32>(), any::<i32>(), any::<usize>()),
        (".*", ".*", vec(".*", 0..3), vec(bias, 0..3)),
        0..STEPS,
    );
    parameters.prop_map(|((t, (a, b, c)), (k, n, min_keep), (grammar, root, sequence_breakers, biases), step)| {
        match step {
            0 => Step::Temperature { t },
            1 => Step::TemperatureExt { t, delta: a, exponent: b },
            2 => Step::TopK { k },
            3 => Step::TopP { p: a, min_keep },
            4 => Step::MinP { p: a, min_keep },
            5 => Step::Typical { p: a, min_keep },
            6 => Step::TopNSigma { n: a },
            7 => Step::Xtc { p: a, threshold: b, min_keep },
            8 => Step::Penalties { last_n: n, repeat: a, frequency: b, presence: c },
            9 => Step::Dry { multiplier: a, base: b, allowed_length: k, last_n: n, sequence_breakers },
            10 => Step::LogitBias { biases },
            11 => Step::Grammar { grammar, root },
            12 => Step::Infill,
            13 => Step::Greedy,
            14 => Step::Dist,
            15 => Step::Mirostat { tau: a, eta: b, m: k },
            17 => Step::Json,
            16 => Step::MirostatV2 { tau: a, eta: b },
            18 => Step::Request(Said { top_k: Some(k), min_p: Some(a), repeat_penalty: Some(b), ..Said::default() }),
            _ => Step::AdaptiveP { target: a, decay: b },
        }
    })
}

/// How many kinds of step there are.
const STEPS: usize = 20;
