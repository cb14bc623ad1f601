//! Has llama.cpp's allocations say on stderr that they failed, whatever comes of it.

unsafe extern "C" {
    fn moe_sweep_tell_of_want();
}

/// From now on, in this process.
pub(crate) fn tell_of_want_of_memory() {
    // SAFETY: sets a function that lives as long as the process.
    unsafe { moe_sweep_tell_of_want() };
}
