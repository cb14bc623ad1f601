//! Is our own executable, as a worker is started from it. Must not know how its kernels are chosen.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::engine::kernels::{ChosenKernels, Kernels};

/// Our own executable, which is also the worker, and the kernels that its workers multiply with.
#[derive(Clone, Debug)]
pub struct Executable {
    path: PathBuf,
    wanted: Option<Kernels>,
    chosen: OnceLock<ChosenKernels>,
}

impl Executable {
    /// Takes the executable at `path`, and `wanted` kernels for its workers; the quickest where that is left to us.
    pub fn new(path: PathBuf, wanted: Option<Kernels>) -> Self {
        Self { path, wanted, chosen: OnceLock::new() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Says which kernels can't be used here although this CPU says that it has them, as far as they were tried.
    pub fn warnings(&self) -> Vec<String> {
        self.chosen().map_or(vec![], ChosenKernels::warnings)
    }

    /// The kernels that the user wants.
    pub(super) fn wanted(&self) -> Option<Kernels> {
        self.wanted
    }

    /// The kernels that have been chosen, if they have.
    pub(super) fn chosen(&self) -> Option<&ChosenKernels> {
        self.chosen.get()
    }

    /// The kernels, which `choose` chooses when they are first asked for.
    pub(super) fn choose(&self, choose: impl FnOnce() -> ChosenKernels) -> &ChosenKernels {
        self.chosen.get_or_init(choose)
    }
}
