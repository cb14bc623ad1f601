//! Chooses the kernels that multiply quantised weights: the quickest of those that compute what they should, each tried in
//! a process of its own, which it may take with it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use miette::Diagnostic;

use super::protocol::{Reply, Request};
use super::{Exchange, Heard, Limits, Unanswered, Worker};
use crate::domain::Numerics;
use crate::engine::EngineKind;
use crate::engine::kernels::{Kernels, KernelsFinding};

/// A trial takes a tenth of a second, and more on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Those that are tried, the quickest first where they work. The reference is not: ggml's are quicker.
const CANDIDATES: [Kernels; 2] = [Kernels::Avx512, Kernels::Avx2];

/// Our own executable, which is also the worker, and the kernels that its workers multiply with.
#[derive(Clone, Debug)]
pub struct Executable {
    path: PathBuf,
    /// Those that the user wants; the quickest where it is left to us.
    wanted: Option<Kernels>,
    chosen: OnceLock<ChosenKernels>,
}

/// The kernels of a run, and what was found of all that were tried.
#[derive(Clone, Debug, PartialEq)]
pub struct ChosenKernels {
    pub kernels: Kernels,
    pub tried: Vec<(Kernels, KernelsFinding)>,
}

/// Kernels that were asked for and can't be used.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("the {kernels} kernels can't be used: {finding}")]
#[diagnostic(help("leave --kernels out: the quickest that work here are taken"))]
pub struct UnusableKernels {
    pub kernels: Kernels,
    pub finding: KernelsFinding,
}

impl ChosenKernels {
    /// Returns what was found of kernels that the CPU has and that can't be used, a sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let broken = self
            .tried
            .iter()
            .filter(|(_, finding)| matches!(finding, KernelsFinding::Deviate { .. } | KernelsFinding::Died { .. }));
        broken.map(|(kernels, finding)| format!("the {kernels} kernels are not used: {finding}")).collect()
    }
}

impl Executable {
    /// Takes the executable at `path`, and `wanted` kernels for its workers.
    pub fn new(path: PathBuf, wanted: Option<Kernels>) -> Self {
        Self { path, wanted, chosen: OnceLock::new() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The kernels for a model's file, and what was found of them; they are tried when they are first needed, which takes
    /// a tenth of a second. None where llama.cpp does not compute.
    ///
    /// # Errors
    /// When those that the user wants can't be used.
    pub fn kernels_for(&self, file: &Path) -> Result<Option<&ChosenKernels>, UnusableKernels> {
        (EngineKind::of(file) == EngineKind::Llama).then(|| self.kernels()).transpose()
    }

    /// The kernels, and what was found of them.
    ///
    /// # Errors
    /// When those that the user wants can't be used.
    pub fn kernels(&self) -> Result<&ChosenKernels, UnusableKernels> {
        let chosen = self.chosen.get_or_init(|| {
            let candidates: Vec<_> = match self.wanted {
                None => CANDIDATES.into(),
                Some(Kernels::Ggml) => vec![],
                Some(wanted) => vec![wanted],
            };
            let tried: Vec<_> = candidates.into_iter().map(|kernels| (kernels, try_kernels(self, kernels))).collect();
            let usable = tried.iter().filter_map(|&(kernels, ref finding)| match finding {
                KernelsFinding::Usable { products_per_s } => Some((kernels, *products_per_s)),
                _ => None,
            });
            let quickest = usable.max_by(|(_, one), (_, other)| one.total_cmp(other));
            ChosenKernels { kernels: quickest.map_or(Kernels::Ggml, |(kernels, _)| kernels), tried }
        });
        match (self.wanted, chosen.tried.as_slice()) {
            (Some(wanted), [(kernels, finding), ..]) if chosen.kernels != wanted => {
                Err(UnusableKernels { kernels: *kernels, finding: finding.clone() })
            }
            _ => Ok(chosen),
        }
    }

    /// Says which kernels can't be used here although this CPU says that it has them, as far as they were tried.
    pub fn warnings(&self) -> Vec<String> {
        self.chosen.get().map_or(vec![], ChosenKernels::warnings)
    }

    /// Those that have been chosen so far.
    pub(super) fn chosen(&self) -> Option<Kernels> {
        Some(self.chosen.get()?.kernels)
    }
}

/// Tries every kernel that there is, for those who ask what this machine has.
pub fn try_all_kernels(executable: &Executable) -> Vec<(Kernels, KernelsFinding)> {
    let all = [Kernels::Portable, Kernels::Avx2, Kernels::Avx512];
    all.into_iter().map(|kernels| (kernels, try_kernels(executable, kernels))).collect()
}

fn try_kernels(executable: &Executable, kernels: Kernels) -> KernelsFinding {
    let died = |reason: String| KernelsFinding::Died { reason };
    let mut worker = match Worker::start(executable, Numerics::Invariant) {
        Ok(worker) => worker,
        Err(error) => return died(format!("cannot start the worker {}: {error}", executable.path.display())),
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
