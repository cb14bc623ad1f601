//! Following texts with given tokens, or the greatest logit's, and recording
//! what a sweep has no use for: all logits, or the experts that were chosen.
//!
//! - `context`: a context that can be looked into
//! - `capture`: the routers' tensors, read while the graph is computed
//!
//! Texts are decoded as many side by side as the settings have rows, always
//! exactly as many: where too few are left, or one has ended, rows are filled
//! with copies and go on unrecorded. So a batch's width is what was asked for,
//! and never less than `numerics` takes.

use blake3::Hasher;

use self::context::{Capturing, Context, Item};
use super::context::{least_rows, pieces};
use super::{Llama, Model};
use crate::domain::{Stop, Token};
use crate::engine::trace::{
    Follow, LogitsWriter, Record, Routed, RoutingShape, RoutingWriter, TraceText, TraceWork, Traced,
};
use crate::engine::{Effort, EngineError, LoadSettings, Observer, Strategy};

mod capture;
mod context;

/// Follows the texts of `work`, and tells of progress.
///
/// # Errors
/// When a text does not fit, a file can't be written, or llama.cpp fails.
pub fn trace(
    _: &Llama,
    model: &Model,
    settings: &LoadSettings,
    work: &TraceWork,
    observer: &mut dyn Observer,
) -> Result<Vec<Traced>, EngineError> {
    let capturing = match work.record {
        Record::Routing => Capturing::Routing,
        Record::Nothing | Record::Logits => Capturing::Off,
    };
    let Strategy { lanes, threads, rows } = settings.strategy;
    let strategy = Strategy { lanes: 1, threads: lanes * threads, rows: rows.max(least_rows(settings.numerics)) };
    let settings = LoadSettings { strategy, ..settings.clone() };
    let mut context = Context::new(model, &settings, capturing)?;
    let mut traced = Vec::new();
    for texts in work.texts.chunks(rows.max(1) as usize) {
        traced.extend(side_by_side(&mut context, model, &settings, work, texts, observer)?);
    }
    Ok(traced)
}

/// Follows as many texts as there are rows, or fewer.
fn side_by_side(
    context: &mut Context<'_>,
    model: &Model,
    settings: &LoadSettings,
    work: &TraceWork,
    texts: &[TraceText],
    observer: &mut dyn Observer,
) -> Result<Vec<Traced>, EngineError> {
    let mut rows = Vec::new();
    for sequence in 0..settings.strategy.rows as usize {
        let text = &texts[sequence % texts.len()];
        let prompt = model.tokenize(&text.prompt, text.template, work.bos).map_err(EngineError::Prompt)?;
        let prompt: Vec<Token> = prompt.into_iter().map(|token| token.0).collect();
        check(&prompt, text, work, settings.context)?;
        context.clear(sequence as i32);
        let item = |position: usize| {
            let logits = position + 1 == prompt.len();
            Item { token: prompt[position], position: position as i32, sequence: sequence as i32, logits }
        };
        let mut last = 0;
        for piece in pieces(prompt.len()) {
            last = piece.len() - 1;
            context.decode(&piece.map(item).collect::<Vec<_>>())?;
        }
        observer.worked(Effort::evaluated(prompt.len() as u64))?;
        let sink = if sequence < texts.len() { Some(Sink::new(work, text)?) } else { None };
        let mut row = Row::new(text, prompt, sink);
        row.observe(model, work, context.logits(last)?, context.routing(None)?)?;
        rows.push(row);
    }
    while rows[..texts.len()].iter().any(|row| row.stop.is_none()) {
        let item = |(sequence, row): (usize, &Row<'_>)| {
            let position = (row.prompt.len() + row.fed) as i32;
            Item { token: row.next, position, sequence: sequence as i32, logits: true }
        };
        context.decode(&rows.iter().enumerate().map(item).collect::<Vec<_>>())?;
        observer.worked(Effort::evaluated(rows.len() as u64))?;
        for (index, row) in rows.iter_mut().enumerate() {
            row.fed += 1;
            if row.stop.is_none() {
                row.observe(model, work, context.logits(index)?, context.routing(Some(index))?)?;
            }
        }
    }
    let n_vocab = context.n_vocab as u32;
    rows.into_iter().filter_map(|row| row.finish(n_vocab).transpose()).collect()
}

/// What would otherwise fail in the middle.
fn check(prompt: &[Token], text: &TraceText, work: &TraceWork, context: u32) -> Result<(), EngineError> {
    let max_tokens = work.max_tokens;
    if prompt.is_empty() {
        return Err(EngineError::Decode("the prompt has no tokens and the model adds no BOS".to_owned()));
    }
    if prompt.len() + max_tokens as usize > context as usize {
        return Err(EngineError::PromptTooLong { n_prompt_tokens: prompt.len(), max_tokens, context });
    }
    match &text.follow {
        Follow::Forced { tokens, .. } if tokens.len() > max_tokens as usize => {
            let n = tokens.len();
            Err(EngineError::Decode(format!("{n} tokens are to be followed, more than max_tokens = {max_tokens}")))
        }
        follow if follow.n_positions() == Some(0) => {
            Err(EngineError::Decode("a text without positions can't be followed".to_owned()))
        }
        _ => Ok(()),
    }
}

/// A text that is being followed; its sequence is its index.
struct Row<'w> {
    text: &'w TraceText,
    prompt: Vec<Token>,
    tokens: Vec<Token>,
    /// Tokens behind the prompt that were evaluated.
    fed: usize,
    /// The token to evaluate next; of a text that has ended, its last one.
    next: Token,
    stop: Option<Stop>,
    /// None for a copy that fills the batch.
    sink: Option<Sink>,
}

impl<'w> Row<'w> {
    fn new(text: &'w TraceText, prompt: Vec<Token>, sink: Option<Sink>) -> Self {
        let next = *prompt.last().expect("checked: a prompt has tokens");
        Self { text, prompt, tokens: vec![], fed: 0, next, stop: None, sink }
    }

    /// Records a position and takes the token that follows it.
    fn observe(
        &mut self,
        model: &Model,
        work: &TraceWork,
        logits: &[f32],
        routing: Option<(RoutingShape, Vec<Routed>)>,
    ) -> Result<(), EngineError> {
        if let Some(sink) = &mut self.sink {
            sink.write(logits, routing)?;
        }
        let position = self.tokens.len();
        let (token, end) = match &self.text.follow {
            Follow::Greedy => match greatest(logits).ok_or(EngineError::NothingSelected)? {
                token if model.is_end(token) => (None, Some(Stop::Eos)),
                token => (Some(token), (position + 1 >= work.max_tokens as usize).then_some(Stop::MaxTokens)),
            },
            Follow::Forced { tokens, stop } => match tokens.get(position) {
                None => (None, Some(*stop)),
                Some(&token) => {
                    let last = position + 1 == tokens.len() && *stop != Stop::Eos;
                    (Some(token), last.then_some(*stop))
                }
            },
        };
        self.tokens.extend(token);
        self.next = token.unwrap_or(self.next);
        self.stop = end;
        Ok(())
    }

    fn finish(self, n_vocab: u32) -> Result<Option<Traced>, EngineError> {
        let Some((sink, stop)) = self.sink.zip(self.stop) else { return Ok(None) };
        let (logits_blake3, routing) = sink.finish()?;
        let n_prompt_tokens = self.prompt.len() as u32;
        let (ticket, tokens) = (self.text.ticket, self.tokens);
        Ok(Some(Traced { ticket, n_prompt_tokens, tokens, stop, logits_blake3, n_vocab, routing }))
    }
}

/// The first of the greatest, as llama.cpp's greedy sampler takes it.
fn greatest(logits: &[f32]) -> Option<Token> {
    let mut greatest: Option<(usize, f32)> = None;
    for (index, &logit) in logits.iter().enumerate() {
        if greatest.map_or(!logit.is_nan(), |(_, most)| logit > most) {
            greatest = Some((index, logit));
        }
    }
    greatest.map(|(index, _)| index as Token)
}

/// Where a text's positions go.
struct Sink {
    hasher: Box<Hasher>,
    logits: Option<LogitsWriter>,
    routing: Option<RoutingWriter>,
    shape: Option<RoutingShape>,
}

impl Sink {
    fn new(work: &TraceWork, text: &TraceText) -> Result<Self, EngineError> {
        let (directory, ticket) = (&work.directory, text.ticket);
        let (logits, routing) = match work.record {
            Record::Nothing => (None, None),
            Record::Logits => (Some(LogitsWriter::create(directory, ticket)?), None),
            Record::Routing => (None, Some(RoutingWriter::create(directory, ticket)?)),
        };
        Ok(Self { hasher: Box::default(), logits, routing, shape: None })
    }

    fn write(&mut self, logits: &[f32], routing: Option<(RoutingShape, Vec<Routed>)>) -> Result<(), EngineError> {
        for logit in logits {
            self.hasher.update(&logit.to_le_bytes());
        }
        if let Some(file) = &mut self.logits {
            file.write(logits)?;
        }
        let Some((file, (shape, layers))) = self.routing.as_mut().zip(routing) else { return Ok(()) };
        if self.shape.as_ref().is_some_and(|known| *known != shape) {
            return Err(EngineError::Routing("its layers change from token to token".to_owned()));
        }
        self.shape = Some(shape);
        Ok(layers.iter().try_for_each(|routed| file.write(routed))?)
    }

    fn finish(self) -> Result<(String, Option<RoutingShape>), EngineError> {
        self.logits.map_or(Ok(()), LogitsWriter::finish)?;
        self.routing.map_or(Ok(()), RoutingWriter::finish)?;
        Ok((self.hasher.finalize().to_hex().to_string(), self.shape))
    }
}
