//! A divergence experiment: the base chooses greedily, every other arm follows
//! its tokens, and then chooses for itself.

use std::path::Path;

use miette::{Report, miette};

use super::{ArmFile, Found, Run, Session, Stop, Table};
use crate::commands::{Failure, plain};
use crate::engine::Stop as TextStop;
use crate::engine::trace::{Follow, LogitsReader, Record, TraceText, TraceWork, Traced};
use crate::experiment::{Arm, Mechanism, Prompt};
use crate::mechanism::{Divergence, Pair, Text, compare, divergence, parting};
use crate::message::say;
use crate::report::mechanism::{divergence_csv, divergence_terminal};
use crate::report::plot::Caption;
use crate::report::plot::mechanism::divergence_figure;

/// Runs it.
pub fn run(run: &Run<'_>, files: &[ArmFile]) -> Result<Found, Stop> {
    let Mechanism { experiment, base, others, .. } = run.mechanism;
    let mut pairs = Vec::new();
    for model in experiment.grid.models.iter().map(|model| model.id.as_str()) {
        let same: Vec<_> = others.iter().map(|other| run.same_placement(model, other)).collect();
        let idle = |(other, same): (&Arm, &Option<String>)| same.is_some() && other.differs_in_offload_only(base);
        let mut chosen = None;
        for (other, same) in others.iter().zip(&same) {
            let (model, base) = (model.to_owned(), *base);
            if let (Some(why), true) = (same, idle((other, same))) {
                let divergence = Divergence::SamePlacement { why: why.clone() };
                pairs.push(Pair { model, base, other: *other, divergence, note: None });
                continue;
            }
            if chosen.is_none() {
                chosen = Some(Chosen::of(run, files, &model)?);
            }
            let texts = chosen.as_ref().expect("just made").compared_with(run, files, &model, *other)?;
            let divergence = divergence(texts).ok_or_else(|| Failure::internal(miette!("there is no position")))?;
            let note = same.as_ref().map(|why| format!("the offload is no difference: {why}"));
            pairs.push(Pair { model, base, other: *other, divergence, note });
        }
    }
    let caption = Caption { experiment: &experiment.name, note: None };
    let figure = divergence_figure(&pairs, caption).map_err(|error| Failure::internal(plain(error)))?;
    Ok(Found {
        tables: vec![
            Table::shown("divergence-summary.csv", "Each arm against the base", |out| {
                divergence_csv::write_summary(&pairs, out)
            }),
            Table::kept("divergence.csv", |out| divergence_csv::write_positions(&pairs, out)),
        ],
        figures: vec![figure],
        summary: divergence_terminal::summary(&pairs, &run.directory.display().to_string()),
    })
}

/// The texts that the base chose, their logits in `folder`.
struct Chosen {
    folder: std::path::PathBuf,
    texts: Vec<Traced>,
}

impl Chosen {
    fn of(run: &Run<'_>, files: &[ArmFile], model: &str) -> Result<Self, Stop> {
        let base = run.mechanism.base;
        say(&format!("{model}: the base, {base}"));
        let folder = run.scratch.folder("base").map_err(super::bad_setup)?;
        let mut session = run.load(files, model, base)?;
        let texts = follow(run, &mut session, &folder, Record::Logits, |_| Follow::Greedy)?;
        Ok(Self { folder, texts })
    }

    fn compared_with(&self, run: &Run<'_>, files: &[ArmFile], model: &str, other: Arm) -> Result<Vec<Text>, Stop> {
        say(&format!("{model}: {}", other.differences(&run.mechanism.base)));
        let folder = run.scratch.folder("other").map_err(super::bad_setup)?;
        let mut session = run.load(files, model, other)?;
        let forced = |index: usize| {
            let Traced { tokens, stop, .. } = &self.texts[index];
            Follow::Forced { tokens: tokens.clone(), stop: *stop }
        };
        let followed = follow(run, &mut session, &folder, Record::Logits, forced)?;
        let free = follow(run, &mut session, &folder, Record::Nothing, |_| Follow::Greedy)?;
        drop(session);
        let prompts = &run.mechanism.experiment.prompts;
        let text = |(((prompt, base), followed), free): (((&Prompt, &Traced), &Traced), &Traced)| {
            run.heed()?;
            let positions = self.positions(base, followed, &folder).map_err(Failure::internal)?;
            let tokens = (0..positions.len()).map(|position| base.tokens.get(position).copied()).collect();
            let choices = |traced: &'_ Traced| traced.stop == TextStop::Eos;
            let parting = parting((&base.tokens, choices(base)), (&free.tokens, choices(free)));
            Ok(Text { prompt: prompt.id.clone(), tokens, positions, parting })
        };
        let texts = prompts.iter().zip(&self.texts).zip(&followed).zip(&free).map(text);
        texts.collect()
    }

    /// Compares two texts' logits, a position at a time.
    fn positions(
        &self,
        base: &Traced,
        other: &Traced,
        folder: &Path,
    ) -> Result<Vec<crate::mechanism::Position>, Report> {
        let mut ours = LogitsReader::open(&self.folder, base).map_err(plain)?;
        let mut theirs = LogitsReader::open(folder, other).map_err(plain)?;
        let mut position = || compare(&ours.read().map_err(plain)?, &theirs.read().map_err(plain)?).map_err(plain);
        (0..base.n_positions()).map(|_| position()).collect()
    }
}

/// Follows every prompt's text.
fn follow(
    run: &Run<'_>,
    session: &mut Session<'_>,
    folder: &Path,
    record: Record,
    follow: impl Fn(usize) -> Follow,
) -> Result<Vec<Traced>, Stop> {
    let experiment = &run.mechanism.experiment;
    let text = |(index, prompt): (usize, &Prompt)| TraceText {
        ticket: index as u32,
        prompt: prompt.text.clone(),
        template: experiment.grid.levels_of()[0],
        follow: follow(index),
    };
    let texts = experiment.prompts.iter().enumerate().map(text).collect();
    let (max_tokens, bos) = (experiment.generate.max_tokens, experiment.generate.bos);
    Ok(session.trace(TraceWork { max_tokens, bos, texts, record, directory: folder.to_owned() })?)
}
