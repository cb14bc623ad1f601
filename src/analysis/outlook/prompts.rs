//! Counts how many prompts a hypothesis is tested over, as its plan has it.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::Level as FactorLevel;
use crate::domain::{Factor, Seed, Trial};
use crate::experiment::{Hypothesis, Test};

/// A level about which a claim is made; the only one where it is not made of each.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// Empty where it is the only one.
    pub name: String,
    /// The prompts that have all that is compared.
    pub n_prompts: usize,
    /// How many levels each factor has along which is compared; of two selections, nothing.
    pub compared: Vec<usize>,
}

/// In the order of their first trials.
pub fn of_each_level(hypothesis: &Hypothesis, trials: &[Trial]) -> Vec<Level> {
    let taken = trials.iter().filter(|trial| hypothesis.takes(trial.point()));
    let mut groups: Vec<(String, Vec<&Trial>)> = Vec::new();
    for trial in taken {
        let name = hypothesis.each.map_or_else(String::new, |each| trial.cell.level(each).to_string());
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, trials)) => trials.push(trial),
            None => groups.push((name, vec![trial])),
        }
    }
    let level = |(name, trials): (String, Vec<&Trial>)| {
        let (n_prompts, compared) = compared(&hypothesis.test, &trials);
        Level { name, n_prompts, compared }
    };
    groups.into_iter().map(level).collect()
}

fn compared(test: &Test, trials: &[&Trial]) -> (usize, Vec<usize>) {
    match test {
        Test::Trend { factor, .. } => crossed(&[*factor], trials),
        Test::Interaction { factors } => crossed(factors, trials),
        Test::Contrast { .. } | Test::Equivalence { .. } => (paired(test, trials), vec![]),
    }
}

/// Prompts that have, at some combination of the other factors' levels, every combination of the
/// levels of these; and how many levels each has.
fn crossed(factors: &[Factor], trials: &[&Trial]) -> (usize, Vec<usize>) {
    let n_levels: Vec<usize> = factors
        .iter()
        .map(|&factor| trials.iter().map(|trial| trial.cell.level(factor)).collect::<BTreeSet<_>>().len())
        .collect();
    let mut seen: BTreeMap<(&str, Vec<&FactorLevel>), BTreeSet<Vec<&FactorLevel>>> = BTreeMap::new();
    for trial in trials {
        let at = factors.iter().map(|&factor| trial.cell.level(factor)).collect();
        seen.entry((&trial.prompt, others(factors, trial))).or_default().insert(at);
    }
    let whole = n_levels.iter().product::<usize>();
    let complete: BTreeSet<&str> =
        seen.iter().filter(|(_, levels)| levels.len() == whole).map(|((prompt, _), _)| *prompt).collect();
    (complete.len(), n_levels)
}

/// Prompts that have a pair of texts: of both sides, alike in seed and in all factors that neither
/// names. A text without a seed pairs with any.
fn paired(test: &Test, trials: &[&Trial]) -> usize {
    let (Test::Contrast { base, other, .. } | Test::Equivalence { base, other, .. }) = test else { return 0 };
    let named = test.factors();
    type Seeds = BTreeSet<Option<Seed>>;
    let mut sides: BTreeMap<(&str, Vec<&FactorLevel>), [Seeds; 2]> = BTreeMap::new();
    for trial in trials {
        for (side, selection) in [base, other].into_iter().enumerate() {
            if selection.takes(trial.point()) {
                sides.entry((&trial.prompt, others(&named, trial))).or_default()[side].insert(trial.seed);
            }
        }
    }
    let pairs = |[base, other]: &[Seeds; 2]| {
        let anything = |seeds: &Seeds, with: &Seeds| seeds.contains(&None) && !with.is_empty();
        !base.is_disjoint(other) || anything(base, other) || anything(other, base)
    };
    sides.iter().filter(|(_, sides)| pairs(sides)).map(|((prompt, _), _)| *prompt).collect::<BTreeSet<_>>().len()
}

/// The levels of the factors that are not these.
fn others<'a>(named: &[Factor], trial: &'a Trial) -> Vec<&'a FactorLevel> {
    let rest = Factor::ALL.into_iter().filter(|factor| !named.contains(factor));
    rest.map(|factor| trial.cell.level(factor)).collect()
}
