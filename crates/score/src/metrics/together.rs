//! Runs two computations of one text on two threads, where it is long enough to be worth it.

/// Texts of fewer bytes are scored before another thread has begun; whole sweeps of them are
/// divided among threads text by text anyway.
const LONG: usize = 1 << 17;

pub(super) fn together<A: Send, B: Send>(
    n_bytes: usize,
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B + Send,
) -> (A, B) {
    if n_bytes < LONG { (first(), second()) } else { rayon::join(first, second) }
}
