//! Is a trial's sampler: a chain of llama.cpp's own samplers.
//!
//! Built on the sys crate: llama-cpp-2 0.1.160 wraps neither `adaptive_p` nor
//! `infill`, and its sampler type can't be made from a pointer.

use std::ffi::{CStr, CString};
use std::ptr::NonNull;

use llama_cpp_sys_2 as sys;

use crate::{Error, Model, Step, Token};

/// A sampler chain with its state.
pub struct Sampler {
    chain: NonNull<sys::llama_sampler>,
    grammar: Grammar,
    /// Scratch: the candidates of one token.
    candidates: Vec<sys::llama_token_data>,
}

/// Whether a step of a chain forbids tokens.
#[derive(PartialEq, Eq)]
enum Grammar {
    None,
    Obeyed,
}

// SAFETY: a llama.cpp sampler holds no thread's own data; we never share one.
unsafe impl Send for Sampler {}

impl Sampler {
    /// Builds the chain, which draws from `seed`, and shows it the prompt, as llama.cpp's server and
    /// Shimmy do: penalties count the prompt's tokens, BOS included. A grammar
    /// constrains only what is generated and does not see the prompt.
    ///
    /// # Errors
    /// When llama.cpp refuses a step's parameters.
    pub fn new(model: &Model, chain: &[Step], seed: u32, prompt: &[Token]) -> Result<Self, Error> {
        // SAFETY: plain data in, a new chain out, freed by Drop.
        let pointer = unsafe {
            let mut params = sys::llama_sampler_chain_default_params();
            params.no_perf = true;
            sys::llama_sampler_chain_init(params)
        };
        let has_grammar = chain.iter().any(|step| matches!(step, Step::Grammar { .. }));
        let sampler = Self {
            chain: NonNull::new(pointer).expect("llama.cpp allocates chains"),
            grammar: if has_grammar { Grammar::Obeyed } else { Grammar::None },
            candidates: Vec::new(),
        };
        for step in chain {
            let added = init(model, step, seed)?;
            if !matches!(step, Step::Grammar { .. }) {
                for &token in prompt {
                    // SAFETY: `added` is a live sampler.
                    unsafe { sys::llama_sampler_accept(added.as_ptr(), token) };
                }
            }
            // SAFETY: the chain takes ownership of `added`.
            unsafe { sys::llama_sampler_chain_add(sampler.chain.as_ptr(), added.as_ptr()) };
        }
        Ok(sampler)
    }

    /// For each step, whether llama.cpp put an empty sampler in its place, because its parameters
    /// switch it off.
    pub fn idle_steps(&self) -> Vec<bool> {
        // SAFETY: the chain is alive, and its samplers are asked for by their number.
        let length = unsafe { sys::llama_sampler_chain_n(self.chain.as_ptr()) };
        let is_empty = |index| {
            // SAFETY: as above; the name is a NUL-terminated string that lives as long as its sampler.
            let name = unsafe {
                CStr::from_ptr(sys::llama_sampler_name(sys::llama_sampler_chain_get(self.chain.as_ptr(), index)))
            };
            // llama.cpp's mark of them (`llama_sampler_init_empty`).
            name.to_bytes().starts_with(b"?")
        };
        (0..length).map(is_empty).collect()
    }

    /// Chooses a token from `logits` (one for each token of the vocabulary)
    /// and accepts it.
    ///
    /// # Errors
    /// When the chain leaves no candidate or selects none, or its grammar allows none.
    pub fn sample(&mut self, logits: &[f32]) -> Result<Token, Error> {
        self.sample_from((0..).zip(logits.iter().copied()))
    }

    /// Brings a new sampler to where it would be had it chosen `tokens`: it is
    /// given each as the only candidate, and makes its draw.
    ///
    /// # Errors
    /// As [`sample`](Self::sample).
    pub fn catch_up(&mut self, tokens: &[Token]) -> Result<(), Error> {
        tokens.iter().try_for_each(|&token| self.sample_from([(token, 0.0)].into_iter()).map(|_| ()))
    }

    fn sample_from(&mut self, candidates: impl Iterator<Item = (Token, f32)>) -> Result<Token, Error> {
        self.candidates.clear();
        self.candidates.extend(candidates.map(|(id, logit)| sys::llama_token_data { id, logit, p: 0.0 }));
        let mut array = sys::llama_token_data_array {
            data: self.candidates.as_mut_ptr(),
            size: self.candidates.len(),
            selected: -1,
            sorted: false,
        };
        // SAFETY: `array` describes `candidates`, which outlives the call; the
        // samplers only reorder and shrink it, or point it at their own memory.
        unsafe { sys::llama_sampler_apply(self.chain.as_ptr(), &mut array) };
        let selected = usize::try_from(array.selected).ok().filter(|&index| index < array.size);
        let index = selected.ok_or(Error::NothingSelected)?;
        // SAFETY: `index` is below `size`, and the chain's memory is still alive.
        let chosen = unsafe { *array.data.add(index) };
        // What a grammar forbids it keeps as a candidate of no probability, and to accept one ends the process.
        if self.grammar == Grammar::Obeyed && chosen.logit == f32::NEG_INFINITY {
            return Err(Error::NothingAllowed);
        }
        let token = chosen.id;
        // SAFETY: the chain is alive and the token is of its vocabulary.
        unsafe { sys::llama_sampler_accept(self.chain.as_ptr(), token) };
        Ok(token)
    }
}

/// Has llama.cpp read a grammar, which may name tokens of the model's vocabulary; why it can't, it says on stderr.
///
/// # Errors
/// When it can't.
pub fn check_grammar(model: &Model, grammar: &str, root: &str) -> Result<(), Error> {
    let step = Step::Grammar { grammar: grammar.to_owned(), root: root.to_owned() };
    Sampler::new(model, &[step], 0, &[]).map(|_| ())
}

impl Drop for Sampler {
    fn drop(&mut self) {
        // SAFETY: ours alone; frees the samplers that were added too.
        unsafe { sys::llama_sampler_free(self.chain.as_ptr()) };
    }
}

/// One of llama.cpp's samplers, owned by the caller.
fn init(model: &Model, step: &Step, seed: u32) -> Result<NonNull<sys::llama_sampler>, Error> {
    let n_vocab = model.llama.n_vocab();
    let vocab = || {
        // SAFETY: LlamaModel is repr(transparent) over the model's pointer.
        let model = unsafe { std::mem::transmute_copy::<_, *const sys::llama_model>(&model.llama) };
        // SAFETY: the model is alive, and its vocabulary lives as long.
        unsafe { sys::llama_model_get_vocab(model) }
    };
    let text = |text: &str, what: &'static str| {
        CString::new(text).map_err(|_| Error::Sampler { step: what, reason: "its text contains a NUL byte".to_owned() })
    };
    // SAFETY: plain numbers, and pointers that live during the call; llama.cpp
    // copies what it keeps.
    let pointer = unsafe {
        match step {
            Step::Temperature { t } => sys::llama_sampler_init_temp(*t),
            Step::TemperatureExt { t, delta, exponent } => sys::llama_sampler_init_temp_ext(*t, *delta, *exponent),
            Step::TopK { k } => sys::llama_sampler_init_top_k(*k),
            Step::TopP { p, min_keep } => sys::llama_sampler_init_top_p(*p, *min_keep),
            Step::MinP { p, min_keep } => sys::llama_sampler_init_min_p(*p, *min_keep),
            Step::Typical { p, min_keep } => sys::llama_sampler_init_typical(*p, *min_keep),
            Step::TopNSigma { n } => sys::llama_sampler_init_top_n_sigma(*n),
            Step::Xtc { p, threshold, min_keep } => sys::llama_sampler_init_xtc(*p, *threshold, *min_keep, seed),
            Step::Penalties { last_n, repeat, frequency, presence } => {
                sys::llama_sampler_init_penalties(n_vocab, *last_n, *repeat, *frequency, *presence)
            }
            Step::Dry { multiplier, base, allowed_length, last_n, sequence_breakers } => {
                let breakers = sequence_breakers.iter().map(|b| text(b, "dry")).collect::<Result<Vec<_>, _>>()?;
                let mut pointers: Vec<_> = breakers.iter().map(|b| b.as_ptr()).collect();
                let n = pointers.len();
                let breakers = pointers.as_mut_ptr();
                sys::llama_sampler_init_dry(vocab(), *multiplier, *base, *allowed_length, *last_n, breakers, n)
            }
            Step::LogitBias { biases } => {
                if let Some(bias) = biases.iter().find(|bias| !(0..n_vocab).contains(&bias.token)) {
                    let reason = format!("the vocabulary has {n_vocab} tokens, but no token {}", bias.token);
                    return Err(Error::Sampler { step: "logit_bias", reason });
                }
                let biases: Vec<_> =
                    biases.iter().map(|b| sys::llama_logit_bias { token: b.token, bias: b.bias }).collect();
                sys::llama_sampler_init_logit_bias(n_vocab, biases.len() as i32, biases.as_ptr())
            }
            Step::Grammar { grammar, root } => {
                let (grammar, root) = (text(grammar, "grammar")?, text(root, "grammar")?);
                sys::llama_sampler_init_grammar(vocab(), grammar.as_ptr(), root.as_ptr())
            }
            Step::Infill => sys::llama_sampler_init_infill(vocab()),
            Step::Greedy => sys::llama_sampler_init_greedy(),
            Step::Dist => sys::llama_sampler_init_dist(seed),
            Step::Mirostat { tau, eta, m } => sys::llama_sampler_init_mirostat(n_vocab, seed, *tau, *eta, *m),
            Step::MirostatV2 { tau, eta } => sys::llama_sampler_init_mirostat_v2(seed, *tau, *eta),
            Step::AdaptiveP { target, decay } => sys::llama_sampler_init_adaptive_p(*target, *decay, seed),
        }
    };
    NonNull::new(pointer).ok_or_else(|| Error::Sampler {
        step: "grammar",
        reason: "llama.cpp cannot parse it, or it lacks the root rule".to_owned(),
    })
}
