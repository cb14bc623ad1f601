//! Measures how fast this machine multiplies quantised weights with activations, which is nearly all that decoding does.
//!
//! By a product of a Q4_K matrix, with the kernels that this process decodes with. Knows no model.

use std::ptr::NonNull;
use std::time::{Duration, Instant};

use llama_cpp_sys_2 as sys;

use crate::Llama;
use crate::kernels::buffer_type;

/// Columns of the matrices: the width of a model of a few billion parameters.
const WIDTH: i64 = 4096;
/// Rows of a matrix that no cache holds: 151 MB of Q4_K.
const ROWS_IN_MEMORY: i64 = 65_536;
/// Rows of a matrix whose product with [`TEXTS`] vectors takes some hundredths of a second.
const ROWS_TO_MULTIPLY: i64 = 2048;
/// Vectors multiplied together, as many as texts are usually decoded together.
const TEXTS: i64 = 64;
/// For how long a product is repeated.
const PATIENCE: Duration = Duration::from_millis(200);
const LEAST_REPETITIONS: usize = 3;

/// How fast quantised weights are multiplied, on the threads that were asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Bytes of weights that one text alone reads a second, out of memory.
    pub weight_bytes_per_s: f64,
    /// Multiplications of a weight with an activation a second, each with its addition, for many texts together.
    pub products_per_s: f64,
}

impl Llama {
    /// Measures the CPU's pace in half a second; `None` where llama.cpp finds no memory for it.
    pub fn pace(&self, threads: u32) -> Option<Pace> {
        let (bytes, alone_s) = Product::new(ROWS_IN_MEMORY, 1, threads)?.median_s()?;
        let (_, together_s) = Product::new(ROWS_TO_MULTIPLY, TEXTS, threads)?.median_s()?;
        let products = (WIDTH * ROWS_TO_MULTIPLY * TEXTS) as f64;
        Some(Pace { weight_bytes_per_s: bytes as f64 / alone_s, products_per_s: products / together_s })
    }
}

/// A matrix of weights and vectors to multiply it with, ready to be computed.
struct Product {
    backend: NonNull<sys::ggml_backend>,
    /// Held for as long as they are computed with.
    _tensors: [Tensors; 2],
    graph: *mut sys::ggml_cgraph,
    weight_bytes: usize,
}

impl Product {
    fn new(rows: i64, texts: i64, threads: u32) -> Option<Self> {
        // SAFETY: the tensors are made in contexts that have room for them, and get memory of the back end's before they are
        // computed with. What was made is freed once.
        unsafe {
            // Where models' weights lie too.
            let plain = sys::ggml_backend_cpu_buffer_type();
            let (mut matrix, mut graph) = (std::ptr::null_mut(), std::ptr::null_mut());
            let weights = Tensors::new(buffer_type().unwrap_or(plain), |context| {
                matrix = sys::ggml_new_tensor_2d(context, sys::GGML_TYPE_Q4_K, WIDTH, rows);
            })?;
            let others = Tensors::new(plain, |context| {
                let activations = sys::ggml_new_tensor_2d(context, sys::GGML_TYPE_F32, WIDTH, texts);
                let product = sys::ggml_mul_mat(context, matrix, activations);
                graph = sys::ggml_new_graph(context);
                sys::ggml_build_forward_expand(graph, product);
            })?;
            let backend = NonNull::new(sys::ggml_backend_cpu_init())?;
            sys::ggml_backend_cpu_set_n_threads(backend.as_ptr(), threads.max(1) as i32);
            Some(Self { backend, _tensors: [weights, others], graph, weight_bytes: sys::ggml_nbytes(matrix) })
        }
    }

    /// Bytes of the weights, and the median of the times that a product takes, in seconds.
    fn median_s(&self) -> Option<(usize, f64)> {
        let begun = Instant::now();
        let mut times = Vec::new();
        while times.len() < LEAST_REPETITIONS || begun.elapsed() < PATIENCE {
            let once = Instant::now();
            // SAFETY: both are whole until the product is dropped.
            let status = unsafe { sys::ggml_backend_graph_compute(self.backend.as_ptr(), self.graph) };
            if status != sys::GGML_STATUS_SUCCESS {
                return None;
            }
            times.push(once.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        Some((self.weight_bytes, times[times.len() / 2].max(f64::MIN_POSITIVE)))
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        // SAFETY: made by `new` and freed nowhere else.
        unsafe { sys::ggml_backend_free(self.backend.as_ptr()) };
    }
}

/// Tensors and their memory.
struct Tensors {
    context: NonNull<sys::ggml_context>,
    buffer: NonNull<sys::ggml_backend_buffer>,
}

impl Tensors {
    /// Those that `make` makes, in memory of `buffer_type`; None where there is not enough.
    fn new(buffer_type: sys::ggml_backend_buffer_type_t, make: impl FnOnce(*mut sys::ggml_context)) -> Option<Self> {
        // SAFETY: a context without memory of its own holds tensors and a graph, for which there is room. What was made is
        // freed once: here, or when the tensors are dropped.
        unsafe {
            let mem_size = 8 * sys::ggml_tensor_overhead() + sys::ggml_graph_overhead();
            let room = sys::ggml_init_params { mem_size, mem_buffer: std::ptr::null_mut(), no_alloc: true };
            let context = NonNull::new(sys::ggml_init(room))?;
            make(context.as_ptr());
            let buffer = sys::ggml_backend_alloc_ctx_tensors_from_buft(context.as_ptr(), buffer_type);
            let Some(buffer) = NonNull::new(buffer) else {
                sys::ggml_free(context.as_ptr());
                return None;
            };
            // Ordinary numbers in every type: with subnormal ones a product may take longer.
            sys::ggml_backend_buffer_clear(buffer.as_ptr(), 0x11);
            Some(Self { context, buffer })
        }
    }
}

impl Drop for Tensors {
    fn drop(&mut self) {
        // SAFETY: made by `new` and freed nowhere else.
        unsafe {
            sys::ggml_backend_buffer_free(self.buffer.as_ptr());
            sys::ggml_free(self.context.as_ptr());
        }
    }
}
