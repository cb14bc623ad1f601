//! Owns which of llama.cpp's messages are told, all of them on stderr.

use std::ffi::{CStr, c_char, c_void};
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU32, Ordering};

use llama_cpp_sys_2 as sys;

/// From which level on messages are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Messages {
    /// Warnings and errors.
    Warnings,
    Info,
    Debug,
}

/// llama.cpp has one log in a process.
static LEAST: AtomicU32 = AtomicU32::new(sys::GGML_LOG_LEVEL_WARN);

/// Tells these from here on; warnings, before it is called.
pub fn tell(messages: Messages) {
    let least = match messages {
        Messages::Warnings => sys::GGML_LOG_LEVEL_WARN,
        Messages::Info => sys::GGML_LOG_LEVEL_INFO,
        Messages::Debug => sys::GGML_LOG_LEVEL_DEBUG,
    };
    LEAST.store(least, Ordering::Relaxed);
}

/// Has llama.cpp's messages come here.
pub(crate) fn listen() {
    // SAFETY: the callback is a plain function, and what it reads may be read at any time.
    unsafe { sys::llama_log_set(Some(log), std::ptr::null_mut()) };
}

extern "C" fn log(level: sys::ggml_log_level, text: *const c_char, _: *mut c_void) {
    let least = LEAST.load(Ordering::Relaxed);
    // What goes on a message has no level of its own; warnings are whole.
    let goes_on = level == sys::GGML_LOG_LEVEL_CONT;
    let is_told = if goes_on { least < sys::GGML_LOG_LEVEL_WARN } else { level >= least };
    if is_told {
        // SAFETY: llama.cpp hands over a NUL-terminated string that lives during the call.
        let text = unsafe { CStr::from_ptr(text) };
        // Nobody may be left to read it.
        let _ = io::stderr().write_all(text.to_bytes());
    }
}
