//! From a file's shape to its meaning: every rule that spans more than one
//! value, every error collected.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_spanned::Spanned;

use super::error::{BadExperiment, Problems, did_you_mean};
use super::raw::{
    self, ListOr, RawCount, RawExclusion, RawExperiment, RawGenerate, RawGrid, RawOffload, RawPrompts, RawSteps,
};
use super::rules::resolve_chain;
use super::{
    Chain, Exclusion, Experiment, Generate, Grid, Model, Numerics, Offload, Prompt, Seed, Temperature, builtin, prompts,
};

/// More levels than this on one axis are a typing error.
const MAX_LEVELS: usize = 10_000;

/// What an experiment file refers to.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The directory that relative paths start from.
    pub directory: PathBuf,
    /// The models of the catalogue; the experiment's own override them.
    pub catalogue: Vec<Model>,
    /// The file named by `[prompts] file`, or why it can't be read.
    pub prompts_file: Option<Result<String, String>>,
}

/// Reads the shape of an experiment file called `name`.
///
/// # Errors
/// When it is not TOML, a key is unknown, or a value is of the wrong type.
pub fn parse(name: &str, text: &str) -> Result<RawExperiment, BadExperiment> {
    let mut problems = Problems::new(name, text);
    match raw::schema_of(text) {
        Ok(Some(schema)) if *schema.get_ref() == raw::SCHEMA => {}
        Ok(Some(schema)) => problems.add(
            schema.span(),
            format!("schema {} is not one that this moe-sweep reads", schema.get_ref()),
            format!("it reads schema {}: update moe-sweep, or write the file for it", raw::SCHEMA),
        ),
        Ok(None) => problems.add(0..0, "the file states no schema", format!("add schema = {}", raw::SCHEMA)),
        Err(error) => problems.add_toml(&error),
    }
    if !problems.is_empty() {
        return problems.none_or(None);
    }
    let raw = toml::from_str(text).map_err(|error| problems.add_toml(&error)).ok();
    problems.none_or(raw)
}

/// Resolves what `parse` returned for the same `name` and `text`.
///
/// # Errors
/// Every rule that the experiment breaks.
pub fn resolve(
    name: &str,
    text: &str,
    raw: &RawExperiment,
    surroundings: &Surroundings,
) -> Result<Experiment, BadExperiment> {
    let mut problems = Problems::new(name, text);
    let resolver = &mut problems;
    check_name(&raw.name, resolver);
    let generate = resolve_generate(&raw.generate, resolver);
    let prompts = resolve_prompts(&raw.prompts, surroundings, resolver);
    let grid = resolve_grid(raw, &prompts, surroundings, resolver);
    let experiment = generate.zip(grid).map(|(generate, grid)| Experiment {
        name: raw.name.get_ref().clone(),
        question: raw.question.clone(),
        generate,
        grid,
        prompts,
    });
    problems.none_or(experiment)
}

fn check_name(name: &Spanned<String>, problems: &mut Problems) {
    let text = name.get_ref();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if text.is_empty() || text.starts_with('.') || !text.chars().all(plain) {
        problems.add(
            name.span(),
            format!("{text:?} can't be the name of a run's directory"),
            "use letters, digits, '-', '_' and '.', and no '.' at the start",
        );
    }
}

fn resolve_generate(raw: &RawGenerate, problems: &mut Problems) -> Option<Generate> {
    let (max_tokens, context) = (*raw.max_tokens.get_ref(), *raw.context.get_ref());
    if max_tokens == 0 {
        problems.add(raw.max_tokens.span(), "a text of no tokens can't repeat itself", "set max_tokens to 1 or more");
    }
    if context <= max_tokens {
        problems.add(
            raw.context.span(),
            format!("context = {context} leaves no room for a prompt beside max_tokens = {max_tokens}"),
            "raise context: it holds the prompt and the generated tokens together",
        );
    }
    let numerics = match raw.numerics.as_ref().map(|numerics| (numerics.get_ref().as_str(), numerics.span())) {
        None | Some(("invariant", _)) => Some(Numerics::Invariant),
        Some(("fast", _)) => Some(Numerics::Fast),
        Some((other, span)) => {
            problems.add(span, format!("unknown numerics {other:?}"), "use \"invariant\" or \"fast\"");
            None
        }
    };
    numerics.map(|numerics| Generate { max_tokens, context, numerics })
}

fn resolve_prompts(raw: &Spanned<RawPrompts>, surroundings: &Surroundings, problems: &mut Problems) -> Vec<Prompt> {
    let numbered: Vec<(Range<usize>, String, Prompt)> = match (&raw.get_ref().file, &raw.get_ref().inline) {
        (None, Some(inline)) => {
            let texts = (1..).zip(inline.get_ref());
            texts.map(|(index, text)| (text.span(), String::new(), prompts::numbered(index, text.get_ref()))).collect()
        }
        (Some(file), None) => {
            let parsed = match &surroundings.prompts_file {
                Some(Ok(text)) => prompts::parse(file.get_ref(), text),
                Some(Err(why)) => Err((0, why.clone())),
                None => Err((0, "it was not read".to_owned())),
            };
            match parsed {
                Ok(parsed) => {
                    let place = |line: usize| format!(" ({}:{line})", file.get_ref());
                    parsed.into_iter().map(|(line, prompt)| (file.span(), place(line), prompt)).collect()
                }
                Err((0, why)) => {
                    let help = "the path is relative to the experiment file";
                    problems.add(file.span(), format!("cannot read the prompts {}: {why}", file.get_ref()), help);
                    return vec![];
                }
                Err((line, why)) => {
                    let help = "each line holds {\"id\": \"…\", \"text\": \"…\"}";
                    problems.add(file.span(), format!("{}:{line}: not a prompt: {why}", file.get_ref()), help);
                    return vec![];
                }
            }
        }
        (None, None) | (Some(_), Some(_)) => {
            problems.add(raw.span(), "[prompts] needs either file or inline, and not both", "keep one of them");
            return vec![];
        }
    };
    if numbered.is_empty() {
        problems.add(raw.span(), "there are no prompts", "give at least one");
    }
    let mut ids = HashMap::new();
    let mut texts = HashMap::new();
    for (span, place, prompt) in &numbered {
        if let Some(first) = ids.insert(&prompt.id, place) {
            let message = format!("two prompts have the id {:?}{place}{first}", prompt.id);
            problems.add(span.clone(), message, "an id names one prompt: rename one");
        }
        if let Some(first) = texts.insert(&prompt.text, &prompt.id) {
            let message = format!("prompt {}{place} has the same text as prompt {first}", prompt.id);
            problems.add(span.clone(), message, "a prompt counts once: remove one, and use seeds for replicates");
        }
        if prompt.text.trim().is_empty() {
            problems.add(span.clone(), format!("prompt {}{place} is blank", prompt.id), "remove it, or write one");
        }
    }
    numbered.into_iter().map(|(_, _, prompt)| prompt).collect()
}

fn resolve_grid(
    raw: &RawExperiment,
    prompts: &[Prompt],
    surroundings: &Surroundings,
    problems: &mut Problems,
) -> Option<Grid> {
    let RawGrid { model, chain, offload, temperature, seed, exclude } = &raw.grid;
    let known_models = known_models(raw, surroundings, problems);
    let known_chains = known_chains(raw, problems);
    let models = resolve_names(model, "model", &known_models, |model| &model.id, problems);
    let chains = resolve_names(chain, "chain", &known_chains, |chain| &chain.id, problems);
    let offloads = match offload {
        None => vec![Offload::All],
        Some(list) => {
            check_list(list, problems);
            list.get_ref().iter().filter_map(|raw| resolve_offload(raw, problems)).collect()
        }
    };
    let temperatures = resolve_temperatures(temperature, problems);
    let seeds = match seed {
        None => vec![Seed::new(0).expect("0 is a seed")],
        Some(seed) => resolve_seeds(seed, problems),
    };
    if !problems.is_empty() {
        // The levels are not what was meant: exclusions can't be judged.
        return None;
    }
    let mut grid = Grid { models, chains, offloads, temperatures, seeds, excluded: vec![] };
    for exclusion in exclude {
        let resolved = resolve_exclusion(exclusion, &grid, prompts, problems);
        grid.excluded.extend(resolved);
    }
    for levels in [duplicates(&grid.temperatures), duplicates(&grid.seeds), duplicates(&grid.offloads)] {
        for level in levels {
            problems.add(temperature.span(), format!("{level} stands twice in the grid"), "remove one");
        }
    }
    if grid.excluded.iter().any(|exclusion| *exclusion == Exclusion::default()) {
        problems.add(
            exclude[0].span(),
            "an exclusion without keys leaves nothing over",
            "name the levels to leave out",
        );
    }
    Some(grid)
}

fn duplicates<T: PartialEq + ToString>(levels: &[T]) -> Vec<String> {
    let repeated = levels.iter().enumerate().filter(|&(index, level)| levels[..index].contains(level));
    repeated.map(|(_, level)| level.to_string()).collect()
}

fn known_models(raw: &RawExperiment, surroundings: &Surroundings, problems: &mut Problems) -> Vec<Model> {
    let mut models: Vec<Model> = Vec::new();
    for model in &raw.model {
        if models.iter().any(|known| known.id == *model.id.get_ref()) {
            problems.add(model.id.span(), format!("the model {} is defined twice", model.id.get_ref()), "rename one");
        }
        models.push(resolve_model(model, &surroundings.directory, problems));
    }
    let theirs = surroundings.catalogue.iter().filter(|known| !raw.model.iter().any(|m| *m.id.get_ref() == known.id));
    models.extend(theirs.cloned());
    models
}

/// A model as a file describes it, its path starting from `directory`.
pub fn resolve_model(raw: &raw::RawModel, directory: &Path, problems: &mut Problems) -> Model {
    if let Some(sha256) = &raw.sha256 {
        let hexadecimal = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if sha256.get_ref().len() != 64 || !sha256.get_ref().chars().all(hexadecimal) {
            problems.add(sha256.span(), "not a SHA-256", "write its 64 lower-case hexadecimal digits");
        }
    }
    Model {
        id: raw.id.get_ref().clone(),
        path: directory.join(raw.path.get_ref()),
        sha256: raw.sha256.as_ref().map(|sha256| sha256.get_ref().clone()),
        note: raw.note.clone(),
    }
}

fn known_chains(raw: &RawExperiment, problems: &mut Problems) -> Vec<Chain> {
    let mut chains = builtin::chains();
    for chain in &raw.chain {
        if chains.iter().any(|known| known.id == *chain.id.get_ref()) {
            let message = format!("the chain {} exists already", chain.id.get_ref());
            problems.add(
                chain.id.span(),
                message,
                "give it a name of its own: results would be mistaken for the other's",
            );
        }
        chains.extend(resolve_chain(chain, problems).or_else(|| unusable(chain)));
    }
    chains
}

/// Stands for a chain whose faults are reported, so that the grid's mention of
/// it is not called unknown as well.
fn unusable(raw: &raw::RawChain) -> Option<Chain> {
    Some(Chain { id: raw.id.get_ref().clone(), steps: vec![], fidelity: super::Fidelity::Checked })
}

fn resolve_names<T: Clone>(
    names: &Spanned<Vec<Spanned<String>>>,
    what: &str,
    known: &[T],
    id: impl Fn(&T) -> &String,
    problems: &mut Problems,
) -> Vec<T> {
    check_list(names, problems);
    let mut found: Vec<T> = Vec::new();
    for name in names.get_ref() {
        if found.iter().any(|other| id(other) == name.get_ref()) {
            problems.add(name.span(), format!("the {what} {} stands twice in the grid", name.get_ref()), "remove one");
        }
        match known.iter().find(|known| id(known) == name.get_ref()) {
            Some(known) => found.push(known.clone()),
            None => {
                let ids: Vec<_> = known.iter().map(|known| id(known).as_str()).collect();
                let help = match did_you_mean(name.get_ref(), ids.iter().copied()) {
                    Some(near) => format!("did you mean {near:?}?"),
                    None if ids.is_empty() => format!("define it with [[{what}]]"),
                    None => format!("define it with [[{what}]], or use one of: {}", ids.join(", ")),
                };
                problems.add(name.span(), format!("unknown {what} {:?}", name.get_ref()), help);
            }
        }
    }
    found
}

fn check_list<T>(list: &Spanned<Vec<T>>, problems: &mut Problems) {
    if list.get_ref().is_empty() {
        problems.add(list.span(), "an empty list leaves nothing to run", "give at least one level");
    }
}

fn resolve_offload(raw: &Spanned<RawOffload>, problems: &mut Problems) -> Option<Offload> {
    let offload = match raw.get_ref() {
        RawOffload::Name(name) if name == "none" => Some(Offload::None),
        RawOffload::Name(name) if name == "all" => Some(Offload::All),
        RawOffload::Name(_) => None,
        RawOffload::Layers(n) => u32::try_from(*n).ok().filter(|&n| n > 0).map(Offload::Layers),
    };
    if offload.is_none() {
        problems.add(raw.span(), "not an offload", "use \"none\", \"all\", or a number of layers from 1 up");
    }
    offload
}

fn resolve_temperatures(raw: &Spanned<ListOr<f64, RawSteps>>, problems: &mut Problems) -> Vec<Temperature> {
    let values: Vec<(f64, Range<usize>)> = match raw.get_ref() {
        ListOr::List(list) => list.iter().map(|value| (*value.get_ref(), value.span())).collect(),
        ListOr::Range(RawSteps { from, to, step }) => {
            let finite = from.is_finite() && to.is_finite() && step.is_finite();
            if !finite || *step <= 0.0 || from > to || (to - from) / step >= MAX_LEVELS as f64 {
                problems.add(
                    raw.span(),
                    format!("from {from} to {to} in steps of {step} is no range of temperatures"),
                    format!("from must not exceed to, step must be above 0, and {MAX_LEVELS} levels are the most"),
                );
                return vec![];
            }
            // Half a step's tolerance would add a level; a rounding error must not lose one.
            let last = ((to - from) / step + 1e-6).floor() as usize;
            (0..=last).map(|i| (from + i as f64 * step, raw.span())).collect()
        }
    };
    if values.is_empty() {
        problems.add(raw.span(), "an empty list leaves nothing to run", "give at least one level");
    }
    values.into_iter().filter_map(|(t, span)| resolve_temperature(t, span, problems)).collect()
}

fn resolve_temperature(t: f64, span: Range<usize>, problems: &mut Problems) -> Option<Temperature> {
    let temperature = Temperature::new(t as f32);
    if temperature.is_none() {
        problems.add(span, format!("a temperature can't be {t}"), "give a number from 0 up");
    }
    temperature
}

fn resolve_seeds(raw: &Spanned<ListOr<i64, RawCount>>, problems: &mut Problems) -> Vec<Seed> {
    let values: Vec<(i64, Range<usize>)> = match raw.get_ref() {
        ListOr::List(list) => list.iter().map(|value| (*value.get_ref(), value.span())).collect(),
        ListOr::Range(RawCount { count, .. }) if *count as usize > MAX_LEVELS => {
            problems.add(raw.span(), format!("{count} seeds"), format!("{MAX_LEVELS} are the most"));
            return vec![];
        }
        ListOr::Range(RawCount { from, count }) => {
            (0..i64::from(*count)).map(|i| (from.saturating_add(i), raw.span())).collect()
        }
    };
    if values.is_empty() {
        problems.add(raw.span(), "no seed leaves nothing to run", "give at least one");
    }
    values.into_iter().filter_map(|(seed, span)| resolve_seed(seed, span, problems)).collect()
}

fn resolve_seed(seed: i64, span: Range<usize>, problems: &mut Problems) -> Option<Seed> {
    let resolved = u32::try_from(seed).ok().and_then(Seed::new);
    if resolved.is_none() {
        let help = "give a number from 0 to 4294967294; the next one means \"random\" to llama.cpp";
        problems.add(span, format!("a seed can't be {seed}"), help);
    }
    resolved
}

fn resolve_exclusion(
    raw: &Spanned<RawExclusion>,
    grid: &Grid,
    prompts: &[Prompt],
    problems: &mut Problems,
) -> Option<Exclusion> {
    let RawExclusion { model, chain, offload, temperature, seed, prompt } = raw.get_ref();
    let offload = offload.as_ref().map(|raw| (resolve_offload(raw, problems), raw.span()));
    let temperature =
        temperature.as_ref().map(|raw| (resolve_temperature(*raw.get_ref(), raw.span(), problems), raw.span()));
    let seed = seed.as_ref().map(|raw| (resolve_seed(*raw.get_ref(), raw.span(), problems), raw.span()));
    let mut known = |holds: bool, span: Range<usize>| {
        if !holds {
            let message = "this exclusion leaves out what is not in the grid";
            problems.add(span, message, "correct the level, or remove the exclusion");
        }
    };
    if let Some(model) = model {
        known(grid.models.iter().any(|m| m.id == *model.get_ref()), model.span());
    }
    if let Some(chain) = chain {
        known(grid.chains.iter().any(|c| c.id == *chain.get_ref()), chain.span());
    }
    if let Some((Some(offload), span)) = &offload {
        known(grid.offloads.contains(offload), span.clone());
    }
    if let Some((Some(temperature), span)) = &temperature {
        known(grid.temperatures.contains(temperature), span.clone());
    }
    if let Some((Some(seed), span)) = &seed {
        known(grid.seeds.contains(seed), span.clone());
    }
    if let Some(prompt) = prompt {
        known(prompts.iter().any(|p| p.id == *prompt.get_ref()), prompt.span());
    }
    Some(Exclusion {
        model: model.as_ref().map(|model| model.get_ref().clone()),
        chain: chain.as_ref().map(|chain| chain.get_ref().clone()),
        offload: offload.and_then(|(offload, _)| offload),
        temperature: temperature.and_then(|(temperature, _)| temperature),
        seed: seed.and_then(|(seed, _)| seed),
        prompt: prompt.as_ref().map(|prompt| prompt.get_ref().clone()),
    })
}
