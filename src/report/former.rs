//! What another version of the program decided about the same texts, beside what is decided now.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::analysis::{RULES, Verdict};

/// What an earlier version of the program decided about the same texts.
#[derive(Deserialize)]
pub struct Former {
    /// Files before rules had a number were made by the first.
    #[serde(default = "first_rules")]
    rules: u32,
    verdicts: Vec<FormerVerdict>,
}

#[derive(Deserialize)]
struct FormerVerdict {
    id: String,
    outcome: String,
}

fn first_rules() -> u32 {
    1
}

impl Former {
    /// What `verdicts.json` said; `None` where it can't be read: it is written again.
    pub fn read(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// What other rules made of it; `None` where they are the same.
    pub fn note(&self, verdicts: &[Verdict]) -> Option<String> {
        if self.rules == RULES || verdicts.is_empty() {
            return None;
        }
        let now: BTreeMap<&str, String> =
            verdicts.iter().map(|verdict| (&*verdict.id, verdict.outcome.to_string())).collect();
        let change = |FormerVerdict { id, outcome }: &FormerVerdict| {
            let now = now.get(&**id).filter(|now| *now != outcome)?;
            Some(format!("{id} {outcome} → {now}"))
        };
        let changed: Vec<String> = self.verdicts.iter().filter_map(change).collect();
        let what = if changed.is_empty() { "no outcome changed".to_owned() } else { changed.join(", ") };
        let rules = self.rules;
        Some(format!(
            "verdicts were decided by rules {rules}, and again now by rules {RULES} (docs/statistics.md): {what}"
        ))
    }
}
