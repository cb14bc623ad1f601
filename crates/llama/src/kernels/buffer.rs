//! Is a buffer type of ggml: memory in which weights are laid out for the kernels of `matmul`.
//!
//! The structures are those of llama.cpp's ggml/src/ggml-backend-impl.h, of the version that Cargo.toml pins.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::OnceLock;

use llama_cpp_sys_2 as sys;
use matmul::{Format, pack, packed_bytes};
use rayon::prelude::*;

/// Where panels begin: at a cache line.
const ALIGNMENT: usize = 64;

/// `ggml_backend_buffer_type_i`.
#[repr(C)]
struct TypeInterface {
    get_name: unsafe extern "C" fn(sys::ggml_backend_buffer_type_t) -> *const c_char,
    alloc_buffer: unsafe extern "C" fn(sys::ggml_backend_buffer_type_t, usize) -> sys::ggml_backend_buffer_t,
    alloc_buffer_n: Absent,
    get_alignment: unsafe extern "C" fn(sys::ggml_backend_buffer_type_t) -> usize,
    get_max_size: Absent,
    get_alloc_size: unsafe extern "C" fn(sys::ggml_backend_buffer_type_t, *const sys::ggml_tensor) -> usize,
    get_alloc_size_n: Absent,
    is_host: Absent,
}

/// A function that a structure of ggml may go without.
type Absent = Option<unsafe extern "C" fn()>;

/// `ggml_backend_buffer_type`.
#[repr(C)]
struct BufferType {
    interface: TypeInterface,
    device: sys::ggml_backend_dev_t,
    context: *mut c_void,
}

/// `ggml_backend_buffer_i`.
#[repr(C)]
struct BufferInterface {
    free_buffer: Option<unsafe extern "C" fn(sys::ggml_backend_buffer_t)>,
    get_base: Option<unsafe extern "C" fn(sys::ggml_backend_buffer_t) -> *mut c_void>,
    init_tensor: Absent,
    memset_tensor: Absent,
    set_tensor:
        Option<unsafe extern "C" fn(sys::ggml_backend_buffer_t, *mut sys::ggml_tensor, *const c_void, usize, usize)>,
    get_tensor: Absent,
    set_tensor_2d: Absent,
    get_tensor_2d: Absent,
    cpy_tensor: Absent,
    clear: Option<unsafe extern "C" fn(sys::ggml_backend_buffer_t, u8)>,
    reset: Absent,
}

/// `ggml_backend_buffer`.
#[repr(C)]
struct Buffer {
    interface: BufferInterface,
    buffer_type: sys::ggml_backend_buffer_type_t,
    context: *mut c_void,
    size: usize,
    usage: sys::ggml_backend_buffer_usage,
}

unsafe extern "C" {
    fn moe_sweep_buffer_type_context() -> *mut c_void;
    fn moe_sweep_use_buffer_type(buffer_type: sys::ggml_backend_buffer_type_t);
}

/// The one there is, as an address.
static OURS: OnceLock<usize> = OnceLock::new();

/// Makes it llama.cpp's only extra buffer type.
pub(super) fn offer() {
    // SAFETY: the back end lives as long as the process, and so does the buffer type, which is never freed.
    unsafe {
        let buffer_type = Box::leak(Box::new(BufferType {
            interface: TypeInterface {
                get_name: name,
                alloc_buffer,
                alloc_buffer_n: None,
                get_alignment: alignment,
                get_max_size: None,
                get_alloc_size: alloc_bytes,
                get_alloc_size_n: None,
                is_host: None,
            },
            device: sys::ggml_backend_dev_by_type(sys::GGML_BACKEND_DEVICE_TYPE_CPU),
            context: moe_sweep_buffer_type_context(),
        }));
        let address = ptr::from_mut(buffer_type) as usize;
        OURS.get_or_init(|| address);
        moe_sweep_use_buffer_type(address as sys::ggml_backend_buffer_type_t);
    }
}

/// The buffer type, where it was offered.
pub(crate) fn buffer_type() -> Option<sys::ggml_backend_buffer_type_t> {
    OURS.get().map(|&address| address as sys::ggml_backend_buffer_type_t)
}

/// The format of weights that are laid out here; None for a tensor that is elsewhere, or whose format is ggml's alone.
///
/// # Safety
/// The tensor must be one of ggml's.
pub(super) unsafe fn format(tensor: *const sys::ggml_tensor) -> Option<Format> {
    // SAFETY: as the caller says; a buffer lives as long as its tensors.
    unsafe {
        let buffer = (*tensor).buffer;
        if buffer.is_null() || OURS.get() != Some(&(sys::ggml_backend_buffer_get_type(buffer) as usize)) {
            return None;
        }
        Format::from_ggml((*tensor).type_)
    }
}

/// Bytes of one matrix as it is laid out.
///
/// # Safety
/// The tensor must be one of ggml's.
pub(super) unsafe fn matrix_bytes(format: Format, tensor: *const sys::ggml_tensor) -> usize {
    // SAFETY: as the caller says.
    let [n_cols, n_rows, ..] = unsafe { (*tensor).ne };
    packed_bytes(format, n_cols as usize, n_rows as usize)
}

unsafe extern "C" fn name(_: sys::ggml_backend_buffer_type_t) -> *const c_char {
    c"CPU_MATMUL".as_ptr()
}

unsafe extern "C" fn alignment(_: sys::ggml_backend_buffer_type_t) -> usize {
    ALIGNMENT
}

unsafe extern "C" fn alloc_bytes(_: sys::ggml_backend_buffer_type_t, tensor: *const sys::ggml_tensor) -> usize {
    // SAFETY: ggml hands over a tensor of its own.
    unsafe {
        match Format::from_ggml((*tensor).type_) {
            Some(format) => {
                let [_, _, matrices, more] = (*tensor).ne;
                (matrices * more) as usize * matrix_bytes(format, tensor)
            }
            None => sys::ggml_nbytes(tensor),
        }
    }
}

/// A buffer of the host's, but for how tensors get into it.
unsafe extern "C" fn alloc_buffer(
    buffer_type: sys::ggml_backend_buffer_type_t,
    bytes: usize,
) -> sys::ggml_backend_buffer_t {
    // SAFETY: ggml's own buffer, of the structure that is declared above.
    unsafe {
        let buffer = sys::ggml_backend_buft_alloc_buffer(sys::ggml_backend_cpu_buffer_type(), bytes);
        if let Some(buffer) = buffer.cast::<Buffer>().as_mut() {
            buffer.buffer_type = buffer_type;
            buffer.interface.init_tensor = None;
            buffer.interface.set_tensor = Some(set_tensor);
            buffer.interface.get_tensor = None;
            buffer.interface.cpy_tensor = None;
        }
        buffer
    }
}

/// Lays out a whole tensor.
unsafe extern "C" fn set_tensor(
    _: sys::ggml_backend_buffer_t,
    tensor: *mut sys::ggml_tensor,
    data: *const c_void,
    offset: usize,
    bytes: usize,
) {
    // SAFETY: ggml hands over a tensor that `alloc_bytes` bytes were set aside for, and so many bytes of data.
    unsafe {
        let format = format(tensor).expect("only weights with kernels are put here");
        assert!(offset == 0 && bytes == sys::ggml_nbytes(tensor), "weights are set whole");
        let [n_cols, n_rows, matrices, more] = (*tensor).ne.map(|n| n as usize);
        let file = std::slice::from_raw_parts(data.cast::<u8>(), bytes);
        let packed_bytes = matrix_bytes(format, tensor);
        let packed = std::slice::from_raw_parts_mut((*tensor).data.cast::<u8>(), matrices * more * packed_bytes);
        let file = file.par_chunks(bytes / (matrices * more));
        packed.par_chunks_mut(packed_bytes).zip(file).for_each(|(packed, file)| {
            pack(format, n_cols, n_rows, file, packed);
        });
    }
}
