//! Probes determinism: a few of a sweep's texts are made again, each alone. What is evaluated beside a text must not
//! change it; where it does, the manifest says so.

use crate::domain::Generation;
use crate::engine::{Ticket, Timing, Work};
use crate::event::RunEvent;
use crate::worker::protocol::{Reply, Request};
use crate::worker::{Exchange, Heard, Limits, Worker};

/// How many texts of a load key are made again.
const SAMPLES: usize = 3;
/// Of these texts together, one token is made again for so many that the sweep evaluated: alone a token takes four to five times as
/// long as among others, and whole texts took a fifth of a run of a hundred texts.
const EVALUATED_FOR_ONE: u64 = 100;
/// But so many of each text at least.
const LEAST_TOKENS: u32 = 16;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProbeReport {
    /// Texts made again, each alone.
    pub repeated: u32,
    pub agreed: u32,
    /// For each of the others, the index of the first token that differs.
    pub first_differences: Vec<usize>,
    /// How fast they were: a text alone is what one user of a server waits for.
    pub alone: Option<Speed>,
}

/// The speed of texts that were made one at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Generated, of all texts.
    pub tokens: u64,
    /// From each text's first token to its last, of all texts.
    pub seconds: f64,
    /// The median of the times from a prompt to the first token.
    pub first_token_seconds: Option<f64>,
}

/// The texts to be made again.
#[derive(Debug, Default)]
pub struct Probe {
    tickets: Vec<Ticket>,
    kept: Vec<(Ticket, Generation)>,
}

impl Probe {
    /// Spread over all of `tickets`.
    pub fn of(tickets: &[Ticket]) -> Self {
        let last = tickets.len().saturating_sub(1);
        let mut picked: Vec<_> = (0..SAMPLES).filter_map(|i| tickets.get(last * i / (SAMPLES - 1)).copied()).collect();
        picked.dedup();
        Self { tickets: picked, kept: vec![] }
    }

    /// Keeps a generation of the sweep if it is one of those to be made again.
    pub fn keep(&mut self, ticket: Ticket, generation: &Generation) {
        if self.tickets.contains(&ticket) {
            self.kept.push((ticket, generation.clone()));
        }
    }

    fn tickets(&self) -> Vec<Ticket> {
        self.kept.iter().map(|(ticket, _)| *ticket).collect()
    }

    /// How many tokens of each text are made again at most, where so many were evaluated. All of a server's texts: how far
    /// they go is the server's, which does not tell their tokens.
    fn most_tokens(&self, evaluated: u64) -> Option<u32> {
        let known = !self.kept.is_empty() && self.kept.iter().all(|(_, generation)| generation.tokens.is_some());
        let share = evaluated / EVALUATED_FOR_ONE / SAMPLES as u64;
        known.then(|| u32::try_from(share).unwrap_or(u32::MAX).max(LEAST_TOKENS))
    }

    /// Has the worker make the texts again, each alone, or the beginnings of them: `work` is that of one text, of so many
    /// tokens at most. `evaluated` is how many tokens the sweep evaluated. None when the worker dies or is interrupted,
    /// which loses nothing: every text is in the journal.
    pub fn repeat(
        &self,
        worker: &mut Worker,
        limits: Limits<'_>,
        evaluated: u64,
        work: impl Fn(Ticket, u32) -> Work,
        on_event: &mut dyn FnMut(RunEvent<'_>),
    ) -> Option<ProbeReport> {
        let most = self.most_tokens(evaluated);
        let mut again = Vec::new();
        for ticket in self.tickets() {
            let request = Request::Generate(work(ticket, most.unwrap_or(u32::MAX)));
            let done = Exchange::begin(worker, &request, limits).answer(|reply| {
                match reply {
                    Reply::Finished { ticket, generation, timing } => again.push((ticket, generation, timing)),
                    Reply::Pausing { reason, seconds } => on_event(RunEvent::Pausing { reason: &reason, seconds }),
                    Reply::Idle => return Heard::Answer(()),
                    Reply::Unreachable { .. } => return Heard::out_of_turn(&reply),
                    _ => {}
                }
                Heard::Event
            });
            done.ok()?;
        }
        Some(self.compare(&again, most))
    }

    /// Compares what was made again, as far as `most` tokens, with what the sweep made.
    fn compare(&self, again: &[(Ticket, Generation, Timing)], most: Option<u32>) -> ProbeReport {
        let mut report = ProbeReport { alone: Speed::of(again), ..ProbeReport::default() };
        for (ticket, again, _) in again {
            let Some((_, first)) = self.kept.iter().find(|(kept, _)| kept == ticket) else { continue };
            report.repeated += 1;
            match first_difference(first, again, most) {
                None => report.agreed += 1,
                Some(index) => report.first_differences.push(index),
            }
        }
        report
    }
}

impl ProbeReport {
    /// What must be known to read the results rightly.
    pub fn warning(&self) -> Option<String> {
        let Self { repeated, agreed, first_differences, alone: _ } = self;
        let first = first_differences.iter().min()?;
        Some(format!(
            "determinism probe: of {repeated} texts generated again alone, {agreed} agreed; the others differ from \
             token or word {first} on, so texts depend on what else is in the batch"
        ))
    }
}

impl Speed {
    /// None where there are no texts, or they took no time.
    fn of(texts: &[(Ticket, Generation, Timing)]) -> Option<Self> {
        let tokens = texts.iter().filter_map(|(_, generation, _)| generation.n_tokens()).map(u64::from).sum();
        let seconds: f64 = texts.iter().map(|(_, _, timing)| timing.seconds).sum();
        let mut firsts: Vec<_> = texts.iter().filter_map(|(_, _, timing)| timing.first_token_seconds).collect();
        firsts.sort_by(f64::total_cmp);
        let first_token_seconds = firsts.get(firsts.len() / 2).copied();
        (tokens > 0 && seconds > 0.0).then_some(Self { tokens, seconds, first_token_seconds })
    }

    pub fn tokens_per_second(self) -> f64 {
        self.tokens as f64 / self.seconds
    }
}

/// The first token or word in which `again`, cut after `most` tokens, differs from `first`.
fn first_difference(first: &Generation, again: &Generation, most: Option<u32>) -> Option<usize> {
    fn position<T: PartialEq>(a: &[T], b: &[T]) -> usize {
        a.iter().zip(b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()))
    }
    if let (Some(tokens), Some(again), Some(most)) = (&first.tokens, &again.tokens, most)
        && let Some(begin) = tokens.get(..most as usize)
    {
        // Whether it would have ended there is not known of what was cut there.
        return (begin != again).then(|| position(begin, again));
    }
    let (a, b) = (first, again);
    if (&a.tokens, &a.thought, &a.text, a.stop) == (&b.tokens, &b.thought, &b.text, b.stop) {
        return None;
    }
    Some(match (&a.tokens, &b.tokens) {
        (Some(a), Some(b)) => position(a, b),
        _ => {
            let [a, b] = [a, b].map(|generation| {
                // As they were written: first the thought.
                let written = [generation.thought.as_deref().unwrap_or_default(), &generation.text];
                written.into_iter().flat_map(str::split_whitespace).collect::<Vec<_>>()
            });
            position(&a, &b)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Stop;

    fn generation(tokens: &[i32]) -> Generation {
        Generation::of_tokens(1, tokens.to_vec(), String::new(), Stop::Eos)
    }

    #[test]
    fn the_probe_is_spread_over_the_sweep() {
        assert_eq!(Probe::of(&(0..101).collect::<Vec<_>>()).tickets, [0, 50, 100]);
        assert_eq!(Probe::of(&[4, 7]).tickets, [4, 7]);
        assert_eq!(Probe::of(&[4]).tickets, [4]);
        assert_eq!(Probe::of(&[]).tickets, [0; 0]);
    }

    #[test]
    fn differences_are_counted_from_the_first_token_that_differs() {
        let mut probe = Probe::of(&[0, 1, 2]);
        for ticket in 0..3 {
            probe.keep(ticket, &generation(&[1, 2, 3]));
        }
        let timing = |first| Timing { seconds: 0.5, batch: 1, first_token_seconds: Some(first) };
        let again = [
            (0, generation(&[1, 2, 3]), timing(0.2)),
            (1, generation(&[1, 9, 3]), timing(0.1)),
            (2, generation(&[1, 2]), timing(0.4)),
        ];
        let report = probe.compare(&again, None);
        let alone = Some(Speed { tokens: 8, seconds: 1.5, first_token_seconds: Some(0.2) });
        assert_eq!(report, ProbeReport { repeated: 3, agreed: 1, first_differences: vec![1, 2], alone });
        assert!(report.warning().is_some_and(|warning| warning.contains("differ from token or word 1 on")));
        assert_eq!(probe.compare(&again[..1], None).warning(), None);
    }

    #[test]
    fn of_long_texts_the_beginnings_are_compared() {
        let mut probe = Probe::of(&[0]);
        probe.keep(0, &generation(&(0..40).collect::<Vec<_>>()));
        assert_eq!([0, 9_000, 90_000].map(|evaluated| probe.most_tokens(evaluated)), [Some(16), Some(30), Some(300)]);
        let again = |tokens: &[i32]| first_difference(&probe.kept[0].1, &generation(tokens), Some(16));
        let begin: Vec<_> = (0..16).collect();
        assert_eq!(again(&begin), None);
        assert_eq!(again(&[&begin[..15], &[99]].concat()), Some(15));
        assert_eq!(again(&begin[..9]), Some(9), "it ended where the other went on");
        // One that ended just there was cut there when it was made again.
        let short = generation(&begin);
        let cut = Generation { stop: Stop::MaxTokens, ..short.clone() };
        assert_eq!(first_difference(&short, &cut, Some(16)), None);
        // A shorter one is compared whole.
        assert_eq!(first_difference(&short, &cut, Some(17)), Some(16));
        assert_eq!(first_difference(&short, &short, Some(17)), None);
        assert_eq!(first_difference(&short, &generation(&begin[..15]), Some(16)), Some(15));
    }

    #[test]
    fn of_a_server_whole_texts_are_made_again() {
        let mut probe = Probe::of(&[0]);
        probe.keep(0, &Generation { tokens: None, ..generation(&[]) });
        assert_eq!(probe.most_tokens(9_000), None);
    }

    #[test]
    fn thoughts_that_differ_are_texts_that_differ() {
        let of = |thought: &str| Generation {
            tokens: None,
            thought: Some(thought.to_owned()),
            text: "Paris.".to_owned(),
            ..generation(&[])
        };
        assert_eq!(first_difference(&of("let me see"), &of("let me see"), None), None);
        assert_eq!(first_difference(&of("let me see"), &of("let me think"), None), Some(2));
    }
}
