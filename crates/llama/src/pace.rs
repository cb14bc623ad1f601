//! Measures how fast this machine multiplies quantised weights with activations, which is nearly all that decoding does.
//!
//! By llama.cpp's own product of a Q4_K matrix, with the kernels that this process would decode with and without repacked
//! weights. Knows no model.

use std::ptr::NonNull;
use std::time::{Duration, Instant};

use llama_cpp_sys_2 as sys;

use crate::Llama;

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
    context: NonNull<sys::ggml_context>,
    buffer: NonNull<sys::ggml_backend_buffer>,
    graph: *mut sys::ggml_cgraph,
    weight_bytes: usize,
}

impl Product {
    fn new(rows: i64, texts: i64, threads: u32) -> Option<Self> {
        // SAFETY: a context without memory of its own holds three tensors and a graph, for which there is room; the
        // tensors get theirs from the back end. What was made is freed once: here, or when the product is dropped.
        unsafe {
            let backend = NonNull::new(sys::ggml_backend_cpu_init())?;
            sys::ggml_backend_cpu_set_n_threads(backend.as_ptr(), threads.max(1) as i32);
            let mem_size = 8 * sys::ggml_tensor_overhead() + sys::ggml_graph_overhead();
            let room = sys::ggml_init_params { mem_size, mem_buffer: std::ptr::null_mut(), no_alloc: true };
            let Some(context) = NonNull::new(sys::ggml_init(room)) else {
                sys::ggml_backend_free(backend.as_ptr());
                return None;
            };
            let weights = sys::ggml_new_tensor_2d(context.as_ptr(), sys::GGML_TYPE_Q4_K, WIDTH, rows);
            let activations = sys::ggml_new_tensor_2d(context.as_ptr(), sys::GGML_TYPE_F32, WIDTH, texts);
            let product = sys::ggml_mul_mat(context.as_ptr(), weights, activations);
            let graph = sys::ggml_new_graph(context.as_ptr());
            sys::ggml_build_forward_expand(graph, product);
            let buffer = sys::ggml_backend_alloc_ctx_tensors(context.as_ptr(), backend.as_ptr());
            let Some(buffer) = NonNull::new(buffer) else {
                sys::ggml_free(context.as_ptr());
                sys::ggml_backend_free(backend.as_ptr());
                return None;
            };
            // Ordinary numbers in every type: with subnormal ones a product may take longer.
            sys::ggml_backend_buffer_clear(buffer.as_ptr(), 0x11);
            Some(Self { backend, context, buffer, graph, weight_bytes: sys::ggml_nbytes(weights) })
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
        unsafe {
            sys::ggml_backend_buffer_free(self.buffer.as_ptr());
            sys::ggml_free(self.context.as_ptr());
            sys::ggml_backend_free(self.backend.as_ptr());
        }
    }
}
