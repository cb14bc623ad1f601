//! What the header tells, and the memory that is estimated from it, against
//! llama.cpp itself: its counts, and the sizes of the buffers that it logs.

use std::ffi::{CStr, c_char, c_void};
use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use llama::llama_cpp_2::context::params::LlamaContextParams;
use llama::llama_cpp_2::llama_backend::LlamaBackend;
use llama::llama_cpp_2::model::LlamaModel;
use llama::llama_cpp_2::model::params::LlamaModelParams;
use llama::llama_cpp_sys_2 as sys;
use moe_sweep::domain::Offload;
use moe_sweep::model::Anatomy;
use moe_sweep::model::gguf::Gguf;
use moe_sweep::model::memory::{Estimate, Room};

use crate::support::alone::alone;

static LOG: Mutex<String> = Mutex::new(String::new());

extern "C" fn log(_: sys::ggml_log_level, text: *const c_char, _: *mut c_void) {
    // SAFETY: llama.cpp logs NUL-terminated text.
    let text = unsafe { CStr::from_ptr(text) };
    LOG.lock().expect("nobody panics with the log").push_str(&text.to_string_lossy());
}

/// The bundled models.
fn models() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let entries = fs::read_dir(directory).expect("the bundled models");
    let mut models: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    models.retain(|path| path.extension().is_some_and(|extension| extension == "gguf"));
    assert!(!models.is_empty());
    models
}

/// The sum of the sizes that the log states as `NAME = X MiB`, in bytes.
fn logged(log: &str, name: &str) -> f64 {
    let sizes = log.lines().filter_map(|line| line.split_once(&format!("{name} = "))).map(|(_, size)| {
        let size = size.trim().split(' ').next().expect("a size");
        size.parse::<f64>().expect("a number of MiB")
    });
    sizes.sum::<f64>() * f64::from(1 << 20)
}

/// Of a context as the engine makes one (`crates/llama/src/context.rs`), with and without flash attention.
fn context_log(
    backend: &LlamaBackend,
    model: &LlamaModel,
    context: u32,
    room: Room,
    flash_attention: sys::llama_flash_attn_type,
) -> String {
    let sequences = u32::try_from(room.sequences()).expect("few sequences");
    let n_batch = context.max(sequences);
    let params = LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(context * sequences))
        .with_n_seq_max(sequences)
        .with_n_batch(n_batch)
        .with_n_ubatch(512.min(n_batch))
        .with_flash_attention_policy(flash_attention)
        .with_kv_unified(false);
    LOG.lock().expect("nobody panics with the log").clear();
    let made = model.new_context(backend, params).expect("a context");
    let log = LOG.lock().expect("nobody panics with the log").clone();
    drop(made);
    log
}

#[test]
fn the_header_and_the_estimate_agree_with_llama_cpp() {
    // llama.cpp's log is one of the process.
    alone("memory::the_header_and_the_estimate_agree_with_llama_cpp", &[], compare);
}

fn compare() {
    let backend = LlamaBackend::init().expect("llama.cpp");
    for path in models() {
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let anatomy = Anatomy::of(&Gguf::read(&path).expect("a bundled model")).expect("a bundled model");
        // SAFETY: the callback is a function of this program's.
        unsafe { sys::llama_log_set(Some(log), std::ptr::null_mut()) };
        let model = LlamaModel::load_from_file(&backend, &path, &LlamaModelParams::default()).expect("a model");
        assert_eq!(anatomy.parameters.total, model.n_params(), "{name}");
        assert_eq!(anatomy.weights.bytes, model.size(), "{name}");
        assert_eq!(anatomy.vocabulary_size, Some(model.n_vocab().unsigned_abs().into()), "{name}");
        assert_eq!(anatomy.context_length, Some(model.n_ctx_train().into()), "{name}");

        for (context, batch) in [(64, 1), (512, 1), (512, 64), (1000, 7), (4096, 1)] {
            let case = format!("{name}, context {context}, {batch} texts");
            let room = Room { lanes: 1, batch };
            let estimate = Estimate::of(&anatomy, Offload::None, context);
            for flash_attention in [sys::LLAMA_FLASH_ATTN_TYPE_DISABLED, sys::LLAMA_FLASH_ATTN_TYPE_AUTO] {
                let log = context_log(&backend, &model, context, room, flash_attention);
                let cache = logged(&log, "KV buffer size");
                let estimated = estimate.kv_bytes(room.sequences()) as f64;
                assert!((cache - estimated).abs() < 16e3, "{case}: the cache is {cache}, not {estimated}");
                let buffers = logged(&log, "compute buffer size") + logged(&log, "output buffer size");
                assert!(buffers > 0.0, "{case}: no buffers in the log\n{log}");
                let estimated = estimate.compute_bytes(room.sequences()) as f64;
                assert!(buffers <= estimated, "{case}: the buffers are {buffers}, more than {estimated}");
                if flash_attention == sys::LLAMA_FLASH_ATTN_TYPE_DISABLED {
                    // Of some use: near the truth where it is large.
                    assert!(estimated <= 2.0 * buffers + f64::from(32 << 20), "{case}: {estimated} for {buffers}");
                }
            }
        }
    }
}
