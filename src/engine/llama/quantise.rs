//! Bringing a model's weights to another type, by llama.cpp's own quantiser.

use std::ffi::CString;
use std::path::Path;

use llama_cpp_sys_2 as sys;

use super::Llama;
use crate::domain::Quant;
use crate::engine::{EngineError, Quantisation};

impl Llama {
    /// Writes `quantisation.target` anew from `quantisation.source`.
    ///
    /// # Errors
    /// When llama.cpp refuses, as it does for weights that are quantised
    /// already; its reason is on stderr.
    pub fn quantise(&self, quantisation: &Quantisation) -> Result<(), EngineError> {
        let Quantisation { source, target, quant, threads } = quantisation;
        let refused =
            |reason: &str| EngineError::Quantise { path: source.clone(), quant: *quant, reason: reason.to_owned() };
        let c_path = |path: &Path| {
            CString::new(path.as_os_str().as_encoded_bytes()).map_err(|_| refused("its path holds a NUL byte"))
        };
        let (from, to) = (c_path(source)?, c_path(target)?);
        // SAFETY: plain data, filled in by llama.cpp.
        let mut params = unsafe { sys::llama_model_quantize_default_params() };
        params.ftype = file_type(*quant).ok_or_else(|| refused("source means the file as it is"))?;
        params.nthread = *threads as i32;
        // SAFETY: both paths and the parameters live during the call.
        match unsafe { sys::llama_model_quantize(from.as_ptr(), to.as_ptr(), &params) } {
            0 => Ok(()),
            _ => Err(refused("llama.cpp's quantiser refused: it takes weights in F32, F16 or BF16 only")),
        }
    }
}

/// llama.cpp's number for a type; none for the file as it is.
fn file_type(quant: Quant) -> Option<sys::llama_ftype> {
    Some(match quant {
        Quant::Source => return None,
        Quant::F32 => sys::LLAMA_FTYPE_ALL_F32,
        Quant::F16 => sys::LLAMA_FTYPE_MOSTLY_F16,
        Quant::BF16 => sys::LLAMA_FTYPE_MOSTLY_BF16,
        Quant::Q8_0 => sys::LLAMA_FTYPE_MOSTLY_Q8_0,
        Quant::Q6_K => sys::LLAMA_FTYPE_MOSTLY_Q6_K,
        Quant::Q5_K_M => sys::LLAMA_FTYPE_MOSTLY_Q5_K_M,
        Quant::Q5_K_S => sys::LLAMA_FTYPE_MOSTLY_Q5_K_S,
        Quant::Q4_K_M => sys::LLAMA_FTYPE_MOSTLY_Q4_K_M,
        Quant::Q4_K_S => sys::LLAMA_FTYPE_MOSTLY_Q4_K_S,
        Quant::Q4_0 => sys::LLAMA_FTYPE_MOSTLY_Q4_0,
        Quant::Q3_K_L => sys::LLAMA_FTYPE_MOSTLY_Q3_K_L,
        Quant::Q3_K_M => sys::LLAMA_FTYPE_MOSTLY_Q3_K_M,
        Quant::Q3_K_S => sys::LLAMA_FTYPE_MOSTLY_Q3_K_S,
        Quant::Q2_K => sys::LLAMA_FTYPE_MOSTLY_Q2_K,
        Quant::IQ4_XS => sys::LLAMA_FTYPE_MOSTLY_IQ4_XS,
        Quant::MXFP4_MOE => sys::LLAMA_FTYPE_MOSTLY_MXFP4_MOE,
    })
}
