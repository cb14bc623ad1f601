//! Tells our observer what llama.cpp tells while it works.

use std::io;

use ::llama::{Done, Draws};

use crate::domain::Generation;
use crate::engine::{Effort, Observer, Takeover, Ticket, Timing};

/// Tells `observer`.
pub struct Telling<'o> {
    pub observer: &'o mut dyn Observer,
    /// None where there is no device beside the host.
    pub takeover: Option<Takeover>,
}

impl ::llama::Observer for Telling<'_> {
    fn started(&mut self, ticket: Ticket) -> io::Result<()> {
        self.observer.started(ticket)
    }

    fn finished(&mut self, ticket: Ticket, generation: ::llama::Generation, timing: ::llama::Timing) -> io::Result<()> {
        let ::llama::Generation { n_prompt_tokens, tokens, text, stop, logits_blake3 } = generation;
        let generation =
            Generation { logits_blake3, ..Generation::of_tokens(n_prompt_tokens, tokens, text, stop.into()) };
        let ::llama::Timing { seconds, rows, first_token_seconds } = timing;
        self.observer.finished(ticket, generation, Timing { seconds, batch: rows, first_token_seconds })
    }

    fn worked(&mut self, done: Done<'_>) -> io::Result<()> {
        self.observer.worked(effort(done, self.takeover))
    }
}

/// What was done; how wide it was where a device may take steps over.
pub fn effort(done: Done<'_>, takeover: Option<Takeover>) -> Effort {
    match done {
        Done::Prompt { pieces, head } => {
            let lengths = || pieces.iter().map(|&tokens| u64::from(tokens));
            let widths = takeover.map(|takeover| takeover.of_prompt(lengths()));
            Effort { widths, shared_head_tokens: head.into(), ..Effort::evaluated(lengths().sum()) }
        }
        Done::Step { sequences, tokens } => {
            let widths = takeover.map(|takeover| takeover.of_step(sequences, tokens));
            Effort { widths, ..Effort::evaluated(sequences) }
        }
        Done::Drawn(Draws { fast, llama }) => Effort { fast_draws: fast, llama_draws: llama, ..Effort::default() },
        Done::Moved { sequences } => Effort { moved_sequences: sequences, ..Effort::default() },
    }
}
