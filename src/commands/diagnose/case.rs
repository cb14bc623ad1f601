//! Turns what was typed into the case that is to be diagnosed.

use std::path::{Path, PathBuf};

use miette::miette;

use super::super::Failure;
use super::super::model::find;
use super::super::variant::substitute;
use crate::cli::{DiagnoseArgs, Known as KnownModels, SamplerOptions};
use crate::diagnosis::{
    About, Case, Frame, Known, Like, Overrides, Place, Prompts, Setup, Target, about, built_in, shared_out,
    typed_level, typed_pair,
};
use crate::domain::{Factor, Level, Template};
use crate::engine::EngineKind;
use crate::experiment::parse_prompts;
use crate::model::read_header;
use crate::text_file::decode;

/// Of a switch that does not make it loop less, however many are tried.
const ALPHA: f64 = 0.05;
/// Ten points of the share of texts that loop.
const NEGLIGIBLE: f64 = 0.1;
/// Room for a prompt.
const PROMPT_TOKENS: u32 = 512;

/// The case, and how its experiments are asked.
pub fn case(args: &DiagnoseArgs) -> Result<(Case, Frame), Failure> {
    let (target, model, about) = target(args)?;
    let like: Like = args.like.parse().map_err(|_| {
        let known = <Like as strum::VariantNames>::VARIANTS.join(", ");
        Failure::usage(miette!(help = format!("use one of: {known}"), "there is no runtime {:?}", args.like))
    })?;
    let as_run = like
        .setup(&model, overrides(args.samplers))
        .ok_or_else(|| Failure::usage(miette!(help = "give a number from 0 up", "--temperature is no temperature")))?;
    let as_run = with_levels(as_run, args, &about)?;
    let Prompts { search, fresh } = prompts(args.prompt_file.as_deref())?;
    let max_tokens = args.max_tokens.get();
    let frame = Frame {
        name: format!("diagnose-{model}"),
        model,
        target,
        max_tokens,
        context: max_tokens + PROMPT_TOKENS,
        alpha: ALPHA,
        negligible: NEGLIGIBLE,
    };
    Ok((Case { as_run, about, search, fresh }, frame))
}

fn target(args: &DiagnoseArgs) -> Result<(Target, String, About), Failure> {
    if let Some(substitute) = substitute(&args.server)? {
        let served_as = substitute.served_as.ok_or_else(|| {
            Failure::usage(miette!(help = "name it with --served-as", "which of the server's models is meant?"))
        })?;
        let about = About { place: Place::Server, template: Known::Yes, ..About::default() };
        let model = plain_name(&served_as);
        return Ok((Target::Server { server: substitute.server, served_as }, model, about));
    }
    let typed = args.model.as_deref().unwrap_or_default();
    let path = find(typed, &KnownModels { experiment: None })?;
    let path = std::path::absolute(&path).unwrap_or(path);
    let about = match EngineKind::of(&path) {
        EngineKind::Scripted => About::default(),
        _ => {
            let (_, anatomy) = read_header(&path)?;
            about(&anatomy, Known::No)
        }
    };
    let model = plain_name(&path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default());
    Ok((Target::File(path), model, about))
}

/// A name for folders and experiments.
fn plain_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = name.chars().map(plain).collect();
    name.trim_start_matches('.').to_owned()
}

fn overrides(typed: SamplerOptions) -> Overrides {
    let SamplerOptions {
        temperature,
        top_k,
        top_p,
        min_p,
        repeat_penalty,
        repeat_last_n,
        presence_penalty,
        frequency_penalty,
    } = typed;
    Overrides { temperature, top_k, top_p, min_p, repeat_penalty, repeat_last_n, presence_penalty, frequency_penalty }
}

fn with_levels(as_run: Setup, args: &DiagnoseArgs, about: &About) -> Result<Setup, Failure> {
    let engine = &args.engine;
    let named = [
        (Factor::KvK, &engine.cache_type_k),
        (Factor::KvV, &engine.cache_type_v),
        (Factor::FlashAttention, &engine.flash_attn),
        (Factor::Bos, &engine.bos),
        (Factor::Template, &args.template),
    ];
    let usual = if about.template == Known::Yes { Template::Chat } else { Template::Raw };
    let mut levels: Vec<Level> = vec![usual.into()];
    for (factor, typed) in named {
        levels.extend(typed.as_ref().map(|typed| typed_level(factor, typed)).transpose()?);
    }
    for typed in &engine.set {
        levels.push(typed_pair(typed)?);
    }
    Ok(levels.into_iter().fold(as_run, |setup, level| setup.at(level)))
}

fn prompts(file: Option<&Path>) -> Result<Prompts, Failure> {
    let Some(path) = file else { return Ok(built_in()) };
    let cannot = |why: String| {
        let help = "give a text file with a prompt a line, JSON lines, or a JSON list";
        Failure::bad_setup(miette!(help = help, "cannot read the prompts {}: {why}", path.display()))
    };
    let bytes = crate::regular_file::read(path).map_err(|error| cannot(error.to_string()))?;
    let text = decode(&bytes).map_err(|fault| cannot(format!("line {}: {fault}", fault.line())))?;
    let name = PathBuf::from(path).display().to_string();
    let read = parse_prompts(&name, text).map_err(|(line, why)| cannot(format!("line {line}: {why}")))?;
    let n = read.len();
    shared_out(read.into_iter().map(|(_, prompt)| prompt.text).collect()).ok_or_else(|| {
        let help = format!(
            "give {} at least: a third of them is kept to confirm what the others find",
            crate::diagnosis::FEWEST
        );
        Failure::bad_setup(miette!(help = help, "{} has {n} prompts, which can't show a cause", path.display()))
    })
}
