//! Owns how a manifest holds its runs, and what each of them loaded.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::format::{Levels, Unknown, both_ways, each};
use crate::{engine, hardware, manifest, model, runner};

/// One invocation of `moe-sweep run` that computed something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunEntry {
    started_unix_s: u64,
    command_line: Vec<String>,
    hardware: Hardware,
    threads: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    batch: Option<u32>,
    #[serde(default)]
    samplers: Samplers,
    #[serde(default)]
    sharing: Sharing,
    #[serde(default, skip_serializing_if = "LoadMode::is_auto")]
    load_mode: LoadMode,
    ended: String,
    trials_done: usize,
    #[serde(flatten)]
    effort: Effort,
    seconds: f64,
    /// Absent where it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ceiling: Option<Ceiling>,
    loads: Vec<LoadEntry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Ceiling {
    floats_per_s: f64,
    bytes_per_s: f64,
    memory_bytes_per_s: f64,
}
both_ways!(Ceiling, hardware::Ceiling { floats_per_s, bytes_per_s, memory_bytes_per_s });

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Hardware {
    os: Option<String>,
    architecture: String,
    cpu: Option<String>,
    usable_cores: u32,
    memory_bytes: Option<u64>,
}
both_ways!(Hardware, hardware::Hardware { os, architecture, cpu, usable_cores, memory_bytes });

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Samplers {
    Fast,
    /// Once the only ones.
    #[default]
    Llama,
}
both_ways!(enum Samplers, engine::Samplers { Fast, Llama });

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sharing {
    None,
    Prompt,
    /// Once the only way.
    #[default]
    Trie,
}
both_ways!(enum Sharing, engine::Sharing { None, Prompt, Trie });

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LoadMode {
    /// Once the only one.
    #[default]
    Auto,
    Mmap,
    None,
}
both_ways!(enum LoadMode, engine::LoadMode { Auto, Mmap, None });

impl LoadMode {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}

/// Whether nothing was counted, as in manifests before it was.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_none_yet(count: &u64) -> bool {
    *count == 0
}

/// What was computed; 0 where it was not counted yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Effort {
    evaluated_tokens: u64,
    fast_draws: u64,
    llama_draws: u64,
    moved_sequences: u64,
    #[serde(skip_serializing_if = "is_none_yet")]
    shared_head_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    widths: Option<Widths>,
}
both_ways!(
    Effort,
    engine::Effort { evaluated_tokens, fast_draws, llama_draws, moved_sequences, shared_head_tokens, widths: maybe }
);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Widths {
    steps: u64,
    step_tokens: u64,
    wide_steps: u64,
    wide_step_tokens: u64,
    widest_step: u64,
    prompt_tokens: u64,
    wide_prompt_tokens: u64,
}
both_ways!(
    Widths,
    engine::Widths { steps, step_tokens, wide_steps, wide_step_tokens, widest_step, prompt_tokens, wide_prompt_tokens }
);

/// A model that was loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct LoadEntry {
    #[serde(flatten)]
    key: Levels,
    /// Absent before quantisations were made here.
    #[serde(default)]
    file: Option<ModelFile>,
    times: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kernels: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    broken_kernels: Vec<String>,
    /// Absent before there were lanes.
    #[serde(default)]
    strategy: Option<Strategy>,
    #[serde(flatten)]
    effort: Effort,
    /// Absent before it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    generating_seconds: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    products_per_token: Option<u64>,
    seconds: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    engine_seconds: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    footprint: Option<Footprint>,
    #[serde(default)]
    probe: Option<ProbeReport>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ModelFile {
    #[serde(with = "crate::any_path")]
    path: PathBuf,
    blake3: String,
    size_bytes: u64,
}
both_ways!(ModelFile, model::ModelFile { path, blake3, size_bytes });

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Strategy {
    lanes: u32,
    threads: u32,
    /// The texts decoded together, which files call rows.
    #[serde(rename = "rows")]
    batch: u32,
}
both_ways!(Strategy, engine::Strategy { lanes, threads, batch });

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Footprint {
    places: Vec<Holding>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    takeover: Option<Takeover>,
}
both_ways!(Footprint, engine::Footprint { places: each, takeover: maybe });

/// What one device holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Holding {
    device: String,
    kind: DeviceKind,
    expert_bytes: u64,
    other_weight_bytes: u64,
    cache_bytes: u64,
    compute_bytes: u64,
}
both_ways!(
    Holding,
    engine::Holding { device, kind: into, expert_bytes, other_weight_bytes, cache_bytes, compute_bytes }
);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DeviceKind {
    Cpu,
    Gpu,
    IntegratedGpu,
    Accelerator,
    Unknown,
}
both_ways!(enum DeviceKind, engine::DeviceKind { Cpu, Gpu, IntegratedGpu, Accelerator, Unknown });

/// When a device beside the host computes products of experts that are on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Takeover {
    Never,
    From(u32),
}

/// What came of texts that were made again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ProbeReport {
    repeated: u32,
    agreed: u32,
    first_differences: Vec<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alone: Option<Speed>,
}
both_ways!(ProbeReport, runner::ProbeReport { repeated, agreed, first_differences, alone: maybe });

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Speed {
    tokens: u64,
    seconds: f64,
    first_token_seconds: Option<f64>,
}
both_ways!(Speed, runner::Speed { tokens, seconds, first_token_seconds });

impl From<engine::Takeover> for Takeover {
    fn from(takeover: engine::Takeover) -> Self {
        match takeover {
            engine::Takeover::Never => Self::Never,
            engine::Takeover::From(least) => Self::From(least),
        }
    }
}

impl From<Takeover> for engine::Takeover {
    fn from(takeover: Takeover) -> Self {
        match takeover {
            Takeover::Never => Self::Never,
            Takeover::From(least) => Self::From(least),
        }
    }
}

impl From<manifest::RunEntry> for RunEntry {
    fn from(entry: manifest::RunEntry) -> Self {
        let manifest::RunEntry {
            started_unix_s,
            command_line,
            hardware,
            threads,
            batch,
            samplers,
            sharing,
            load_mode,
            ended,
            trials_done,
            effort,
            seconds,
            ceiling,
            loads,
        } = entry;
        Self {
            started_unix_s,
            command_line,
            hardware: hardware.into(),
            threads,
            batch,
            samplers: samplers.into(),
            sharing: sharing.into(),
            load_mode: load_mode.into(),
            ended,
            trials_done,
            effort: effort.into(),
            seconds,
            ceiling: ceiling.map(Into::into),
            loads: loads.into_iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<RunEntry> for manifest::RunEntry {
    type Error = Unknown;

    fn try_from(entry: RunEntry) -> Result<Self, Unknown> {
        let RunEntry {
            started_unix_s,
            command_line,
            hardware,
            threads,
            batch,
            samplers,
            sharing,
            load_mode,
            ended,
            trials_done,
            effort,
            seconds,
            ceiling,
            loads,
        } = entry;
        Ok(Self {
            started_unix_s,
            command_line,
            hardware: hardware.into(),
            threads,
            batch,
            samplers: samplers.into(),
            sharing: sharing.into(),
            load_mode: load_mode.into(),
            ended,
            trials_done,
            effort: effort.into(),
            seconds,
            ceiling: ceiling.map(Into::into),
            loads: each(loads)?,
        })
    }
}

impl From<manifest::LoadEntry> for LoadEntry {
    fn from(entry: manifest::LoadEntry) -> Self {
        let manifest::LoadEntry {
            key,
            file,
            times,
            kernels,
            broken_kernels,
            strategy,
            effort,
            generating_seconds,
            products_per_token,
            seconds,
            engine_seconds,
            footprint,
            probe,
        } = entry;
        Self {
            key: (&key).into(),
            file: file.map(Into::into),
            times,
            kernels,
            broken_kernels,
            strategy: strategy.map(Into::into),
            effort: effort.into(),
            generating_seconds,
            products_per_token,
            seconds,
            engine_seconds,
            footprint: footprint.map(Into::into),
            probe: probe.map(Into::into),
        }
    }
}

impl TryFrom<LoadEntry> for manifest::LoadEntry {
    type Error = Unknown;

    fn try_from(entry: LoadEntry) -> Result<Self, Unknown> {
        let LoadEntry {
            key,
            file,
            times,
            kernels,
            broken_kernels,
            strategy,
            effort,
            generating_seconds,
            products_per_token,
            seconds,
            engine_seconds,
            footprint,
            probe,
        } = entry;
        Ok(Self {
            key: key.try_into()?,
            file: file.map(Into::into),
            times,
            kernels,
            broken_kernels,
            strategy: strategy.map(Into::into),
            effort: effort.into(),
            generating_seconds,
            products_per_token,
            seconds,
            engine_seconds,
            footprint: footprint.map(Into::into),
            probe: probe.map(Into::into),
        })
    }
}
