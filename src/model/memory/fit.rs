//! Decides whether a model fits in what is free, and says what would, if it does not.

use std::fmt;

use miette::Diagnostic;

use super::room::{Free, Room};
use super::{CACHE_STEP, Estimate};
use crate::domain::Offload;
use crate::model::human_bytes;

/// Bits that a weight takes, on average over a model (llama.cpp's
/// `tools/quantize/README.md` for Llama 3.1 8B; others differ by a few percent).
const SMALLER: [(&str, f64); 3] = [("q8_0", 8.5), ("q4_k_m", 4.85), ("q2_k", 3.2)];

/// Figures and what would fit.
#[derive(Clone, Debug, PartialEq, thiserror::Error, Diagnostic)]
#[error("{needs}, but only {free} are free{memory}", needs = self.needs(), free = human_bytes(self.free_bytes), memory = self.memory)]
#[diagnostic(help("{}", self.advice()))]
pub struct DoesNotFit {
    pub weights_bytes: u64,
    pub kv_bytes: u64,
    pub compute_bytes: u64,
    pub free_bytes: u64,
    pub room: Room,
    pub context: u32,
    pub would: Would,
    memory: Memory,
}

/// Which memory is too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    Host,
    Device,
    /// The host's, of which weights only are needed.
    HostBesideDevice,
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "",
            Self::HostBesideDevice => " in CPU memory",
            Self::Device => " in GPU memory",
        })
    }
}

/// What would fit; all None where nothing does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Would {
    /// Fewer texts together, or fewer lanes.
    pub room: Option<Room>,
    /// Tokens, at the least room.
    pub context: Option<u32>,
    /// A smaller quantisation, and about how many bytes all would take in it.
    pub quantised: Option<(&'static str, u64)>,
    /// All experts on the host.
    pub offload: bool,
}

impl Estimate {
    /// Whether weights, caches and buffers fit in `free`.
    ///
    /// # Errors
    /// [`DoesNotFit`], with figures and advice.
    pub fn fits(&self, free: Free, room: Room) -> Result<(), DoesNotFit> {
        let (memory, weights_bytes, free_bytes) = match free.device_bytes {
            // The caches and buffers are where the attention is.
            Some(device) if self.total_on_device(room) > device => (Memory::Device, self.weights.device_bytes, device),
            Some(_) if self.weights.host_bytes > free.host_bytes => {
                (Memory::HostBesideDevice, self.weights.host_bytes, free.host_bytes)
            }
            None if self.total_bytes(room) > free.host_bytes => (Memory::Host, self.weights.bytes(), free.host_bytes),
            _ => return Ok(()),
        };
        // Caches and buffers are on the accelerator then.
        let lanes = if memory == Memory::HostBesideDevice { 0 } else { u64::from(room.lanes) };
        let would = match memory {
            Memory::HostBesideDevice => Would::default(),
            Memory::Device => {
                let others = self.total_bytes(Room::LEAST) - self.weights.bytes();
                let device_bytes = self.offloaded.device_bytes.saturating_add(others);
                let offload = self.offload != Offload::All
                    && device_bytes <= free_bytes
                    && self.offloaded.host_bytes <= free.host_bytes;
                Would { offload, ..self.would(weights_bytes, free_bytes, room) }
            }
            Memory::Host => self.would(weights_bytes, free_bytes, room),
        };
        Err(DoesNotFit {
            weights_bytes,
            kv_bytes: self.kv_bytes(room.sequences()).saturating_mul(lanes),
            compute_bytes: self.compute_bytes(room.sequences()).saturating_mul(lanes),
            free_bytes,
            room,
            context: self.context,
            would,
            memory,
        })
    }

    fn total_on_device(&self, room: Room) -> u64 {
        self.total_bytes(room).saturating_sub(self.weights.host_bytes)
    }

    fn would(&self, weights: u64, free: u64, room: Room) -> Would {
        let with = |weights: u64, room: Room| (self.total_bytes(room) - self.weights.bytes()).saturating_add(weights);
        let rooms = (1..=room.batch).rev().map(|batch| Room { lanes: 1, batch });
        let smaller_room = rooms.filter(|&less| less != room).find(|&less| with(weights, less) <= free);
        // The cache alone depends on the context here; the buffers shrink too.
        let context = || {
            let fixed = weights.checked_add(self.compute_bytes(Room::LEAST.sequences()))?;
            let for_cache = free.checked_sub(fixed)? / Room::LEAST.sequences();
            let steps = u64::from(self.context).div_ceil(CACHE_STEP);
            let step_bytes = self.kv_bytes_per_sequence?.checked_div(steps)?.max(1);
            let fitting = (for_cache / step_bytes).saturating_mul(CACHE_STEP);
            u32::try_from(fitting).ok().filter(|&tokens| tokens > 0 && tokens < self.context)
        };
        let quantised = SMALLER.into_iter().find_map(|(name, bits)| {
            let share = weights as f64 / self.weights.bytes().max(1) as f64;
            let small = (self.parameters as f64 * bits / 8.0 * share) as u64;
            let total = with(small, Room::LEAST);
            (small < weights && total <= free).then_some((name, total))
        });
        Would { room: smaller_room, context: context(), quantised, offload: false }
    }
}

impl DoesNotFit {
    fn needs(&self) -> String {
        let Self { room, context, .. } = self;
        if self.memory == Memory::HostBesideDevice {
            return format!("it needs {} for the weights on the CPU", human_bytes(self.weights_bytes));
        }
        let sequences = room.sequences() * u64::from(room.lanes);
        let total = self.weights_bytes.saturating_add(self.kv_bytes).saturating_add(self.compute_bytes);
        format!(
            "it needs about {} (weights {}, cache {} for {sequences} sequences of {context} tokens, buffers {})",
            human_bytes(total),
            human_bytes(self.weights_bytes),
            human_bytes(self.kv_bytes),
            human_bytes(self.compute_bytes)
        )
    }

    /// What would fit, as a sentence.
    pub fn advice(&self) -> String {
        let Would { room, context, quantised, offload } = &self.would;
        let mut ways = Vec::new();
        if let Some(Room { batch, .. }) = room {
            ways.push(format!("--lanes 1 --batch {batch}"));
        }
        if let Some(context) = context {
            ways.push(format!("context = {context} in [generate]"));
        }
        if let Some((quant, bytes)) = quantised {
            ways.push(format!(
                "quant = [\"{quant}\"] in [grid], or a file of that type: about {}",
                human_bytes(*bytes)
            ));
        }
        if *offload {
            ways.push("offload = \"all\", which keeps the experts on the CPU".to_owned());
        }
        if self.memory == Memory::HostBesideDevice {
            ways.push("offload with fewer layers, or \"none\"".to_owned());
        }
        match ways.is_empty() {
            true => "use a smaller model or a machine with more memory, or close programs that use memory".to_owned(),
            false => format!("to make it fit: {}", ways.join("; or ")),
        }
    }
}
