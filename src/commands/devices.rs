//! Is `moe-sweep devices`, which says what llama.cpp can compute on here.

use super::{Failure, print_json, tell};
use crate::cli::DevicesArgs;
use crate::exit_code::ExitCode;
use crate::hardware::usable_cores;
use crate::prepare::executable;
use crate::report::devices::{Listed, Measured, text};
use crate::worker::{DevicesError, bench, kernels, list_devices};

/// What ggml's Vulkan back end reads for the drivers it may use.
const VISIBLE: &str = "GGML_VK_VISIBLE_DEVICES";

pub fn devices(args: &DevicesArgs) -> Result<ExitCode, Failure> {
    let executable = executable(None)?;
    let devices = list_devices(&executable)?;
    let remedy = devices.remedy(std::env::var(VISIBLE).ok().as_deref());
    let measured = if args.bench {
        let bench = bench(&executable, usable_cores())?;
        Some(Measured { kernels: kernels(&executable).map_err(DevicesError::from)?, bench })
    } else {
        None
    };
    let listed = Listed { devices: &devices, remedy: remedy.as_deref(), measured };
    if args.json { print_json(&listed) } else { tell(&text(listed)) }
}
