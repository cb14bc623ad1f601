//! Conducts a divergence study: the base chooses greedily, every other arm follows its tokens, and then chooses for
//! itself.

use std::path::{Path, PathBuf};

use super::numbers::{Divergence, Pair, Position, Text, compare, divergence, parting};
use super::session::Session;
use super::{Likeness, Run, StudyError};
use crate::domain::Stop;
use crate::engine::trace::{Follow, LogitsReader, Record, TraceText, TraceWork, Traced};
use crate::experiment::{Arm, Prompt};
use crate::message::say;

/// Compares every arm of every model with the base.
pub fn conduct(run: &Run<'_>) -> Result<Vec<Pair>, StudyError> {
    let mut pairs = Vec::new();
    for model in &run.study.models {
        let mut chosen = None;
        for &other in &run.study.others {
            let (divergence, note) = match run.likeness(&model.id, &other) {
                Likeness::Same { why } => (Divergence::SamePlacement { why }, None),
                Likeness::Other { note } => {
                    let chosen = match &mut chosen {
                        Some(chosen) => chosen,
                        none => none.insert(Chosen::of(run, &model.id)?),
                    };
                    let texts = chosen.compared_with(run, &model.id, other)?;
                    (divergence(texts).ok_or(StudyError::NoPosition)?, note)
                }
            };
            pairs.push(Pair { model: model.id.clone(), base: run.study.base, other, divergence, note });
        }
    }
    Ok(pairs)
}

/// The texts that the base chose, their logits in `folder`.
struct Chosen {
    folder: PathBuf,
    texts: Vec<Traced>,
}

impl Chosen {
    fn of(run: &Run<'_>, model: &str) -> Result<Self, StudyError> {
        let base = run.study.base;
        say(&format!("{model}: the base, {base}"));
        let folder = run.scratch.folder("base")?;
        let mut session = run.load(model, base)?;
        let texts = follow(run, &mut session, &folder, Record::Logits, |_| Follow::Greedy)?;
        Ok(Self { folder, texts })
    }

    fn compared_with(&self, run: &Run<'_>, model: &str, other: Arm) -> Result<Vec<Text>, StudyError> {
        say(&format!("{model}: {}", other.differences(&run.study.base)));
        let folder = run.scratch.folder("other")?;
        let mut session = run.load(model, other)?;
        let forced = |index: usize| {
            let Traced { tokens, stop, .. } = &self.texts[index];
            Follow::Forced { tokens: tokens.clone(), stop: *stop }
        };
        let followed = follow(run, &mut session, &folder, Record::Logits, forced)?;
        let free = follow(run, &mut session, &folder, Record::Nothing, |_| Follow::Greedy)?;
        drop(session);
        let text = |(((prompt, base), followed), free): (((&Prompt, &Traced), &Traced), &Traced)| {
            run.heed()?;
            let positions = self.positions(base, followed, &folder)?;
            let tokens = (0..positions.len()).map(|position| base.tokens.get(position).copied()).collect();
            let choices = |traced: &'_ Traced| traced.stop == Stop::Eos;
            let parting = parting((&base.tokens, choices(base)), (&free.tokens, choices(free)));
            Ok(Text { prompt: prompt.id.clone(), tokens, positions, parting })
        };
        run.study.prompts.iter().zip(&self.texts).zip(&followed).zip(&free).map(text).collect()
    }

    /// Compares two texts' logits, a position at a time.
    fn positions(&self, base: &Traced, other: &Traced, folder: &Path) -> Result<Vec<Position>, StudyError> {
        let mut ours = LogitsReader::open(&self.folder, base)?;
        let mut theirs = LogitsReader::open(folder, other)?;
        (0..base.n_positions()).map(|_| Ok(compare(&ours.read()?, &theirs.read()?)?)).collect()
    }
}

/// Follows every prompt's text.
fn follow(
    run: &Run<'_>,
    session: &mut Session<'_>,
    folder: &Path,
    record: Record,
    follow: impl Fn(usize) -> Follow,
) -> Result<Vec<Traced>, StudyError> {
    let study = run.study;
    let text = |(index, prompt): (usize, &Prompt)| TraceText {
        ticket: index as u32,
        prompt: prompt.text.clone(),
        key: study.prompt_key(),
        follow: follow(index),
    };
    let texts = study.prompts.iter().enumerate().map(text).collect();
    let max_tokens = study.generate.max_tokens;
    Ok(session.trace(TraceWork { max_tokens, texts, record, directory: folder.to_owned() })?)
}
