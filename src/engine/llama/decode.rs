//! Many jobs in one batch: continuous batching with the prompt evaluated once.
//!
//! Live sequences are numbered 0..n without gaps, in the order of the batch's
//! rows; a gap costs up to 3× (docs/architecture.md, Throughput). One further
//! sequence is parked: it holds the evaluated prompt, from which each job's
//! own sequence is copied.

use std::num::NonZeroU32;
use std::time::Instant;

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_sys_2 as sys;

use super::{Llama, Model, Sampler};
use crate::engine::{Engine, EngineError, Generation, Job, LoadSettings, Observer, Stop, Ticket, Timing, Token, Work};
use crate::experiment::Numerics;

/// llama.cpp's default physical batch.
const N_UBATCH: u32 = 512;

/// A model with a context to decode in.
pub struct LlamaEngine<'m> {
    model: &'m Model,
    context: LlamaContext<'m>,
    batch: LlamaBatch<'static>,
    /// Tokens of context for each sequence.
    n_ctx_seq: u32,
    /// The most live sequences; also the id of the parked one.
    rows: u32,
}

/// A job that is being decoded; its sequence id is its index.
struct Row {
    ticket: Ticket,
    sampler: Sampler,
    n_prompt_tokens: u32,
    tokens: Vec<Token>,
    begun: Instant,
}

/// The prompt whose evaluation is parked.
struct Parked {
    tokens: Vec<LlamaToken>,
    /// The logits after the prompt's last token.
    logits: Vec<f32>,
}

impl<'m> LlamaEngine<'m> {
    /// # Errors
    /// When llama.cpp can't allocate the context.
    pub fn new(llama: &Llama, model: &'m Model, settings: &LoadSettings) -> Result<Self, EngineError> {
        let LoadSettings { context, rows, .. } = *settings;
        let refused = |reason: String| EngineError::Context { context, rows, reason };
        let n_seq_max = rows + 1;
        let n_ctx = context.checked_mul(n_seq_max).and_then(NonZeroU32::new);
        let n_ctx = n_ctx.ok_or_else(|| refused("more than 2^32 tokens in all".to_owned()))?;
        let threads = settings.threads as i32;
        let flash_attention = match settings.numerics {
            Numerics::Invariant => sys::LLAMA_FLASH_ATTN_TYPE_DISABLED,
            Numerics::Fast => sys::LLAMA_FLASH_ATTN_TYPE_AUTO,
        };
        let params = LlamaContextParams::default()
            .with_n_ctx(Some(n_ctx))
            .with_n_seq_max(n_seq_max)
            .with_n_batch(context.max(rows))
            .with_n_ubatch(N_UBATCH.min(context.max(rows)))
            .with_n_threads(threads)
            .with_n_threads_batch(threads)
            .with_flash_attention_policy(flash_attention)
            // Each sequence has a stream of its own: what else is decoded
            // beside it can't change its attention's sums.
            .with_kv_unified(false)
            .with_no_perf(true);
        let llama_context =
            model.llama.new_context(&llama.backend, params).map_err(|error| refused(error.to_string()))?;
        Ok(Self {
            model,
            context: llama_context,
            batch: LlamaBatch::new(context.max(rows) as usize, 1),
            n_ctx_seq: context,
            rows,
        })
    }

    /// Evaluates a prompt into the parked sequence.
    fn park(&mut self, prompt: &str, max_tokens: u32) -> Result<Parked, EngineError> {
        let tokens = self.model.tokenize(prompt);
        let context = self.n_ctx_seq;
        if tokens.is_empty() {
            return Err(EngineError::Decode("the prompt has no tokens and the model adds no BOS".to_owned()));
        }
        if tokens.len() + max_tokens as usize > context as usize {
            return Err(EngineError::PromptTooLong { n_prompt_tokens: tokens.len(), max_tokens, context });
        }
        let parked = self.rows as i32;
        self.clear(parked)?;
        self.batch.clear();
        let last = tokens.len() - 1;
        for (position, &token) in tokens.iter().enumerate() {
            self.add(token, position, parked, position == last)?;
        }
        self.decode()?;
        let logits = self.context.get_logits_ith(last as i32).to_vec();
        Ok(Parked { tokens, logits })
    }

    fn add(&mut self, token: LlamaToken, position: usize, sequence: i32, logits: bool) -> Result<(), EngineError> {
        let added = self.batch.add(token, position as i32, &[sequence], logits);
        added.map_err(|error| EngineError::Decode(error.to_string()))
    }

    fn decode(&mut self) -> Result<(), EngineError> {
        self.context.decode(&mut self.batch).map_err(|error| EngineError::Decode(error.to_string()))
    }

    /// Copies a whole sequence over another one.
    fn copy(&mut self, from: i32, to: i32) -> Result<(), EngineError> {
        self.clear(to)?;
        // Streams can be copied as a whole only.
        let copied = self.context.copy_kv_cache_seq(from, to, None, None);
        copied.map_err(|error| EngineError::Decode(error.to_string()))
    }

    fn clear(&mut self, sequence: i32) -> Result<(), EngineError> {
        let cleared = self.context.clear_kv_cache_seq(Some(sequence as u32), None, None);
        cleared.map(|_| ()).map_err(|error| EngineError::Decode(error.to_string()))
    }

    fn generation(&self, row: Row, stop: Stop) -> Generation {
        let text = self.model.detokenize(&row.tokens);
        Generation { n_prompt_tokens: row.n_prompt_tokens, tokens: row.tokens, text, stop }
    }
}

impl Row {
    /// Samples the next token; says why the job is over, if it is.
    fn advance(&mut self, model: &Model, logits: &[f32], max_tokens: u32) -> Result<Option<Stop>, EngineError> {
        let token = self.sampler.sample(logits)?;
        if model.is_end(token) {
            return Ok(Some(Stop::Eos));
        }
        self.tokens.push(token);
        Ok((self.tokens.len() >= max_tokens as usize).then_some(Stop::MaxTokens))
    }

    /// The token to decode next and its position.
    fn next(&self) -> (LlamaToken, usize) {
        let last = *self.tokens.last().expect("a live row has sampled a token");
        (LlamaToken(last), self.n_prompt_tokens as usize + self.tokens.len() - 1)
    }
}

impl Engine for LlamaEngine<'_> {
    fn generate(&mut self, work: &Work, observer: &mut dyn Observer) -> Result<(), EngineError> {
        let mut waiting = Waiting::new(work);
        let mut live: Vec<Row> = Vec::new();
        loop {
            while live.len() < self.rows as usize
                && let Some(row) = waiting.start(self, live.len() as u32 + 1, observer)?
            {
                self.copy(self.rows as i32, live.len() as i32)?;
                live.push(row);
            }
            if live.is_empty() {
                return Ok(());
            }
            self.batch.clear();
            for (sequence, row) in live.iter().enumerate() {
                let (token, position) = row.next();
                self.add(token, position, sequence as i32, true)?;
            }
            self.decode()?;
            observer.evaluated(live.len() as u64)?;

            let rows = live.len() as u32;
            let mut ended = Vec::new();
            for (sequence, row) in live.iter_mut().enumerate() {
                let logits = self.context.get_logits_ith(sequence as i32);
                if let Some(stop) = row.advance(self.model, logits, work.max_tokens)? {
                    ended.push((sequence, stop));
                }
            }
            // From the back, so that the row which fills a hole is a live one.
            for (sequence, stop) in ended.into_iter().rev() {
                let row = live.swap_remove(sequence);
                let timing = Timing { seconds: row.begun.elapsed().as_secs_f64(), rows };
                let ticket = row.ticket;
                let generation = self.generation(row, stop);
                observer.finished(ticket, generation, timing)?;
                if sequence < live.len() {
                    self.copy(live.len() as i32, sequence as i32)?;
                }
            }
        }
    }
}

/// The jobs not yet begun, in order, and the prompt of the next one.
struct Waiting<'w> {
    work: &'w Work,
    jobs: std::vec::IntoIter<(&'w str, &'w Job)>,
    parked: Option<(&'w str, Parked)>,
}

impl<'w> Waiting<'w> {
    fn new(work: &'w Work) -> Self {
        let groups = work.groups.iter();
        let jobs: Vec<_> = groups.flat_map(|group| group.jobs.iter().map(|job| (&*group.prompt, job))).collect();
        Self { work, jobs: jobs.into_iter(), parked: None }
    }

    /// Begins the next job that needs a row; one whose first token already
    /// ends it is reported and passed over. None when no job is left.
    fn start(
        &mut self,
        engine: &mut LlamaEngine<'_>,
        rows: u32,
        observer: &mut dyn Observer,
    ) -> Result<Option<Row>, EngineError> {
        for (prompt, job) in self.jobs.by_ref() {
            observer.started(job.ticket)?;
            if self.parked.as_ref().is_none_or(|(text, _)| *text != prompt) {
                let parked = engine.park(prompt, self.work.max_tokens)?;
                observer.evaluated(parked.tokens.len() as u64)?;
                self.parked = Some((prompt, parked));
            }
            let (_, parked) = self.parked.as_ref().expect("parked just now");
            let mut row = Row {
                ticket: job.ticket,
                sampler: Sampler::new(engine.model, &job.chain, job.seed, &parked.tokens)?,
                n_prompt_tokens: parked.tokens.len() as u32,
                tokens: Vec::with_capacity(self.work.max_tokens as usize),
                begun: Instant::now(),
            };
            match row.advance(engine.model, &parked.logits, self.work.max_tokens)? {
                None => return Ok(Some(row)),
                Some(stop) => {
                    let timing = Timing { seconds: row.begun.elapsed().as_secs_f64(), rows };
                    let ticket = row.ticket;
                    observer.finished(ticket, engine.generation(row, stop), timing)?;
                }
            }
        }
        Ok(None)
    }
}
