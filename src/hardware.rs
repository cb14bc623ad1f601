//! Describes the machine that a run happens on, as the manifest records it, and says which cores and how much memory
//! are free, and what its pace is. Must not know what is run, nor how the pace is measured.

use serde::{Deserialize, Serialize};
use sysinfo::{CpuRefreshKind, System};

/// What the system would not tell is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hardware {
    pub os: Option<String>,
    pub architecture: String,
    pub cpu: Option<String>,
    /// Cores that this process may use.
    pub usable_cores: u32,
    pub memory_bytes: Option<u64>,
}

/// How fast quantised weights are multiplied on the host, on all threads of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    /// Bytes of weights that one text alone reads a second, out of memory.
    pub weight_bytes_per_s: f64,
    /// Multiplications of a weight with an activation a second, each with its addition, for many texts together.
    pub products_per_s: f64,
}

/// What the machine can do at most, on all threads of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ceiling {
    /// Products of two 32-bit floats that are added up a second.
    pub floats_per_s: f64,
    /// Products of two bytes that are added up a second.
    pub bytes_per_s: f64,
    /// Bytes read from memory a second.
    pub memory_bytes_per_s: f64,
}

/// What was measured of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bench {
    pub threads: u32,
    /// None where there is nothing to go by.
    pub pace: Option<Pace>,
    /// None where the kernels' instructions are not known.
    pub ceiling: Option<Ceiling>,
}

impl Hardware {
    pub fn survey() -> Self {
        let system = System::new().ok().map(|mut system| {
            system.refresh_memory();
            system.refresh_cpu_list(CpuRefreshKind::nothing());
            system
        });
        let cpu = system.as_ref().and_then(|system| system.cpus().first()).map(|cpu| cpu.brand().trim().to_owned());
        Self {
            os: System::long_os_version().ok(),
            architecture: std::env::consts::ARCH.to_owned(),
            cpu,
            usable_cores: usable_cores(),
            memory_bytes: system.map(|system| system.total_memory()),
        }
    }
}

/// Cores that this process may use: CPU affinity and cgroup quotas count.
pub fn usable_cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32)
}

/// Memory that this process could still take: free memory, within the limits
/// of its cgroup. Cached files count as free: a model that was hashed a moment
/// ago fills the cgroup's usage, and gives way to what is allocated.
pub fn available_memory_bytes() -> Option<u64> {
    let mut system = System::new().ok()?;
    system.refresh_memory();
    let limited =
        system.cgroup_limits().map(|limits| limits.free_memory.max(limits.total_memory.saturating_sub(limits.rss)));
    Some(limited.map_or(system.available_memory(), |limit| limit.min(system.available_memory())))
}
