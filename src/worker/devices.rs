//! What llama.cpp can compute on here, asked of a worker: a driver can take its process with it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use miette::Diagnostic;

use super::executable::Executable;
use super::protocol::{Reply, Request};
use super::unusable::UnusableKernels;
use super::{Exchange, Heard, Limits, Unanswered, Worker};
use crate::domain::Numerics;
use crate::engine::Devices;

/// Drivers take seconds to start at most.
const TIMEOUT: Duration = Duration::from_secs(60);

#[cfg(feature = "llama")]
const UNLISTED: &str = "a driver may be broken, or GGML_VK_VISIBLE_DEVICES may name a device that does not exist: \
                        unset it, or set it to indices that `vulkaninfo --summary` lists";
#[cfg(not(feature = "llama"))]
const UNLISTED: &str = crate::engine::llama::REMEDY;

/// Why devices can't be listed.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum DevicesError {
    #[error("cannot start {}: {error}", executable.display())]
    Spawn { executable: PathBuf, error: io::Error },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Kernels(#[from] UnusableKernels),
    #[error("llama.cpp can't list its devices: {0}")]
    #[diagnostic(help("{UNLISTED}"))]
    Unlisted(Unanswered),
}

/// Lists them; `executable` is our own, which is also the worker.
///
/// # Errors
/// When the worker can't be started, or dies of a driver.
pub fn list_devices(executable: &Executable) -> Result<Devices, DevicesError> {
    let mut worker = Worker::start(executable, Numerics::Invariant)
        .map_err(|error| DevicesError::Spawn { executable: executable.path().to_owned(), error })?;
    let exchange = Exchange::begin(&mut worker, &Request::Devices, Limits::silence(TIMEOUT));
    let devices = exchange.answer(|reply| match reply {
        Reply::Devices(devices) => Heard::Answer(devices),
        other => Heard::out_of_turn(&other),
    });
    devices.map_err(DevicesError::Unlisted)
}
