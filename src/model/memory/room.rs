//! Owns what memory is free, and what decodes side by side in it.

/// Memory that is free, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Free {
    pub host_bytes: u64,
    /// None without an accelerator: then all is on the host.
    pub device_bytes: Option<u64>,
}

/// What decodes side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Contexts.
    pub lanes: u32,
    /// Texts that each of them decodes together.
    pub batch: u32,
}

impl Room {
    /// The least that a run can do with.
    pub const LEAST: Self = Self { lanes: 1, batch: 1 };

    /// Of each lane: one is parked, with the prompt, and a text alone has a twin
    /// (`crates/llama/src/sequences.rs`).
    pub fn sequences(self) -> u64 {
        u64::from(self.batch.max(2)) + 1
    }
}
