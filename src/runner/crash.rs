//! Tells an engine that dies whatever it is asked from a text that kills it.
//!
//! By halves every text of such an engine would die twice, and be recorded as failed. So, as long as no text has got past
//! its first step, a few are tried alone after a death. If they die alike, it is the engine's doing: their load key is
//! given up, and its texts stay open. Must not know which text is to blame where it is one: `pending` does.

use std::fmt;

use super::pending::Pending;
use crate::domain::LoadKey;
use crate::engine::Ticket;
use crate::engine::kernels::Kernels;
use crate::worker::{Cause, Death, Way};

/// Texts that die alone before the engine is to blame; where fewer are left, each is to blame itself.
const WITNESSES: usize = 3;

/// A load key whose worker dies whatever it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    key: LoadKey,
    when: When,
    /// The last one.
    death: Death,
    deaths: u32,
    /// Texts that were not tried, or not to any end.
    open: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Loading,
    /// Before any text was past its first step.
    FirstStep,
}

/// The deaths of one load key's workers, as long as no text has got past its first step.
#[derive(Debug, Default)]
pub struct Suspicion {
    /// The first one with texts in flight.
    first: Option<Way>,
    deaths: u32,
    /// Texts that died alone, and how.
    alone: Vec<(Ticket, Death)>,
    /// The deaths can't be the engine's doing, or too few texts are left to tell.
    refuted: bool,
}

impl Suspicion {
    /// Returns the text that is to be tried alone next, if one is. The first and the last one differ in all that varies.
    pub fn witness(&self, pending: &Pending<'_>) -> Option<Ticket> {
        let left = pending.all_left();
        let is_open = self.first.is_some() && !self.refuted && left.len() >= WITNESSES;
        let candidates = is_open.then(|| [left[0], left[left.len() - 1], left[left.len() / 2]]);
        let is_new = |ticket: &Ticket| self.alone.iter().all(|(tried, _)| tried != ticket);
        candidates.into_iter().flatten().find(is_new)
    }

    /// Takes a death into account, and returns the crash if it is the engine's doing by now.
    pub fn died(&mut self, key: &LoadKey, death: &Death, pending: &Pending<'_>) -> Option<Crash> {
        let (open, in_flight) = (pending.left(), pending.in_flight());
        if in_flight.is_empty() {
            return None;
        }
        self.deaths += 1;
        let first = self.first.get_or_insert_with(|| death.way.clone());
        self.refuted |= death.cause != Cause::Own || !death.way.is_like(first) || open < WITNESSES;
        if let [ticket] = *in_flight
            && self.alone.iter().all(|(tried, _)| *tried != ticket)
        {
            self.alone.push((ticket, death.clone()));
        }
        let (key, death, deaths) = (key.clone(), death.clone(), self.deaths);
        let crash = Crash { key, when: When::FirstStep, death, deaths, open };
        (!self.refuted && self.alone.len() == WITNESSES).then_some(crash)
    }

    pub fn is_refuted(&self) -> bool {
        self.refuted
    }

    /// Returns the texts that died alone, and how, which was their own doing after all.
    pub fn into_alone(self) -> Vec<(Ticket, Death)> {
        self.alone
    }
}

impl Crash {
    /// The worker died time and again before any text was begun; None where that was no crash.
    pub fn at_load(key: &LoadKey, death: &Death, deaths: u32, open: usize) -> Option<Self> {
        let crash = || Self { key: key.clone(), when: When::Loading, death: death.clone(), deaths, open };
        death.way.is_crash().then(crash)
    }

    pub fn key(&self) -> &LoadKey {
        &self.key
    }

    /// What may help, an option or a build; None where nothing is known to. `kernels` are those that the engine computed
    /// with, where that is known.
    pub fn remedy(&self, kernels: Option<Kernels>) -> Option<&'static str> {
        match &self.death.way {
            way if way.is_crash() && kernels == Some(Kernels::Ggml) => {
                Some("if moe-sweep was built for one kind of CPU only (target-cpu=native), build it without that")
            }
            way if way.is_crash() => Some(
                "try --kernels ggml, which avoids the kernels chosen for this machine; if moe-sweep was built for one \
                 kind of CPU only (target-cpu=native), build it without that",
            ),
            Way::Silent => {
                Some("wait longer with --stall-timeout SECONDS, or shorten the steps with a smaller --batch")
            }
            Way::Signal(_) | Way::Exit(_) | Way::Said(_) => None,
        }
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, when, death, deaths, open } = self;
        match when {
            When::Loading => write!(f, "{key}: the worker died {deaths} times before it began any text")?,
            When::FirstStep => write!(
                f,
                "{key}: the engine always dies on this machine: {WITNESSES} texts were tried alone, and none got past \
                 its first step; the worker died {deaths} times"
            )?,
        }
        write!(f, ", the last time: {death}; {open} texts remain")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ggmls_kernels_are_no_remedy_where_they_crashed() {
        let death = Death { reason: "SIGILL".to_owned(), cause: Cause::Own, way: Way::Signal(4) };
        let crash = Crash::at_load(&LoadKey::usual("m"), &death, 2, 1).expect("SIGILL is a crash");
        let names_ggml = |kernels| crash.remedy(kernels).expect("there is one").contains("--kernels ggml");
        assert!(names_ggml(None) && names_ggml(Some(Kernels::Avx512)));
        assert!(!names_ggml(Some(Kernels::Ggml)));
    }
}
