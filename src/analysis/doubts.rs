//! Collects what servers' answers say against themselves: a note for each kind.
//!
//! An answer's doubt stands in the journal beside its text, where nobody would look for it.

use itertools::Itertools as _;

use super::{ScoredTrial, TrialResult};

/// Kinds of doubt about a model's texts that are told one by one.
const KINDS: usize = 4;

/// A note for each kind of doubt about a model's texts, kinds being told apart by their words,
/// numbers aside.
pub(super) fn notes(trials: &[ScoredTrial]) -> Vec<String> {
    let mut notes = Vec::new();
    for model in trials.iter().map(|scored| scored.trial.cell.model()).unique() {
        // A text may stand in several cells.
        let of_model = trials.iter().filter(|scored| scored.trial.cell.model() == model);
        let texts: Vec<_> = of_model.unique_by(|scored| &scored.trial.id).map(doubt).collect();
        let mut kinds: Vec<(String, Vec<&str>)> = Vec::new();
        for doubt in texts.iter().copied().flatten() {
            let kind = doubt.split(|c: char| c.is_ascii_digit()).filter(|part| !part.is_empty()).join("#");
            match kinds.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, doubts)) => doubts.push(doubt),
                None => kinds.push((kind, vec![doubt])),
            }
        }
        let all = texts.len();
        for (_, doubts) in kinds.iter().take(KINDS) {
            let such_as = if doubts.iter().all_equal() { "" } else { "for example, " };
            notes.push(format!("{model}: {} of {all} texts are doubtful: {such_as}{}", doubts.len(), doubts[0]));
        }
        if let Some(more) = kinds.get(KINDS..).filter(|more| !more.is_empty()) {
            let n: usize = more.iter().map(|(_, doubts)| doubts.len()).sum();
            notes.push(format!(
                "{model}: {n} of {all} texts are doubtful for other reasons; see the key doubt in trials.jsonl"
            ));
        }
    }
    notes
}

fn doubt(scored: &ScoredTrial) -> Option<&str> {
    match &scored.result {
        TrialResult::Scored { generation, .. } | TrialResult::Censored { generation, .. } => {
            generation.doubt.as_deref()
        }
        TrialResult::Failed(_) | TrialResult::Missing => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Cell, Generation, Stop, Temperature, Trial, TrialId};
    use crate::metrics::Scores;

    fn trial(id: &str, temperature: f32, doubt: Option<&str>) -> ScoredTrial {
        let cell = Cell::usual("m", "pure", Temperature::new(temperature).unwrap());
        let generation = Generation {
            doubt: doubt.map(str::to_owned),
            ..Generation::of_tokens(1, vec![1], "a".to_owned(), Stop::Cut)
        };
        let trial = Trial { id: TrialId::known(id), cell, prompt: "p".to_owned(), seed: None };
        ScoredTrial::new(trial, TrialResult::Censored { generation, scores: Scores::default() })
    }

    #[test]
    fn a_kind_of_doubt_is_told_once_with_its_texts() {
        let doubts = ["it has 3 of 9 tokens", "it has 5 of 9 tokens", "words that were not understood: a"];
        let mut trials: Vec<_> = (0..3).map(|i| trial(&i.to_string(), 0.5, Some(doubts[i]))).collect();
        trials.push(trial("3", 0.5, None));
        // A text that stands in two cells is one text.
        trials.push(trial("0", 1.0, Some(doubts[0])));
        let expected = [
            "m: 2 of 4 texts are doubtful: for example, it has 3 of 9 tokens",
            "m: 1 of 4 texts are doubtful: words that were not understood: a",
        ];
        assert_eq!(notes(&trials), expected);
        assert_eq!(notes(&trials[3..4]), [""; 0]);
        let words = ["a", "b", "c", "d", "e", "f"];
        let many: Vec<_> = words.iter().map(|word| trial(word, 0.5, Some(word))).collect();
        let told = notes(&many);
        assert_eq!(told.len(), KINDS + 1);
        assert!(told[KINDS].starts_with("m: 2 of 6 texts are doubtful for other reasons"), "{told:?}");
    }
}
