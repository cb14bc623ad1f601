//! Resolves settings that are one of a few names, and says what is wrong with a name that is none of them.

use std::fmt;
use std::str::FromStr;

use super::spanned::Spanned;
use strum::VariantNames;

use super::error::{Problems, did_you_mean};

/// What can be written as one of a few names.
pub(super) trait Named: Default + PartialEq + fmt::Display + FromStr + VariantNames {}

impl<T: Default + PartialEq + fmt::Display + FromStr + VariantNames> Named for T {}

/// A setting of a few names; its default where the file does not speak of it.
pub(super) fn resolve_named<T: Named>(what: &str, raw: Option<&Spanned<String>>, problems: &mut Problems) -> Option<T> {
    match raw {
        None => Some(T::default()),
        Some(raw) => resolve_name(what, raw, problems),
    }
}

pub(super) fn resolve_name<T: Named>(what: &str, raw: &Spanned<String>, problems: &mut Problems) -> Option<T> {
    let name = raw.get_ref();
    let found = name.parse().ok();
    if found.is_none() {
        let help = did_you_mean(name, T::VARIANTS.iter().copied()).map_or_else(
            || format!("use one of: {}", T::VARIANTS.join(", ")),
            |near| format!("did you mean {near:?}?"),
        );
        problems.add(raw.span(), format!("unknown {what} {name:?}"), help);
    }
    found
}
