//! Where each load's model was and how fast it was, in words: from the manifest
//! for the summary and the report.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::engine::{Footprint, Holding, Saved};
use crate::experiment::Offload;
use crate::manifest::{LoadEntry, Manifest, RunEntry};
use crate::model::human_bytes;
use crate::plan::LoadKey;

/// The last measured load of every key, with what it is compared to.
pub fn measured<'m>(runs: impl IntoIterator<Item = &'m RunEntry>) -> Vec<Measured<'m>> {
    let mut last: BTreeMap<&LoadKey, (&LoadEntry, &Footprint)> = BTreeMap::new();
    for load in runs.into_iter().flat_map(|run| &run.loads) {
        if let Some(footprint) = &load.footprint {
            last.insert(&load.key, (load, footprint));
        }
    }
    let unoffloaded = |key: &LoadKey| {
        let none = LoadKey { offload: Offload::None, ..key.clone() };
        last.get(&none).map(|&(_, footprint)| footprint)
    };
    last.values()
        .map(|&(load, footprint)| {
            let none = (load.key.offload != Offload::None).then(|| unoffloaded(&load.key)).flatten();
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

/// The summary's paragraph; empty where nothing was measured.
pub fn in_words(manifest: &Manifest) -> String {
    let mut text = String::new();
    for measured in measured(&manifest.runs) {
        let _ = writeln!(text, "placement: {}: {}", measured.load.key, measured.sentence());
    }
    text
}

impl Measured<'_> {
    pub fn sentence(&self) -> String {
        let places: Vec<_> = self.footprint.places.iter().map(holding).collect();
        let mut said = vec![places.join("; ")];
        if let Some(Saved { weights_percent, memory_percent }) = self.saved {
            said.push(format!(
                "saves {weights_percent:.1} % of the weights on devices, {memory_percent:.1} % of all their memory"
            ));
        }
        if let Some(seconds) = self.load.engine_seconds {
            said.push(format!("loaded in {seconds:.2} s"));
        }
        if let Some(alone) = self.load.probe.as_ref().and_then(|probe| probe.alone) {
            let first = alone.first_token_seconds.map(|first| format!("first token after {first:.3} s, "));
            said.push(format!("a text alone: {}{:.1} tokens/s", first.unwrap_or_default(), alone.tokens_per_second()));
        }
        said.join(" | ")
    }
}

fn holding(holding: &Holding) -> String {
    let Holding { device, kind: _, expert_bytes, other_weight_bytes, cache_bytes, compute_bytes } = holding;
    let parts = [
        ("experts", *expert_bytes),
        ("other weights", *other_weight_bytes),
        ("cache", *cache_bytes),
        ("buffers", *compute_bytes),
    ];
    let said: Vec<_> = parts
        .into_iter()
        .filter(|(_, bytes)| *bytes > 0)
        .map(|(what, bytes)| format!("{} {what}", human_bytes(bytes)))
        .collect();
    format!("{device} {}", said.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::DeviceKind;

    #[test]
    fn a_device_says_what_it_holds_and_no_more() {
        let gpu = Holding {
            other_weight_bytes: 1_500_000,
            cache_bytes: 20_000,
            ..Holding::none("Vulkan0".to_owned(), DeviceKind::Gpu)
        };
        assert_eq!(holding(&gpu), "Vulkan0 1.5 MB other weights, 20.0 kB cache");
    }
}
