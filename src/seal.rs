//! Puts a seal at the end of what moe-sweep writes to read it again: a hash, so that a later change is seen.
//!
//! A sealed file, or line, is a JSON object whose last member is `"seal"`: the first 128 bits, in hexadecimal, of
//! the blake3 hash of all bytes before the comma in front of it. It tells of decay and of edits; somebody who wants to
//! deceive computes it again. Pure.

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Whether what was changed after it was written is taken all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// It is refused.
    #[default]
    Seals,
    /// It is read as it is, and the outputs say so.
    Edits,
}

/// What a seal says of the bytes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    /// They are as they were written.
    Whole,
    /// There is none.
    Absent,
    /// They are not.
    Broken,
}

/// A format of files that end in their seal.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// The version that this program writes; it reads older ones too.
    pub version: u32,
    /// Files of this version and later ones are sealed.
    pub sealed_from: u32,
}

/// Why a file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("it is not what moe-sweep wrote: {0}")]
    Damaged(#[from] serde_json::Error),
    #[error("it was changed after it was written: its seal is missing or does not match; --trust accepts it as it is")]
    Changed,
    #[error("a newer moe-sweep wrote it (version {found}, this one reads up to {known}): update moe-sweep")]
    Newer { found: u64, known: u32 },
}

impl Format {
    /// What a file of this format holds, and what its seal says. A file without a version is of the first.
    ///
    /// # Errors
    /// When it holds something else, is of a newer version, or was changed and is not to be trusted.
    pub fn read<T: DeserializeOwned>(self, json: &[u8], trust: Trust) -> Result<(T, Seal), Unfit> {
        /// Only what every version has: a newer file need not parse otherwise.
        #[derive(Deserialize)]
        struct Versioned {
            #[serde(default = "first")]
            v: u64,
        }
        fn first() -> u64 {
            1
        }
        let Versioned { v } = serde_json::from_slice(json)?;
        if v > u64::from(self.version) {
            return Err(Unfit::Newer { found: v, known: self.version });
        }
        let seal = match seal_of(json) {
            Seal::Absent if v >= u64::from(self.sealed_from) => Seal::Broken,
            seal => seal,
        };
        if seal == Seal::Broken && trust == Trust::Seals {
            return Err(Unfit::Changed);
        }
        Ok((serde_json::from_slice(json)?, seal))
    }
}

/// Hexadecimal digits of the hash.
const DIGITS: usize = 32;

/// Adds the seal to an object, in one line or in several.
///
/// # Panics
/// When `json` is no object with a member.
pub fn seal(json: &mut Vec<u8>) {
    let body = json.trim_ascii_end().strip_suffix(b"}").expect("an object is sealed").trim_ascii_end().len();
    let (comma, colon, end) = if json.contains(&b'\n') { (",\n  ", ": ", "\n}\n") } else { (",", ":", "}") };
    json.truncate(body);
    let hash = hash(json);
    json.extend_from_slice(format!("{comma}\"seal\"{colon}\"{hash}\"{end}").as_bytes());
}

/// Looks at the seal of an object.
pub fn seal_of(json: &[u8]) -> Seal {
    match split(json) {
        None => Seal::Absent,
        Some((body, seal)) if hash(body).as_bytes() == seal => Seal::Whole,
        Some(_) => Seal::Broken,
    }
}

/// What is sealed, and its seal.
fn split(json: &[u8]) -> Option<(&[u8], &[u8])> {
    let without = |json: &'_ [u8], end: &[u8]| json.trim_ascii_end().strip_suffix(end).map(<[u8]>::len);
    let json = &json[..without(json, b"}")?];
    let json = &json[..without(json, b"\"")?];
    let (json, seal) = json.split_at(json.len().checked_sub(DIGITS)?);
    let json = &json[..without(json, b"\"")?];
    let json = &json[..without(json, b":")?];
    let json = &json[..without(json, b"\"seal\"")?];
    Some((&json[..without(json, b",")?], seal))
}

fn hash(body: &[u8]) -> String {
    blake3::hash(body).to_hex()[..DIGITS].to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sealed(json: &str) -> Vec<u8> {
        let mut json = json.as_bytes().to_vec();
        seal(&mut json);
        json
    }

    #[test]
    fn a_sealed_object_is_one_with_a_member_more() {
        for json in ["{\"v\":2,\"text\":\"seal\"}", "{\n  \"v\": 2\n}\n"] {
            let sealed = sealed(json);
            let value: serde_json::Value = serde_json::from_slice(&sealed).unwrap();
            assert_eq!(value["seal"].as_str().unwrap().len(), DIGITS);
            assert_eq!(value["v"], 2);
            assert_eq!(seal_of(&sealed), Seal::Whole);
            assert_eq!(seal_of(json.as_bytes()), Seal::Absent);
        }
    }

    #[test]
    fn a_file_is_of_a_version_that_is_known_and_as_it_was_written() {
        const FORMAT: Format = Format { version: 3, sealed_from: 2 };
        let read = |json: &[u8], trust| FORMAT.read::<serde_json::Value>(json, trust).map(|(_, seal)| seal);
        assert_eq!(read(&sealed("{\"v\":3}"), Trust::Seals).unwrap(), Seal::Whole);
        assert_eq!(read(b"{\"a\":0}", Trust::Seals).unwrap(), Seal::Absent, "the first had no version");
        assert!(matches!(read(b"{\"v\":2}", Trust::Seals), Err(Unfit::Changed)));
        assert_eq!(read(b"{\"v\":2}", Trust::Edits).unwrap(), Seal::Broken);
        assert!(matches!(read(&sealed("{\"v\":4}"), Trust::Edits), Err(Unfit::Newer { found: 4, known: 3 })));
    }

    proptest! {
        #[test]
        fn any_change_of_what_is_sealed_is_seen(at in 0_usize..40, byte: u8) {
            let whole = sealed("{\"v\":2,\"text\":\"so so so so so so so so\"}");
            let mut changed = whole.clone();
            changed[at] = byte;
            prop_assert!(changed == whole || seal_of(&changed) != Seal::Whole);
        }

        #[test]
        fn any_bytes_have_a_seal_or_none(bytes: Vec<u8>) {
            prop_assert_eq!(seal_of(&bytes), Seal::Absent);
        }
    }
}
