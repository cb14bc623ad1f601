//! Keeps the trials of one load key that are still to do, and who is suspected of having killed a worker.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::domain::{Generate, Trial, TrialId};
use crate::engine::{Group, Job, Ticket, Work};
use crate::plan::{Load, PlannedTrial, PromptTrials};

/// Tickets count the distinct trials of a load key in plan order.
pub struct Pending<'p> {
    trials: Vec<(&'p PromptTrials, &'p PlannedTrial)>,
    left: BTreeSet<Ticket>,
    in_flight: BTreeSet<Ticket>,
    /// Deaths at which a ticket was in flight.
    deaths: BTreeMap<Ticket, u32>,
    /// How many suspects are tried together.
    together: usize,
    progress: Progress,
}

/// Whether the load key's model is known to make texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// No text has got past its first step.
    None,
    Stepped,
}

impl<'p> Pending<'p> {
    /// The load key's trials whose ids are not in `done`, each id once.
    pub fn new(load: &'p Load, done: &HashSet<TrialId>) -> Self {
        let mut seen = HashSet::new();
        let with_prompt = load.prompts.iter().flat_map(|group| group.trials.iter().map(move |t| (group, t)));
        let trials: Vec<_> =
            with_prompt.filter(|(_, t)| !done.contains(&t.trial.id) && seen.insert(&t.trial.id)).collect();
        let left = (0..trials.len() as Ticket).collect();
        let (in_flight, deaths) = (BTreeSet::new(), BTreeMap::new());
        Self { trials, left, in_flight, deaths, together: usize::MAX, progress: Progress::None }
    }

    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    pub fn left(&self) -> usize {
        self.left.len()
    }

    pub fn all_left(&self) -> Vec<Ticket> {
        self.left.iter().copied().collect()
    }

    /// What to do next: the witness alone, or some of the suspects, or else all that is left.
    pub fn next_work(&self, witness: Option<Ticket>, generate: Generate) -> Option<Work> {
        if let Some(witness) = witness {
            return Some(self.work(&[witness], generate));
        }
        let suspects: Vec<_> = self.suspects().take(self.together).collect();
        let tickets = if suspects.is_empty() { self.all_left() } else { suspects };
        (!tickets.is_empty()).then(|| self.work(&tickets, generate))
    }

    /// The work of these tickets.
    pub fn work(&self, tickets: &[Ticket], generate: Generate) -> Work {
        let mut groups: Vec<Group> = Vec::new();
        for &ticket in tickets {
            let (PromptTrials { prompt, key, .. }, planned) = self.trials[ticket as usize];
            let prompt = prompt.text.as_str();
            let eos = *planned.trial.cell.get();
            let job = Job { ticket, chain: (*planned.chain).clone(), seed: planned.draw, eos };
            match groups.last_mut() {
                Some(group) if group.prompt == prompt && group.key == *key => group.jobs.push(job),
                _ => groups.push(Group { prompt: prompt.to_owned(), key: key.clone(), jobs: vec![job] }),
            }
        }
        Work { max_tokens: generate.max_tokens, groups, hash_logits: false }
    }

    /// A text has got past its first step, now or in an earlier run.
    pub fn stepped(&mut self) {
        self.progress = Progress::Stepped;
    }

    pub fn progress(&self) -> Progress {
        self.progress
    }

    pub fn started(&mut self, ticket: Ticket) {
        self.in_flight.insert(ticket);
    }

    /// Takes a trial off the list, whatever became of it.
    pub fn finished(&mut self, ticket: Ticket) -> &'p Trial {
        self.left.remove(&ticket);
        self.in_flight.remove(&ticket);
        if self.suspects().next().is_none() {
            self.together = usize::MAX;
        }
        &self.trials[ticket as usize].1.trial
    }

    pub fn id(&self, ticket: Ticket) -> TrialId {
        self.trials[ticket as usize].1.trial.id.clone()
    }

    /// A worker died: everything in flight is suspected, and half as many
    /// suspects are tried together from now on, so that the one that kills is
    /// found in few deaths. Returns it once it died alone, and at
    /// `max_attempts` deaths in all.
    pub fn blame_in_flight(&mut self, max_attempts: u32) -> Option<Ticket> {
        let in_flight = self.count_deaths();
        if !in_flight.is_empty() {
            self.together = (in_flight.len() / 2).max(1);
        }
        let alone = in_flight.first().filter(|_| in_flight.len() == 1);
        alone.copied().filter(|ticket| self.deaths[ticket] >= max_attempts)
    }

    fn count_deaths(&mut self) -> BTreeSet<Ticket> {
        let in_flight = std::mem::take(&mut self.in_flight);
        for &ticket in &in_flight {
            *self.deaths.entry(ticket).or_default() += 1;
        }
        in_flight
    }

    /// A worker died with a text that was tried alone to see whether others die as well. It is suspected as others are,
    /// which are tried as they would have been.
    pub fn blame_witness(&mut self) {
        self.count_deaths();
    }

    /// Whether a worker has died `attempts` times with a text in flight that is still to do.
    pub fn has_killed(&self, ticket: Ticket, attempts: u32) -> bool {
        self.left.contains(&ticket) && self.deaths.get(&ticket).is_some_and(|&deaths| deaths >= attempts)
    }

    /// A worker died, and nothing in flight is suspected.
    pub fn acquit_in_flight(&mut self) {
        self.in_flight.clear();
    }

    pub fn in_flight(&self) -> Vec<Ticket> {
        self.in_flight.iter().copied().collect()
    }

    pub fn any_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    pub fn n_suspects(&self) -> usize {
        self.suspects().count()
    }

    /// Unfinished trials that were in flight at a death.
    fn suspects(&self) -> impl Iterator<Item = Ticket> {
        self.deaths.keys().copied().filter(|ticket| self.left.contains(ticket))
    }
}
