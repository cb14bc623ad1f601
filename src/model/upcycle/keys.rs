//! Names the keys of a mixture's metadata that say what was done to which file.

/// The dense model's SHA-256, lower-case hexadecimal.
pub const FROM_SHA256: &str = "moe_sweep.upcycled.from_sha256";
pub const EXPERTS: &str = "moe_sweep.upcycled.experts";
pub const USED: &str = "moe_sweep.upcycled.used";
pub const NOISE: &str = "moe_sweep.upcycled.noise";
pub const SEED: &str = "moe_sweep.upcycled.seed";
