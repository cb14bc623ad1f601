//! A routing experiment: the base makes the texts and follows them again with
//! its routers read; every other arm follows the same tokens.

use std::path::Path;

use itertools::{Itertools as _, iproduct};
use miette::miette;

use super::{ArmFile, Found, Run, Session, Stop, Table};
use crate::commands::{Failure, plain};
use crate::domain::{Chain, Generation, Seed, Temperature};
use crate::engine::trace::{
    Follow, Record, Routed, RoutingReader, RoutingShape, ScratchError, TraceText, TraceWork, Traced,
};
use crate::engine::{Group, Job, Ticket, Work};
use crate::experiment::{Mechanism, Prompt};
use crate::mechanism::{
    Agreement, AgreementOutcome, RoutedText, Routing, agreement, loop_onset, loop_shifts, phase_loads,
};
use crate::message::say;
use crate::report::mechanism::{routing_csv, routing_terminal};
use crate::report::plot::Caption;
use crate::report::plot::mechanism::{agreement_figure, load_figure};

/// Runs it.
pub fn run(run: &Run<'_>, files: &[ArmFile]) -> Result<Found, Stop> {
    let experiment = &run.mechanism.experiment;
    let asked = asked(run.mechanism);
    let mut found = Vec::new();
    for model in &experiment.grid.models {
        found.extend(of_model(run, files, &model.id, &asked)?);
    }
    let caption = Caption { experiment: &experiment.name, note: None };
    let drawn = [load_figure(&found, caption), agreement_figure(&found, caption)];
    let figures = drawn.into_iter().map(|figure| figure.map_err(|error| Failure::internal(plain(error))));
    Ok(Found {
        tables: vec![
            Table::shown("routing-agreement.csv", "Whether the arms select the same experts", |out| {
                routing_csv::write_agreements(&found, out)
            }),
            Table::shown("routing-loop.csv", "Load in a loop against before it", |out| {
                routing_csv::write_shifts(&found, out)
            }),
            Table::shown("routing-layers.csv", "Entropy of the load, layer by layer", |out| {
                routing_csv::write_layers(&found, out)
            }),
            Table::kept("routing.csv", |out| routing_csv::write_loads(&found, out)),
        ],
        figures: figures.collect::<Result<_, Failure>>()?,
        summary: routing_terminal::summary(&found, &run.directory.display().to_string()),
    })
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
fn asked(mechanism: &Mechanism) -> Vec<Asked<'_>> {
    let grid = &mechanism.experiment.grid;
    iproduct!(&grid.chains, grid.levels_of::<Temperature>())
        .flat_map(|(chain, temperature)| {
            iproduct!(grid.seeds_of(chain), &mechanism.experiment.prompts)
                .map(move |(seed, prompt)| Asked { chain, temperature, seed, prompt })
                .collect::<Vec<_>>()
        })
        .collect()
}

fn of_model(run: &Run<'_>, files: &[ArmFile], model: &str, asked: &[Asked<'_>]) -> Result<Vec<Routing>, Stop> {
    let Mechanism { base, others, .. } = run.mechanism;
    say(&format!("{model}: the base, {base}"));
    let mut session = run.load(files, model, *base)?;
    let generated = generate(run, &mut session, asked)?;
    let (ours, shape) = follow(run, &mut session, asked, &generated)?;
    drop(session);
    let mut theirs = Vec::new();
    for &other in others {
        let same = run.same_placement(model, &other);
        if let (Some(why), true) = (&same, other.differs_in_offload_only(base)) {
            theirs.push((other, Err(why.clone()), None));
            continue;
        }
        say(&format!("{model}: {}", other.differences(base)));
        let (texts, its_shape) = follow(run, &mut run.load(files, model, other)?, asked, &generated)?;
        if its_shape != shape {
            return Err(Failure::internal(miette!("{model}: the arms differ in their routers")).into());
        }
        theirs.push((other, Ok(texts), same.map(|why| format!("the offload is no difference: {why}"))));
    }
    let mut from = 0;
    let conditions = asked.iter().chunk_by(|asked| (asked.chain.id.clone(), asked.temperature));
    let mut found = Vec::new();
    for ((chain, temperature), texts) in &conditions {
        let range = from..from + texts.count();
        from = range.end;
        let texts = &ours[range.clone()];
        let agreements = theirs.iter().map(|(other, theirs, note)| {
            let outcome = match theirs {
                Err(why) => AgreementOutcome::SamePlacement { why: why.clone() },
                Ok(theirs) => AgreementOutcome::Compared(
                    agreement(texts, &theirs[range.clone()], &shape)
                        .ok_or_else(|| Failure::internal(miette!("{model}: the arms followed different texts")))?,
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
            agreements: agreements.collect::<Result<_, Failure>>()?,
            shape: shape.clone(),
        });
    }
    Ok(found)
}

/// The base's texts, in the order in which they are asked for.
fn generate(run: &Run<'_>, session: &mut Session<'_>, asked: &[Asked<'_>]) -> Result<Vec<Follow>, Stop> {
    let experiment = &run.mechanism.experiment;
    let group = |prompt: &Prompt| {
        let of_prompt = (0..).zip(asked).filter(|(_, asked)| asked.prompt.id == prompt.id);
        let job = |(ticket, asked): (Ticket, &Asked<'_>)| Job {
            ticket,
            chain: asked.chain.at(asked.temperature),
            seed: asked.seed,
        };
        Group {
            prompt: prompt.text.clone(),
            template: experiment.grid.levels_of()[0],
            jobs: of_prompt.map(job).collect(),
        }
    };
    let groups = experiment.prompts.iter().map(group).collect();
    let (max_tokens, bos) = (experiment.generate.max_tokens, experiment.generate.bos);
    let generated = session.generate(Work { max_tokens, bos, groups, hash_logits: false })?;
    if generated.len() != asked.len() {
        let (made, due) = (generated.len(), asked.len());
        return Err(Failure::internal(miette!("{made} of {due} texts were generated")).into());
    }
    let follow = |(_, generation): (Ticket, Generation)| {
        let stop = generation.stop;
        let tokens = generation.tokens.ok_or_else(|| Failure::internal(miette!("a text came without its tokens")))?;
        Ok(Follow::Forced { tokens, stop })
    };
    generated.into_iter().map(follow).collect()
}

/// Follows the texts with the routers read.
fn follow(
    run: &Run<'_>,
    session: &mut Session<'_>,
    asked: &[Asked<'_>],
    generated: &[Follow],
) -> Result<(Vec<RoutedText>, RoutingShape), Stop> {
    let experiment = &run.mechanism.experiment;
    let folder = run.scratch.folder("routing").map_err(super::bad_setup)?;
    let text = |(ticket, (asked, follow)): (Ticket, (&Asked<'_>, &Follow))| TraceText {
        ticket,
        prompt: asked.prompt.text.clone(),
        template: experiment.grid.levels_of()[0],
        follow: follow.clone(),
    };
    let texts = (0..).zip(asked.iter().zip(generated)).map(text).collect();
    let (max_tokens, bos) = (experiment.generate.max_tokens, experiment.generate.bos);
    let directory = folder.clone();
    let traced = session.trace(TraceWork { max_tokens, bos, texts, record: Record::Routing, directory })?;
    let shape = traced.iter().find_map(|text| text.routing.clone());
    let shape = shape.ok_or_else(|| Failure::internal(miette!("no text has a routing")))?;
    let read = |(asked, traced): (&Asked<'_>, &Traced)| {
        run.heed()?;
        let positions = read(&folder, traced, &shape).map_err(|error| Failure::internal(plain(error)))?;
        Ok(RoutedText { prompt: asked.prompt.id.clone(), onset: loop_onset(&traced.tokens), positions })
    };
    let read: Result<_, Stop> = asked.iter().zip(&traced).map(read).collect();
    Ok((read?, shape))
}

fn read(folder: &Path, traced: &Traced, shape: &RoutingShape) -> Result<Vec<Vec<Routed>>, ScratchError> {
    let mut reader = RoutingReader::open(folder, traced, shape)?;
    (0..traced.n_positions()).map(|_| reader.read()).collect()
}
