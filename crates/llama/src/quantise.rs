//! Brings a model's weights to another type, by llama.cpp's own quantiser.

use std::ffi::CString;
use std::path::Path;

use llama_cpp_sys_2 as sys;

use crate::{Error, Llama};

/// llama.cpp's file types, as `llama-quantize` spells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(non_camel_case_types, reason = "llama.cpp's spelling")]
pub enum FileType {
    F32,
    F16,
    BF16,
    Q8_0,
    Q6_K,
    Q5_K_M,
    Q5_K_S,
    Q4_K_M,
    Q4_K_S,
    Q4_0,
    Q3_K_L,
    Q3_K_M,
    Q3_K_S,
    Q2_K,
    IQ4_XS,
    MXFP4_MOE,
}

impl Llama {
    /// Writes `target` from `source`, its weights brought to `file_type`, on so many threads.
    ///
    /// # Errors
    /// When llama.cpp refuses, as it does for weights that are quantised
    /// already; its reason is on stderr.
    pub fn quantise(&self, source: &Path, target: &Path, file_type: FileType, threads: u32) -> Result<(), Error> {
        let refused = |reason: &str| Error::Quantise { path: source.to_owned(), reason: reason.to_owned() };
        let c_path = |path: &Path| {
            CString::new(path.as_os_str().as_encoded_bytes()).map_err(|_| refused("its path contains a NUL byte"))
        };
        let (from, to) = (c_path(source)?, c_path(target)?);
        // SAFETY: plain data, filled in by llama.cpp.
        let mut params = unsafe { sys::llama_model_quantize_default_params() };
        params.ftype = number_of(file_type);
        params.nthread = threads as i32;
        // SAFETY: both paths and the parameters live during the call.
        match unsafe { sys::llama_model_quantize(from.as_ptr(), to.as_ptr(), &params) } {
            0 => Ok(()),
            _ => Err(refused("llama.cpp's quantiser refused: it needs weights in F32, F16 or BF16")),
        }
    }
}

fn number_of(file_type: FileType) -> sys::llama_ftype {
    match file_type {
        FileType::F32 => sys::LLAMA_FTYPE_ALL_F32,
        FileType::F16 => sys::LLAMA_FTYPE_MOSTLY_F16,
        FileType::BF16 => sys::LLAMA_FTYPE_MOSTLY_BF16,
        FileType::Q8_0 => sys::LLAMA_FTYPE_MOSTLY_Q8_0,
        FileType::Q6_K => sys::LLAMA_FTYPE_MOSTLY_Q6_K,
        FileType::Q5_K_M => sys::LLAMA_FTYPE_MOSTLY_Q5_K_M,
        FileType::Q5_K_S => sys::LLAMA_FTYPE_MOSTLY_Q5_K_S,
        FileType::Q4_K_M => sys::LLAMA_FTYPE_MOSTLY_Q4_K_M,
        FileType::Q4_K_S => sys::LLAMA_FTYPE_MOSTLY_Q4_K_S,
        FileType::Q4_0 => sys::LLAMA_FTYPE_MOSTLY_Q4_0,
        FileType::Q3_K_L => sys::LLAMA_FTYPE_MOSTLY_Q3_K_L,
        FileType::Q3_K_M => sys::LLAMA_FTYPE_MOSTLY_Q3_K_M,
        FileType::Q3_K_S => sys::LLAMA_FTYPE_MOSTLY_Q3_K_S,
        FileType::Q2_K => sys::LLAMA_FTYPE_MOSTLY_Q2_K,
        FileType::IQ4_XS => sys::LLAMA_FTYPE_MOSTLY_IQ4_XS,
        FileType::MXFP4_MOE => sys::LLAMA_FTYPE_MOSTLY_MXFP4_MOE,
    }
}
