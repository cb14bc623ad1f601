//! Turns what was typed into the case that is to be diagnosed.

use super::super::Failure;
use super::super::variant::server;
use super::given::{Given, in_file, prompts};
use super::served::served;
use crate::cli::{DiagnoseArgs, SamplerOptions};
use crate::diagnosis::{About, Case, Frame, Known, Overrides, Place, Prompt, Prompts, Setup, typed_level, typed_pair};
use crate::domain::{Factor, Level, Template};

/// Of a switch that does not make it loop less, however many are tried.
const ALPHA: f64 = 0.05;
/// Ten points of the share of texts that loop.
const NEGLIGIBLE: f64 = 0.1;
/// Room for a prompt is given in steps of so many tokens.
const ROOM_STEP_TOKENS: usize = 256;
/// Even with a small vocabulary a token has so many characters of a prompt; its template's are the rest.
const CHARACTERS_PER_TOKEN: usize = 2;

/// The case, and how its experiments are asked.
pub fn case(args: &DiagnoseArgs) -> Result<(Case, Frame), Failure> {
    let max_tokens = args.max_tokens.get();
    let Prompts { search, fresh } = prompts(args.prompt_file.as_deref())?;
    let context = max_tokens.saturating_add(room_for([&search, &fresh]));
    let Given { target, name: model, about, findings, runtime, as_run } = match server(&args.server)? {
        Some(server) => served(server, args, context)?,
        None => in_file(args, context)?,
    };
    let as_run = with_levels(as_run, args, &about)?;
    let frame = Frame {
        name: format!("diagnose-{model}"),
        model,
        target,
        max_tokens,
        context: about.room_tokens,
        alpha: ALPHA,
        negligible: NEGLIGIBLE,
    };
    Ok((Case { as_run, about, runtime, findings, search, fresh }, frame))
}

/// The tokens in which the longest prompt has room.
fn room_for(prompts: [&Vec<Prompt>; 2]) -> u32 {
    let longest = prompts.into_iter().flatten().map(|prompt| prompt.text.chars().count()).max().unwrap_or(0);
    let steps = (longest / CHARACTERS_PER_TOKEN).div_ceil(ROOM_STEP_TOKENS).max(1);
    u32::try_from(steps * ROOM_STEP_TOKENS).unwrap_or(u32::MAX)
}

impl From<SamplerOptions> for Overrides {
    fn from(typed: SamplerOptions) -> Self {
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
        Self { temperature, top_k, top_p, min_p, repeat_penalty, repeat_last_n, presence_penalty, frequency_penalty }
    }
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
    let usual = if about.place == Place::Server || about.template == Known::Yes {
        about.place.template()
    } else {
        Template::Raw
    };
    let mut levels: Vec<Level> = vec![usual.into()];
    for (factor, typed) in named {
        levels.extend(typed.as_ref().map(|typed| typed_level(factor, typed)).transpose()?);
    }
    for typed in &engine.set {
        levels.push(typed_pair(typed)?);
    }
    Ok(levels.into_iter().fold(as_run, |setup, level| setup.at(level)))
}
