//! Decides whether a comparison of placements compares them at all.

use std::collections::BTreeSet;

use super::not_tested::NotTested;
use crate::analysis::{HostExperts, ScoredTrial};
use crate::domain::Factor;
use crate::experiment::Test;

/// What stands in the way of a test on these trials.
pub fn obstacle<'t>(
    test: &Test,
    loads: &[HostExperts],
    taken: impl Iterator<Item = &'t ScoredTrial>,
) -> Option<NotTested> {
    if loads.is_empty() || !compares_offloads(test) {
        return None;
    }
    let keys: BTreeSet<_> = taken.map(|scored| scored.trial.cell.load_key()).collect();
    loads.iter().filter(|load| keys.contains(&load.key)).find_map(|load| {
        let (load, reason) = (load.key.to_string(), load.not_on_host()?);
        Some(NotTested::TakenOver { load, reason })
    })
}

/// Of `op_offload` the takeover is the very thing that is compared, so it stands in no one's way.
fn compares_offloads(test: &Test) -> bool {
    match test {
        Test::Trend { factor, .. } => *factor == Factor::Offload,
        // Both sides may name a factor without comparing along it.
        Test::Contrast { base, other, .. } | Test::Equivalence { base, other, .. } => {
            base.levels[Factor::Offload] != other.levels[Factor::Offload]
        }
        Test::Interaction { factors } => factors.contains(&Factor::Offload) && !factors.contains(&Factor::OpOffload),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Computed, TrialResult};
    use crate::domain::{Cell, Offload, OpOffload, Selection, Temperature, Trial, TrialId};
    use crate::engine::{Takeover, Widths};
    use crate::experiment::Direction;

    fn at(offload: Offload, op_offload: OpOffload) -> ScoredTrial {
        let cell = Cell::usual("m", "pure", Temperature::new(1.0).unwrap()).with(offload).with(op_offload);
        let id = TrialId::known(format!("{cell}"));
        ScoredTrial::new(Trial { id, cell, prompt: "p".to_owned(), seed: None }, TrialResult::Missing)
    }

    fn of(offload: Offload) -> Selection {
        Selection::of([offload])
    }

    fn equivalence(base: Selection, other: Selection) -> Test {
        Test::Equivalence { base, other, margin: 0.1 }
    }

    fn loads(wide_steps: u64) -> Vec<HostExperts> {
        let widths =
            Widths { steps: 10, step_tokens: 320, wide_steps, wide_step_tokens: 32 * wide_steps, ..Widths::default() };
        let key = at(Offload::All, OpOffload::On).trial.cell.load_key();
        vec![HostExperts { key, computed: Computed::Counted { takeover: Takeover::From(32), widths } }]
    }

    fn found(test: &Test, loads: &[HostExperts], trials: &[ScoredTrial]) -> Option<NotTested> {
        obstacle(test, loads, trials.iter())
    }

    #[test]
    fn offloads_are_not_compared_where_a_device_took_steps_over() {
        let trials = [at(Offload::None, OpOffload::On), at(Offload::All, OpOffload::On)];
        let contrast =
            Test::Contrast { base: of(Offload::None), other: of(Offload::All), expect: Direction::Different };
        let trend = Test::Trend { factor: Factor::Offload, expect: Direction::Increasing };
        let interaction = Test::Interaction { factors: [Factor::Offload, Factor::Chain] };
        for test in [contrast, trend, interaction, equivalence(of(Offload::None), Selection::default())] {
            let said = found(&test, &loads(1), &trials).unwrap_or_else(|| panic!("{test:?} is tested")).to_string();
            assert!(said.starts_with("m, offload all: the GPU computed"), "{said}");
            assert_eq!(found(&test, &loads(0), &trials), None);
            assert_eq!(found(&test, &[], &trials), None);
        }
    }

    #[test]
    fn only_loads_whose_trials_are_taken_count() {
        let off = [at(Offload::None, OpOffload::Off), at(Offload::All, OpOffload::Off)];
        assert_eq!(found(&equivalence(of(Offload::None), of(Offload::All)), &loads(10), &off), None);
    }

    #[test]
    fn what_does_not_compare_placements_is_none_of_this() {
        let trials = [at(Offload::All, OpOffload::On)];
        let trend = Test::Trend { factor: Factor::Temperature, expect: Direction::Increasing };
        let within = |t| of(Offload::All).and(Temperature::new(t));
        for test in [trend, equivalence(within(0.5), within(1.0))] {
            assert_eq!(found(&test, &loads(10), &trials), None);
        }
    }

    #[test]
    fn a_takeover_is_what_a_comparison_of_op_offload_is_about() {
        let trials = [at(Offload::All, OpOffload::On), at(Offload::All, OpOffload::Off)];
        let with = |op_offload| of(Offload::All).and([op_offload]);
        let interaction = Test::Interaction { factors: [Factor::OpOffload, Factor::Offload] };
        for test in [equivalence(with(OpOffload::On), with(OpOffload::Off)), interaction] {
            assert_eq!(found(&test, &loads(10), &trials), None);
        }
        let other_placement = equivalence(of(Offload::None), with(OpOffload::On));
        assert!(found(&other_placement, &loads(10), &trials).is_some());
    }
}
