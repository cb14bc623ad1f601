//! Keeps the trie of the texts that are being made: which of its branches have a sequence, and which wait for one.
//!
//! A [`Branch`] is a node of the trie that is still growing, however many jobs stand on it. Where there are more of
//! them than sequences, some wait, and only their tokens are kept. What a waiting branch begins with is always held by
//! a sequence of one of its relatives, for the last of these does not go before it: when a branch ends, its sequence
//! goes back to where the last of the waiting branches left it, and that branch goes on there. So nothing is evaluated
//! twice, however few sequences there are. Where sequences forget what they began with, no branch may wait
//! (`Lane::begins_at_once`).
//!
//! Live sequences are numbered 0..n without gaps, in the order of the batch's rows; a gap costs up to 3×
//! (docs/decisions.md, Throughput). Must not know samplers, nor what the jobs are.

use std::ptr;
use std::sync::Arc;

use llama_cpp_2::context::session::SeqState;

use crate::sequences::Sequences;
use crate::{Error, Group, Token};

/// Jobs (`J`) with the same prompt and the same tokens so far.
pub(crate) struct Branch<'w, J> {
    pub group: &'w Group,
    pub prompt: Arc<[Token]>,
    /// The last one is still to be decoded, as long as there are jobs.
    pub tokens: Vec<Token>,
    /// How many tokens of prompt and text its sequence has forgotten.
    pub forgotten: u32,
    pub jobs: Vec<J>,
}

impl<J> Branch<'_, J> {
    /// The token to decode next and its position.
    pub fn next(&self) -> (Token, usize) {
        let last = *self.tokens.last().expect("a branch begins with a token");
        (last, self.n_held() as usize)
    }

    /// Tokens that its sequence holds, as long as there are jobs: all but the next one and those that are forgotten.
    pub fn n_held(&self) -> u32 {
        (self.prompt.len() + self.tokens.len()) as u32 - 1 - self.forgotten
    }

    /// The branch that goes on with `token`.
    pub fn child(&self, token: Token, job: J) -> Self {
        let tokens = self.tokens.iter().copied().chain([token]).collect();
        let prompt = Arc::clone(&self.prompt);
        Self { group: self.group, prompt, tokens, forgotten: self.forgotten, jobs: vec![job] }
    }

    /// Generated tokens that its sequence was given: all but the next one, or all where nobody goes on.
    fn given(&self) -> &[Token] {
        let next = usize::from(!self.jobs.is_empty());
        &self.tokens[..self.tokens.len() - next]
    }

    /// Whether its sequence holds all that `other` needs to go on.
    fn holds(&self, other: &Self) -> bool {
        ptr::eq(self.group, other.group) && self.forgotten == other.forgotten && self.given().starts_with(other.given())
    }
}

/// The branches of a lane.
pub(crate) struct Branches<'w, J> {
    /// A branch's sequence is its index.
    live: Vec<Branch<'w, J>>,
    /// In the order in which they parted.
    waiting: Vec<Branch<'w, J>>,
}

/// Branches on their way to another lane.
pub(crate) struct Moved<'w, J> {
    /// With what llama.cpp holds of them. One without jobs is there for those that wait.
    live: Vec<(SeqState, Branch<'w, J>)>,
    waiting: Vec<Branch<'w, J>>,
}

impl<J> Moved<'_, J> {
    pub fn sequences(&self) -> usize {
        self.live.len()
    }
}

impl<'w, J> Branches<'w, J> {
    pub fn new() -> Self {
        Self { live: Vec::new(), waiting: Vec::new() }
    }

    pub fn live(&self) -> &[Branch<'w, J>] {
        &self.live
    }

    pub fn live_mut(&mut self) -> &mut [Branch<'w, J>] {
        &mut self.live
    }

    /// Jobs of all branches.
    pub fn n_jobs(&self) -> usize {
        self.all().map(|branch| branch.jobs.len()).sum()
    }

    fn all(&self) -> impl Iterator<Item = &Branch<'w, J>> {
        self.live.iter().chain(&self.waiting)
    }

    /// The branch of these tokens, if there is one.
    pub fn find(&mut self, group: &Group, tokens: &[Token]) -> Option<&mut Branch<'w, J>> {
        let mut all = self.live.iter_mut().chain(&mut self.waiting);
        all.find(|branch| ptr::eq(branch.group, group) && branch.tokens == tokens)
    }

    /// Begins a branch from the prompt that is parked. It waits where all sequences are taken, which another branch of
    /// its prompt must be among.
    pub fn begin(&mut self, branch: Branch<'w, J>, sequences: &mut Sequences<'_>) -> Result<(), Error> {
        if self.live.len() < sequences.rows() {
            sequences.unpark(self.live.len())?;
            self.live.push(branch);
        } else {
            self.waiting.push(branch);
        }
        Ok(())
    }

    /// Takes branches that have parted from live ones, and gives all sequences to branches that go on.
    pub fn settle(
        &mut self,
        parted: impl IntoIterator<Item = Branch<'w, J>>,
        sequences: &mut Sequences<'_>,
    ) -> Result<(), Error> {
        self.waiting.extend(parted);
        for sequence in 0..self.live.len() {
            if self.live[sequence].jobs.is_empty()
                && let Some(last) = self.last_to_leave(sequence)
            {
                self.live[sequence] = self.waiting.remove(last);
                let branch = &self.live[sequence];
                sequences.cut(sequence, branch.n_held())?;
            }
        }
        // From the back, so that the branch which fills a hole is a live one.
        for sequence in (0..self.live.len()).rev() {
            match (self.live[sequence].jobs.is_empty(), self.waiting.is_empty()) {
                (false, _) => {}
                (true, true) => drop(self.remove(sequence, sequences)?),
                (true, false) => self.live[sequence] = self.branch_off(sequence, sequences)?,
            }
        }
        while self.live.len() < sequences.rows() && !self.waiting.is_empty() {
            let branch = self.branch_off(self.live.len(), sequences)?;
            self.live.push(branch);
        }
        Ok(())
    }

    /// Of the waiting branches that `sequence` holds the beginning of, the one with the longest.
    fn last_to_leave(&self, sequence: usize) -> Option<usize> {
        let ended = &self.live[sequence];
        let held = self.waiting.iter().enumerate().filter(|(_, waiting)| ended.holds(waiting));
        held.max_by_key(|(_, waiting)| waiting.tokens.len()).map(|(place, _)| place)
    }

    /// Has the first branch that waits go on in `sequence`, from a copy of a live one that has jobs.
    fn branch_off(&mut self, sequence: usize, sequences: &mut Sequences<'_>) -> Result<Branch<'w, J>, Error> {
        let branch = self.waiting.remove(0);
        let holder = |live: &Branch<'w, J>| !live.jobs.is_empty() && live.holds(&branch);
        let holder = self.live.iter().position(holder).expect("a relative of every waiting branch is live");
        sequences.copy(holder, sequence)?;
        sequences.cut(sequence, branch.n_held())?;
        Ok(branch)
    }

    /// Takes a branch out and fills the gap with the last one.
    fn remove(&mut self, sequence: usize, sequences: &mut Sequences<'_>) -> Result<Branch<'w, J>, Error> {
        let branch = self.live.swap_remove(sequence);
        if sequence < self.live.len() {
            sequences.copy(self.live.len(), sequence)?;
        }
        Ok(branch)
    }
}

impl<'w, J> Branches<'w, J> {
    /// Whether another lane could be given some of them.
    pub fn can_be_shared_out(&self) -> bool {
        self.live.len() + self.waiting.len() > 1
    }

    /// Half of the branches that can be moved, for another lane; None where none can.
    pub fn part_with(&mut self, sequences: &mut Sequences<'_>) -> Result<Option<Moved<'w, J>>, Error> {
        // What has forgotten lies in its cache as it would lie in no other.
        let movable = |&sequence: &usize| {
            let branch = &self.live[sequence];
            branch.forgotten == 0 && sequences.can_move(sequence, branch.n_held() + 1)
        };
        let movable: Vec<usize> = (0..self.live.len()).filter(movable).collect();
        let mut moved = Moved { live: Vec::new(), waiting: Vec::new() };
        if let [only] = movable[..] {
            self.lend(only, &mut moved, sequences)?;
        }
        // From the back, so that a gap is filled with a branch that stays.
        for &sequence in movable.iter().skip(1).step_by(2).rev() {
            let state = sequences.state(sequence)?;
            moved.live.push((state, self.remove(sequence, sequences)?));
        }
        self.divide_waiting(&mut moved);
        Ok((!moved.live.is_empty()).then_some(moved))
    }

    /// Shows the other lane what `sequence` holds, where branches wait for that.
    fn lend(&self, sequence: usize, moved: &mut Moved<'w, J>, sequences: &Sequences<'_>) -> Result<(), Error> {
        let lender = &self.live[sequence];
        if self.waiting.iter().any(|waiting| lender.holds(waiting)) {
            let (prompt, tokens) = (Arc::clone(&lender.prompt), lender.given().to_vec());
            let copy = Branch { group: lender.group, prompt, tokens, forgotten: lender.forgotten, jobs: Vec::new() };
            moved.live.push((sequences.state(sequence)?, copy));
        }
        Ok(())
    }

    /// Sends half of the branches that wait, and those that can go on there only.
    fn divide_waiting(&mut self, moved: &mut Moved<'w, J>) {
        let mut here_next = false;
        for branch in std::mem::take(&mut self.waiting) {
            let here = self.live.iter().any(|live| live.holds(&branch));
            let there = moved.live.iter().any(|(_, live)| live.holds(&branch));
            let stays = here && (here_next || !there);
            if here && there {
                here_next = !here_next;
            }
            if stays { self.waiting.push(branch) } else { moved.waiting.push(branch) }
        }
    }

    /// Goes on with another lane's branches; has none of its own, and so owes no copy.
    pub fn take(&mut self, moved: Moved<'w, J>, sequences: &mut Sequences<'_>) -> Result<(), Error> {
        for (sequence, (state, branch)) in moved.live.into_iter().enumerate() {
            sequences.set_state(sequence, &state)?;
            self.live.push(branch);
        }
        self.settle(moved.waiting, sequences)
    }
}
