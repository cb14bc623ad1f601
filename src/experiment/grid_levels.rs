//! Turns the levels that a file writes into those of a [`Grid`], and collects every error.

use std::fmt;
use std::ops::Range;

use super::spanned::Spanned;

use super::error::{Problems, did_you_mean};
use super::groups::prompts_of;
use super::known::{known_chains, known_models};
use super::named::resolve_named;
use super::raw::RawExperiment;
use super::raw_levels::{ExclusionKeys, GridKeys, ListOr, RawCount, RawExclusion, RawGrid, RawLevel, RawSteps};
use super::server::resolve_servers;
use super::surroundings::Surroundings;
use super::{Grid, Prompt};
use crate::domain::{Bos, Exclusion, Factor, FactorMap, Level, MAX_LEVELS, NotALevel, Seed, Selection, Written};

/// How many texts a grid may have, exclusions aside: a plan of so many takes less than 1 GB (docs/planning.md).
const MOST_TEXTS: u64 = 1_000_000;

const NOT_EXCLUDED: &str = "correct the level, or remove the exclusion: it leaves nothing out";

pub(super) fn resolve_grid(
    raw: &RawExperiment,
    prompts: &[Prompt],
    surroundings: &Surroundings,
    problems: &mut Problems,
) -> Option<Grid> {
    let RawGrid { levels: raw_levels, keys: GridKeys { seed, design, exclude } } = &raw.grid;
    let servers = resolve_servers(&raw.server, problems);
    let known_models = known_models(&raw.model, &servers, surroundings, problems);
    let known_chains = known_chains(&raw.chain, surroundings, problems);
    let models = names(raw_levels[Factor::Model].as_ref(), problems);
    let models =
        resolve_names(&models?, "model", &known_models, no_catalogue(surroundings), |model| &model.id, problems);
    let chains = names(raw_levels[Factor::Chain].as_ref(), problems);
    let chains = resolve_names(&chains?, "chain", &known_chains, "", |chain| &chain.id, problems);
    // What is no BOS `resolve_generate` says.
    let setting: Bos = raw.generate.bos.as_ref().and_then(|bos| bos.get_ref().parse().ok()).unwrap_or_default();
    if let (Some(bos), Some(_)) = (&raw.generate.bos, &raw_levels[Factor::Bos]) {
        problems.add(
            bos.span(),
            "bos stands in [grid] too",
            "keep one of them: in [grid] it is a list of levels to compare",
        );
    }
    let levels = FactorMap::from_fn(|factor| match factor {
        Factor::Model | Factor::Chain => vec![],
        Factor::Bos if raw_levels[Factor::Bos].is_none() => vec![setting.into()],
        factor => resolve_levels(factor, raw_levels[factor].as_ref(), problems),
    });
    let seeds = match seed {
        None => vec![Seed::new(0).expect("0 is a seed")],
        Some(seed) => resolve_seeds(seed, problems),
    };
    let fraction = resolve_named("design", design.as_ref(), problems);
    if !problems.is_empty() {
        // The levels are not what was meant: exclusions can't be judged.
        return None;
    }
    let mut grid = Grid { fraction: fraction?, ..Grid::new(models, chains, levels, seeds) };
    let texts = grid.texts(prompts.len());
    if texts > MOST_TEXTS {
        let spans =
            raw_levels.iter().filter_map(|(factor, raw)| Some((grid.levels[factor].len(), raw.as_ref()?.span())));
        let of_seeds = seed.as_ref().map(|seed| (grid.seeds.len(), seed.span()));
        let longest = spans.chain(of_seeds).max_by_key(|(n_levels, _)| *n_levels);
        problems.add(
            longest.map_or(0..0, |(_, span)| span),
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

/// A list of names; None, with the reason in `problems`, where it is none.
fn names(
    raw: Option<&Spanned<ListOr<RawLevel, RawSteps>>>,
    problems: &mut Problems,
) -> Option<Spanned<Vec<Spanned<String>>>> {
    let raw = raw?;
    let ListOr::List(list) = raw.get_ref() else {
        problems.add(raw.span(), "this is not a list of names", "write the names in [ ]");
        return None;
    };
    let name = |raw: &Spanned<RawLevel>, problems: &mut Problems| match &raw.get_ref().0 {
        Written::Name(name) => Some(Spanned::new(raw.span(), name.clone())),
        _ => {
            problems.add(raw.span(), "this is not a name", "write it in quotes");
            None
        }
    };
    Some(Spanned::new(raw.span(), list.iter().filter_map(|raw| name(raw, problems)).collect()))
}

/// The levels of a factor, as the file writes them; the usual one where it does not.
pub(super) fn resolve_levels(
    factor: Factor,
    raw: Option<&Spanned<ListOr<RawLevel, RawSteps>>>,
    problems: &mut Problems,
) -> Vec<Level> {
    let Some(raw) = raw else { return factor.usual().into_iter().collect() };
    match raw.get_ref() {
        ListOr::List(list) => {
            if list.is_empty() {
                report_empty(raw.span(), problems);
            }
            let level = |raw: &Spanned<RawLevel>| Some((resolve_level(factor, raw, problems)?, raw.span()));
            let placed = list.iter().filter_map(level).collect();
            distinct(factor.name(), placed, problems)
        }
        ListOr::Range(steps) => factor.range(steps.into()).unwrap_or_else(|wrong| {
            report(factor, wrong, None, raw.span(), problems);
            vec![]
        }),
    }
}

/// A level as the file writes it; None, with the reason in `problems`, where it is none.
pub(super) fn resolve_level(factor: Factor, raw: &Spanned<RawLevel>, problems: &mut Problems) -> Option<Level> {
    let written = &raw.get_ref().0;
    factor.read(written).map_err(|wrong| report(factor, wrong, Some(written), raw.span(), problems)).ok()
}

fn report(factor: Factor, wrong: NotALevel, written: Option<&Written>, span: Range<usize>, problems: &mut Problems) {
    let (message, help) = match (wrong, written) {
        (NotALevel::Unknown { names }, Some(Written::Name(name))) => {
            let help = did_you_mean(name, names.iter().copied())
                .map_or_else(|| format!("use one of: {}", names.join(", ")), |near| format!("did you mean {near:?}?"));
            (format!("unknown {factor} {name:?}"), help)
        }
        (NotALevel::Unknown { names }, _) => {
            (format!("this is no {factor}"), format!("use one of: {}", names.join(", ")))
        }
        (NotALevel::Other { message, help }, _) => (message, help),
    };
    problems.add(span, message, help);
}

/// What to add to the advice for an unknown model where there is no catalogue: it may be one of the bundled ones.
pub(super) fn no_catalogue(surroundings: &Surroundings) -> &'static str {
    if surroundings.catalogue.is_empty() {
        ". No bundled model is known, for there is no models/catalog.toml beside or above the experiment: they lie in \
         the folder models of moe-sweep's source, and MOE_SWEEP_MODELS=DIR says where that is"
    } else {
        ""
    }
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

pub(super) fn resolve_names<T: Clone>(
    names: &Spanned<Vec<Spanned<String>>>,
    what: &str,
    known: &[T],
    elsewhere: &str,
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
                    None if ids.is_empty() => format!("define it with [[{what}]]{elsewhere}"),
                    None => format!("define it with [[{what}]], or use one of: {}{elsewhere}", ids.join(", ")),
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
    let RawExclusion { levels, keys: ExclusionKeys { seed, prompt, group } } = raw.get_ref();
    let of_group = group.as_ref().map(|group| prompts_of(group, prompts, problems));
    let ids: Vec<&str> = prompts.iter().map(|prompt| &*prompt.id).collect();
    let mut selection = Selection::default();
    for (factor, level) in levels.iter() {
        let level = level.as_ref().and_then(|raw| excluded_level(factor, raw, &grid.levels[factor], problems));
        selection.levels[factor].extend(level);
    }
    let seed = seed.as_ref().and_then(|raw| {
        let seed = resolve_seed(raw, problems)?;
        let known = grid.seeds.contains(&seed);
        if !known {
            problems.add(raw.span(), format!("the grid has no seed {seed} to exclude"), NOT_EXCLUDED);
        }
        known.then_some(seed)
    });
    selection.prompt.extend(prompt.as_ref().and_then(|raw| excluded_name("prompt", raw, &ids, problems)));
    let exclusion = Exclusion { selection, seed };
    if let (Some(prompt), Some(_)) = (prompt, group) {
        problems.add(prompt.span(), "a prompt is of one group", "remove prompt, or group");
    }
    if problems.is_empty() && exclusion == Exclusion::default() && group.is_none() {
        problems.add(raw.span(), "an exclusion without a level leaves nothing to run", "name the levels to leave out");
    }
    let of = |id| {
        let mut exclusion = exclusion.clone();
        exclusion.selection.prompt = vec![id];
        exclusion
    };
    of_group.map_or_else(|| vec![exclusion.clone()], |ids| ids.into_iter().map(of).collect())
}

fn excluded_level(factor: Factor, raw: &Spanned<RawLevel>, known: &[Level], problems: &mut Problems) -> Option<Level> {
    if let (Factor::Model | Factor::Chain, Written::Name(name)) = (factor, &raw.get_ref().0) {
        let names: Vec<String> = known.iter().map(ToString::to_string).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        excluded_name(factor.name(), &Spanned::new(raw.span(), name.clone()), &names, problems)?;
    }
    let level = resolve_level(factor, raw, problems)?;
    if known.contains(&level) {
        return Some(level);
    }
    problems.add(raw.span(), format!("the grid has no {factor} {level} to exclude"), NOT_EXCLUDED);
    None
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
