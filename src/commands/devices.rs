//! `moe-sweep devices`: what llama.cpp can compute on here.

use std::fmt::Write as _;
use std::time::Duration;

use miette::{Report, miette};
use serde::Serialize;

use super::{Failure, print_json, tell};
use crate::cli::DevicesArgs;
use crate::domain::Numerics;
use crate::engine::{Device, Devices};
use crate::exit_code::ExitCode;
use crate::model::human_bytes;
use crate::plain::neutralise;
use crate::prepare::executable;
use crate::worker::protocol::{Reply, Request};
use crate::worker::{Exchange, Heard, Limits, Worker};

/// Drivers take seconds to start at most.
const TIMEOUT: Duration = Duration::from_secs(60);
/// What ggml's Vulkan back end reads for the drivers it may use.
const VISIBLE: &str = "GGML_VK_VISIBLE_DEVICES";

#[cfg(feature = "llama")]
const UNLISTED: &str = "a driver may be broken or GGML_VK_VISIBLE_DEVICES name one that is not there: unset it, or give \
                        indices that `vulkaninfo --summary` lists";
#[cfg(not(feature = "llama"))]
const UNLISTED: &str = crate::engine::llama::REMEDY;

/// What `--json` prints.
#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    devices: &'a Devices,
    remedy: Option<&'a str>,
}

pub fn devices(args: &DevicesArgs) -> Result<ExitCode, Failure> {
    let devices = ask_worker()?;
    let visible = std::env::var(VISIBLE).ok();
    let remedy = devices.remedy(visible.as_deref());
    if args.json {
        return print_json(&Listed { devices: &devices, remedy: remedy.as_deref() });
    }
    tell(&describe(&devices, remedy.as_deref()))
}

/// A driver can take its process with it: it starts in a worker.
fn ask_worker() -> Result<Devices, Failure> {
    let executable = executable()?;
    let failed = |reason: String| -> Failure {
        Failure::bad_setup(miette!(help = UNLISTED, "llama.cpp can't list its devices: {reason}"))
    };
    let mut worker = Worker::start(&executable, Numerics::Invariant)
        .map_err(|error| Failure::internal(Report::msg(format!("cannot start {}: {error}", executable.display()))))?;
    let exchange = Exchange::begin(&mut worker, &Request::Devices, Limits::silence(TIMEOUT));
    let devices = exchange.answer(|reply| match reply {
        Reply::Devices(devices) => Heard::Answer(devices),
        other => Heard::out_of_turn(&other),
    });
    devices.map_err(|unanswered| failed(unanswered.to_string()))
}

fn describe(devices: &Devices, remedy: Option<&str>) -> String {
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
