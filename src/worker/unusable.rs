//! Says that kernels can't be used.

use miette::Diagnostic;

use crate::engine::kernels::{Kernels, KernelsFinding};

/// Kernels that were asked for and can't be used.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("the {kernels} kernels can't be used: {finding}")]
#[diagnostic(help("remove --kernels: moe-sweep then uses the fastest that work here"))]
pub struct UnusableKernels {
    pub kernels: Kernels,
    pub finding: KernelsFinding,
}
