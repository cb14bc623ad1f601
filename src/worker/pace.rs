//! How fast the host computes, asked of a worker: with its environment, and so with the kernels of a run.

use std::time::Duration;

use super::devices::DevicesError;
use super::executable::Executable;
use super::kernels::kernels;
use super::protocol::{Reply, Request};
use super::{Exchange, Heard, Limits, Worker};
use crate::domain::Numerics;
use crate::hardware::{Bench, Ceiling, Pace};

/// It takes half a second, and more on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Measures it and what the host can do at most; `executable` is our own, which is also the worker.
///
/// # Errors
/// When the worker does not survive it, or has no llama.cpp.
pub fn bench(executable: &Executable, threads: u32) -> Result<Bench, DevicesError> {
    let failed = |error| DevicesError::Spawn { executable: executable.path().to_owned(), error };
    kernels(executable)?;
    let mut worker = Worker::start(executable, Numerics::Invariant).map_err(failed)?;
    let exchange = Exchange::begin(&mut worker, &Request::Bench { threads }, Limits::silence(TIMEOUT));
    let bench = exchange.answer(|reply| match reply {
        Reply::Bench(bench) => Heard::Answer(bench),
        other => Heard::out_of_turn(&other),
    });
    bench.map_err(DevicesError::Unlisted)
}

/// Measures it; `executable` is our own, which is also the worker. None where there is nothing to go by: a build without
/// llama.cpp, a device that would compute in the host's place, too little memory.
pub fn measure_pace(executable: &Executable, numerics: Numerics, threads: u32) -> Option<Pace> {
    measure(executable, numerics, &Request::Pace { threads }, |reply| match reply {
        Reply::Pace(pace) => Heard::Answer(pace),
        other => Heard::out_of_turn(&other),
    })
}

/// Measures what the host can do at most, in less than a second; None where that can't be measured.
pub fn measure_ceiling(executable: &Executable, numerics: Numerics, threads: u32) -> Option<Ceiling> {
    measure(executable, numerics, &Request::Ceiling { threads }, |reply| match reply {
        Reply::Ceiling(ceiling) => Heard::Answer(ceiling),
        other => Heard::out_of_turn(&other),
    })
}

/// Asks a worker of its own; None whatever goes wrong, for nothing that is made depends on it.
fn measure<T>(
    executable: &Executable,
    numerics: Numerics,
    request: &Request,
    hear: impl FnMut(Reply) -> Heard<Option<T>>,
) -> Option<T> {
    kernels(executable).ok()?;
    let mut worker = Worker::start(executable, numerics).ok()?;
    Exchange::begin(&mut worker, request, Limits::silence(TIMEOUT)).answer(hear).ok().flatten()
}
