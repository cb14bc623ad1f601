//! Reads from the manifest where each load's model was, and where it was computed.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::{Computed, HostExperts, Uncounted};
use crate::domain::{LoadKey, Offload, OpOffload};
use crate::engine::{Footprint, Saved, Takeover};
use crate::manifest::{LoadEntry, Manifest, Placement, RunEntry};

/// Returns the last measured load of every key, with what it is compared to.
pub fn measured<'m>(runs: impl IntoIterator<Item = &'m RunEntry>) -> Vec<Measured<'m>> {
    let mut last: BTreeMap<&LoadKey, (&LoadEntry, &Footprint)> = BTreeMap::new();
    for load in runs.into_iter().flat_map(|run| &run.loads) {
        if let Some(footprint) = &load.footprint {
            last.insert(&load.key, (load, footprint));
        }
    }
    let unoffloaded = |key: &LoadKey| {
        let none = key.with(Offload::None);
        last.get(&none).map(|&(_, footprint)| footprint)
    };
    last.values()
        .map(|&(load, footprint)| {
            let none = (load.key.offload() != Offload::None).then(|| unoffloaded(&load.key)).flatten();
            Measured { load, footprint, saved: none.and_then(|none| footprint.saved_against(none)) }
        })
        .collect()
}

/// A load, what it took, and what its offload saved.
pub struct Measured<'m> {
    pub load: &'m LoadEntry,
    pub footprint: &'m Footprint,
    /// Against offload none; None where that was not measured, or there is no device.
    pub saved: Option<Saved>,
}

/// What back ends take over where nobody asked them: the default of every one that takes
/// anything over, unless GGML_OP_OFFLOAD_MIN_BATCH was set.
const USUAL_TAKEOVER: Takeover = Takeover::From(32);

/// Says where the experts were computed of every load that has them on the host, a device beside
/// it, and `op_offload` on. `records` is how many trials the journal has.
pub fn host_experts(manifest: &Manifest, records: usize) -> Vec<HostExperts> {
    let planned = manifest
        .models
        .iter()
        .filter(|model| model.placement == Placement::ExpertsOnHost)
        .map(|model| model.key.clone());
    let on_host = |load: &&LoadEntry| {
        let footprint = load.footprint.as_ref();
        footprint.is_some_and(|footprint| footprint.device_bytes() > 0 && footprint.experts_on_host().0 > 0)
    };
    let loads = manifest.runs.iter().flat_map(|run| &run.loads);
    let measured = loads.filter(on_host).map(|load| load.key.clone());
    let computed = |key: LoadKey| Some(HostExperts { computed: computed(manifest, records, &key)?, key });
    let taken_over = planned.chain(measured).filter(|key| key.op_offload() == OpOffload::On);
    taken_over.collect::<BTreeSet<_>>().into_iter().filter_map(computed).collect()
}

/// None where no run tells, and none can have had steps that were wide enough.
fn computed(manifest: &Manifest, records: usize, key: &LoadKey) -> Option<Computed> {
    let loads: Vec<_> = manifest.runs.iter().flat_map(|run| &run.loads).filter(|load| load.key == *key).collect();
    let takeovers = loads.iter().filter_map(|load| load.footprint.as_ref()?.takeover);
    // Of several runs, the one that takes over most.
    let takeover = takeovers.min_by_key(|takeover| takeover.least()).unwrap_or(USUAL_TAKEOVER);
    let may_take = |rows: Option<u32>| rows.is_none_or(|rows| takeover.takes(rows.into()));

    let counted = loads.iter().filter_map(|load| load.effort.widths).reduce(|mut sum, widths| {
        sum += widths;
        sum
    });
    let mut uncounted = loads.iter().filter(|load| load.effort.widths.is_none());
    let uncounted_wide = uncounted.any(|load| may_take(load.strategy.map(|strategy| strategy.batch)));
    // A run that was killed left no count; its texts are those that no other run tells of.
    let told: usize = manifest.runs.iter().map(|run| run.trials_done).sum();
    let killed_wide = told < records && manifest.runs.iter().any(|run| !run.has_ended() && may_take(run.batch));
    match (takeover, counted) {
        (_, Some(widths)) if widths.wide_steps > 0 => Some(Computed::Counted { takeover, widths }),
        (Takeover::From(from), _) if uncounted_wide => Some(Computed::NotKnown { from, why: Uncounted::OlderProgram }),
        (Takeover::From(from), _) if killed_wide => Some(Computed::NotKnown { from, why: Uncounted::Killed }),
        (_, counted) => counted.map(|widths| Computed::Counted { takeover, widths }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::engine::Widths;
    use crate::manifest::NOT_ENDED;
    use crate::seal::Trust;

    /// A manifest of one model with all experts on the host and an accelerator.
    fn manifest(runs: &[Value]) -> Manifest {
        let facts = json!({ "architecture": "phimoe", "n_layer": 6, "n_expert": 8, "n_expert_used": 2, "n_vocab": 9,
                            "n_ctx_train": 64 });
        let model = json!({ "id": "m", "path": "m.gguf", "blake3": "", "size_bytes": 1, "facts": facts, "engine": "",
                            "accelerators": ["Vulkan0"], "offload": "all", "placement": "experts_on_host" });
        let generate = json!({ "max_tokens": 8, "context": 64, "numerics": "invariant", "bos": "model" });
        let manifest = json!({ "moe_sweep": "0", "experiment": "x", "generate": generate, "models": [model], "notes": [],
                               "runs": runs });
        Manifest::from_json(manifest.to_string().as_bytes(), Trust::Seals).unwrap().0
    }

    fn run(ended: &str, trials_done: usize, batch: Option<u32>, loads: &[Value]) -> Value {
        let hardware = json!({ "architecture": "x86_64", "usable_cores": 1 });
        json!({ "started_unix_s": 0, "command_line": [], "hardware": hardware, "threads": 1, "batch": batch,
                "ended": ended, "trials_done": trials_done, "evaluated_tokens": 9, "seconds": 1.0, "loads": loads })
    }

    /// A load that decodes at most so many texts together, and what was counted of it.
    fn load(rows: u32, widths: Option<Widths>, takeover: Option<Takeover>) -> Value {
        let footprint = takeover.map(|takeover| json!({ "places": [], "takeover": takeover }));
        json!({ "model": "m", "offload": "all", "times": 1, "strategy": { "lanes": 1, "threads": 1, "rows": rows },
                "evaluated_tokens": 9, "widths": widths, "seconds": 1.0, "footprint": footprint })
    }

    fn found(runs: &[Value], records: usize) -> Option<Computed> {
        let mut found = host_experts(&manifest(runs), records);
        assert!(found.len() < 2, "{found:?}");
        found.pop().map(|load| load.computed)
    }

    #[test]
    fn widths_are_summed_over_runs() {
        let takeover = Takeover::From(32);
        let (wide, narrow) = (takeover.of_step(40, 40), takeover.of_step(8, 8));
        let counted = |widths| run("complete", 5, None, &[load(64, Some(widths), Some(takeover))]);
        let mut widths = wide;
        widths += narrow;
        assert_eq!(found(&[counted(wide), counted(narrow)], 10), Some(Computed::Counted { takeover, widths }));
        assert_eq!(found(&[counted(narrow)], 5), Some(Computed::Counted { takeover, widths: narrow }));
    }

    #[test]
    fn in_an_older_manifest_only_a_narrow_batch_tells_where_experts_were_computed() {
        let older = |rows| run("complete", 5, None, &[load(rows, None, None)]);
        let not_known = Computed::NotKnown { from: 32, why: Uncounted::OlderProgram };
        assert_eq!(found(&[older(64)], 5), Some(not_known));
        assert_eq!(found(&[older(31)], 5), None);
    }

    #[test]
    fn a_killed_run_counts_for_what_it_kept_unless_its_batch_was_narrow() {
        let takeover = Takeover::From(16);
        let widths = takeover.of_step(8, 8);
        let counted = run("complete", 5, None, &[load(8, Some(widths), Some(takeover))]);
        let killed = |batch| [run(NOT_ENDED, 0, batch, &[]), counted.clone()];
        let not_known = Computed::NotKnown { from: 16, why: Uncounted::Killed };
        assert_eq!(found(&killed(None), 9), Some(not_known));
        assert_eq!(found(&killed(Some(16)), 9), Some(not_known));
        assert_eq!(found(&killed(Some(15)), 9), Some(Computed::Counted { takeover, widths }));
        assert_eq!(found(&killed(None), 5), Some(Computed::Counted { takeover, widths }));
        assert_eq!(found(&killed(None)[..1], 4), Some(Computed::NotKnown { from: 32, why: Uncounted::Killed }));
    }

    #[test]
    fn where_nothing_is_ever_taken_over_widths_do_not_matter() {
        let (takeover, widths) = (Takeover::Never, Takeover::Never.of_step(64, 64));
        let runs = [run(NOT_ENDED, 0, None, &[]), run("complete", 5, None, &[load(64, Some(widths), Some(takeover))])];
        assert_eq!(found(&runs, 9), Some(Computed::Counted { takeover, widths }));
    }

    #[test]
    fn without_an_accelerator_there_is_nothing_to_tell() {
        let mut manifest = manifest(&[run("complete", 5, None, &[load(64, None, None)])]);
        manifest.models[0].placement = Placement::AllOnHost;
        assert_eq!(host_experts(&manifest, 5), []);
    }
}
