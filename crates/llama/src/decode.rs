//! Decodes many jobs in one batch: jobs with the same tokens so far share one evaluation until they part.
//!
//! The texts of a prompt form a trie, whose growing nodes [`Branches`] keeps. When the samplers of a node's jobs
//! disagree, the jobs go on apart. Chains without a draw, low temperatures, and one seed at two temperatures agree for
//! long.

use std::sync::Arc;
use std::time::Instant;
use std::{ptr, slice};

use crate::branches::{self, Branch, Branches};
use crate::choose::Chooser;
use crate::context::may_share_heads;
use crate::fast::{Row, Scratch};
use crate::overflow::Length;
use crate::pool::Pool;
use crate::rows::Rows;
use crate::sequences::{Evaluated, Sequences};
use crate::{
    Done, Draws, Error, Generation, Group, Job, Llama, Model, Observer, Overflow, Samplers, Settings, Sharing, Stop,
    Ticket, Timing, Token, Work, parity,
};
use blake3::Hasher;

/// A context to decode in, with threads of its own.
pub(crate) struct Lane<'m> {
    model: &'m Model,
    sequences: Sequences<'m>,
    samplers: Samplers,
    sharing: Sharing,
    /// Tokens of context for each sequence.
    context: u32,
    overflow: Overflow,
    /// Whether prompts share what they begin with.
    shares_heads: bool,
    sampling: Rows,
    /// For the logits after a prompt.
    scratch: Scratch,
}

/// A job that is being generated.
pub(crate) struct Running<'w> {
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
            context: settings.context,
            overflow: settings.overflow,
            shares_heads: settings.sharing == Sharing::Trie && may_share_heads(settings.numerics),
            sampling: Rows::new(settings.strategy.threads),
            scratch: Scratch::default(),
        })
    }

    /// Evaluates a prompt into the parked sequence, as far as no other one's evaluation has it.
    fn park<'w>(
        &mut self,
        group: &Group,
        work: &Work,
        parked: Option<&Parked>,
        branches: &Branches<'w, Running<'w>>,
        observer: &mut dyn Observer,
    ) -> Result<Parked, Error> {
        let tokens = group.prompt.clone();
        let donors = if self.shares_heads {
            let parked = parked.map(|parked| (None, &*parked.tokens));
            let live = branches.live().iter().enumerate().filter(|(_, branch)| branch.forgotten == 0);
            parked.into_iter().chain(live.map(|(sequence, branch)| (Some(sequence), &*branch.prompt))).collect()
        } else {
            Vec::new()
        };
        let Evaluated { logits, pieces, head } = self.sequences.park(&tokens, work.max_tokens, donors)?;
        observer.worked(Done::Prompt { pieces: &pieces, head })?;
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

/// A branch whose jobs are being generated.
type Growing<'w> = Branch<'w, Running<'w>>;

/// Branches of running jobs on their way to another lane.
pub(crate) type Moved<'w> = branches::Moved<'w, Running<'w>>;

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
        length: Length,
        draws: &mut Draws,
    ) -> Result<Choice, Error> {
        if let Some(hash) = &mut self.hash {
            row.logits().iter().for_each(|logit| {
                hash.update(&logit.to_le_bytes());
            });
        }
        let token = match self.chooser.choose(model, row, tokens, draws) {
            Err(Error::NothingAllowed) => return Ok(Choice::End(tokens.to_vec(), Stop::Grammar)),
            chosen => chosen?,
        };
        Ok(if self.chooser.ends(model, token) {
            Choice::End(tokens.to_vec(), Stop::Eos)
        } else if tokens.len() + 1 >= length.tokens {
            Choice::End([tokens, &[token]].concat(), length.stop)
        } else {
            Choice::Token(token)
        })
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
        let mut branches = Branches::new();
        while !pool.stopped() {
            // As many jobs as there are sequences, so that each could part from all others; and with the first of a
            // prompt all of its jobs, for whoever begins later shares less.
            let mut in_flight = branches.n_jobs();
            while (in_flight < self.sequences.rows() || self.begins_at_once() && waiting.prompt_has_more())
                && waiting.begin_next(self, in_flight, &mut branches, observer)?
            {
                in_flight = branches.n_jobs();
            }
            if branches.live().is_empty() {
                let Some(moved) = pool.wait() else { break };
                branches.take(moved, &mut self.sequences)?;
            } else if branches.can_be_shared_out()
                && pool.hungry()
                && let Some(moved) = branches.part_with(&mut self.sequences)?
            {
                observer.worked(Done::Moved { sequences: moved.sequences() as u64 })?;
                pool.give(moved);
            }
            self.make_room(&mut branches)?;
            let live = branches.live();
            let tokens = self.sequences.step(live.iter().map(Branch::next))?;
            observer.worked(Done::Step { sequences: live.len() as u64, tokens })?;
            self.grow(&mut branches, work.max_tokens, observer)?;
        }
        Ok(())
    }

    /// Whether all jobs of a prompt begin with the first: those that find no sequence can wait for one.
    fn begins_at_once(&self) -> bool {
        match self.sharing {
            Sharing::None => false,
            Sharing::Prompt | Sharing::Trie => self.sequences.can_cut() && !self.forgets(),
        }
    }

    /// Whether sequences may forget what their texts began with, so that no other text can go on from there.
    fn forgets(&self) -> bool {
        matches!(self.overflow, Overflow::Shift { .. })
    }

    /// Has sequences that are full forget what is oldest in them.
    fn make_room(&mut self, branches: &mut Branches<'_, Running<'_>>) -> Result<(), Error> {
        for (sequence, branch) in branches.live_mut().iter_mut().enumerate() {
            let n_bos = self.model.n_bos(&branch.prompt);
            if let Some(positions) = self.overflow.forgotten(branch.n_held(), n_bos, self.context) {
                branch.forgotten += positions.len() as u32;
                self.sequences.forget(sequence, positions)?;
            }
        }
        Ok(())
    }

    /// How long a text after a prompt of so many tokens may be.
    fn length(&self, n_prompt_tokens: usize, max_tokens: u32) -> Length {
        self.overflow.length(n_prompt_tokens, max_tokens, self.context)
    }

    /// Takes the branches' jobs and has each choose its next token.
    fn choose<'w>(
        &self,
        live: &mut [Growing<'w>],
        max_tokens: u32,
        draws: &mut Draws,
    ) -> Result<Vec<Vec<(Running<'w>, Choice)>>, Error> {
        let tasks = live.iter_mut().enumerate().map(|(sequence, branch)| {
            let jobs = std::mem::take(&mut branch.jobs);
            let length = self.length(branch.prompt.len(), max_tokens);
            (self.sequences.logits(sequence), (jobs, &*branch.tokens, length))
        });
        let chosen = self.sampling.sample(tasks.collect(), |row, (jobs, tokens, length)| {
            let mut draws = Draws::default();
            let choose = |mut job: Running<'w>| {
                let choice = job.choose(self.model, row, tokens, length, &mut draws)?;
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

    /// Samples the next token of every job from the logits just computed; splits branches whose jobs disagree, drops
    /// those without jobs.
    fn grow<'w>(
        &mut self,
        branches: &mut Branches<'w, Running<'w>>,
        max_tokens: u32,
        observer: &mut dyn Observer,
    ) -> Result<(), Error> {
        let rows = branches.live().len();
        let mut draws = Draws::default();
        let mut parted: Vec<Growing<'w>> = Vec::new();
        let chosen = self.choose(branches.live_mut(), max_tokens, &mut draws)?;
        for (branch, chosen) in branches.live_mut().iter_mut().zip(chosen) {
            let first_child = parted.len();
            let mut stays: Option<Token> = None;
            for (job, choice) in chosen {
                match choice {
                    Choice::End(tokens, stop) => {
                        let text = (branch.prompt.len() as u32, tokens, stop);
                        self.finish(&job, text, rows, observer)?;
                    }
                    // The first job to go on keeps the sequence.
                    Choice::Token(token) if stays.is_none_or(|stays| stays == token) => {
                        stays = Some(token);
                        branch.jobs.push(job);
                    }
                    Choice::Token(token) => {
                        let same = |child: &&mut Growing<'_>| child.tokens.last() == Some(&token);
                        match parted[first_child..].iter_mut().find(same) {
                            Some(child) => child.jobs.push(job),
                            None => parted.push(branch.child(token, job)),
                        }
                    }
                }
            }
            branch.tokens.extend(stays);
        }
        observer.worked(Done::Drawn(draws))?;
        branches.settle(parted, &mut self.sequences)
    }
}

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

    /// Whether a prompt has been begun that has more jobs.
    fn prompt_has_more(&self) -> bool {
        self.jobs.as_ref().is_some_and(|(_, jobs)| !jobs.as_slice().is_empty())
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
        branches: &mut Branches<'w, Running<'w>>,
        observer: &mut dyn Observer,
    ) -> Result<bool, Error> {
        let Some((group, job)) = self.next(in_flight) else { return Ok(false) };
        observer.started(job.ticket)?;
        let unshared = engine.sharing == Sharing::None;
        let mut prompt_begun = None;
        if self.parked.as_ref().is_none_or(|(of, _)| unshared || !ptr::eq(*of, group)) {
            prompt_begun = Some(Instant::now());
            let before = self.parked.take();
            let before = before.as_ref().map(|(_, parked)| parked);
            self.parked = Some((group, engine.park(group, self.work, before, branches, observer)?));
        }
        let (_, parked) = self.parked.as_ref().expect("parked just now");
        let n_prompt_tokens = parked.tokens.len() as u32;
        let chooser = Chooser::new(engine.model, engine.samplers, job, &parked.tokens)?;
        let hash = self.work.hash_logits.then(Box::default);
        let mut job = Running { ticket: job.ticket, chooser, begun: Instant::now(), first_token_seconds: None, hash };
        let mut draws = Draws::default();
        let length = engine.length(parked.tokens.len(), self.work.max_tokens);
        let mut row = Row::new(&parked.logits, &mut engine.scratch);
        let choice = job.choose(engine.model, &mut row, &[], length, &mut draws)?;
        job.first_token_seconds = prompt_begun.map(|begun| begun.elapsed().as_secs_f64());
        observer.worked(Done::Drawn(draws))?;
        match choice {
            Choice::End(tokens, stop) => {
                engine.finish(&job, (n_prompt_tokens, tokens, stop), branches.live().len(), observer)?;
            }
            Choice::Token(token) => {
                let twin = match engine.sharing {
                    Sharing::Trie => branches.find(group, &[token]),
                    Sharing::None | Sharing::Prompt => None,
                };
                match twin {
                    Some(branch) => branch.jobs.push(job),
                    None => {
                        let prompt = Arc::clone(&parked.tokens);
                        let branch = Branch { group, prompt, tokens: vec![token], forgotten: 0, jobs: vec![job] };
                        branches.begin(branch, &mut engine.sequences)?;
                    }
                }
            }
        }
        Ok(true)
    }
}
