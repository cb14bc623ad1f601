//! Finds the loops that a chain's penalties can't see: those of a longer period than the tokens that they look back on.

use itertools::Itertools as _;

use super::{ScoredTrial, TrialResult};
use crate::domain::{Chain, Finding, FindingId, Slot, Step};
use crate::metrics::{TailCycle, loop_of_tokens};

/// A finding for each model and chain that has such loops.
pub fn loops_beyond_last_n(trials: &[ScoredTrial], chains: &[Chain]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (chain, (sampler, last_n)) in chains.iter().flat_map(|chain| windows(chain).map(move |window| (chain, window)))
    {
        let of_chain = trials.iter().filter(|scored| scored.trial.cell.chain() == chain.id);
        // A text may stand in several cells.
        let mut by_model =
            of_chain.unique_by(|scored| &scored.trial.id).into_group_map_by(|scored| scored.trial.cell.model());
        for model in trials.iter().map(|scored| scored.trial.cell.model()).unique() {
            let periods: Vec<usize> =
                by_model.remove(model).unwrap_or_default().into_iter().filter_map(period).collect();
            let unseen = periods.iter().filter(|&&period| period > last_n);
            let Some((least, most)) = unseen.clone().minmax().into_option() else { continue };
            let every = if least == most { most.to_string() } else { format!("{least} to {most}") };
            findings.push(Finding {
                id: FindingId::LoopBeyondLastN,
                key: format!("last_n of {sampler} in the chain {}", chain.id),
                value: format!(
                    "{last_n}, but {} of {} loops of the model {model} have a period of {every} tokens",
                    unseen.count(),
                    periods.len()
                ),
                remedy: format!(
                    "set last_n = {most} or more in the chain; {} in llama.cpp, repeat_last_n in Ollama",
                    flag(sampler, *most)
                ),
            });
        }
    }
    findings
}

/// The samplers of a chain that look back, and how far.
fn windows(chain: &Chain) -> impl Iterator<Item = (&'static str, usize)> {
    let last_n = |step: &Step<Slot>| match *step {
        Step::Penalties { last_n, .. } => Some(("penalties", last_n)),
        Step::Dry { last_n, .. } => Some(("dry", last_n)),
        _ => None,
    };
    let on = chain.steps.iter().filter(|step| !step.is_off()).filter_map(last_n);
    on.filter_map(|(sampler, last_n)| Some((sampler, usize::try_from(last_n).ok()?)))
}

fn flag(sampler: &str, last_n: usize) -> String {
    match sampler {
        "dry" => format!("--dry-penalty-last-n {last_n}"),
        _ => format!("--repeat-last-n {last_n}"),
    }
}

/// The tokens in one copy of the loop that a text ends in.
fn period(scored: &ScoredTrial) -> Option<usize> {
    match &scored.result {
        TrialResult::Scored { generation, .. } | TrialResult::Censored { generation, .. } => {
            loop_of_tokens(generation.tokens.as_deref()?).map(|TailCycle { period, .. }| period)
        }
        TrialResult::Failed(_) | TrialResult::Missing => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Author, Cell, Fidelity, Generation, Stop, Temperature, Trial, TrialId};
    use crate::metrics::Scores;

    fn chain(last_n: i32, repeat: f32) -> Chain {
        let penalties = Step::Penalties { last_n, repeat, frequency: 0.0, presence: 0.0 };
        Chain {
            id: "mine".to_owned(),
            steps: vec![penalties, Step::Dist],
            fidelity: Fidelity::Checked,
            author: Author::Experiment,
        }
    }

    /// A text of 300 tokens that loops with this period.
    fn looping(id: &str, chain: &str, period: i32) -> ScoredTrial {
        let cell = Cell::usual("m", chain, Temperature::new(0.5).unwrap());
        let tokens: Vec<i32> = (0..period).cycle().take(300).collect();
        let generation = Generation::of_tokens(1, tokens, String::new(), Stop::MaxTokens);
        let trial = Trial { id: TrialId::known(id), cell, prompt: "p".to_owned(), seed: None };
        ScoredTrial::new(trial, TrialResult::Scored { generation, scores: Scores::default() })
    }

    #[test]
    fn a_loop_that_is_longer_than_the_window_is_told_with_its_period() {
        let mut trials = vec![looping("a", "mine", 64), looping("b", "mine", 65), looping("c", "mine", 80)];
        // Another chain's, a text of no loop, and a text that stands in two cells.
        trials.extend([looping("d", "other", 90), looping("e", "mine", 300), looping("c", "mine", 80)]);
        let found = loops_beyond_last_n(&trials, &[chain(64, 1.1)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].key, "last_n of penalties in the chain mine");
        assert_eq!(found[0].value, "64, but 2 of 3 loops of the model m have a period of 65 to 80 tokens");
        assert!(found[0].remedy.contains("--repeat-last-n 80"), "{found:?}");
    }

    #[test]
    fn a_penalty_that_is_off_or_sees_them_all_is_not_told() {
        let trials = [looping("a", "mine", 80)];
        assert_eq!(loops_beyond_last_n(&trials, &[chain(64, 1.0)]), []);
        assert_eq!(loops_beyond_last_n(&trials, &[chain(80, 1.1)]), []);
        assert_eq!(loops_beyond_last_n(&[looping("a", "mine", 300)], &[chain(64, 1.1)]), []);
    }
}
