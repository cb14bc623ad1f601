//! The devices that llama.cpp sees.

use llama_cpp_2::{LlamaBackendDevice, LlamaBackendDeviceType, list_llama_ggml_backend_devices};

use crate::engine::{Device, DeviceKind, Devices};

impl super::Llama {
    /// What llama.cpp was built with and sees on this machine.
    pub fn devices(&self) -> Devices {
        let features = [("cuda", cfg!(feature = "cuda")), ("vulkan", cfg!(feature = "vulkan"))];
        let built_with = features.into_iter().filter(|(_, built)| *built).map(|(name, _)| name.to_owned()).collect();
        Devices { built_with, devices: devices() }
    }
}

/// In llama.cpp's order.
pub(super) fn devices() -> Vec<Device> {
    list_llama_ggml_backend_devices().into_iter().map(device).collect()
}

fn device(device: LlamaBackendDevice) -> Device {
    // A driver that does not tell reports 0 of 0.
    let known = device.memory_total > 0;
    let bytes = |bytes: usize| known.then_some(bytes as u64);
    Device {
        kind: kind(device.device_type),
        memory_total_bytes: bytes(device.memory_total),
        memory_free_bytes: bytes(device.memory_free),
        name: device.name,
        description: device.description,
        backend: device.backend,
    }
}

fn kind(kind: LlamaBackendDeviceType) -> DeviceKind {
    match kind {
        LlamaBackendDeviceType::Cpu => DeviceKind::Cpu,
        LlamaBackendDeviceType::Gpu => DeviceKind::Gpu,
        LlamaBackendDeviceType::IntegratedGpu => DeviceKind::IntegratedGpu,
        LlamaBackendDeviceType::Accelerator => DeviceKind::Accelerator,
        LlamaBackendDeviceType::Unknown => DeviceKind::Unknown,
    }
}
