//! Lists the devices that llama.cpp sees.

use llama_cpp_2::{LlamaBackendDevice, LlamaBackendDeviceType, list_llama_ggml_backend_devices};
use llama_cpp_sys_2 as sys;

/// A device, as llama.cpp describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

impl DeviceKind {
    /// Whether weights that are not on the host can be here.
    pub(crate) fn holds_weights(self) -> bool {
        matches!(self, Self::Gpu | Self::IntegratedGpu)
    }
}

impl super::Llama {
    /// GPU back ends in this build, by the names of their Cargo features.
    pub fn back_ends(&self) -> Vec<&'static str> {
        let features = [("cuda", cfg!(feature = "cuda")), ("vulkan", cfg!(feature = "vulkan"))];
        features.into_iter().filter(|(_, built)| *built).map(|(name, _)| name).collect()
    }

    /// What llama.cpp sees on this machine, in its order; the host is one of them.
    pub fn devices(&self) -> Vec<Device> {
        devices()
    }

    /// Asks the back ends, as llama.cpp's scheduler does, whether a device beside the host would compute a product of
    /// experts that are on the host, of so many tokens. None where there is no such device.
    pub fn takes_over(&self) -> Option<impl Fn(u32) -> bool> {
        let kinds = devices().into_iter().map(|device| device.kind);
        let others: Vec<_> = kinds
            .enumerate()
            .filter(|(_, kind)| kind.holds_weights())
            // SAFETY: `devices` lists llama.cpp's devices by this index.
            .map(|(index, _)| unsafe { sys::ggml_backend_dev_get(index) })
            .collect();
        (!others.is_empty()).then_some(move |tokens| others.iter().any(|&device| takes(device, tokens)))
    }
}

/// Whether the device would compute a product of experts for so many tokens.
fn takes(device: sys::ggml_backend_dev_t, tokens: u32) -> bool {
    // SAFETY: plain data, and null is what a pointer may be in it. Back ends look at no more
    // than the operation and its shape: a row for each expert of each token.
    unsafe {
        let mut product: sys::ggml_tensor = std::mem::zeroed();
        product.op = sys::GGML_OP_MUL_MAT_ID;
        product.ne = [1, 1, i64::from(tokens), 1];
        sys::ggml_backend_dev_offload_op(device, &raw const product)
    }
}

/// In llama.cpp's order.
pub(crate) fn devices() -> Vec<Device> {
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
