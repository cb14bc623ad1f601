//! What llama.cpp can compute on here, as `devices` shows it.

use std::fmt::Write as _;

use serde::Serialize;

use crate::engine::{Device, Devices};
use crate::model::human_bytes;
use crate::plain::neutralise;

/// The devices in the shape in which `--json` prints them.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Listed<'a> {
    #[serde(flatten)]
    pub devices: &'a Devices,
    /// What to do where none but the host is seen.
    pub remedy: Option<&'a str>,
}

/// The same in words, a line a device.
pub fn text(Listed { devices, remedy }: Listed<'_>) -> String {
    let mut text = String::new();
    for Device { name, description, backend, kind, memory_total_bytes, memory_free_bytes } in &devices.devices {
        let memory = match (memory_free_bytes, memory_total_bytes) {
            (Some(free), Some(total)) => format!("{} free of {}", human_bytes(*free), human_bytes(*total)),
            _ => "memory not told".to_owned(),
        };
        let line = format!("{name:<10} {:<14} {memory:<28} {description} ({backend})", kind.name());
        let _ = writeln!(text, "{}", neutralise(&line));
    }
    if let Some(remedy) = remedy {
        let _ = writeln!(text, "\nno device but the host: {}", neutralise(remedy));
    }
    text
}
