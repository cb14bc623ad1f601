//! Conducts a routing study: the base makes the texts and follows them again with its routers read; every other arm
//! follows the same tokens.

use std::path::Path;

use itertools::{Itertools as _, iproduct};

use super::numbers::{
    Agreement, AgreementOutcome, RoutedText, Routing, agreement, loop_onset, loop_shifts, phase_loads,
};
use super::session::Session;
use super::{Likeness, Run, StudyError};
use crate::domain::{Chain, Eos, Generation, Seed, Temperature};
use crate::engine::trace::{
    Follow, Record, Routed, RoutingReader, RoutingShape, ScratchError, TraceText, TraceWork, Traced,
};
use crate::engine::{Group, Job, Ticket, Work};
use crate::experiment::{Arm, Prompt, Sampling, Study};
use crate::message::say;

/// Reads the routers of every model, on texts of every chain and temperature.
pub fn conduct(run: &Run<'_>, sampling: &Sampling) -> Result<Vec<Routing>, StudyError> {
    let asked = asked(run.study, sampling);
    let mut found = Vec::new();
    for model in &run.study.models {
        found.extend(of_model(run, &model.id, &asked)?);
    }
    Ok(found)
}

/// A text that is asked for; its ticket is its index.
#[derive(Clone, Copy)]
struct Asked<'a> {
    chain: &'a Chain,
    temperature: Temperature,
    seed: Option<Seed>,
    prompt: &'a Prompt,
}

/// Every text, those of one chain and temperature together.
fn asked<'a>(study: &'a Study, sampling: &'a Sampling) -> Vec<Asked<'a>> {
    iproduct!(&sampling.chains, &sampling.temperatures)
        .flat_map(|(chain, &temperature)| {
            iproduct!(sampling.seeds_of(chain), &study.prompts)
                .map(move |(seed, prompt)| Asked { chain, temperature, seed, prompt })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// An arm beside the base, and its texts as far as it was followed.
struct Followed {
    other: Arm,
    texts: Result<Vec<RoutedText>, SamePlacement>,
    note: Option<String>,
}

/// Why an arm was not followed.
struct SamePlacement {
    why: String,
}

fn of_model(run: &Run<'_>, model: &str, asked: &[Asked<'_>]) -> Result<Vec<Routing>, StudyError> {
    let Study { base, others, .. } = run.study;
    say(&format!("{model}: the base, {base}"));
    let mut session = run.load(model, *base)?;
    let generated = generate(run, &mut session, asked)?;
    let (ours, shape) = follow(run, &mut session, asked, &generated)?;
    drop(session);
    let mut theirs = Vec::new();
    for &other in others {
        let (texts, note) = match run.likeness(model, &other) {
            Likeness::Same { why } => (Err(SamePlacement { why }), None),
            Likeness::Other { note } => {
                say(&format!("{model}: {}", other.differences(base)));
                let (texts, its_shape) = follow(run, &mut run.load(model, other)?, asked, &generated)?;
                if its_shape != shape {
                    return Err(StudyError::OtherRouters { model: model.to_owned() });
                }
                (Ok(texts), note)
            }
        };
        theirs.push(Followed { other, texts, note });
    }
    let mut from = 0;
    let conditions = asked.iter().chunk_by(|asked| (asked.chain.id.clone(), asked.temperature));
    let mut found = Vec::new();
    for ((chain, temperature), texts) in &conditions {
        let range = from..from + texts.count();
        from = range.end;
        let texts = &ours[range.clone()];
        let agreements = theirs.iter().map(|Followed { other, texts: theirs, note }| {
            let outcome = match theirs {
                Err(SamePlacement { why }) => AgreementOutcome::SamePlacement { why: why.clone() },
                Ok(theirs) => AgreementOutcome::Compared(
                    agreement(texts, &theirs[range.clone()], &shape)
                        .ok_or_else(|| StudyError::OtherTexts { model: model.to_owned() })?,
                ),
            };
            Ok(Agreement { other: *other, outcome, note: note.clone() })
        });
        let loads = phase_loads(texts, &shape);
        found.push(Routing {
            model: model.to_owned(),
            chain,
            temperature,
            base: *base,
            n_texts: texts.len(),
            n_loops: texts.iter().filter(|text| text.onset.is_some()).count(),
            shifts: loop_shifts(texts, &loads),
            loads,
            agreements: agreements.collect::<Result<_, StudyError>>()?,
            shape: shape.clone(),
        });
    }
    Ok(found)
}

/// The base's texts, in the order in which they are asked for.
fn generate(run: &Run<'_>, session: &mut Session<'_>, asked: &[Asked<'_>]) -> Result<Vec<Follow>, StudyError> {
    let Study { prompts, generate, .. } = run.study;
    let group = |prompt: &Prompt| {
        let of_prompt = (0..).zip(asked).filter(|(_, asked)| asked.prompt.id == prompt.id);
        let job = |(ticket, asked): (Ticket, &Asked<'_>)| Job {
            ticket,
            chain: asked.chain.at(asked.temperature),
            seed: asked.seed,
            eos: Eos::default(),
        };
        Group { prompt: prompt.text.clone(), key: run.study.prompt_key(), jobs: of_prompt.map(job).collect() }
    };
    let groups = prompts.iter().map(group).collect();
    let max_tokens = generate.max_tokens;
    let generated = session.generate(Work { max_tokens, groups, hash_logits: false })?;
    if generated.len() != asked.len() {
        return Err(StudyError::TextsLack { made: generated.len(), due: asked.len() });
    }
    let follow = |(_, Generation { tokens, stop, .. }): (Ticket, Generation)| {
        Ok(Follow::Forced { tokens: tokens.ok_or(StudyError::NoTokens)?, stop })
    };
    generated.into_iter().map(follow).collect()
}

/// Follows the texts with the routers read.
fn follow(
    run: &Run<'_>,
    session: &mut Session<'_>,
    asked: &[Asked<'_>],
    generated: &[Follow],
) -> Result<(Vec<RoutedText>, RoutingShape), StudyError> {
    let max_tokens = run.study.generate.max_tokens;
    let folder = run.scratch.folder("routing")?;
    let text = |(ticket, (asked, follow)): (Ticket, (&Asked<'_>, &Follow))| TraceText {
        ticket,
        prompt: asked.prompt.text.clone(),
        key: run.study.prompt_key(),
        follow: follow.clone(),
    };
    let texts = (0..).zip(asked.iter().zip(generated)).map(text).collect();
    let directory = folder.clone();
    let traced = session.trace(TraceWork { max_tokens, texts, record: Record::Routing, directory })?;
    let shape = traced.iter().find_map(|text| text.routing.clone()).ok_or(StudyError::NoRouting)?;
    let read = |(asked, traced): (&Asked<'_>, &Traced)| {
        run.heed()?;
        let positions = read(&folder, traced, &shape)?;
        Ok(RoutedText { prompt: asked.prompt.id.clone(), onset: loop_onset(&traced.tokens), positions })
    };
    let read: Result<_, StudyError> = asked.iter().zip(&traced).map(read).collect();
    Ok((read?, shape))
}

fn read(folder: &Path, traced: &Traced, shape: &RoutingShape) -> Result<Vec<Vec<Routed>>, ScratchError> {
    let mut reader = RoutingReader::open(folder, traced, shape)?;
    (0..traced.n_positions()).map(|_| reader.read()).collect()
}
