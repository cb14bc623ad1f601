//! Decodes many jobs in one batch: jobs with the same tokens so far share one evaluation until they part.
//!
//! The texts of a prompt form a trie, and a [`Branch`] is a node of it that is
//! still growing: one sequence in llama.cpp, however many jobs stand on it.
//! When their samplers disagree, the sequence is copied and the jobs go on
//! apart. Chains without a draw, low temperatures, and one seed at two
//! temperatures agree for long.
//!
//! Live sequences are numbered 0..n without gaps, in the order of the batch's
//! rows; a gap costs up to 3× (docs/decisions.md, Throughput). Each branch
//! begins from the parked sequence, which holds the evaluated prompt.

use std::sync::Arc;
use std::time::Instant;
use std::{ptr, slice};

use blake3::Hasher;
use llama_cpp_2::context::session::SeqState;

use crate::choose::Chooser;
use crate::context::pieces;
use crate::fast::{Row, Scratch};
use crate::pool::Pool;
use crate::rows::Rows;
use crate::sequences::Sequences;
use crate::{
    Done, Draws, Error, Generation, Group, Job, Llama, Model, Observer, Samplers, Settings, Sharing, Stop, Ticket,
    Timing, Token, Work, parity,
};

/// A context to decode in, with threads of its own.
pub(crate) struct Lane<'m> {
    model: &'m Model,
    sequences: Sequences<'m>,
    samplers: Samplers,
    sharing: Sharing,
    sampling: Rows,
    /// For the logits after a prompt.
    scratch: Scratch,
}

/// Jobs with the same prompt and the same tokens so far; its sequence id is
/// its index.
pub(crate) struct Branch<'w> {
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
    tokens: Arc<[Token]>,
    /// The logits after the prompt's last token.
    logits: Vec<f32>,
}

impl<'m> Lane<'m> {
    /// # Errors
    /// When llama.cpp can't allocate the context.
    pub fn new(llama: &Llama, model: &'m Model, settings: &Settings) -> Result<Self, Error> {
        Ok(Self {
            model,
            sequences: Sequences::new(llama, model, settings)?,
            samplers: if parity::holds(model)? { settings.samplers } else { Samplers::Llama },
            sharing: settings.sharing,
            sampling: Rows::new(settings.strategy.threads),
            scratch: Scratch::default(),
        })
    }

    /// Evaluates a prompt into the parked sequence.
    fn park(&mut self, group: &Group, work: &Work) -> Result<Parked, Error> {
        let Group { prompt, template, .. } = group;
        let tokens = self.model.tokenize(prompt, *template, work.bos).map_err(Error::Prompt)?;
        let logits = self.sequences.park(&tokens, work.max_tokens)?;
        Ok(Parked { tokens: tokens.into(), logits })
    }

    /// Reports a job's text.
    fn finish(
        &self,
        job: &Running<'_>,
        text: (u32, Vec<Token>, Stop),
        rows: usize,
        observer: &mut dyn Observer,
    ) -> Result<(), Error> {
        let (n_prompt_tokens, tokens, stop) = text;
        let text = self.model.detokenize(&tokens);
        let logits_blake3 = job.hash.as_ref().map(|hash| hash.finalize().to_hex().to_string());
        let generation = Generation { n_prompt_tokens, tokens, text, stop, logits_blake3 };
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
        draws: &mut Draws,
    ) -> Result<Choice, Error> {
        if let Some(hash) = &mut self.hash {
            row.logits().iter().for_each(|logit| {
                hash.update(&logit.to_le_bytes());
            });
        }
        let token = self.chooser.choose(model, row, tokens, draws)?;
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
    fn next(&self) -> (Token, usize) {
        let last = *self.tokens.last().expect("a branch begins with a token");
        (last, self.n_tokens() as usize - 1)
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
    ) -> Result<(), Error> {
        let mut waiting = Waiting::new(work, |in_flight| pool.prompt(number, in_flight));
        let mut live: Vec<Branch<'w>> = Vec::new();
        while !pool.stopped() {
            // As many jobs as there are sequences, so that each could part
            // from all others.
            let mut in_flight: usize = live.iter().map(|branch| branch.jobs.len()).sum();
            while in_flight < self.sequences.rows() && waiting.begin_next(self, in_flight, &mut live, observer)? {
                in_flight += 1;
            }
            if live.is_empty() {
                let Some(moved) = pool.wait() else { break };
                live = self.take(moved)?;
            } else if live.len() > 1 && pool.hungry() {
                let moved = self.part_with(&mut live)?;
                if !moved.is_empty() {
                    observer.worked(Done::Moved { sequences: moved.len() as u64 })?;
                    pool.give(moved);
                }
            }
            let tokens = self.sequences.step(live.iter().map(Branch::next))?;
            observer.worked(Done::Step { sequences: live.len() as u64, tokens })?;
            self.grow(&mut live, work.max_tokens, observer)?;
        }
        Ok(())
    }

    /// Half of the branches that can be moved, for another lane.
    fn part_with<'w>(&mut self, live: &mut Vec<Branch<'w>>) -> Result<Moved<'w>, Error> {
        let movable = |(sequence, branch): &(usize, &Branch<'_>)| self.sequences.can_move(*sequence, branch.n_tokens());
        let movable: Vec<usize> = live.iter().enumerate().filter(movable).map(|(sequence, _)| sequence).collect();
        // From the back, so that a gap is filled with a branch that stays.
        let given = movable.into_iter().skip(1).step_by(2).rev();
        given.map(|sequence| Ok((self.sequences.state(sequence)?, self.remove(live, sequence)?))).collect()
    }

    /// Goes on with another lane's branches; has none of its own, and so owes no copy.
    fn take<'w>(&mut self, moved: Moved<'w>) -> Result<Vec<Branch<'w>>, Error> {
        let place = |(sequence, (state, branch)): (usize, (SeqState, Branch<'w>))| {
            self.sequences.set_state(sequence, &state)?;
            Ok(branch)
        };
        moved.into_iter().enumerate().map(place).collect()
    }

    /// Takes the branches' jobs and has each choose its next token.
    fn choose<'w>(
        &self,
        live: &mut [Branch<'w>],
        max_tokens: u32,
        draws: &mut Draws,
    ) -> Result<Vec<Vec<(Running<'w>, Choice)>>, Error> {
        let tasks = live.iter_mut().enumerate().map(|(sequence, branch)| {
            let jobs = std::mem::take(&mut branch.jobs);
            (self.sequences.logits(sequence), (jobs, &*branch.tokens))
        });
        let chosen = self.sampling.sample(tasks.collect(), |row, (jobs, tokens)| {
            let mut draws = Draws::default();
            let choose = |mut job: Running<'w>| {
                let choice = job.choose(self.model, row, tokens, max_tokens, &mut draws)?;
                Ok((job, choice))
            };
            let chosen = jobs.into_iter().map(choose).collect::<Result<Vec<_>, Error>>()?;
            Ok((chosen, draws))
        })?;
        Ok(chosen
            .into_iter()
            .map(|(chosen, made)| {
                *draws += made;
                chosen
            })
            .collect())
    }

    /// Samples the next token of every job from the logits just computed;
    /// splits branches whose jobs disagree, drops those without jobs.
    fn grow(&mut self, live: &mut Vec<Branch<'_>>, max_tokens: u32, observer: &mut dyn Observer) -> Result<(), Error> {
        let rows = live.len();
        let mut draws = Draws::default();
        for (sequence, chosen) in self.choose(live, max_tokens, &mut draws)?.into_iter().enumerate() {
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
                                self.sequences.copy(sequence, live.len())?;
                                live.push(child);
                            }
                        }
                    }
                }
            }
            live[sequence].tokens.extend(stays);
        }
        observer.worked(Done::Drawn(draws))?;
        // From the back, so that the branch which fills a hole is a live one.
        for sequence in (0..rows).rev() {
            if live[sequence].jobs.is_empty() {
                self.remove(live, sequence)?;
            }
        }
        Ok(())
    }

    /// Takes a branch out and fills the gap with the last one.
    fn remove<'w>(&mut self, live: &mut Vec<Branch<'w>>, sequence: usize) -> Result<Branch<'w>, Error> {
        let branch = live.swap_remove(sequence);
        if sequence < live.len() {
            self.sequences.copy(live.len(), sequence)?;
        }
        Ok(branch)
    }
}

/// Branches on their way to another lane, with what llama.cpp holds of them.
pub(crate) type Moved<'w> = Vec<(SeqState, Branch<'w>)>;

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
    ) -> Result<bool, Error> {
        let Some((group, job)) = self.next(in_flight) else { return Ok(false) };
        observer.started(job.ticket)?;
        let unshared = engine.sharing == Sharing::None;
        let mut prompt_begun = None;
        if self.parked.as_ref().is_none_or(|(of, _)| unshared || !ptr::eq(*of, group)) {
            prompt_begun = Some(Instant::now());
            let parked = engine.park(group, self.work)?;
            let n_tokens = parked.tokens.len();
            let lengths: Vec<u32> = pieces(n_tokens).map(|piece| piece.len() as u32).collect();
            observer.worked(Done::Prompt { pieces: &lengths })?;
            self.parked = Some((group, parked));
        }
        let (_, parked) = self.parked.as_ref().expect("parked just now");
        let n_prompt_tokens = parked.tokens.len() as u32;
        let chooser = Chooser::new(engine.model, engine.samplers, job, &parked.tokens)?;
        let hash = self.work.hash_logits.then(Box::default);
        let mut job = Running { ticket: job.ticket, chooser, begun: Instant::now(), first_token_seconds: None, hash };
        let mut draws = Draws::default();
        let mut row = Row::new(&parked.logits, &mut engine.scratch);
        let choice = job.choose(engine.model, &mut row, &[], self.work.max_tokens, &mut draws)?;
        job.first_token_seconds = prompt_begun.map(|begun| begun.elapsed().as_secs_f64());
        observer.worked(Done::Drawn(draws))?;
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
                        engine.sequences.unpark(live.len())?;
                        live.push(Branch { group, n_prompt_tokens, tokens: vec![token], jobs: vec![job] });
                    }
                }
            }
        }
        Ok(true)
    }
}
