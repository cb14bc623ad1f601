//! Writes and reads paths in JSON, those that are no UTF-8 too, because a file may be called anything. Must not know
//! what a path is for.
//!
//! For `#[serde(with = "any_path")]`. A path in UTF-8 is a string; another one is written as serde writes an
//! `OsString`, in bytes or words of 16 bits.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize as _, Serializer};

pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    match path.to_str() {
        Some(text) => serializer.serialize_str(text),
        None => path.as_os_str().serialize(serializer),
    }
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Raw(OsString),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Text(text) => text.into(),
        Written::Raw(raw) => raw.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Serialize, Deserialize)]
    struct Holder(#[serde(with = "super")] PathBuf);

    #[test]
    fn a_path_in_utf_8_is_a_string() {
        let holder = Holder("models/größer.gguf".into());
        assert_eq!(serde_json::to_string(&holder).unwrap(), "\"models/größer.gguf\"");
        assert_eq!(serde_json::from_str::<Holder>("\"models/größer.gguf\"").unwrap(), holder);
    }

    #[cfg(unix)]
    #[test]
    fn any_other_path_comes_back_as_it_was() {
        use std::os::unix::ffi::OsStringExt as _;
        let holder = Holder(OsString::from_vec(b"mo\xffdel".to_vec()).into());
        let json = serde_json::to_string(&holder).unwrap();
        assert_eq!(serde_json::from_str::<Holder>(&json).unwrap(), holder, "{json}");
    }
}
