//! Fractional designs have the cells that they say.

use super::*;

/// How many cells a model has, and how many changes from the base the most of them has.
fn cells(design: &str) -> (usize, usize) {
    let levels = format!(
        "[grid]\ndesign = {design:?}\nkv_k = [\"f16\", \"q8_0\", \"q4_0\"]\nrope = [\"model\", \"linear:2\"]\nbos = [\"model\", \"never\"]\n"
    );
    let experiment = edited(EXPERIMENT, &[("[grid]\n", &levels)]);
    let plan = plan(&experiment);
    let cells: HashSet<_> = plan.trials().map(|trial| trial.cell.clone()).filter(|cell| cell.model() == "a").collect();
    let base = |factor| experiment.grid.levels[factor][0].clone();
    let changes = |cell: &Cell| {
        let changed = |factor: &Factor| *cell.level(*factor) != base(*factor);
        Factor::ALL.into_iter().filter(|&factor| factor != Factor::Model).filter(changed).count()
    };
    (cells.len(), cells.iter().map(changes).max().unwrap_or(0))
}

#[test]
fn a_fraction_is_the_base_and_its_changes() {
    let levels = |experiment: &Experiment| -> Vec<usize> {
        let others = Factor::ALL.into_iter().filter(|&factor| factor != Factor::Model);
        others.map(|factor| experiment.grid.levels[factor].len()).filter(|&n| n > 1).collect()
    };
    let own = levels(&experiment(EXPERIMENT));
    let changes: Vec<usize> = own.iter().chain(&[3, 2, 2]).map(|n| n - 1).collect();
    let singles: usize = changes.iter().sum();
    let pairs: usize = changes.iter().tuple_combinations().map(|(one, other)| one * other).sum();
    assert_eq!(cells("one-at-a-time"), (1 + singles, 1));
    assert_eq!(cells("pairwise"), (1 + singles + pairs, 2));
    assert_eq!(cells("full").0, changes.iter().map(|n| n + 1).product::<usize>());
}

#[test]
fn a_design_of_hypotheses_has_the_cells_that_they_compare() {
    let levels =
        "[grid]\ndesign = \"hypotheses\"\nkv_k = [\"f16\", \"q8_0\", \"q4_0\"]\nbos = [\"model\", \"never\"]\n";
    let claim = "[[hypothesis]]\nid = \"coarse\"\nwhere = { model = \"a\", bos = \"never\" }\n\
                 contrast = { base = { kv_k = \"f16\" }, other = { kv_k = \"q4_0\" } }\nexpect = \"increasing\"\n\n[prompts]";
    let plan = plan(&edited(EXPERIMENT, &[("[grid]\n", levels), ("[prompts]", claim)]));
    let is_compared = |cell: &Cell| {
        let kept = cell.model() == "a" && cell.level(Factor::Bos).to_string() == "never";
        kept && ["f16", "q4_0"].contains(&cell.level(Factor::KvK).to_string().as_str())
    };
    assert!(plan.trials().all(|trial| is_compared(&trial.cell)));
    let kept: HashSet<String> = plan.trials().map(|trial| trial.cell.level(Factor::KvK).to_string()).collect();
    assert_eq!(kept.len(), 2);
}
