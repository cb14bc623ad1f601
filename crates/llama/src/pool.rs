//! Keeps what lanes have in common: the prompts not yet begun, and texts on their way from a busy lane to an idle one.
//!
//! Must not know how a lane decodes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::{Group, Numerics};

/// Work for lanes that take what they can get, and hand over a part of it (`P`)
/// when others have none.
pub struct Pool<'w, P> {
    inside: Mutex<Inside<'w, P>>,
    changed: Condvar,
}

struct Inside<'w, P> {
    /// One queue for all lanes, or one for each.
    prompts: Vec<VecDeque<&'w Group>>,
    /// Given, not yet taken.
    parts: Vec<P>,
    lanes: usize,
    /// Lanes that have nothing to do.
    waiting: usize,
    stopped: bool,
}

impl<P> Inside<'_, P> {
    /// Lanes that take from one queue.
    fn sharers(&self) -> usize {
        if self.prompts.len() == 1 { self.lanes } else { 1 }
    }
}

impl<'w, P> Pool<'w, P> {
    /// Where texts can move, whoever has nothing to do takes the next prompt;
    /// otherwise the order of the prompts fixes which lane decodes what.
    pub fn new(groups: &'w [Group], lanes: usize, numerics: Numerics) -> Self {
        let queues = if numerics.texts_can_move() { 1 } else { lanes };
        let mut prompts = vec![VecDeque::new(); queues];
        groups.iter().enumerate().for_each(|(n, group)| prompts[n % queues].push_back(group));
        let inside = Inside { prompts, parts: Vec::new(), lanes, waiting: 0, stopped: false };
        Self { inside: Mutex::new(inside), changed: Condvar::new() }
    }

    /// The next prompt for `lane`, which has so many jobs in flight: one that is busy leaves the
    /// last prompts to the others.
    pub fn prompt(&self, lane: usize, in_flight: usize) -> Option<&'w Group> {
        let mut inside = self.inside();
        let (queue, others) = (lane % inside.prompts.len(), inside.sharers() - 1);
        let prompts = &mut inside.prompts[queue];
        if in_flight == 0 || prompts.len() > others { prompts.pop_front() } else { None }
    }

    /// Whether a lane waits for which there is nothing yet.
    pub fn hungry(&self) -> bool {
        let inside = self.inside();
        inside.waiting > inside.parts.len()
    }

    /// For one of the waiting lanes.
    pub fn give(&self, part: P) {
        self.inside().parts.push(part);
        self.changed.notify_one();
    }

    /// Waits for what another lane gives; None when there will be nothing more.
    pub fn wait(&self) -> Option<P> {
        let mut inside = self.inside();
        if inside.sharers() < inside.lanes {
            return None;
        }
        inside.waiting += 1;
        if inside.waiting == inside.lanes && inside.parts.is_empty() {
            inside.stopped = true;
            self.changed.notify_all();
        }
        let nothing = |inside: &mut Inside<'w, P>| inside.parts.is_empty() && !inside.stopped;
        let mut inside = self.changed.wait_while(inside, nothing).unwrap_or_else(PoisonError::into_inner);
        let part = inside.parts.pop()?;
        inside.waiting -= 1;
        Some(part)
    }

    /// Has all lanes give up.
    pub fn stop(&self) {
        self.inside().stopped = true;
        self.changed.notify_all();
    }

    pub fn stopped(&self) -> bool {
        self.inside().stopped
    }

    fn inside(&self) -> MutexGuard<'_, Inside<'w, P>> {
        // Nothing in here can be half done.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn groups(n: i32) -> Vec<Group> {
        (0..n).map(|n| Group { prompt: vec![n], jobs: vec![] }).collect()
    }

    fn next(pool: &Pool<'_, u32>, lane: usize, in_flight: usize) -> Option<i32> {
        pool.prompt(lane, in_flight).map(|group| group.prompt[0])
    }

    #[test]
    fn in_fast_numerics_each_lane_has_its_own_prompts_and_waits_for_nobody() {
        let groups = groups(5);
        let pool = Pool::<u32>::new(&groups, 2, Numerics::Fast);
        let of = |lane| std::iter::from_fn(|| next(&pool, lane, 9)).collect::<Vec<_>>();
        assert_eq!([of(1), of(0)], [vec![1, 3], vec![0, 2, 4]]);
        assert_eq!(pool.wait(), None);
        assert!(!pool.stopped() && !pool.hungry());
    }

    #[test]
    fn in_invariant_numerics_a_busy_lane_leaves_the_last_prompts() {
        let groups = groups(4);
        let pool = Pool::<u32>::new(&groups, 3, Numerics::Invariant);
        assert_eq!(next(&pool, 0, 0), Some(0));
        assert_eq!(next(&pool, 0, 1), Some(1));
        assert_eq!(next(&pool, 0, 1), None);
        assert_eq!(next(&pool, 2, 0), Some(2));
        assert_eq!(next(&pool, 0, 0), Some(3));
    }

    #[test]
    fn one_lane_takes_all() {
        let groups = groups(2);
        let pool = Pool::<u32>::new(&groups, 1, Numerics::Invariant);
        assert_eq!([next(&pool, 0, 8), next(&pool, 0, 8)], [Some(0), Some(1)]);
        assert_eq!(pool.wait(), None);
    }

    #[test]
    fn what_is_given_reaches_a_waiting_lane_and_the_last_one_ends_all() {
        let pool = Pool::<u32>::new(&[], 3, Numerics::Invariant);
        let all_it_gets = || std::iter::from_fn(|| pool.wait()).collect::<Vec<_>>();
        thread::scope(|scope| {
            let lanes = [(); 2].map(|()| scope.spawn(all_it_gets));
            for part in 1..=50 {
                while !pool.hungry() {
                    thread::yield_now();
                }
                pool.give(part);
            }
            // Whoever gave waits as well, and may be quicker than those who were woken.
            let mut got = all_it_gets();
            got.extend(lanes.into_iter().flat_map(|lane| lane.join().unwrap()));
            got.sort_unstable();
            assert_eq!(got, (1..=50).collect::<Vec<_>>());
        });
    }

    #[test]
    fn a_lane_that_fails_ends_the_others_waiting() {
        let pool = Pool::<u32>::new(&[], 2, Numerics::Invariant);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| pool.wait());
            while !pool.hungry() {
                thread::yield_now();
            }
            pool.stop();
            assert_eq!(waiting.join().unwrap(), None);
        });
    }
}
