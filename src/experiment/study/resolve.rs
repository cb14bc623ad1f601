//! Turns the shape of a study's file into its meaning, and collects every error.

use std::ops::Range;

use crate::experiment::spanned::Spanned;

use super::raw::{RawArm, RawStudy};
use super::{Arm, Kind, Sampling, Study, Subject};
use crate::domain::{
    Author, Factor, FactorLevel as _, Generate, Numerics, Offload, Quant, Seed, Temperature, Template,
};
use crate::experiment::error::{BadExperiment, Problems};
use crate::experiment::grid_levels::{no_catalogue, resolve_level, resolve_levels, resolve_names, resolve_seeds};
use crate::experiment::known::{known_chains, known_models};
use crate::experiment::missing::{STUDY, add_shape};
use crate::experiment::named::{resolve_name, resolve_named};
use crate::experiment::raw;
use crate::experiment::raw_levels::ListOr;
use crate::experiment::resolve::{check_name, check_schema, resolve_generate, resolve_prompts};
use crate::experiment::surroundings::Surroundings;

/// The most texts side by side: sequences of a llama.cpp context.
const MAX_WIDTH: u32 = 255;

/// What an experiment file asks, whatever else is in it.
///
/// # Errors
/// When it is not TOML, or of no kind that is known.
pub fn kind_of(name: &str, text: &str) -> Result<Kind, BadExperiment> {
    let mut problems = Problems::new(name, text);
    let kind = match raw::kind_of(text) {
        Ok(kind) => resolve_named("kind", kind.as_ref(), &mut problems),
        Err(error) => {
            problems.add_toml(&error);
            None
        }
    };
    problems.none_or(kind)
}

/// Reads the shape of a study's file called `name`.
///
/// # Errors
/// When it is not TOML, a key is unknown, or a value is of the wrong type.
pub fn parse_study(name: &str, text: &str) -> Result<RawStudy, BadExperiment> {
    let mut problems = Problems::new(name, text);
    check_schema(text, &mut problems);
    if !problems.is_empty() {
        return problems.none_or(None);
    }
    let raw = toml::from_str(text).map_err(|error| add_shape(&error, text, &STUDY, &mut problems)).ok();
    problems.none_or(raw)
}

/// Resolves what [`parse_study`] returned for the same `name` and `text`.
///
/// # Errors
/// Every rule that the experiment breaks.
pub fn resolve_study(
    name: &str,
    text: &str,
    raw: &RawStudy,
    surroundings: &Surroundings,
) -> Result<Study, BadExperiment> {
    let mut problems = Problems::new(name, text);
    let study = study(raw, surroundings, &mut problems);
    problems.none_or(study)
}

fn study(raw: &RawStudy, surroundings: &Surroundings, problems: &mut Problems) -> Option<Study> {
    check_name(&raw.name, problems);
    let kind: Option<Kind> = resolve_name("kind", &raw.kind, problems);
    let prompts = resolve_prompts(&raw.prompts, surroundings, problems);
    let generate = resolve_generate(&raw.generate, None, &prompts, problems);
    let models = resolve_names(
        &raw.grid.model,
        "model",
        &known_models(&raw.model, &[], surroundings, problems),
        no_catalogue(surroundings),
        |model| &model.id,
        problems,
    );
    let template: Option<Template> = resolve_named("template", raw.grid.template.as_ref(), problems);
    let subject = resolve_subject(raw, kind?, surroundings, problems);
    let numerics = generate.map_or_else(Numerics::default, |generate| generate.numerics);
    let (base, others) = resolve_arms(raw, kind?, numerics, problems);
    Some(Study {
        name: raw.name.get_ref().clone(),
        question: raw.question.clone(),
        generate: Generate { numerics: base.numerics, ..generate? },
        models,
        template: template?,
        prompts,
        base,
        others,
        subject: subject?,
    })
}

/// What is compared, and how the texts that are followed are made.
fn resolve_subject(
    raw: &RawStudy,
    kind: Kind,
    surroundings: &Surroundings,
    problems: &mut Problems,
) -> Option<Subject> {
    let grid = &raw.grid;
    let chains = known_chains(&raw.chain, surroundings, problems);
    let first_seed = || vec![Seed::new(0).expect("0 is a seed")];
    match kind {
        // Found by `kind_of`, which the caller asks first.
        Kind::Sweep => {
            problems.add(raw.kind.span(), "this is a sweep", "run it as one: it needs no kind");
            None
        }
        Kind::Divergence => {
            let given = [
                ("chain", grid.chain.as_ref().map(Spanned::span)),
                ("temperature", grid.temperature.as_ref().map(Spanned::span)),
                ("seed", grid.seed.as_ref().map(Spanned::span)),
            ];
            for (key, span) in given {
                let Some(span) = span else { continue };
                let help = "remove it: the tokens are those that the base chooses greedily";
                problems.add(span, format!("a divergence has no {key}"), help);
            }
            Some(Subject::Divergence)
        }
        Kind::Routing => {
            let mut missing = |key: &str, example: &str| {
                let message = format!("[grid] has no {key}");
                problems.add(raw.kind.span(), message, format!("add {key} = {example}: routing follows texts of it"));
            };
            if grid.chain.is_none() {
                missing("chain", "[\"shimmy-1.7\"]");
            }
            if grid.temperature.is_none() {
                missing("temperature", "[0.9]");
            }
            let names = grid.chain.as_ref()?;
            let chains = resolve_names(names, "chain", &chains, "", |chain| &chain.id, problems);
            for chain in chains.iter().filter(|chain| chain.author != Author::Experiment) {
                let message = format!("{} is for sweeps: routing follows texts of steps that the file says", chain.id);
                problems.add(names.span(), message, "name another chain, such as \"llama.cpp\"");
            }
            let temperatures = resolve_levels(Factor::Temperature, Some(grid.temperature.as_ref()?), problems);
            let seeds = grid.seed.as_ref().map_or_else(first_seed, |seeds| resolve_seeds(seeds, problems));
            let temperatures = temperatures.iter().filter_map(Temperature::of).copied().collect();
            Some(Subject::Routing(Sampling { chains, temperatures, seeds }))
        }
    }
}

/// The base and the other arms, from the table that is called like the kind.
fn resolve_arms(raw: &RawStudy, kind: Kind, numerics: Numerics, problems: &mut Problems) -> (Arm, Vec<Arm>) {
    let (pair, stray, stray_name) = match kind {
        Kind::Divergence => (&raw.divergence, &raw.routing, "routing"),
        Kind::Routing | Kind::Sweep => (&raw.routing, &raw.divergence, "divergence"),
    };
    if let Some(stray) = stray {
        let help = format!("remove it, or set kind = \"{stray_name}\"");
        problems.add(stray.span(), format!("[{stray_name}] stands in a file with kind = \"{kind}\""), help);
    }
    let default = Arm { quant: Quant::default(), offload: Offload::All, numerics, width: 1 };
    let given = pair.as_ref().map(Spanned::get_ref);
    let base = given
        .and_then(|pair| pair.base.as_ref())
        .and_then(|raw| resolve_arm(raw, default, problems))
        .unwrap_or(default);
    let mut others = Vec::new();
    match given.and_then(|pair| pair.other.as_ref()) {
        Some(other) => match other.get_ref() {
            ListOr::List(list) if list.is_empty() => none_given(other.span(), problems),
            ListOr::List(list) => {
                list.iter().for_each(|raw| add_other(raw.get_ref(), raw.span(), base, &mut others, problems));
            }
            ListOr::Range(raw) => add_other(raw, other.span(), base, &mut others, problems),
        },
        None if kind == Kind::Divergence => {
            none_given(pair.as_ref().map_or_else(|| raw.kind.span(), Spanned::span), problems);
        }
        None => {}
    }
    (base, others)
}

fn none_given(span: Range<usize>, problems: &mut Problems) {
    problems.add(
        span,
        "there is nothing to compare the base with",
        "name another arm, such as other = { quant = \"q8_0\" }: quant, offload, numerics or width",
    );
}

fn add_other(raw: &RawArm, span: Range<usize>, base: Arm, others: &mut Vec<Arm>, problems: &mut Problems) {
    let Some(arm) = resolve_arm(raw, base, problems) else { return };
    if arm == base {
        problems.add(span, "this arm is the base", "let it differ in quant, offload, numerics or width");
    } else if others.contains(&arm) {
        problems.add(span, format!("the arm {arm} stands twice"), "remove one");
    } else {
        others.push(arm);
    }
}

/// None where a level of it is wrong, which is reported.
fn resolve_arm(raw: &RawArm, default: Arm, problems: &mut Problems) -> Option<Arm> {
    let RawArm { quant, offload, numerics, width } = raw;
    let quant = quant.as_ref().map_or(Some(default.quant), |raw| resolve_name("quant", raw, problems));
    let offload = offload
        .as_ref()
        .map_or(Some(default.offload), |raw| Offload::of(&resolve_level(Factor::Offload, raw, problems)?).copied());
    let numerics = numerics.as_ref().map_or(Some(default.numerics), |raw| resolve_name("numerics", raw, problems));
    let width = width.as_ref().map_or(Some(default.width), |raw| resolve_width(raw, problems));
    Some(Arm { quant: quant?, offload: offload?, numerics: numerics?, width: width? })
}

fn resolve_width(raw: &Spanned<u32>, problems: &mut Problems) -> Option<u32> {
    let width = *raw.get_ref();
    let possible = (1..=MAX_WIDTH).contains(&width);
    if !possible {
        let help = format!("give a width from 1 to {MAX_WIDTH}");
        problems.add(raw.span(), format!("a batch can't be {width} texts wide"), help);
    }
    possible.then_some(width)
}
