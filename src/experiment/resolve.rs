//! Turns a file's shape into its meaning: it has every rule that spans more than one value, and collects every error.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use super::spanned::Spanned;

use super::error::{BadExperiment, Problems};
use super::grid_levels::resolve_grid;
use super::hypotheses::{resolve_hypotheses, resolve_settings};
use super::missing::{SWEEP, add_shape};
use super::model::check_path;
use super::named::{resolve_name, resolve_named};
use super::raw::{self, RawExperiment, RawGenerate, RawPrompt, RawPrompts};
use super::raw_levels::{ListOr, RawGrid};
use super::sequential::resolve_sequential;
use super::surroundings::{Surroundings, Unreadable};
use super::{Experiment, Fraction, Kind, Prompt, prompts};
use crate::domain::{Context, Factor, Generate, LevelType as _};
use crate::text_file::Format;

/// The tokens of a text, where a file states none.
const MAX_TOKENS: u32 = 128;
/// The least context of a file that states none.
const LEAST_CONTEXT: u32 = 512;

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
    let raw = toml::from_str(text).map_err(|error| add_shape(&error, text, &SWEEP, &mut problems)).ok();
    problems.none_or(raw)
}

/// Whether the file is written for this program.
pub(super) fn check_schema(text: &str, problems: &mut Problems) {
    match raw::schema_of(text) {
        Ok(Some(schema)) if *schema.get_ref() == raw::SCHEMA => {}
        Ok(Some(schema)) => problems.add(
            schema.span(),
            format!("this moe-sweep does not read schema {}", schema.get_ref()),
            format!("it reads schema {}: update moe-sweep, or adapt the file", raw::SCHEMA),
        ),
        // It is missing, as other keys may be.
        Ok(None) => {}
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
            "use moe-sweep plan or run; the other commands are for sweeps",
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
    let prompts = resolve_prompts(&raw.prompts, surroundings, resolver);
    let generate = resolve_generate(&raw.generate, Some(&raw.grid), &prompts, resolver);
    let grid = resolve_grid(raw, &prompts, surroundings, resolver);
    let settings = resolve_settings(raw.analysis.as_ref(), resolver);
    let sequential = resolve_sequential(raw, &prompts, settings, resolver);
    let experiment = generate.zip(grid).map(|(generate, mut grid)| {
        let hypotheses = resolve_hypotheses(&raw.hypothesis, &grid, &prompts, resolver);
        if grid.fraction == Fraction::Hypotheses {
            check_compared(raw, resolver);
            grid.compared.clone_from(&hypotheses);
        }
        let (name, question) = (raw.name.get_ref().clone(), raw.question.clone());
        Experiment { name, question, generate, hypotheses, grid, prompts, settings, sequential }
    });
    problems.none_or(experiment)
}

/// A design of what hypotheses compare needs one.
fn check_compared(raw: &RawExperiment, problems: &mut Problems) {
    if let (true, Some(design)) = (raw.hypothesis.is_empty(), &raw.grid.keys.design) {
        problems.add(
            design.span(),
            "this design has the cells that hypotheses compare, and the file has no [[hypothesis]]",
            "add one, or use another design",
        );
    }
}

pub(super) fn check_name(name: &Spanned<String>, problems: &mut Problems) {
    let text = name.get_ref();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if text.is_empty() || text.starts_with('.') || !text.chars().all(plain) {
        problems.add(
            name.span(),
            format!("{text:?} can't be used as the name of a run's directory"),
            "use letters, digits, '-', '_' and '.', and no '.' at the start",
        );
    }
}

/// The settings of every text; a sweep's `grid` may name levels in the place of one.
pub(super) fn resolve_generate(
    raw: &RawGenerate,
    grid: Option<&RawGrid>,
    prompts: &[Prompt],
    problems: &mut Problems,
) -> Option<Generate> {
    let max_tokens = raw.max_tokens.as_ref().map_or(MAX_TOKENS, |stated| *stated.get_ref());
    if let Some(stated) = raw.max_tokens.as_ref().filter(|stated| *stated.get_ref() == 0) {
        problems.add(stated.span(), "a text of no tokens can't repeat itself", "set max_tokens to 1 or more");
    }
    let context = resolve_context(raw, grid, max_tokens, prompts, problems);
    let numerics = resolve_named("numerics", raw.numerics.as_ref(), problems);
    let bos = resolve_named("bos", raw.bos.as_ref(), problems);
    let draws = resolve_named("draws", raw.draws.as_ref(), problems);
    Some(Generate { max_tokens, context: context?, numerics: numerics?, bos: bos?, draws: draws? })
}

/// The context of texts whose cell names none; the largest, where each does.
fn resolve_context(
    raw: &RawGenerate,
    grid: Option<&RawGrid>,
    max_tokens: u32,
    prompts: &[Prompt],
    problems: &mut Problems,
) -> Option<u32> {
    let named = |factor: Factor| grid.and_then(|grid| grid.levels[factor].as_ref());
    let levels = named(Factor::Context).map(|levels| match levels.get_ref() {
        ListOr::List(list) => list.iter().filter_map(|level| Context::read(&level.get_ref().0).ok()).collect(),
        ListOr::Range(_) => vec![],
    });
    let levels = levels.unwrap_or_else(|| vec![Context::Setting]);
    let setting = match (&raw.context, levels.contains(&Context::Setting)) {
        (Some(setting), true) => setting,
        (None, false) => return levels.into_iter().map(|level| level.tokens(0)).max(),
        (None, true) => return Some(usual_context(max_tokens, prompts)),
        (Some(setting), false) => {
            problems.add(
                setting.span(),
                "context is also given in [grid]",
                "keep one of them: in [grid] it is a list of levels to compare",
            );
            return None;
        }
    };
    let context = *setting.get_ref();
    if context <= max_tokens && named(Factor::Overflow).is_none() {
        problems.add(
            setting.span(),
            format!("context = {context} leaves no room for a prompt with max_tokens = {max_tokens}"),
            "raise context: it must hold the prompt and the generated tokens",
        );
    }
    Some(context)
}

/// The context of a file that states none: the least power of two, from 512 up, in which each prompt and its text have
/// room. How many tokens a prompt has is not known before there is a model: a token is taken to have two bytes, and of most
/// it has four.
fn usual_context(max_tokens: u32, prompts: &[Prompt]) -> u32 {
    let longest_bytes = prompts.iter().map(|prompt| prompt.text.len()).max().unwrap_or(0);
    let prompt_tokens = u32::try_from(longest_bytes.div_ceil(2)).unwrap_or(u32::MAX);
    let tokens = max_tokens.saturating_add(prompt_tokens).max(LEAST_CONTEXT);
    tokens.checked_next_power_of_two().unwrap_or(u32::MAX)
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
                    problems.add(file.span(), message, "this is a bug in moe-sweep: please report it");
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
                        Format::Json => {
                            "a .json file must contain a list of texts, or of {\"id\": \"…\", \"text\": \"…\"}"
                        }
                        _ => "each line must be {\"id\": \"…\", \"text\": \"…\"}",
                    };
                    problems.add(file.span(), format!("{}:{line}: not a prompt: {why}", file.get_ref()), help);
                    return vec![];
                }
            }
        }
        (None, None) | (Some(_), Some(_)) => {
            problems.add(raw.span(), "[prompts] needs either file or inline", "give exactly one of them");
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
            let message = format!("{place}: duplicate id {:?}, which {first} has too", prompt.id);
            problems.add(span.clone(), message, "change one of them: an id names one prompt");
        }
        if let Some(first) = by_text.insert(&prompt.text, place) {
            let message = format!("{place}: duplicate text, which {first} has too");
            problems.add(span.clone(), message, "remove one, and use seeds for replicates: a prompt counts only once");
        }
        if prompt.text.trim().is_empty() {
            problems.add(span.clone(), format!("{place}: the prompt is blank"), "remove it, or write one");
        }
        if prompt.group.as_ref().is_some_and(|group| group.trim().is_empty()) {
            problems.add(span.clone(), format!("{place}: the group is blank"), "remove it, or name the group");
        }
        if prompt.text.contains('\0') {
            let help = "remove it; if the file is in UTF-16, convert it: iconv -f utf-16 -t utf-8";
            problems.add(
                span.clone(),
                format!("{place}: the prompt contains a NUL byte, which ends a text in llama.cpp"),
                help,
            );
        }
    }
    let limit = raw.get_ref().limit.as_ref();
    if let Some(limit) = limit.filter(|limit| *limit.get_ref() == 0) {
        problems.add(limit.span(), "limit = 0 leaves no prompt", "set it to 1 or more, or remove it");
    }
    let most = limit.map_or(usize::MAX, |limit| *limit.get_ref() as usize);
    numbered.into_iter().map(|(_, _, prompt)| prompt).take(most).collect()
}
