//! moe-sweep
