//! What llama.cpp can compute on here, as `devices` shows it.

use std::fmt::Write as _;

use serde::Serialize;

use crate::engine::kernels::ChosenKernels;
use crate::engine::{Device, Devices};
use crate::hardware::{Bench, Ceiling, Pace};
use crate::model::human_bytes;
use crate::plain::neutralise;

/// The devices in the shape in which `--json` prints them.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Listed<'a> {
    #[serde(flatten)]
    pub devices: &'a Devices,
    /// What to do where none but the host is seen.
    pub remedy: Option<&'a str>,
    /// What was measured of the host, where that was asked for.
    #[serde(flatten)]
    pub measured: Option<Measured<'a>>,
}

/// What the host can do.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Measured<'a> {
    pub kernels: &'a ChosenKernels,
    pub bench: Bench,
}

/// The same in words, a line a device.
pub fn text(Listed { devices, remedy, measured }: Listed<'_>) -> String {
    let mut text = String::new();
    for Device { name, description, backend, kind, memory_total_bytes, memory_free_bytes } in &devices.devices {
        let memory = match (memory_free_bytes, memory_total_bytes) {
            (Some(free), Some(total)) => format!("{} free of {}", human_bytes(*free), human_bytes(*total)),
            _ => "memory unknown".to_owned(),
        };
        let line = format!("{name:<10} {:<14} {memory:<28} {description} ({backend})", kind.name());
        let _ = writeln!(text, "{}", neutralise(&line));
    }
    if let Some(remedy) = remedy {
        let _ = writeln!(text, "\nno GPU, only the CPU: {}", neutralise(remedy));
    }
    if let Some(measured) = measured {
        text += &measured_text(measured);
    }
    text
}

/// What the host can do, a line each.
fn measured_text(Measured { kernels, bench }: Measured<'_>) -> String {
    let Bench { threads, pace, ceiling } = bench;
    let giga = |per_s: f64| format!("{:.1}", per_s / 1e9);
    let mut text = format!("\nkernels for quantised weights: {}\n", kernels.kernels);
    for (tried, finding) in &kernels.tried {
        let _ = writeln!(text, "  {tried:<10} {finding}");
    }
    let _ = writeln!(text, "on {threads} thread{}, billions per second:", if threads == 1 { "" } else { "s" });
    let mut line = |what: &str, per_s: f64| {
        let _ = writeln!(text, "  {:>8}  {what}", giga(per_s));
    };
    if let Some(Pace { weight_bytes_per_s, products_per_s }) = pace {
        line("products of Q4_K weights, 64 texts together", products_per_s);
        line("bytes of Q4_K weights, one text alone", weight_bytes_per_s);
    }
    if let Some(Ceiling { floats_per_s, bytes_per_s, memory_bytes_per_s }) = ceiling {
        line("products of bytes at most", bytes_per_s);
        line("products of 32-bit floats at most, as in sgemm", floats_per_s);
        line("bytes from memory at most", memory_bytes_per_s);
    }
    text
}
