//! Decodes a llama.cpp context's sequences: prompts and tokens in, logits out.
//!
//! Must not know jobs, samplers or what texts have in common.

use std::ops::Range;

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::session::{LlamaStateSeqFlags, SeqState};
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;

use crate::context::{context_params, head, least_rows, pieces};
use crate::options::{CacheType, SwaFull};
use crate::{ContextOptions, Error, Llama, Memory, Model, Overflow, Settings, Strategy, Token};

/// Sequences that may hold the head of a prompt, each with the prompt it begins with. None is the parked one.
pub(crate) type Donors<'a> = Vec<(Option<usize>, &'a [Token])>;

/// What evaluating a prompt gave.
pub(crate) struct Evaluated {
    /// After its last token.
    pub logits: Vec<f32>,
    /// Tokens of each piece that was evaluated.
    pub pieces: Vec<u32>,
    /// Tokens that another prompt's evaluation had already.
    pub head: u32,
}

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
    overflow: Overflow,
    options: ContextOptions,
    /// Those that llama.cpp copies at the next decode only, and whose state
    /// can't be had before.
    owed: Vec<usize>,
}

impl<'m> Sequences<'m> {
    /// # Errors
    /// When llama.cpp can't allocate the context, or its sequences are to forget and can't.
    pub fn new(llama: &Llama, model: &'m Model, settings: &Settings) -> Result<Self, Error> {
        let Settings { context: n_ctx_seq, overflow, options, .. } = *settings;
        let Strategy { rows, .. } = settings.strategy;
        let least_rows = least_rows(settings.numerics);
        let params = context_params(settings)?;
        let batch = LlamaBatch::new(params.n_batch() as usize, 1);
        let refused = |reason: String| Error::Context { context: n_ctx_seq, rows, reason };
        let context = model.llama.new_context(&llama.backend, params).map_err(|error| refused(error.to_string()))?;
        if let (Overflow::Shift { .. }, false) = (overflow, can_shift(model, options)) {
            return Err(refused("llama.cpp can't move its tokens to other positions".to_owned()));
        }
        let parked = rows.max(least_rows) as usize;
        Ok(Self {
            model,
            context,
            batch,
            rows,
            parked,
            least_rows,
            twinned: false,
            n_ctx_seq,
            overflow,
            options,
            owed: Vec::new(),
        })
    }

    /// The most sequences beside the parked one.
    pub fn rows(&self) -> usize {
        self.rows as usize
    }

    /// Evaluates a prompt in the parked sequence, all but the head that one of the `donors` has in common with it: a
    /// sequence and the prompt that it begins with. The parked one is among them, unless there are none.
    ///
    /// # Errors
    /// When there is nothing to evaluate, or no room for it and `max_tokens` more.
    pub fn park(&mut self, prompt: &[Token], max_tokens: u32, donors: Donors<'_>) -> Result<Evaluated, Error> {
        let (n_prompt_tokens, context) = (prompt.len(), self.n_ctx_seq);
        if prompt.is_empty() {
            return Err(Error::Decode("the prompt has no tokens and the model adds no BOS".to_owned()));
        }
        if self.overflow.least_context(n_prompt_tokens, max_tokens) > context as usize {
            return Err(match self.overflow {
                Overflow::Refuse => Error::PromptTooLong { n_prompt_tokens, max_tokens, context },
                Overflow::Stop | Overflow::Shift { .. } => Error::PromptFillsContext { n_prompt_tokens, context },
            });
        }
        let head = self.take_head(prompt, donors)?;
        let mut rest = Vec::new();
        for piece in pieces(n_prompt_tokens, self.options.ubatch).filter(|piece| piece.end > head) {
            let piece = piece.start.max(head)..piece.end;
            rest.push(piece.len() as u32);
            self.batch.clear();
            for position in piece {
                self.add(prompt[position], position, self.parked, position + 1 == n_prompt_tokens)?;
            }
            self.decode()?;
        }
        let last = rest.last().map_or(0, |&length| length as usize - 1);
        Ok(Evaluated { logits: self.logits(last).to_vec(), pieces: rest, head: head as u32 })
    }

    /// Leaves in the parked sequence the longest head that a donor has for `prompt`; its tokens.
    fn take_head(&mut self, prompt: &[Token], donors: Donors<'_>) -> Result<usize, Error> {
        let in_common = |other: &[Token]| prompt.iter().zip(other).take_while(|(here, there)| here == there).count();
        let heads = donors.into_iter().map(|(sequence, other)| {
            let n_head = head(in_common(other), prompt.len(), other.len(), self.options.ubatch);
            (n_head, sequence.unwrap_or(self.parked))
        });
        // The first of the longest.
        let longest = heads.rev().max_by_key(|&(head, _)| head).filter(|&(head, _)| head > 0 && self.can_cut());
        let Some((head, sequence)) = longest else {
            self.clear(self.parked)?;
            return Ok(0);
        };
        if sequence != self.parked {
            self.copy(sequence, self.parked)?;
        }
        self.cut(self.parked, head as u32)?;
        Ok(head)
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

    /// Whether a sequence can be cut: what recurrent layers have made of its last tokens can't be taken back, and a sliding
    /// window has forgotten those before it.
    pub fn can_cut(&self) -> bool {
        let forgets = self.model.window().is_some() && self.options.swa_full == SwaFull::Window;
        !self.model.llama.is_recurrent() && !self.model.llama.is_hybrid() && !forgets
    }

    /// Takes all tokens after the first `n_tokens` out of a sequence of a model for which [`Self::can_cut`] holds.
    /// What is decoded next lies where it would lie if they had never been there.
    pub fn cut(&mut self, sequence: usize, n_tokens: u32) -> Result<(), Error> {
        self.twinned = false;
        match self.context.clear_kv_cache_seq(Some(sequence as u32), Some(n_tokens), None).map_err(decode_error)? {
            true => Ok(()),
            false => Err(Error::Decode("llama.cpp can't remove tokens from the cache of this model".to_owned())),
        }
    }

    /// Takes the tokens at these positions out of a sequence, and moves those behind them up in their place: at the next
    /// decode llama.cpp turns their keys to where they are then (K-shift).
    pub fn forget(&mut self, sequence: usize, positions: Range<u32>) -> Result<(), Error> {
        self.twinned = false;
        let (id, Range { start, end }) = (sequence as i32, positions);
        self.context.kv_cache_seq_rm(id, Some(start), Some(end)).map_err(decode_error)?;
        self.context.kv_cache_seq_add(id, Some(end), None, -((end - start) as i32)).map_err(decode_error)
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

/// As `llama_memory_can_shift` has it, which would end the process.
fn can_shift(model: &Model, options: ContextOptions) -> bool {
    // ggml has no rotation of BF16.
    let keys_turn = options.kv_k != CacheType::Bf16;
    let one_size = model.window().is_none() || options.swa_full == SwaFull::Full;
    model.facts().memory == Memory::Movable && keys_turn && one_size
}

fn decode_error(error: impl ToString) -> Error {
    Error::Decode(error.to_string())
}
