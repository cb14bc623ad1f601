//! Counts how much a sweep's texts have in common, and so how few evaluations could have made them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

use super::{ScoredTrial, TrialResult};
use crate::domain::{Generation, LoadKey, PromptKey, Stop, Token};

/// The work of one load key, its texts with one id counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sharing {
    pub texts: u64,
    /// Tokens to evaluate if every text were made by itself.
    pub logical_tokens: u64,
    /// Those of them that are a prompt's, for the second of its texts and for each after it.
    pub prompt_again_tokens: u64,
    /// Those of them with which an earlier text of the same prompt begins too.
    pub beginning_again_tokens: u64,
    /// Tokens to evaluate if nothing is evaluated twice: the distinct
    /// beginnings of prompt and text.
    pub distinct_prefixes: u64,
}

impl AddAssign for Sharing {
    fn add_assign(&mut self, more: Self) {
        self.texts += more.texts;
        self.logical_tokens += more.logical_tokens;
        self.prompt_again_tokens += more.prompt_again_tokens;
        self.beginning_again_tokens += more.beginning_again_tokens;
        self.distinct_prefixes += more.distinct_prefixes;
    }
}

/// The work of each load key.
pub fn sharing(trials: &[ScoredTrial]) -> BTreeMap<LoadKey, Sharing> {
    let mut seen = BTreeSet::new();
    let mut prompts: BTreeMap<(LoadKey, PromptKey, &str), Vec<&Generation>> = BTreeMap::new();
    for ScoredTrial { trial, result, .. } in trials {
        // Of texts whose tokens are not known, neither is the work.
        if let TrialResult::Scored { generation, .. } = result
            && generation.tokens.is_some()
            && seen.insert(&trial.id)
        {
            let prompt = (trial.cell.load_key(), trial.cell.prompt_key(), trial.prompt.as_str());
            prompts.entry(prompt).or_default().push(generation);
        }
    }
    let mut loads: BTreeMap<LoadKey, Sharing> = BTreeMap::new();
    for ((load, ..), generations) in prompts {
        *loads.entry(load).or_default() += of_prompt(&generations);
    }
    loads
}

/// Texts of one prompt. Sorted, each shares most with the one before it.
fn of_prompt(generations: &[&Generation]) -> Sharing {
    let n_prompt_tokens = generations.first().and_then(|generation| generation.n_prompt_tokens).map_or(0, u64::from);
    let mut texts: Vec<&[Token]> = generations.iter().map(|generation| evaluated(generation)).collect();
    texts.sort_unstable();
    let generated: u64 = texts.iter().map(|text| text.len() as u64).sum();
    let n_texts = texts.len() as u64;
    let logical_tokens = n_prompt_tokens * n_texts + generated;
    let prompt_again_tokens = n_prompt_tokens * n_texts.saturating_sub(1);
    let beginning_again_tokens = texts.windows(2).map(|pair| in_common(pair[0], pair[1])).sum();
    let distinct_prefixes = logical_tokens - prompt_again_tokens - beginning_again_tokens;
    Sharing { texts: n_texts, logical_tokens, prompt_again_tokens, beginning_again_tokens, distinct_prefixes }
}

/// The tokens that were evaluated: the last one is, where another followed it.
fn evaluated(Generation { tokens, stop, .. }: &Generation) -> &[Token] {
    let tokens = tokens.as_deref().unwrap_or_default();
    match stop {
        Stop::Eos | Stop::Grammar => tokens,
        Stop::MaxTokens | Stop::Context | Stop::Cut | Stop::Repetition | Stop::Unknown => {
            &tokens[..tokens.len().saturating_sub(1)]
        }
    }
}

fn in_common(a: &[Token], b: &[Token]) -> u64 {
    a.iter().zip(b).take_while(|(a, b)| a == b).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generation(tokens: &[Token], stop: Stop) -> Generation {
        Generation::of_tokens(5, tokens.to_vec(), String::new(), stop)
    }

    #[test]
    fn what_texts_have_in_common_counts_once() {
        let texts = [
            generation(&[1, 2, 3, 4], Stop::MaxTokens),
            generation(&[1, 2, 9], Stop::Eos),
            generation(&[7], Stop::MaxTokens),
            generation(&[1, 2, 3, 8], Stop::MaxTokens),
        ];
        // Evaluated: 1 2 3, 1 2 9, nothing, 1 2 3; distinct: 1, 12, 123, 129.
        let expected = Sharing {
            texts: 4,
            logical_tokens: 4 * 5 + 9,
            prompt_again_tokens: 3 * 5,
            beginning_again_tokens: 5,
            distinct_prefixes: 5 + 4,
        };
        assert_eq!(of_prompt(&texts.iter().collect::<Vec<_>>()), expected);
    }

    #[test]
    fn no_texts_are_no_work() {
        assert_eq!(of_prompt(&[]), Sharing::default());
    }
}
