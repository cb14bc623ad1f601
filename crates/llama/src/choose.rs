//! Chooses a job's tokens: by the sampler in Rust where it covers the chain, by llama.cpp's otherwise and where only
//! that one can tell.

use std::sync::Arc;

use crate::fast::{FastChain, Row, Sampled};
use crate::{Draws, Eos, Error, Job, Model, Sampler, Samplers, Step, Token, TokenBias};

/// The samplers of one job.
pub struct Chooser<'w> {
    job: &'w Job,
    kind: Kind,
}

enum Kind {
    Fast {
        chain: Box<FastChain>,
        /// What llama.cpp's samplers must be shown, should they be asked.
        prompt: Arc<[Token]>,
    },
    Llama(Sampler),
}

impl<'w> Chooser<'w> {
    /// # Errors
    /// When llama.cpp refuses a step of the job's chain.
    pub fn new(model: &Model, samplers: Samplers, job: &'w Job, prompt: &Arc<[Token]>) -> Result<Self, Error> {
        let fast = match (samplers, job.eos) {
            (Samplers::Fast, Eos::Model | Eos::Token(_)) => FastChain::compile(&job.chain, job.seed),
            (Samplers::Llama, _) | (_, Eos::Ignore) => None,
        };
        let kind = match fast {
            Some(mut chain) => {
                prompt.iter().for_each(|token| chain.accept(*token));
                Kind::Fast { chain: Box::new(chain), prompt: Arc::clone(prompt) }
            }
            None if job.eos == Eos::Ignore => {
                // As `--ignore-eos` has it: a bias before all other steps.
                let never = |token| TokenBias { token, bias: f32::NEG_INFINITY };
                let biases = model.ends().map(never).collect();
                let chain = [&[Step::LogitBias { biases }], &job.chain[..]].concat();
                Kind::Llama(Sampler::new(model, &chain, job.seed, prompt)?)
            }
            None => Kind::Llama(Sampler::new(model, &job.chain, job.seed, prompt)?),
        };
        Ok(Self { job, kind })
    }

    /// Whether a token that it chose ends the text.
    pub fn ends(&self, model: &Model, token: Token) -> bool {
        match self.job.eos {
            Eos::Model => model.is_end(token),
            Eos::Ignore => false,
            Eos::Token(end) => token == end,
        }
    }

    /// Chooses the token after the `generated` ones and accepts it.
    ///
    /// # Errors
    /// When the chain selects no token.
    pub fn choose(
        &mut self,
        model: &Model,
        row: &mut Row<'_>,
        generated: &[Token],
        draws: &mut Draws,
    ) -> Result<Token, Error> {
        let (chain, prompt) = match &mut self.kind {
            Kind::Fast { chain, prompt } => (chain, prompt),
            Kind::Llama(sampler) => {
                draws.llama += 1;
                return sampler.sample(row.logits());
            }
        };
        match chain.sample(row) {
            Sampled::Token(token) => {
                draws.fast += 1;
                Ok(token)
            }
            Sampled::AskLlama => {
                draws.llama += 1;
                let mut sampler = Sampler::new(model, &self.job.chain, self.job.seed, prompt)?;
                sampler.catch_up(generated)?;
                let token = sampler.sample(row.logits())?;
                chain.accept(token);
                Ok(token)
            }
        }
    }
}
