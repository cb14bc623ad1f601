//! Counts what a loaded model takes, and where: the evidence for what `offload` did. Must not know how llama.cpp is
//! asked.

use serde::{Deserialize, Serialize};

use super::{DeviceKind, Takeover};

/// A loaded model's memory, device by device, as the engine itself counts it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footprint {
    /// The host first, then the devices that hold anything, in the engine's order.
    pub places: Vec<Holding>,
    /// When a device computes with experts that are on the host; None where there is no device,
    /// and in manifests from before this was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takeover: Option<Takeover>,
}

/// What one device holds, in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// The engine's name for the device, such as `CPU` or `Vulkan0`.
    pub device: String,
    pub kind: DeviceKind,
    /// Tensors of routed experts.
    pub expert_bytes: u64,
    /// All other tensors.
    pub other_weight_bytes: u64,
    /// The caches of all lanes.
    pub cache_bytes: u64,
    /// Buffers for intermediate results, of all lanes.
    pub compute_bytes: u64,
}

/// What an offload saves on the devices.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// Of the weights; a matter of the model alone.
    pub weights_percent: f64,
    /// Of all memory. Caches grow with the context and the texts decoded together,
    /// and are not offloaded.
    pub memory_percent: f64,
}

impl Footprint {
    /// What the devices other than the host hold.
    pub fn device_bytes(&self) -> u64 {
        self.on_devices().map(Holding::bytes).sum()
    }

    /// Expert tensors on the host, and all of them; in bytes.
    pub fn experts_on_host(&self) -> (u64, u64) {
        let all: u64 = self.places.iter().map(|place| place.expert_bytes).sum();
        let elsewhere: u64 = self.on_devices().map(|place| place.expert_bytes).sum();
        (all - elsewhere, all)
    }

    /// By how many percent the devices hold less than with `unoffloaded`. None
    /// where they hold nothing then: there is nothing to save.
    pub fn saved_against(&self, unoffloaded: &Self) -> Option<Saved> {
        let weights = |footprint: &Self| footprint.on_devices().map(Holding::weight_bytes).sum();
        Some(Saved {
            weights_percent: saved_percent(weights(unoffloaded), weights(self))?,
            memory_percent: saved_percent(unoffloaded.device_bytes(), self.device_bytes())?,
        })
    }

    /// Whether every tensor is in the same place as in `other`: then both
    /// are the same computation.
    pub fn same_weights(&self, other: &Self) -> bool {
        let weights = |footprint: &Self| -> Vec<_> {
            let of = |place: &Holding| (place.device.clone(), place.expert_bytes, place.other_weight_bytes);
            footprint.places.iter().map(of).filter(|(_, experts, others)| experts + others > 0).collect()
        };
        weights(self) == weights(other)
    }

    fn on_devices(&self) -> impl Iterator<Item = &Holding> {
        self.places.iter().filter(|place| place.kind.holds_weights())
    }
}

impl Holding {
    /// A device that holds nothing.
    pub fn none(device: String, kind: DeviceKind) -> Self {
        Self { device, kind, expert_bytes: 0, other_weight_bytes: 0, cache_bytes: 0, compute_bytes: 0 }
    }

    fn weight_bytes(&self) -> u64 {
        self.expert_bytes + self.other_weight_bytes
    }

    pub fn bytes(&self) -> u64 {
        self.weight_bytes() + self.cache_bytes + self.compute_bytes
    }
}

fn saved_percent(before: u64, after: u64) -> Option<f64> {
    (before > 0).then(|| 100.0 * (1.0 - after as f64 / before as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Experts and other weights on the host and on a GPU.
    fn footprint(host: (u64, u64), gpu: (u64, u64)) -> Footprint {
        let place = |device: &str, kind, (expert_bytes, other_weight_bytes)| Holding {
            expert_bytes,
            other_weight_bytes,
            cache_bytes: 7,
            ..Holding::none(device.to_owned(), kind)
        };
        let places = vec![place("CPU", DeviceKind::Cpu, host), place("Vulkan0", DeviceKind::Gpu, gpu)];
        Footprint { places, takeover: Some(Takeover::From(32)) }
    }

    #[test]
    fn what_is_saved_is_counted_on_the_devices() {
        let none = footprint((0, 3), (80, 13));
        let all = footprint((80, 3), (0, 13));
        assert_eq!(none.device_bytes(), 100);
        let saved = |footprint: &Footprint| footprint.saved_against(&none).unwrap();
        assert_eq!(saved(&all), Saved { weights_percent: 100.0 * (1.0 - 13.0 / 93.0), memory_percent: 80.0 });
        assert_eq!(saved(&none), Saved { weights_percent: 0.0, memory_percent: 0.0 });
        assert_eq!([none.experts_on_host(), all.experts_on_host()], [(0, 80), (80, 80)]);
        assert!(!none.same_weights(&all));
    }

    #[test]
    fn without_a_device_nothing_is_saved() {
        let host = Footprint { places: footprint((80, 16), (0, 0)).places[..1].to_vec(), takeover: None };
        assert_eq!(host.saved_against(&host), None);
        assert!(host.same_weights(&host));
    }

    #[test]
    fn caches_are_no_weights() {
        let mut other = footprint((0, 3), (80, 13));
        other.places[0].cache_bytes = 0;
        assert!(other.same_weights(&footprint((0, 3), (80, 13))));
    }
}
