//! Finds the known name nearest to a misspelt one. Must not know what is named.

/// The known name nearest to a misspelt one, if one is near.
pub fn did_you_mean<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let nearest = known.into_iter().map(|name| (strsim::jaro_winkler(unknown, name), name));
    nearest.filter(|(likeness, _)| *likeness > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
