//! Samples by common chains in Rust: token for token what llama.cpp's own samplers choose, in a fraction of the time.
//!
//! Each sum is taken in llama.cpp's order and type, with the same `expf`, so
//! the comparison of a running sum with a threshold falls out the same way.
//! What is saved is work without an effect: the array of all candidates, sorts
//! of what is cut off, terms that round away, and everything that chains at one
//! position have in common.
//!
//! Where llama.cpp's choice depends on something unspecified (the order of ties
//! after `std::sort`, NaN) the answer is [`Sampled::AskLlama`]. Knows
//! llama.cpp's source (src/llama-sampler.cpp), and never calls it.

use crate::{Step, Token};

mod history;
mod list;
mod mass;
mod nucleus;
mod program;
mod scan;
mod uniform;
mod vocabulary;

use history::Penalties;
use program::{Program, Selection};
use uniform::Uniform;
use vocabulary::Narrowed;
pub use vocabulary::{Row, Scratch};

/// What a chain selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampled {
    Token(Token),
    /// The choice is llama.cpp's alone. The draw, if the chain makes one, has
    /// been made.
    AskLlama,
}

/// A sampler chain with its state.
#[derive(Clone, Debug)]
pub struct FastChain {
    program: Program,
    penalties: Option<Penalties>,
    /// For chains that draw.
    uniform: Option<Uniform>,
}

impl FastChain {
    /// None for a chain with a step that is not covered: it is left to
    /// llama.cpp's samplers. `seed` is for a chain that draws.
    pub fn compile(chain: &[Step], seed: u32) -> Option<Self> {
        let (program, penalties) = program::compile(chain)?;
        let draws = program.selection == Selection::Dist;
        let uniform = draws.then(|| Uniform::new(seed));
        Some(Self { program, penalties, uniform })
    }

    /// Shows the chain a token of the prompt, or the one llama.cpp chose.
    pub fn accept(&mut self, token: Token) {
        if let Some(penalties) = &mut self.penalties {
            penalties.accept(token);
        }
    }

    /// Chooses a token and accepts it.
    pub fn sample(&mut self, row: &mut Row<'_>) -> Sampled {
        // llama.cpp draws once a token, be there one candidate or many.
        let drawn = self.uniform.as_mut().map(Uniform::draw);
        let sampled = self.choose(row, drawn);
        if let Sampled::Token(token) = sampled {
            self.accept(token);
        }
        sampled
    }

    fn choose(&self, row: &mut Row<'_>, drawn: Option<f64>) -> Sampled {
        let Program { head, tail, .. } = &self.program;
        let penalties = self.penalties.as_ref();
        let mut list = match row.narrow(head, penalties) {
            Narrowed::List(list) => list,
            Narrowed::Token(token) => return Sampled::Token(token),
            Narrowed::Sums(sums) => {
                let selected = drawn.and_then(|drawn| row.select(head, &sums, drawn));
                return selected.map_or(Sampled::AskLlama, Sampled::Token);
            }
            Narrowed::Undecided => return Sampled::AskLlama,
        };
        for &step in tail {
            if list.apply(step, penalties).is_err() {
                return Sampled::AskLlama;
            }
        }
        drawn.map_or_else(|| list.greedy(), |drawn| list.dist(drawn))
    }
}
