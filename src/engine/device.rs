//! Describes what an engine can compute on.

use serde::{Deserialize, Serialize};

/// A device, as llama.cpp describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// llama.cpp's name for it, such as `Vulkan0`.
    pub name: String,
    /// Its driver's name for it.
    pub description: String,
    /// The back end that drives it, such as `Vulkan`.
    pub backend: String,
    pub kind: DeviceKind,
    /// None where the driver does not tell.
    pub memory_total_bytes: Option<u64>,
    /// None where the driver does not tell.
    pub memory_free_bytes: Option<u64>,
}

/// llama.cpp's kinds (`ggml_backend_dev_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    Cpu,
    Gpu,
    /// A GPU in the processor, which uses the host's memory.
    IntegratedGpu,
    /// Helps the CPU with some operations; holds no weights of its own.
    Accelerator,
    /// A kind that this llama.cpp did not have when this was written.
    Unknown,
}

/// What the engine was built with and sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Devices {
    /// GPU back ends in this build, by the names of their Cargo features.
    pub built_with: Vec<String>,
    /// In llama.cpp's order; the host is one of them.
    pub devices: Vec<Device>,
}

impl DeviceKind {
    /// Whether weights that are not on the host can be here.
    pub fn holds_weights(self) -> bool {
        matches!(self, Self::Gpu | Self::IntegratedGpu)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
            Self::IntegratedGpu => "integrated_gpu",
            Self::Accelerator => "accelerator",
            Self::Unknown => "unknown",
        }
    }
}

impl Devices {
    /// Why no device but the host is seen, and what to do; None where one is.
    /// `visible` is the value of GGML_VK_VISIBLE_DEVICES, if it is set.
    pub fn remedy(&self, visible: Option<&str>) -> Option<String> {
        if self.devices.iter().any(|device| device.kind.holds_weights()) {
            return None;
        }
        let with = |feature: &str| self.built_with.iter().any(|built| built == feature);
        let mut remedies = Vec::new();
        if with("vulkan") {
            remedies.push(match visible {
                None => "llama.cpp skips Vulkan drivers that run on the CPU, such as Mesa's lavapipe: set \
                         GGML_VK_VISIBLE_DEVICES=0 when moe-sweep runs to use the first driver anyway; a GPU must be \
                         listed by `vulkaninfo --summary`"
                    .to_owned(),
                Some(visible) => format!(
                    "GGML_VK_VISIBLE_DEVICES={visible} leaves no Vulkan device: set it to indices that `vulkaninfo \
                     --summary` lists, or install a driver (Debian: mesa-vulkan-drivers)"
                ),
            });
        }
        if with("cuda") {
            remedies.push(
                "no CUDA device: `nvidia-smi` must list the GPU, and CUDA_VISIBLE_DEVICES must not hide it".to_owned(),
            );
        }
        if remedies.is_empty() {
            remedies.push(
                "this build computes on the CPU only, so offload has no effect: build with --features vulkan or \
                 --features cuda (docs/offload.md)"
                    .to_owned(),
            );
        }
        Some(remedies.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn devices(built_with: &[&str], kinds: &[DeviceKind]) -> Devices {
        let device = |&kind| Device {
            name: "X0".to_owned(),
            description: "a device".to_owned(),
            backend: "X".to_owned(),
            kind,
            memory_total_bytes: Some(1 << 30),
            memory_free_bytes: None,
        };
        Devices {
            built_with: built_with.iter().map(|&built| built.to_owned()).collect(),
            devices: kinds.iter().map(device).collect(),
        }
    }

    #[test]
    fn a_gpu_needs_no_remedy() {
        let seen = devices(&["vulkan"], &[DeviceKind::Cpu, DeviceKind::IntegratedGpu]);
        assert_eq!(seen.remedy(None), None);
    }

    #[test]
    fn each_build_has_its_remedy() {
        let remedy = |built: &[&str], visible| {
            devices(built, &[DeviceKind::Cpu, DeviceKind::Accelerator]).remedy(visible).unwrap()
        };
        assert!(remedy(&[], None).contains("--features vulkan"));
        assert!(remedy(&["vulkan"], None).contains("set GGML_VK_VISIBLE_DEVICES=0"));
        assert!(remedy(&["vulkan"], Some("3")).contains("GGML_VK_VISIBLE_DEVICES=3 leaves no"));
        assert!(remedy(&["cuda"], Some("3")).contains("nvidia-smi"));
        assert!(!remedy(&["cuda"], Some("3")).contains("VK_"));
    }
}
