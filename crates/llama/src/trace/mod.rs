//! Follows texts with given tokens, or the greatest logit's, and hands over what a sweep has no use for: all logits,
//! and the experts that were chosen.
//!
//! A *position* is one evaluation whose logits choose a token: that of the prompt's last token,
//! then that of each generated token but the last. A text that ends with the end-of-generation
//! token has one position more than it has tokens.
//!
//! - `context`: a context that can be looked into
//! - `capture`: the routers' tensors, read while the graph is computed
//!
//! Texts are decoded as many side by side as the settings have rows, always
//! exactly as many: where too few are left, or one has ended, rows are filled
//! with copies and go on unrecorded. So a batch's width is what was asked for,
//! and never less than `numerics` takes.

use std::io;

use blake3::Hasher;

use self::context::{Context, Item};
use crate::context::{least_rows, pieces};
use crate::{Done, Error, Llama, Model, Settings, Stop, Strategy, Ticket, Token};

mod capture;
mod context;

/// Texts to follow, as many side by side as the settings have rows.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceWork {
    /// The most tokens of a text.
    pub max_tokens: u32,
    pub texts: Vec<TraceText>,
    pub capturing: Capturing,
}

/// A text to follow.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceText {
    pub ticket: Ticket,
    /// Its tokens, all that surrounds it included.
    pub prompt: Vec<Token>,
    pub follow: Follow,
}

/// Which tokens a text has.
#[derive(Clone, Debug, PartialEq)]
pub enum Follow {
    /// The one with the greatest logit each time; the first of equals.
    Greedy,
    /// These, whatever the model would choose (teacher forcing).
    Forced { tokens: Vec<Token>, stop: Stop },
}

/// Whether the routers are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capturing {
    Off,
    Routing,
}

/// A text that was followed.
#[derive(Clone, Debug, PartialEq)]
pub struct Traced {
    pub ticket: Ticket,
    /// Tokens of the prompt, BOS included.
    pub n_prompt_tokens: u32,
    /// Without the end-of-generation token.
    pub tokens: Vec<Token>,
    pub stop: Stop,
    /// blake3 of all logits, in order.
    pub logits_blake3: String,
    pub n_vocab: u32,
    /// Where the routers were read.
    pub routing: Option<RoutingShape>,
}

/// What one position of a text's routing holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutingShape {
    /// The layers that have experts, ascending.
    pub layers: Vec<u32>,
    /// Experts of a layer.
    pub n_expert: u32,
    /// Experts that a layer selects for a token.
    pub n_used: u32,
}

/// What one layer's router did at one position.
#[derive(Clone, Debug, PartialEq)]
pub struct Routed {
    /// In the order of their score, the best first.
    pub experts: Vec<u32>,
    /// Of every expert; they sum to 1.
    pub probabilities: Vec<f32>,
}

/// Takes what is seen of texts. An error from any of these ends the trace.
pub trait Recorder {
    /// The next position of a text: its logits, and where the routers are read its layers, in the order of
    /// [`RoutingShape::layers`].
    fn position(&mut self, ticket: Ticket, logits: &[f32], layers: &[Routed]) -> io::Result<()>;
    /// The text has no more positions.
    fn ended(&mut self, ticket: Ticket) -> io::Result<()>;
    fn worked(&mut self, done: Done<'_>) -> io::Result<()>;
}

/// Follows the texts of `work`.
///
/// # Errors
/// When a text does not fit, what it shows can't be taken, or llama.cpp fails.
pub fn trace(
    _: &Llama,
    model: &Model,
    settings: &Settings,
    work: &TraceWork,
    recorder: &mut dyn Recorder,
) -> Result<Vec<Traced>, Error> {
    let Strategy { lanes, threads, rows } = settings.strategy;
    let strategy = Strategy { lanes: 1, threads: lanes * threads, rows: rows.max(least_rows(settings.numerics)) };
    let settings = Settings { strategy, ..*settings };
    let mut context = Context::new(model, &settings, work.capturing)?;
    let mut traced = Vec::new();
    for texts in work.texts.chunks(rows.max(1) as usize) {
        traced.extend(side_by_side(&mut context, model, &settings, work, texts, recorder)?);
    }
    Ok(traced)
}

/// Follows as many texts as there are rows, or fewer.
fn side_by_side(
    context: &mut Context<'_>,
    model: &Model,
    settings: &Settings,
    work: &TraceWork,
    texts: &[TraceText],
    recorder: &mut dyn Recorder,
) -> Result<Vec<Traced>, Error> {
    let mut rows = Vec::new();
    for sequence in 0..settings.strategy.rows as usize {
        let text = &texts[sequence % texts.len()];
        let prompt = text.prompt.clone();
        check(&prompt, text, work, settings.context)?;
        context.clear(sequence as i32);
        let item = |position: usize| {
            let logits = position + 1 == prompt.len();
            Item { token: prompt[position], position: position as i32, sequence: sequence as i32, logits }
        };
        let mut last = 0;
        for piece in pieces(prompt.len(), settings.options.ubatch) {
            last = piece.len() - 1;
            context.decode(&piece.map(item).collect::<Vec<_>>())?;
        }
        let lengths: Vec<u32> = pieces(prompt.len(), settings.options.ubatch).map(|piece| piece.len() as u32).collect();
        recorder.worked(Done::Prompt { pieces: &lengths, head: 0 })?;
        let sink = (sequence < texts.len()).then(Sink::default);
        let mut row = Row::new(text, prompt, sink);
        row.observe(model, work, context.logits(last)?, context.routing(None)?, recorder)?;
        rows.push(row);
    }
    while rows[..texts.len()].iter().any(|row| row.stop.is_none()) {
        let item = |(sequence, row): (usize, &Row<'_>)| {
            let position = (row.prompt.len() + row.fed) as i32;
            Item { token: row.next, position, sequence: sequence as i32, logits: true }
        };
        context.decode(&rows.iter().enumerate().map(item).collect::<Vec<_>>())?;
        recorder.worked(Done::Step { sequences: rows.len() as u64, tokens: rows.len() as u64 })?;
        for (index, row) in rows.iter_mut().enumerate() {
            row.fed += 1;
            if row.stop.is_none() {
                row.observe(model, work, context.logits(index)?, context.routing(Some(index))?, recorder)?;
            }
        }
    }
    let n_vocab = context.n_vocab as u32;
    let traced: Vec<Traced> = rows.into_iter().filter_map(|row| row.finish(n_vocab)).collect();
    traced.iter().try_for_each(|text| recorder.ended(text.ticket))?;
    Ok(traced)
}

/// What would otherwise fail in the middle.
fn check(prompt: &[Token], text: &TraceText, work: &TraceWork, context: u32) -> Result<(), Error> {
    let max_tokens = work.max_tokens;
    if prompt.is_empty() {
        return Err(Error::Decode("the prompt has no tokens and the model adds no BOS".to_owned()));
    }
    if prompt.len() + max_tokens as usize > context as usize {
        return Err(Error::PromptTooLong { n_prompt_tokens: prompt.len(), max_tokens, context });
    }
    match &text.follow {
        Follow::Forced { tokens, .. } if tokens.len() > max_tokens as usize => {
            let n = tokens.len();
            Err(Error::Decode(format!("there are {n} tokens to trace, more than max_tokens = {max_tokens}")))
        }
        Follow::Forced { tokens, stop: Stop::MaxTokens } if tokens.is_empty() => {
            Err(Error::Decode("a text without positions can't be traced".to_owned()))
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
        recorder: &mut dyn Recorder,
    ) -> Result<(), Error> {
        if let Some(sink) = &mut self.sink {
            let layers = sink.look_at(logits, routing)?;
            recorder.position(self.text.ticket, logits, &layers)?;
        }
        let position = self.tokens.len();
        let (token, end) = match &self.text.follow {
            Follow::Greedy => match greatest(logits).ok_or(Error::NothingSelected)? {
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

    fn finish(self, n_vocab: u32) -> Option<Traced> {
        let (sink, stop) = self.sink.zip(self.stop)?;
        let (logits_blake3, routing) = (sink.hasher.finalize().to_hex().to_string(), sink.shape);
        let n_prompt_tokens = self.prompt.len() as u32;
        let (ticket, tokens) = (self.text.ticket, self.tokens);
        Some(Traced { ticket, n_prompt_tokens, tokens, stop, logits_blake3, n_vocab, routing })
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

/// What is known of a text's positions so far.
#[derive(Default)]
struct Sink {
    hasher: Box<Hasher>,
    shape: Option<RoutingShape>,
}

impl Sink {
    fn look_at(&mut self, logits: &[f32], routing: Option<(RoutingShape, Vec<Routed>)>) -> Result<Vec<Routed>, Error> {
        for logit in logits {
            self.hasher.update(&logit.to_le_bytes());
        }
        let Some((shape, layers)) = routing else { return Ok(vec![]) };
        if self.shape.as_ref().is_some_and(|known| *known != shape) {
            return Err(Error::Routing("its layers differ from token to token".to_owned()));
        }
        self.shape = Some(shape);
        Ok(layers)
    }
}
