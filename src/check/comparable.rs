//! Says what keeps two runs from being compared.

use std::collections::{BTreeMap, BTreeSet};

use super::baseline::BaselineCell;
use super::{Baseline, Facts};

/// A thing that is not the same in a run as in its baseline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    Settings,
    Model { id: String, how: How },
    Chain { id: String, how: How },
    Prompt { id: String, how: How },
    Cell { cell: String, how: How },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
pub enum How {
    #[strum(serialize = "is missing from the run")]
    Missing,
    #[strum(serialize = "is not in the baseline")]
    Foreign,
    #[strum(serialize = "differs from the baseline's")]
    Changed,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Settings => f.write_str("[generate] differs from the baseline's"),
            Self::Model { id, how } => write!(f, "the model {id} {how}"),
            Self::Chain { id, how } => write!(f, "the chain {id} {how}"),
            Self::Prompt { id, how } => write!(f, "the prompt {id} {how}"),
            Self::Cell { cell, how } => write!(f, "the cell {cell} {how}"),
        }
    }
}

/// Returns all that differs, in a fixed order. Versions of moe-sweep, of the engine and of the
/// CPU are none: to see what they change is what a gate is there for.
pub fn differences(baseline: &Baseline, run: &Baseline) -> Vec<Difference> {
    let (theirs, ours) = (&baseline.facts, &run.facts);
    let mut found = Vec::new();
    if theirs.generate != ours.generate {
        found.push(Difference::Settings);
    }
    let of = |pick: fn(&Facts) -> &BTreeMap<String, String>| maps(pick(theirs), pick(ours));
    found.extend(of(|facts| &facts.models).map(|(id, how)| Difference::Model { id, how }));
    found.extend(of(|facts| &facts.chains).map(|(id, how)| Difference::Chain { id, how }));
    found.extend(of(|facts| &facts.prompts).map(|(id, how)| Difference::Prompt { id, how }));
    found.extend(cells(baseline, run));
    found
}

fn maps<'a>(
    theirs: &'a BTreeMap<String, String>,
    ours: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = (String, How)> + 'a {
    let ids: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    ids.into_iter().filter_map(|id| {
        let how = match (theirs.get(id), ours.get(id)) {
            (Some(_), None) => How::Missing,
            (None, Some(_)) => How::Foreign,
            (a, b) if a != b => How::Changed,
            _ => return None,
        };
        Some((id.clone(), how))
    })
}

/// Cells, and prompts of theirs without a text.
fn cells<'a>(baseline: &'a Baseline, run: &'a Baseline) -> impl Iterator<Item = Difference> + 'a {
    let has = |of: &Baseline, cell: &_| of.cells.iter().any(|known| known.cell == *cell);
    let missing = baseline.cells.iter().filter(move |theirs| !has(run, &theirs.cell));
    let foreign = run.cells.iter().filter(move |ours| !has(baseline, &ours.cell));
    let unscored = baseline.cells.iter().filter_map(move |theirs| {
        let ours = run.cells.iter().find(|ours| ours.cell == theirs.cell)?;
        let prompts = |of: &BaselineCell| of.scores.values().flat_map(BTreeMap::keys).cloned().collect::<BTreeSet<_>>();
        let lacking: Vec<_> = prompts(theirs).difference(&prompts(ours)).cloned().collect();
        (!lacking.is_empty()).then(|| format!("{}, prompts {}", theirs.cell, lacking.join(", ")))
    });
    let missing = missing.map(|theirs| theirs.cell.to_string()).chain(unscored);
    let missing = missing.map(|cell| Difference::Cell { cell, how: How::Missing });
    missing.chain(foreign.map(|ours| Difference::Cell { cell: ours.cell.to_string(), how: How::Foreign }))
}
