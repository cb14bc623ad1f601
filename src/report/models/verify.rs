//! What `model verify` says of a file.

use std::path::Path;

use serde::Serialize;

use crate::model::{Finding, Verified};

/// A line about one file of the model `id`.
pub fn line(id: &str, path: &Path, Verified { found, finding }: &Verified) -> String {
    let said = match finding {
        Finding::Right => format!("ok, SHA-256 {found}"),
        Finding::Unstated => format!("SHA-256 {found}, and none is stated to compare it with"),
        Finding::Wrong { expected } => format!("WRONG, SHA-256 {found} and not {expected}"),
    };
    format!("{id}  {}: {said}\n", path.display())
}

/// The files in the shape in which `--json` prints them.
#[derive(Serialize)]
pub struct VerifiedFiles<'a> {
    schema: u32,
    files: &'a [VerifiedFile<'a>],
}

#[derive(Serialize)]
pub struct VerifiedFile<'a> {
    model: &'a str,
    path: String,
    sha256: String,
    /// "ok", "wrong", or "unstated": there is no hash to compare it with.
    finding: &'static str,
    /// Of a file that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_sha256: Option<String>,
}

impl<'a> VerifiedFiles<'a> {
    pub fn of(files: &'a [VerifiedFile<'a>]) -> Self {
        Self { schema: 1, files }
    }
}

impl<'a> VerifiedFile<'a> {
    pub fn of(model: &'a str, path: &Path, Verified { found, finding }: Verified) -> Self {
        let (finding, expected_sha256) = match finding {
            Finding::Right => ("ok", None),
            Finding::Unstated => ("unstated", None),
            Finding::Wrong { expected } => ("wrong", Some(expected)),
        };
        Self { model, path: path.display().to_string(), sha256: found, finding, expected_sha256 }
    }
}
