//! Chooses the kernels that multiply quantised weights: the quickest of those that compute what they should, each tried in
//! a process of its own, which it may take with it.

use std::path::Path;
use std::time::Duration;

use super::executable::Executable;
use super::protocol::{Reply, Request};
use super::unusable::UnusableKernels;
use super::{Exchange, Heard, Limits, Unanswered, Worker};
use crate::domain::Numerics;
use crate::engine::EngineKind;
use crate::engine::kernels::{ChosenKernels, Kernels, KernelsFinding};

/// A trial takes some hundredths of a second, and more on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Those that are tried, the quickest first where they work. The reference is not: ggml's are quicker.
const CANDIDATES: [Kernels; 2] = [Kernels::Avx512, Kernels::Avx2];

/// Chooses the kernels for a model's file when they are first needed, which takes some hundredths of a second. None where llama.cpp
/// does not compute.
///
/// # Errors
/// When those that the user wants can't be used.
pub fn kernels_for<'a>(executable: &'a Executable, file: &Path) -> Result<Option<&'a ChosenKernels>, UnusableKernels> {
    (EngineKind::of(file) == EngineKind::Llama).then(|| kernels(executable)).transpose()
}

/// Chooses the kernels when they are first needed.
///
/// # Errors
/// When those that the user wants can't be used.
pub fn kernels(executable: &Executable) -> Result<&ChosenKernels, UnusableKernels> {
    let wanted = executable.wanted();
    let chosen = executable.choose(|| {
        let candidates = match wanted {
            None => CANDIDATES.to_vec(),
            Some(Kernels::Ggml) => vec![],
            Some(wanted) => vec![wanted],
        };
        let tried = candidates.into_iter().map(|kernels| (kernels, try_kernels(executable, kernels)));
        let tried: Vec<_> = tried.collect();
        let usable = tried.iter().filter_map(|&(kernels, ref finding)| match finding {
            KernelsFinding::Usable { products_per_s } => Some((kernels, *products_per_s)),
            _ => None,
        });
        let quickest = usable.max_by(|(_, one), (_, other)| one.total_cmp(other));
        ChosenKernels { kernels: quickest.map_or(Kernels::Ggml, |(kernels, _)| kernels), tried }
    });
    match (wanted, chosen.tried.as_slice()) {
        (Some(wanted), [(kernels, finding), ..]) if chosen.kernels != wanted => {
            Err(UnusableKernels { kernels: *kernels, finding: finding.clone() })
        }
        _ => Ok(chosen),
    }
}

fn try_kernels(executable: &Executable, kernels: Kernels) -> KernelsFinding {
    let died = |reason: String| KernelsFinding::Died { reason };
    let mut worker = match Worker::start(executable, Numerics::Invariant) {
        Ok(worker) => worker,
        Err(error) => return died(format!("cannot start the worker {}: {error}", executable.path().display())),
    };
    let exchange = Exchange::begin(&mut worker, &Request::TryKernels(kernels), Limits::silence(TIMEOUT));
    let found = exchange.answer(|reply| match reply {
        Reply::TriedKernels(found) => Heard::Answer(found),
        other => Heard::out_of_turn(&other),
    });
    found.unwrap_or_else(|unanswered| match unanswered {
        Unanswered::Died(death) => died(death.reason),
        other => died(other.to_string()),
    })
}
