//! Counts where llama.cpp put a model's tensors, its caches and its buffers.
//!
//! The tensors are counted one by one, for only their names tell experts from
//! the rest; caches and buffers are llama.cpp's own sums by buffer type. Both are
//! reached through the shim beside this file.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::NonNull;

use llama_cpp_sys_2 as sys;

use crate::context::{context_params, raw};
use crate::device::devices;
use crate::{Device, DeviceKind, Error, Llama, Model, Settings};

/// What one device holds, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// llama.cpp's name for the device, such as `CPU` or `Vulkan0`.
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

unsafe extern "C" {
    fn moe_sweep_visit_tensors(
        model: *const sys::llama_model,
        visit: unsafe extern "C" fn(*mut c_void, *const c_char, *const sys::ggml_tensor),
        user: *mut c_void,
    );
    fn moe_sweep_visit_memory(
        context: *const sys::llama_context,
        visit: unsafe extern "C" fn(*mut c_void, sys::ggml_backend_buffer_type_t, usize, usize, usize),
        user: *mut c_void,
    );
}

/// What a loaded model takes when it works as `settings` say: the host first, then the devices that hold anything, in
/// llama.cpp's order. Creates a context to measure it, and drops it again.
///
/// # Errors
/// When llama.cpp can't allocate the context.
pub fn footprint(_: &Llama, model: &Model, settings: &Settings) -> Result<Vec<Holding>, Error> {
    let context = Context::new(model, settings)?;
    let mut ledger = Ledger { devices: devices(), holdings: vec![], lanes: u64::from(settings.strategy.lanes) };
    let user = (&raw mut ledger).cast();
    // SAFETY: both pointers live during the calls, which keep none of them; `user`
    // is the ledger that both visitors expect, borrowed by nobody else.
    unsafe {
        moe_sweep_visit_tensors(model.pointer(), visit_tensor, user);
        moe_sweep_visit_memory(context.0.as_ptr(), visit_memory, user);
    }
    Ok(ledger.holdings())
}

/// A context as a lane's, of which llama-cpp-2 would not tell the address.
struct Context(NonNull<sys::llama_context>);

impl Context {
    fn new(model: &Model, settings: &Settings) -> Result<Self, Error> {
        let params = raw(&context_params(settings)?);
        // SAFETY: the model is loaded and outlives the context, which `footprint` drops.
        let context = unsafe { sys::llama_init_from_model(model.pointer().cast_mut(), params) };
        NonNull::new(context).map(Self).ok_or_else(|| Error::Context {
            context: settings.context,
            rows: settings.strategy.rows,
            reason: "llama.cpp refused it".to_owned(),
        })
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: created by llama.cpp and not freed before.
        unsafe { sys::llama_free(self.0.as_ptr()) };
    }
}

/// What has been counted so far.
struct Ledger {
    devices: Vec<Device>,
    holdings: Vec<Holding>,
    lanes: u64,
}

impl Ledger {
    /// The line of the device that a buffer type belongs to.
    fn of(&mut self, buffer_type: sys::ggml_backend_buffer_type_t) -> &mut Holding {
        let (device, kind) = self.place(buffer_type);
        let at = self.holdings.iter().position(|holding| holding.device == device).unwrap_or_else(|| {
            self.holdings.push(Holding {
                device,
                kind,
                expert_bytes: 0,
                other_weight_bytes: 0,
                cache_bytes: 0,
                compute_bytes: 0,
            });
            self.holdings.len() - 1
        });
        &mut self.holdings[at]
    }

    /// A buffer that the CPU reads as its own memory is the host's, whichever
    /// back end pinned it.
    fn place(&self, buffer_type: sys::ggml_backend_buffer_type_t) -> (String, DeviceKind) {
        let host = ("CPU".to_owned(), DeviceKind::Cpu);
        // SAFETY: llama.cpp's buffer types and devices live as long as the process.
        let name = unsafe {
            if sys::ggml_backend_buft_is_host(buffer_type) {
                return host;
            }
            let device = sys::ggml_backend_buft_get_device(buffer_type);
            if device.is_null() {
                return host;
            }
            CStr::from_ptr(sys::ggml_backend_dev_name(device)).to_string_lossy().into_owned()
        };
        match self.devices.iter().find(|device| device.name == name) {
            // Repacked weights are in memory that the CPU can't read as it is.
            Some(device) if !device.kind.holds_weights() => host,
            Some(device) => (name, device.kind),
            None => (name, DeviceKind::Unknown),
        }
    }

    /// Of what holds anything: the host first, then in llama.cpp's order of devices.
    fn holdings(mut self) -> Vec<Holding> {
        let rank = |holding: &Holding| match holding.kind {
            DeviceKind::Cpu => 0,
            _ => 1 + self.devices.iter().position(|device| device.name == holding.device).unwrap_or(usize::MAX - 1),
        };
        self.holdings.sort_by_key(rank);
        let bytes = |holding: &Holding| {
            holding.expert_bytes + holding.other_weight_bytes + holding.cache_bytes + holding.compute_bytes
        };
        self.holdings.retain(|holding| bytes(holding) > 0);
        self.holdings
    }
}

/// llama.cpp's own pattern for the tensors of routed experts, anywhere in the
/// name: `\.ffn_(up|down|gate|gate_up)_(ch|)exps`, fused tensors included.
fn is_expert(tensor: &str) -> bool {
    tensor.match_indices(".ffn_").any(|(at, prefix)| {
        let rest = &tensor[at + prefix.len()..];
        ["up_", "down_", "gate_", "gate_up_"].iter().any(|kind| {
            rest.strip_prefix(kind).is_some_and(|rest| rest.starts_with("exps") || rest.starts_with("chexps"))
        })
    })
}

unsafe extern "C" fn visit_tensor(user: *mut c_void, name: *const c_char, tensor: *const sys::ggml_tensor) {
    // SAFETY: `footprint` passes a ledger, the shim a C string and a tensor of the model.
    unsafe {
        let ledger = &mut *user.cast::<Ledger>();
        let buffer = (*tensor).buffer;
        if buffer.is_null() {
            return;
        }
        // As it is laid out there, which may take more than in the file.
        let bytes = sys::ggml_backend_buffer_get_alloc_size(buffer, tensor) as u64;
        let holding = ledger.of(sys::ggml_backend_buffer_get_type(buffer));
        match is_expert(&CStr::from_ptr(name).to_string_lossy()) {
            true => holding.expert_bytes += bytes,
            false => holding.other_weight_bytes += bytes,
        }
    }
}

unsafe extern "C" fn visit_memory(
    user: *mut c_void,
    buffer_type: sys::ggml_backend_buffer_type_t,
    _model: usize,
    context: usize,
    compute: usize,
) {
    // SAFETY: `footprint` passes a ledger.
    let ledger = unsafe { &mut *user.cast::<Ledger>() };
    let lanes = ledger.lanes;
    let holding = ledger.of(buffer_type);
    holding.cache_bytes += lanes * context as u64;
    holding.compute_bytes += lanes * compute as u64;
}

#[cfg(test)]
mod tests {
    use super::is_expert;

    #[test]
    fn experts_are_known_by_their_names() {
        for name in ["blk.0.ffn_up_exps.weight", "blk.3.ffn_gate_up_exps.weight", "blk.1.ffn_down_chexps.weight"] {
            assert!(is_expert(name), "{name}");
        }
        for name in ["blk.0.ffn_gate_inp.weight", "blk.0.ffn_up_shexp.weight", "blk.0.ffn_up.weight", "output.weight"] {
            assert!(!is_expert(name), "{name}");
        }
    }
}
