//! What candle's fused CPU operations share: it has some, but none with a gradient.
//!
//! Each operation here does in one pass over memory what would be five to ten, which is most of
//! the time of training a small model on a CPU.

use candle_core::{CpuStorage, Layout, Result, Tensor, bail};

/// The values behind a contiguous layout.
pub fn floats<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&storage.as_slice::<f32>()?[from..to]),
        None => bail!("a fused operation needs contiguous values"),
    }
}

/// The values of a tensor, in order.
pub fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}
