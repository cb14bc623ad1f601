//! Is `moe-sweep devices`, which says what llama.cpp can compute on here.

use super::{Failure, print_json, tell};
use crate::cli::DevicesArgs;
use crate::exit_code::ExitCode;
use crate::prepare::executable;
use crate::report::devices::{Listed, text};
use crate::worker::list_devices;

/// What ggml's Vulkan back end reads for the drivers it may use.
const VISIBLE: &str = "GGML_VK_VISIBLE_DEVICES";

pub fn devices(args: &DevicesArgs) -> Result<ExitCode, Failure> {
    let devices = list_devices(&executable(None)?)?;
    let remedy = devices.remedy(std::env::var(VISIBLE).ok().as_deref());
    let listed = Listed { devices: &devices, remedy: remedy.as_deref() };
    if args.json { print_json(&listed) } else { tell(&text(listed)) }
}
