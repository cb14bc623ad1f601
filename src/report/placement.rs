//! Where each load's model was, and how fast it was, in words.

use crate::engine::{Holding, Saved};
use crate::manifest::Manifest;
use crate::model::human_bytes;
use crate::results::{Measured, measured};
use crate::screen::Lines;

/// The summary's paragraph; empty where nothing was measured.
pub fn in_words(manifest: &Manifest) -> Lines {
    let mut lines = Lines::default();
    for measured in measured(&manifest.runs) {
        lines.text("placement: ", &format!("{}: {}", measured.load.key, sentence(&measured)));
    }
    lines
}

/// What one load took and how fast it was.
pub fn sentence(measured: &Measured<'_>) -> String {
    let Measured { load, footprint, saved } = measured;
    let places: Vec<_> = footprint.places.iter().map(holding).collect();
    let mut said = vec![places.join("; ")];
    if let Some(Saved { weights_percent, memory_percent }) = saved {
        said.push(format!(
            "saves {weights_percent:.1} % of the weights on devices, {memory_percent:.1} % of all their memory"
        ));
    }
    match load.engine_seconds {
        _ if load.times == 0 => said.push("its weights were loaded before".to_owned()),
        Some(seconds) => said.push(format!("loaded in {seconds:.2} s")),
        None => {}
    }
    if let Some(alone) = load.probe.as_ref().and_then(|probe| probe.alone) {
        let first = alone.first_token_seconds.map(|first| format!("first token after {first:.3} s, "));
        said.push(format!("a text alone: {}{:.1} tokens/s", first.unwrap_or_default(), alone.tokens_per_second()));
    }
    said.join(" | ")
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
