//! From a file's shape to its meaning: every rule that spans more than one
//! value, every error collected.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde_spanned::Spanned;
use strum::VariantNames;

use super::error::{BadExperiment, Problems, did_you_mean};
use super::hypotheses::{resolve_hypotheses, resolve_settings};
use super::model::{check_path, resolve_models};
use super::raw::{
    self, ListOr, RawChain, RawCount, RawExclusion, RawExperiment, RawGenerate, RawGrid, RawModel, RawOffload,
    RawPrompt, RawPrompts, RawSteps,
};
use super::rules::resolve_chain;
use super::sequential::resolve_sequential;
use super::server::{Server, resolve_servers};
use super::{
    Chain, Exclusion, Experiment, Generate, Grid, Kind, Model, Offload, OpOffload, Prompt, Seed, Temperature, builtin,
    groups, prompts,
};
use crate::text_file::Format;

/// More levels than this on one axis are a typing error.
const MAX_LEVELS: usize = 10_000;
/// How many texts a grid may have, exclusions aside: a plan of so many takes less than 1 GB (docs/planning.md).
const MOST_TEXTS: u64 = 1_000_000;

const NOT_EXCLUDED: &str = "correct the level, or remove the exclusion: it leaves nothing out";

/// What an experiment file refers to.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The directory that relative paths start from.
    pub directory: PathBuf,
    /// The models of the catalogue; the experiment's own override them.
    pub catalogue: Vec<Model>,
    /// The file named by `[prompts] file`, or why it can't be read.
    pub prompts_file: Option<Result<String, Unreadable>>,
}

/// Why a file that an experiment refers to can't be read, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub why: String,
    pub remedy: String,
}

/// Reads the shape of an experiment file called `name`.
///
/// # Errors
/// When it is not TOML, a key is unknown, or a value is of the wrong type.
pub fn parse(name: &str, text: &str) -> Result<RawExperiment, BadExperiment> {
    let mut problems = Problems::new(name, text);
    check_schema(text, &mut problems);
    check_sweep(text, &mut problems);
    if !problems.is_empty() {
        return problems.none_or(None);
    }
    let raw = toml::from_str(text).map_err(|error| problems.add_toml(&error)).ok();
    problems.none_or(raw)
}

/// Whether the file is written for this program.
pub(super) fn check_schema(text: &str, problems: &mut Problems) {
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
}

/// A file of another kind is full of keys unknown here, and that is not what to
/// complain about.
fn check_sweep(text: &str, problems: &mut Problems) {
    let Ok(Some(raw)) = raw::kind_of(text) else { return };
    match resolve_name::<Kind>("kind", &raw, problems) {
        None | Some(Kind::Sweep) => {}
        Some(kind) => problems.add(
            raw.span(),
            format!("this is a {kind} experiment, not a sweep"),
            "moe-sweep plan and run understand it; the other commands are for sweeps",
        ),
    }
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
    let settings = resolve_settings(raw.analysis.as_ref(), resolver);
    let sequential = resolve_sequential(raw, &prompts, settings, resolver);
    let experiment = generate.zip(grid).map(|(generate, grid)| Experiment {
        name: raw.name.get_ref().clone(),
        question: raw.question.clone(),
        generate,
        hypotheses: resolve_hypotheses(&raw.hypothesis, &grid, &prompts, resolver),
        grid,
        prompts,
        settings,
        sequential,
    });
    problems.none_or(experiment)
}

pub(super) fn check_name(name: &Spanned<String>, problems: &mut Problems) {
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

pub(super) fn resolve_generate(raw: &RawGenerate, problems: &mut Problems) -> Option<Generate> {
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
    let numerics = resolve_named("numerics", raw.numerics.as_ref(), problems);
    let bos = resolve_named("bos", raw.bos.as_ref(), problems);
    let draws = resolve_named("draws", raw.draws.as_ref(), problems);
    Some(Generate { max_tokens, context, numerics: numerics?, bos: bos?, draws: draws? })
}

pub(super) fn resolve_prompts(
    raw: &Spanned<RawPrompts>,
    surroundings: &Surroundings,
    problems: &mut Problems,
) -> Vec<Prompt> {
    let numbered: Vec<(Range<usize>, String, Prompt)> = match (&raw.get_ref().file, &raw.get_ref().inline) {
        (None, Some(inline)) => {
            let texts = (1..).zip(inline.get_ref());
            texts
                .map(|(index, raw)| {
                    let RawPrompt { text, group } = raw.get_ref();
                    let prompt = Prompt { group: group.clone(), ..prompts::numbered(index, text) };
                    (raw.span(), format!("prompt {}", prompt.id), prompt)
                })
                .collect()
        }
        (Some(file), None) => {
            check_path(file, problems);
            let text = match &surroundings.prompts_file {
                Some(Ok(text)) => text,
                Some(Err(Unreadable { why, remedy })) => {
                    problems.add(file.span(), format!("cannot read {}: {why}", file.get_ref()), remedy);
                    return vec![];
                }
                None => {
                    let message = format!("cannot read {}: it was not read", file.get_ref());
                    problems.add(file.span(), message, "this is a fault of moe-sweep: report it");
                    return vec![];
                }
            };
            match prompts::parse(file.get_ref(), text) {
                Ok(parsed) => {
                    let place = |line: usize| format!("{}:{line}", file.get_ref());
                    parsed.into_iter().map(|(line, prompt)| (file.span(), place(line), prompt)).collect()
                }
                Err((line, why)) => {
                    let help = match Format::of(Path::new(file.get_ref())) {
                        Format::Json => "a .json file holds a list of texts, or of {\"id\": \"…\", \"text\": \"…\"}",
                        _ => "each line holds {\"id\": \"…\", \"text\": \"…\"}",
                    };
                    problems.add(file.span(), format!("{}:{line}: not a prompt: {why}", file.get_ref()), help);
                    return vec![];
                }
            }
        }
        (None, None) | (Some(_), Some(_)) => {
            problems.add(raw.span(), "[prompts] needs either file or inline", "give one of them, and only one");
            return vec![];
        }
    };
    if numbered.is_empty() {
        let span = raw.get_ref().file.as_ref().map_or(raw.span(), Spanned::span);
        problems.add(span, "there are no prompts", "give at least one");
    }
    let mut by_id = HashMap::new();
    let mut by_text = HashMap::new();
    for (span, place, prompt) in &numbered {
        if let Some(first) = by_id.insert(&prompt.id, place) {
            let message = format!("{place}: the id {:?} is that of {first} as well", prompt.id);
            problems.add(span.clone(), message, "an id names one prompt: change one");
        }
        if let Some(first) = by_text.insert(&prompt.text, place) {
            let message = format!("{place}: the text is that of {first} as well");
            problems.add(span.clone(), message, "a prompt counts once: remove one, and use seeds for replicates");
        }
        if prompt.text.trim().is_empty() {
            problems.add(span.clone(), format!("{place}: the prompt is blank"), "remove it, or write one");
        }
        if prompt.group.as_ref().is_some_and(|group| group.trim().is_empty()) {
            problems.add(span.clone(), format!("{place}: the group is blank"), "remove it, or name the group");
        }
        if prompt.text.contains('\0') {
            let help = "take it out; if the file is in UTF-16, convert it: iconv -f utf-16 -t utf-8";
            problems.add(
                span.clone(),
                format!("{place}: the prompt holds a NUL, which ends a text in llama.cpp"),
                help,
            );
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
    let RawGrid { model, chain, offload, quant, template, op_offload, temperature, seed, exclude } = &raw.grid;
    let servers = resolve_servers(&raw.server, problems);
    let known_models = known_models(&raw.model, &servers, surroundings, problems);
    let known_chains = known_chains(&raw.chain, problems);
    let models = resolve_names(model, "model", &known_models, |model| &model.id, problems);
    let chains = resolve_names(chain, "chain", &known_chains, |chain| &chain.id, problems);
    let offloads = match offload {
        None => vec![Offload::All],
        Some(list) => resolve_levels("offload", list, resolve_offload, problems),
    };
    let quants = resolve_named_levels("quant", quant.as_ref(), problems);
    let templates = resolve_named_levels("template", template.as_ref(), problems);
    let op_offloads = match op_offload {
        None => vec![OpOffload::default()],
        Some(list) => resolve_levels("op_offload", list, |raw, _| Some((*raw.get_ref()).into()), problems),
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
    let mut grid =
        Grid { models, chains, offloads, quants, templates, op_offloads, temperatures, seeds, excluded: vec![] };
    let texts = grid.texts(prompts.len());
    if texts > MOST_TEXTS {
        let longest = if grid.seeds.len() > grid.temperatures.len() { seed.as_ref().map(Spanned::span) } else { None };
        problems.add(
            longest.unwrap_or(temperature.span()),
            format!("this grid has {texts} texts, and {MOST_TEXTS} is the most"),
            "leave out levels or prompts, or make several experiments of it",
        );
        return None;
    }
    for exclusion in exclude {
        let resolved = resolve_exclusion(exclusion, &grid, prompts, problems);
        grid.excluded.extend(resolved);
    }
    if problems.is_empty()
        && let Some(last) = exclude.last()
        && !grid.leaves_a_trial(prompts)
    {
        problems.add(
            last.span(),
            "with this exclusion no trial is left to run",
            "remove it, or narrow it with another key",
        );
    }
    Some(grid)
}

/// The levels of a list, each read by `resolve`.
fn resolve_levels<R, T: PartialEq + fmt::Display>(
    what: &str,
    list: &Spanned<Vec<Spanned<R>>>,
    resolve: impl Fn(&Spanned<R>, &mut Problems) -> Option<T>,
    problems: &mut Problems,
) -> Vec<T> {
    check_list(list, problems);
    let levels = list.get_ref().iter();
    let placed = levels.filter_map(|raw| Some((resolve(raw, problems)?, raw.span()))).collect();
    distinct(what, placed, problems)
}

/// The levels of a factor whose levels have names; its default where the file
/// does not speak of it.
fn resolve_named_levels<T: Named>(
    what: &str,
    list: Option<&Spanned<Vec<Spanned<String>>>>,
    problems: &mut Problems,
) -> Vec<T> {
    let Some(list) = list else { return vec![T::default()] };
    resolve_levels(what, list, |raw, problems| resolve_name(what, raw, problems), problems)
}

/// What can be written as one of a few names.
pub(super) trait Named: Default + PartialEq + fmt::Display + FromStr + VariantNames {}

impl<T: Default + PartialEq + fmt::Display + FromStr + VariantNames> Named for T {}

/// A setting of a few names; its default where the file does not speak of it.
pub(super) fn resolve_named<T: Named>(what: &str, raw: Option<&Spanned<String>>, problems: &mut Problems) -> Option<T> {
    match raw {
        None => Some(T::default()),
        Some(raw) => resolve_name(what, raw, problems),
    }
}

pub(super) fn resolve_name<T: Named>(what: &str, raw: &Spanned<String>, problems: &mut Problems) -> Option<T> {
    let name = raw.get_ref();
    let found = name.parse().ok();
    if found.is_none() {
        let help = did_you_mean(name, T::VARIANTS.iter().copied()).map_or_else(
            || format!("use one of: {}", T::VARIANTS.join(", ")),
            |near| format!("did you mean {near:?}?"),
        );
        problems.add(raw.span(), format!("unknown {what} {name:?}"), help);
    }
    found
}

/// The levels, each one reported that stood before.
fn distinct<T: PartialEq + fmt::Display>(
    what: &str,
    levels: Vec<(T, Range<usize>)>,
    problems: &mut Problems,
) -> Vec<T> {
    let mut distinct: Vec<T> = Vec::new();
    for (level, span) in levels {
        if distinct.contains(&level) {
            problems.add(span, format!("the {what} {level} stands twice in the grid"), "remove one");
        } else {
            distinct.push(level);
        }
    }
    distinct
}

pub(super) fn known_models(
    raw: &[RawModel],
    servers: &[Server],
    surroundings: &Surroundings,
    problems: &mut Problems,
) -> Vec<Model> {
    let mut models = resolve_models(raw, servers, &surroundings.directory, problems);
    let theirs = surroundings.catalogue.iter().filter(|known| !models.iter().any(|model| model.id == known.id));
    let theirs: Vec<_> = theirs.cloned().collect();
    models.extend(theirs);
    models
}

pub(super) fn known_chains(raw: &[RawChain], problems: &mut Problems) -> Vec<Chain> {
    let mut chains = builtin::chains();
    for chain in raw {
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
fn unusable(raw: &RawChain) -> Option<Chain> {
    Some(Chain { id: raw.id.get_ref().clone(), steps: vec![], fidelity: super::Fidelity::Checked })
}

pub(super) fn resolve_names<T: Clone>(
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
        report_empty(list.span(), problems);
    }
}

fn report_empty(span: Range<usize>, problems: &mut Problems) {
    problems.add(span, "an empty list leaves nothing to run", "give at least one level");
}

pub(super) fn resolve_offload(raw: &Spanned<RawOffload>, problems: &mut Problems) -> Option<Offload> {
    let offload = match raw.get_ref() {
        RawOffload::Name(name) if name == "none" => Some(Offload::None),
        RawOffload::Name(name) if name == "all" => Some(Offload::All),
        RawOffload::Name(_) => None,
        RawOffload::Layers(n) => u32::try_from(*n).ok().filter(|&n| n > 0).map(Offload::Layers),
    };
    if offload.is_none() {
        problems.add(raw.span(), "this is not an offload", "use \"none\", \"all\", or a number of layers from 1 up");
    }
    offload
}

pub(super) fn resolve_temperatures(raw: &Spanned<ListOr<f64, RawSteps>>, problems: &mut Problems) -> Vec<Temperature> {
    match raw.get_ref() {
        ListOr::List(list) => {
            if list.is_empty() {
                report_empty(raw.span(), problems);
            }
            let levels = list.iter();
            let placed =
                levels.filter_map(|level| Some((resolve_temperature(level, problems)?, level.span()))).collect();
            distinct("temperature", placed, problems)
        }
        ListOr::Range(steps) => {
            let levels = step_through(steps);
            if levels.is_none() {
                let RawSteps { from, to, step } = steps;
                problems.add(
                    raw.span(),
                    format!("from {from:?} to {to:?} in steps of {step:?} is no range of temperatures"),
                    format!(
                        "from must be at least 0 and at most to; step must be above 0, and large enough for levels \
                         that differ, {MAX_LEVELS} at the most"
                    ),
                );
            }
            levels.unwrap_or_default()
        }
    }
}

/// The levels of a range, both ends included; None when it is not one.
fn step_through(&RawSteps { from, to, step }: &RawSteps) -> Option<Vec<Temperature>> {
    // False for nan, too.
    if !(0.0 <= from && from <= to && to.is_finite() && step > 0.0 && (to - from) / step < MAX_LEVELS as f64) {
        return None;
    }
    // Half a step's tolerance would add a level; a rounding error must not lose one.
    let last = ((to - from) / step + 1e-6).floor() as usize;
    let levels: Vec<_> =
        (0..=last).map(|i| Temperature::new((from + i as f64 * step) as f32)).collect::<Option<_>>()?;
    levels.is_sorted_by(|a, b| a < b).then_some(levels)
}

pub(super) fn resolve_temperature(raw: &Spanned<f64>, problems: &mut Problems) -> Option<Temperature> {
    let temperature = Temperature::new(*raw.get_ref() as f32);
    if temperature.is_none() {
        problems.add(raw.span(), format!("a temperature can't be {:?}", raw.get_ref()), "give a number from 0 up");
    }
    temperature
}

pub(super) fn resolve_seeds(raw: &Spanned<ListOr<i64, RawCount>>, problems: &mut Problems) -> Vec<Seed> {
    match raw.get_ref() {
        ListOr::List(list) => {
            if list.is_empty() {
                report_empty(raw.span(), problems);
            }
            let levels = list.iter();
            let placed = levels.filter_map(|level| Some((resolve_seed(level, problems)?, level.span()))).collect();
            distinct("seed", placed, problems)
        }
        ListOr::Range(range) => {
            let seeds = count_up(range);
            if seeds.is_none() {
                problems.add(
                    raw.span(),
                    format!("{} seeds from {} up is no range of seeds", range.count, range.from),
                    format!("seeds run from 0 to 4294967294, 1 to {MAX_LEVELS} of them in a grid"),
                );
            }
            seeds.unwrap_or_default()
        }
    }
}

/// The seeds of a range; None when it is not one.
fn count_up(range: &RawCount) -> Option<Vec<Seed>> {
    let first = u32::try_from(range.from).ok()?;
    let few = (1..=MAX_LEVELS as u32).contains(&range.count);
    few.then(|| (0..range.count).map(|i| first.checked_add(i).and_then(Seed::new)).collect())?
}

fn resolve_seed(raw: &Spanned<i64>, problems: &mut Problems) -> Option<Seed> {
    let seed = u32::try_from(*raw.get_ref()).ok().and_then(Seed::new);
    if seed.is_none() {
        let help = "give a number from 0 to 4294967294; the next one means \"random\" to llama.cpp";
        problems.add(raw.span(), format!("a seed can't be {}", raw.get_ref()), help);
    }
    seed
}

fn resolve_exclusion(
    raw: &Spanned<RawExclusion>,
    grid: &Grid,
    prompts: &[Prompt],
    problems: &mut Problems,
) -> Vec<Exclusion> {
    let RawExclusion { model, chain, offload, quant, template, op_offload, temperature, seed, prompt, group } =
        raw.get_ref();
    let of_group = group.as_ref().map(|group| groups::prompts_of(group, prompts, problems));
    let models = ids(&grid.models, |model| &model.id);
    let chains = ids(&grid.chains, |chain| &chain.id);
    let prompts = ids(prompts, |prompt| &prompt.id);
    let exclusion = Exclusion {
        model: model.as_ref().and_then(|raw| excluded_name("model", raw, &models, problems)),
        chain: chain.as_ref().and_then(|raw| excluded_name("chain", raw, &chains, problems)),
        offload: offload.as_ref().and_then(|raw| {
            let offload = resolve_offload(raw, problems)?;
            excluded_level("offload", offload, raw.span(), &grid.offloads, problems)
        }),
        quant: quant.as_ref().and_then(|raw| {
            let quant = resolve_name("quant", raw, problems)?;
            excluded_level("quant", quant, raw.span(), &grid.quants, problems)
        }),
        template: template.as_ref().and_then(|raw| {
            let template = resolve_name("template", raw, problems)?;
            excluded_level("template", template, raw.span(), &grid.templates, problems)
        }),
        op_offload: op_offload.as_ref().and_then(|raw| {
            excluded_level("op_offload", (*raw.get_ref()).into(), raw.span(), &grid.op_offloads, problems)
        }),
        temperature: temperature.as_ref().and_then(|raw| {
            let temperature = resolve_temperature(raw, problems)?;
            excluded_level("temperature", temperature, raw.span(), &grid.temperatures, problems)
        }),
        seed: seed.as_ref().and_then(|raw| {
            let seed = resolve_seed(raw, problems)?;
            excluded_level("seed", seed, raw.span(), &grid.seeds, problems)
        }),
        prompt: prompt.as_ref().and_then(|raw| excluded_name("prompt", raw, &prompts, problems)),
    };
    if let (Some(prompt), Some(_)) = (prompt, group) {
        problems.add(prompt.span(), "a prompt is of one group", "remove prompt, or group");
    }
    if problems.is_empty() && exclusion == Exclusion::default() && group.is_none() {
        problems.add(raw.span(), "an exclusion without a level leaves nothing to run", "name the levels to leave out");
    }
    match of_group {
        None => vec![exclusion],
        Some(ids) => ids.into_iter().map(|id| Exclusion { prompt: Some(id), ..exclusion.clone() }).collect(),
    }
}

fn ids<T>(items: &[T], id: impl Fn(&T) -> &String) -> Vec<&str> {
    items.iter().map(|item| id(item).as_str()).collect()
}

fn excluded_name(what: &str, raw: &Spanned<String>, known: &[&str], problems: &mut Problems) -> Option<String> {
    let name = raw.get_ref();
    if known.contains(&name.as_str()) {
        return Some(name.clone());
    }
    let help = did_you_mean(name, known.iter().copied())
        .map_or_else(|| NOT_EXCLUDED.to_owned(), |near| format!("did you mean {near:?}?"));
    problems.add(raw.span(), format!("the grid has no {what} {name:?} to exclude"), help);
    None
}

fn excluded_level<T: PartialEq + fmt::Display>(
    what: &str,
    level: T,
    span: Range<usize>,
    known: &[T],
    problems: &mut Problems,
) -> Option<T> {
    if known.contains(&level) {
        return Some(level);
    }
    problems.add(span, format!("the grid has no {what} {level} to exclude"), NOT_EXCLUDED);
    None
}
