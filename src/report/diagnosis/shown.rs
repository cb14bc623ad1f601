//! Holds what is shown of a diagnosis.

use std::path::Path;

use crate::diagnosis::{Case, Diagnosis, Frame};

/// A diagnosis and what it is of.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    pub case: &'a Case,
    pub frame: &'a Frame,
    /// In which its stages are.
    pub directory: &'a Path,
    pub diagnosis: &'a Diagnosis,
}
