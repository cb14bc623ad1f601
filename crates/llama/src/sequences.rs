//! Decodes a llama.cpp context's sequences: prompts and tokens in, logits out.
//!
//! Must not know jobs, samplers or what texts have in common.

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::session::{LlamaStateSeqFlags, SeqState};
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;

use crate::context::{context_params, least_rows, pieces};
use crate::{Error, Llama, Model, Settings, Strategy, Token};

/// Sequences 0 to `rows - 1`, and one more that is parked: it holds a prompt to
/// begin from. Where a step must have more rows than one ([`least_rows`]), a
/// sequence alone has a twin: a copy, so that no more experts are read than for one.
pub(crate) struct Sequences<'m> {
    model: &'m Model,
    context: LlamaContext<'m>,
    batch: LlamaBatch<'static>,
    /// The most sequences beside the parked one.
    rows: u32,
    /// The parked one's id.
    parked: usize,
    least_rows: u32,
    /// Whether sequence 1 is what sequence 0 is.
    twinned: bool,
    /// Tokens of context for each sequence.
    n_ctx_seq: u32,
    /// Those that llama.cpp copies at the next decode only, and whose state
    /// can't be had before.
    owed: Vec<usize>,
}

impl<'m> Sequences<'m> {
    /// # Errors
    /// When llama.cpp can't allocate the context.
    pub fn new(llama: &Llama, model: &'m Model, settings: &Settings) -> Result<Self, Error> {
        let Settings { context: n_ctx_seq, .. } = *settings;
        let Strategy { rows, .. } = settings.strategy;
        let least_rows = least_rows(settings.numerics);
        let params = context_params(settings)?;
        let batch = LlamaBatch::new(params.n_batch() as usize, 1);
        let refused = |reason: String| Error::Context { context: n_ctx_seq, rows, reason };
        let context = model.llama.new_context(&llama.backend, params).map_err(|error| refused(error.to_string()))?;
        let parked = rows.max(least_rows) as usize;
        Ok(Self { model, context, batch, rows, parked, least_rows, twinned: false, n_ctx_seq, owed: Vec::new() })
    }

    /// The most sequences beside the parked one.
    pub fn rows(&self) -> usize {
        self.rows as usize
    }

    /// Evaluates a prompt in the parked sequence; the logits after its last token.
    ///
    /// # Errors
    /// When there is nothing to evaluate, or no room for it and `max_tokens` more.
    pub fn park(&mut self, prompt: &[Token], max_tokens: u32) -> Result<Vec<f32>, Error> {
        let (n_prompt_tokens, context) = (prompt.len(), self.n_ctx_seq);
        if prompt.is_empty() {
            return Err(Error::Decode("the prompt has no tokens and the model adds no BOS".to_owned()));
        }
        if n_prompt_tokens + max_tokens as usize > context as usize {
            return Err(Error::PromptTooLong { n_prompt_tokens, max_tokens, context });
        }
        self.clear(self.parked)?;
        let mut last = 0;
        for piece in pieces(n_prompt_tokens) {
            self.batch.clear();
            last = piece.len() - 1;
            for position in piece {
                self.add(prompt[position], position, self.parked, position + 1 == n_prompt_tokens)?;
            }
            self.decode()?;
        }
        Ok(self.logits(last).to_vec())
    }

    /// Makes `sequence` a copy of the parked one.
    pub fn unpark(&mut self, sequence: usize) -> Result<(), Error> {
        self.copy(self.parked, sequence)
    }

    /// Decodes a token of each sequence, given with its position; the tokens of the batch.
    pub fn step(&mut self, tokens: impl ExactSizeIterator<Item = (Token, usize)>) -> Result<u64, Error> {
        let alone = tokens.len() == 1 && self.least_rows > 1;
        if alone && !self.twinned {
            self.copy(0, 1)?;
        }
        self.twinned = alone;
        self.batch.clear();
        for (sequence, (token, position)) in tokens.enumerate() {
            self.add(token, position, sequence, true)?;
            if alone {
                self.add(token, position, 1, true)?;
            }
        }
        self.decode()?;
        Ok(self.batch.n_tokens().unsigned_abs().into())
    }

    /// The logits of a sequence, of the last step.
    pub fn logits(&self, sequence: usize) -> &[f32] {
        self.context.get_logits_ith(sequence as i32)
    }

    /// Copies a whole sequence over another one.
    pub fn copy(&mut self, from: usize, to: usize) -> Result<(), Error> {
        self.clear(to)?;
        self.twinned = false;
        self.owed.push(to);
        // Streams can be copied as a whole only.
        self.context.copy_kv_cache_seq(from as i32, to as i32, None, None).map_err(decode_error)
    }

    /// Whether a sequence of so many tokens can go to another context and be there
    /// what it is here, to the bit.
    pub fn can_move(&self, sequence: usize, n_tokens: u32) -> bool {
        // Tokens outside a sliding window are left out of a state, and the rest
        // would lie elsewhere than it does.
        !self.owed.contains(&sequence) && self.model.window().is_none_or(|window| n_tokens <= window.get())
    }

    /// What another context needs to go on with a sequence.
    pub fn state(&self, sequence: usize) -> Result<SeqState, Error> {
        self.context.state_seq_get(sequence as i32, LlamaStateSeqFlags::empty()).map_err(decode_error)
    }

    /// Goes on with another context's sequence. No copy may be owed.
    pub fn set_state(&mut self, sequence: usize, state: &SeqState) -> Result<(), Error> {
        self.clear(sequence)?;
        self.twinned = false;
        self.context.state_seq_set(state, sequence as i32).map_err(decode_error)
    }

    fn add(&mut self, token: Token, position: usize, sequence: usize, logits: bool) -> Result<(), Error> {
        self.batch.add(LlamaToken(token), position as i32, &[sequence as i32], logits).map_err(decode_error)
    }

    fn decode(&mut self) -> Result<(), Error> {
        self.owed.clear();
        self.context.decode(&mut self.batch).map_err(decode_error)
    }

    fn clear(&mut self, sequence: usize) -> Result<(), Error> {
        self.context.clear_kv_cache_seq(Some(sequence as u32), None, None).map(|_| ()).map_err(decode_error)
    }
}

fn decode_error(error: impl ToString) -> Error {
    Error::Decode(error.to_string())
}
