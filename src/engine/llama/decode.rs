//! Many jobs in one batch: jobs with the same tokens so far share one
//! evaluation until they part.
//!
//! The texts of a prompt form a trie, and a [`Branch`] is a node of it that is
//! still growing: one sequence in llama.cpp, however many jobs stand on it.
//! When their samplers disagree, the sequence is copied and the jobs go on
//! apart. Chains without a draw, low temperatures, and one seed at two
//! temperatures agree for long.
//!
//! Live sequences are numbered 0..n without gaps, in the order of the batch's
//! rows; a gap costs up to 3× (docs/architecture.md, Throughput). One further
//! sequence is parked: it holds the evaluated prompt, from which each branch
//! begins.

use std::sync::Arc;
use std::time::Instant;
use std::{ptr, slice};

use blake3::Hasher;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::session::{LlamaStateSeqFlags, SeqState};
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;

use super::choose::Chooser;
use super::context::context_params;
use super::fast::{Row, Scratch};
use super::pool::Pool;
use super::rows::Rows;
use super::{Llama, Model, parity};
use crate::engine::{
    Effort, EngineError, Generation, Group, Job, LoadSettings, Observer, Samplers, Sharing, Stop, Strategy, Ticket,
    Timing, Token, Work,
};

/// A context to decode in, with threads of its own.
pub(super) struct Lane<'m> {
    model: &'m Model,
    context: LlamaContext<'m>,
    batch: LlamaBatch<'static>,
    /// Tokens of context for each sequence.
    n_ctx_seq: u32,
    /// The most live sequences; also the id of the parked one.
    rows: u32,
    /// Sequences that llama.cpp copies at the next decode only, and whose state
    /// can't be had before.
    copied: Vec<i32>,
    samplers: Samplers,
    sharing: Sharing,
    sampling: Rows,
    /// For the logits after a prompt.
    scratch: Scratch,
}

/// Jobs with the same prompt and the same tokens so far; its sequence id is
/// its index.
pub(super) struct Branch<'w> {
    group: &'w Group,
    n_prompt_tokens: u32,
    tokens: Vec<Token>,
    jobs: Vec<Running<'w>>,
}

/// A job that is being generated.
struct Running<'w> {
    ticket: Ticket,
    chooser: Chooser<'w>,
    begun: Instant,
    first_token_seconds: Option<f64>,
    /// Of the logits so far, where the work asks for it.
    hash: Option<Box<Hasher>>,
}

/// The prompt whose evaluation is parked.
struct Parked {
    tokens: Arc<[LlamaToken]>,
    /// The logits after the prompt's last token.
    logits: Vec<f32>,
}

impl<'m> Lane<'m> {
    /// # Errors
    /// When llama.cpp can't allocate the context.
    pub fn new(llama: &Llama, model: &'m Model, settings: &LoadSettings) -> Result<Self, EngineError> {
        let LoadSettings { context, .. } = *settings;
        let Strategy { rows, threads, .. } = settings.strategy;
        let params = context_params(settings)?;
        let n_batch = params.n_batch();
        let refused = |reason: String| EngineError::Context { context, rows, reason };
        let llama_context =
            model.llama.new_context(&llama.backend, params).map_err(|error| refused(error.to_string()))?;
        let samplers = if parity::holds(model)? { settings.samplers } else { Samplers::Llama };
        Ok(Self {
            model,
            context: llama_context,
            batch: LlamaBatch::new(n_batch as usize, 1),
            n_ctx_seq: context,
            rows,
            copied: Vec::new(),
            samplers,
            sharing: settings.sharing,
            sampling: Rows::new(threads),
            scratch: Scratch::default(),
        })
    }

    /// Evaluates a prompt into the parked sequence.
    fn park(&mut self, group: &Group, work: &Work) -> Result<Parked, EngineError> {
        let Group { prompt, template, .. } = group;
        let tokens = self.model.tokenize(prompt, *template, work.bos).map_err(EngineError::Prompt)?;
        let max_tokens = work.max_tokens;
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
        Ok(Parked { tokens: tokens.into(), logits })
    }

    /// Decodes any token at `position` in every sequence.
    pub(super) fn step(&mut self, position: u32) -> Result<(), EngineError> {
        self.batch.clear();
        for sequence in 0..self.rows as i32 {
            // Different ones, or experts would be chosen alike.
            let token = LlamaToken((sequence * 37 + position as i32 * 11) % self.model.llama.n_vocab());
            self.add(token, position as usize, sequence, true)?;
        }
        self.decode()?;
        // Waits for the logits, as an engine must.
        let _ = self.context.get_logits_ith(0);
        Ok(())
    }

    fn add(&mut self, token: LlamaToken, position: usize, sequence: i32, logits: bool) -> Result<(), EngineError> {
        let added = self.batch.add(token, position as i32, &[sequence], logits);
        added.map_err(|error| EngineError::Decode(error.to_string()))
    }

    fn decode(&mut self) -> Result<(), EngineError> {
        self.copied.clear();
        self.context.decode(&mut self.batch).map_err(|error| EngineError::Decode(error.to_string()))
    }

    /// Copies a whole sequence over another one.
    fn copy(&mut self, from: i32, to: i32) -> Result<(), EngineError> {
        self.clear(to)?;
        // Streams can be copied as a whole only.
        self.copied.push(to);
        let copied = self.context.copy_kv_cache_seq(from, to, None, None);
        copied.map_err(|error| EngineError::Decode(error.to_string()))
    }

    fn clear(&mut self, sequence: i32) -> Result<(), EngineError> {
        let cleared = self.context.clear_kv_cache_seq(Some(sequence as u32), None, None);
        cleared.map(|_| ()).map_err(|error| EngineError::Decode(error.to_string()))
    }

    /// Reports a job's text.
    fn finish(
        &self,
        job: &Running<'_>,
        text: (u32, Vec<Token>, Stop),
        rows: usize,
        observer: &mut dyn Observer,
    ) -> Result<(), EngineError> {
        let (n_prompt_tokens, tokens, stop) = text;
        let text = self.model.detokenize(&tokens);
        let logits_blake3 = job.hash.as_ref().map(|hash| hash.finalize().to_hex().to_string());
        let generation = Generation { logits_blake3, ..Generation::of_tokens(n_prompt_tokens, tokens, text, stop) };
        let timing = Timing {
            seconds: job.begun.elapsed().as_secs_f64(),
            rows: rows as u32,
            first_token_seconds: job.first_token_seconds,
        };
        Ok(observer.finished(job.ticket, generation, timing)?)
    }
}

/// What a job's sampler chose.
enum Choice {
    Token(Token),
    /// The job is over; its tokens.
    End(Vec<Token>, Stop),
}

impl Running<'_> {
    /// Samples the token after `tokens`.
    fn choose(
        &mut self,
        model: &Model,
        row: &mut Row<'_>,
        tokens: &[Token],
        max_tokens: u32,
        effort: &mut Effort,
    ) -> Result<Choice, EngineError> {
        if let Some(hash) = &mut self.hash {
            row.logits().iter().for_each(|logit| {
                hash.update(&logit.to_le_bytes());
            });
        }
        let token = self.chooser.choose(model, row, tokens, effort)?;
        Ok(if model.is_end(token) {
            Choice::End(tokens.to_vec(), Stop::Eos)
        } else if tokens.len() + 1 >= max_tokens as usize {
            Choice::End([tokens, &[token]].concat(), Stop::MaxTokens)
        } else {
            Choice::Token(token)
        })
    }
}

impl<'w> Branch<'w> {
    /// The token to decode next and its position.
    fn next(&self) -> (LlamaToken, usize) {
        let last = *self.tokens.last().expect("a branch begins with a token");
        (LlamaToken(last), self.n_prompt_tokens as usize + self.tokens.len() - 1)
    }

    /// Tokens of its sequence once the next one is decoded.
    fn n_tokens(&self) -> u32 {
        self.n_prompt_tokens + self.tokens.len() as u32
    }

    /// The branch that goes on with `token`.
    fn child(&self, token: Token, job: Running<'w>) -> Self {
        let tokens = self.tokens.iter().copied().chain([token]).collect();
        Self { tokens, jobs: vec![job], ..*self }
    }
}

impl Lane<'_> {
    /// Generates what `pool` has for the lane of this number, until there is no
    /// more or the pool says that it is no use.
    pub fn generate<'w>(
        &mut self,
        work: &'w Work,
        number: usize,
        pool: &Pool<'w, Moved<'w>>,
        observer: &mut dyn Observer,
    ) -> Result<(), EngineError> {
        let mut waiting = Waiting::new(work, |in_flight| pool.prompt(number, in_flight));
        let mut live: Vec<Branch<'w>> = Vec::new();
        while !pool.stopped() {
            // As many jobs as there are sequences, so that each could part
            // from all others.
            let mut in_flight: usize = live.iter().map(|branch| branch.jobs.len()).sum();
            while in_flight < self.rows as usize && waiting.begin_next(self, in_flight, &mut live, observer)? {
                in_flight += 1;
            }
            if live.is_empty() {
                let Some(moved) = pool.wait() else { break };
                live = self.take(moved)?;
            } else if live.len() > 1 && pool.hungry() {
                let moved = self.part_with(&mut live)?;
                if !moved.is_empty() {
                    observer.worked(Effort { moved_sequences: moved.len() as u64, ..Effort::default() })?;
                    pool.give(moved);
                }
            }
            self.batch.clear();
            for (sequence, branch) in live.iter().enumerate() {
                let (token, position) = branch.next();
                self.add(token, position, sequence as i32, true)?;
            }
            self.decode()?;
            observer.worked(Effort::evaluated(live.len() as u64))?;
            self.grow(&mut live, work.max_tokens, observer)?;
        }
        Ok(())
    }

    /// Half of the branches that can be moved, for another lane.
    fn part_with<'w>(&mut self, live: &mut Vec<Branch<'w>>) -> Result<Moved<'w>, EngineError> {
        let settled = |(sequence, branch): (usize, &Branch<'_>)| {
            let movable = !self.copied.contains(&(sequence as i32)) && self.model.can_move(branch.n_tokens());
            movable.then_some(sequence)
        };
        let settled: Vec<usize> = live.iter().enumerate().filter_map(settled).collect();
        // From the back, so that a hole is filled with a branch that stays.
        let given = settled.into_iter().skip(1).step_by(2).rev();
        let give = |sequence| {
            let state = self.context.state_seq_get(sequence as i32, LlamaStateSeqFlags::empty());
            let state = state.map_err(|error| EngineError::Decode(error.to_string()))?;
            Ok((self.remove(live, sequence)?, state))
        };
        given.map(give).collect()
    }

    /// Goes on with another lane's branches.
    fn take<'w>(&mut self, moved: Moved<'w>) -> Result<Vec<Branch<'w>>, EngineError> {
        let mut place = |(sequence, (branch, state)): (usize, (Branch<'w>, SeqState))| {
            self.clear(sequence as i32)?;
            let placed = self.context.state_seq_set(&state, sequence as i32);
            placed.map(|()| branch).map_err(|error| EngineError::Decode(error.to_string()))
        };
        moved.into_iter().enumerate().map(&mut place).collect()
    }

    /// Takes the branches' jobs and has each choose its next token.
    fn choose<'w>(
        &self,
        live: &mut [Branch<'w>],
        max_tokens: u32,
        effort: &mut Effort,
    ) -> Result<Vec<Vec<(Running<'w>, Choice)>>, EngineError> {
        let tasks = live.iter_mut().enumerate().map(|(sequence, branch)| {
            let jobs = std::mem::take(&mut branch.jobs);
            (self.context.get_logits_ith(sequence as i32), (jobs, &*branch.tokens))
        });
        let chosen = self.sampling.sample(tasks.collect(), |row, (jobs, tokens)| {
            let mut effort = Effort::default();
            let choose = |mut job: Running<'w>| {
                let choice = job.choose(self.model, row, tokens, max_tokens, &mut effort)?;
                Ok((job, choice))
            };
            let chosen = jobs.into_iter().map(choose).collect::<Result<Vec<_>, EngineError>>()?;
            Ok((chosen, effort))
        })?;
        Ok(chosen
            .into_iter()
            .map(|(chosen, made)| {
                *effort += made;
                chosen
            })
            .collect())
    }

    /// Samples the next token of every job from the logits just computed;
    /// splits branches whose jobs disagree, drops those without jobs.
    fn grow(
        &mut self,
        live: &mut Vec<Branch<'_>>,
        max_tokens: u32,
        observer: &mut dyn Observer,
    ) -> Result<(), EngineError> {
        let rows = live.len();
        let mut effort = Effort::default();
        for (sequence, chosen) in self.choose(live, max_tokens, &mut effort)?.into_iter().enumerate() {
            let first_child = live.len();
            let mut stays: Option<Token> = None;
            for (job, choice) in chosen {
                let branch = &mut live[sequence];
                match choice {
                    Choice::End(tokens, stop) => {
                        let text = (branch.n_prompt_tokens, tokens, stop);
                        self.finish(&job, text, rows, observer)?;
                    }
                    // The first job to go on keeps the sequence.
                    Choice::Token(token) if stays.is_none_or(|stays| stays == token) => {
                        stays = Some(token);
                        branch.jobs.push(job);
                    }
                    Choice::Token(token) => {
                        let parted = |child: &&mut Branch<'_>| child.tokens.last() == Some(&token);
                        match live[first_child..].iter_mut().find(parted) {
                            Some(child) => child.jobs.push(job),
                            None => {
                                let child = live[sequence].child(token, job);
                                self.copy(sequence as i32, live.len() as i32)?;
                                live.push(child);
                            }
                        }
                    }
                }
            }
            live[sequence].tokens.extend(stays);
        }
        observer.worked(effort)?;
        // From the back, so that the branch which fills a hole is a live one.
        for sequence in (0..rows).rev() {
            if live[sequence].jobs.is_empty() {
                self.remove(live, sequence)?;
            }
        }
        Ok(())
    }

    /// Takes a branch out and fills the gap with the last one.
    fn remove<'w>(&mut self, live: &mut Vec<Branch<'w>>, sequence: usize) -> Result<Branch<'w>, EngineError> {
        let branch = live.swap_remove(sequence);
        if sequence < live.len() {
            self.copy(live.len() as i32, sequence as i32)?;
        }
        Ok(branch)
    }
}

/// Branches on their way to another lane, with what llama.cpp holds of them.
pub(super) type Moved<'w> = Vec<(Branch<'w>, SeqState)>;

/// The jobs not yet begun, in order, and the prompt of the next one.
struct Waiting<'w, F> {
    work: &'w Work,
    next_prompt: F,
    jobs: Option<(&'w Group, slice::Iter<'w, Job>)>,
    parked: Option<(&'w Group, Parked)>,
}

impl<'w, F: FnMut(usize) -> Option<&'w Group>> Waiting<'w, F> {
    fn new(work: &'w Work, next_prompt: F) -> Self {
        Self { work, next_prompt, jobs: None, parked: None }
    }

    fn next(&mut self, in_flight: usize) -> Option<(&'w Group, &'w Job)> {
        loop {
            if let Some((group, jobs)) = &mut self.jobs
                && let Some(job) = jobs.next()
            {
                return Some((group, job));
            }
            let group = (self.next_prompt)(in_flight)?;
            self.jobs = Some((group, group.jobs.iter()));
        }
    }

    /// Begins the next job: puts it on the branch of its first token, unless
    /// that token ends it. False when no job is left.
    fn begin_next(
        &mut self,
        engine: &mut Lane<'_>,
        in_flight: usize,
        live: &mut Vec<Branch<'w>>,
        observer: &mut dyn Observer,
    ) -> Result<bool, EngineError> {
        let Some((group, job)) = self.next(in_flight) else { return Ok(false) };
        observer.started(job.ticket)?;
        let unshared = engine.sharing == Sharing::None;
        let mut prompt_begun = None;
        if self.parked.as_ref().is_none_or(|(of, _)| unshared || !ptr::eq(*of, group)) {
            prompt_begun = Some(Instant::now());
            let parked = engine.park(group, self.work)?;
            observer.worked(Effort::evaluated(parked.tokens.len() as u64))?;
            self.parked = Some((group, parked));
        }
        let (_, parked) = self.parked.as_ref().expect("parked just now");
        let n_prompt_tokens = parked.tokens.len() as u32;
        let chooser = Chooser::new(engine.model, engine.samplers, job, &parked.tokens)?;
        let hash = self.work.hash_logits.then(Box::default);
        let mut job = Running { ticket: job.ticket, chooser, begun: Instant::now(), first_token_seconds: None, hash };
        let mut effort = Effort::default();
        let mut row = Row::new(&parked.logits, &mut engine.scratch);
        let choice = job.choose(engine.model, &mut row, &[], self.work.max_tokens, &mut effort)?;
        job.first_token_seconds = prompt_begun.map(|begun| begun.elapsed().as_secs_f64());
        observer.worked(effort)?;
        match choice {
            Choice::End(tokens, stop) => {
                engine.finish(&job, (n_prompt_tokens, tokens, stop), live.len(), observer)?;
            }
            Choice::Token(token) => {
                let trie = engine.sharing == Sharing::Trie;
                let same = |branch: &&mut Branch<'_>| trie && ptr::eq(branch.group, group) && branch.tokens == [token];
                match live.iter_mut().find(same) {
                    Some(branch) => branch.jobs.push(job),
                    None => {
                        engine.copy(engine.rows as i32, live.len() as i32)?;
                        live.push(Branch { group, n_prompt_tokens, tokens: vec![token], jobs: vec![job] });
                    }
                }
            }
        }
        Ok(true)
    }
}
