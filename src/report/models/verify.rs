//! What `model verify` says of a file.

use std::path::Path;

use crate::model::{Finding, Verified};

/// A line about one file of the model `id`.
pub fn line(id: &str, path: &Path, Verified { found, finding }: &Verified) -> String {
    let said = match finding {
        Finding::Right => format!("ok, SHA-256 {found}"),
        Finding::Unstated => format!("SHA-256 {found}, but none is stated to compare it with"),
        Finding::Wrong { expected } => format!("WRONG, SHA-256 {found}, not {expected}"),
    };
    format!("{id}  {}: {said}\n", path.display())
}
