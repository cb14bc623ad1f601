//! Names the kernels that multiply quantised weights on the host, and says what a trial of them showed. Must not know how
//! they are tried.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};

/// Which kernels multiply quantised weights on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Display, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Kernels {
    /// ggml's own.
    Ggml,
    /// moe-sweep's, for any CPU: the reference, and slow.
    Portable,
    /// moe-sweep's, for x86-64 with AVX2.
    Avx2,
    /// moe-sweep's, for x86-64 with AVX-512 and VNNI.
    Avx512,
}

/// What a trial of kernels showed on this machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KernelsFinding {
    /// They compute what they should; on one thread so many products of two numbers a second.
    Usable { products_per_s: f64 },
    /// The CPU does not have their instructions.
    Absent,
    /// They compute something else, in weights of this format.
    Deviate { format: String },
    /// They ended their process.
    Died { reason: String },
}

impl fmt::Display for KernelsFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usable { products_per_s } => {
                write!(f, "{:.1} billion products per second", products_per_s / 1e9)
            }
            Self::Absent => f.write_str("this CPU lacks their instructions"),
            Self::Deviate { format } => write!(f, "they give wrong products of {format} weights on this machine"),
            Self::Died { reason } => write!(f, "they crash on this machine ({reason})"),
        }
    }
}

/// The kernels of a run, and what was found of all that were tried.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChosenKernels {
    pub kernels: Kernels,
    pub tried: Vec<(Kernels, KernelsFinding)>,
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
