//! Finds the known name nearest to a misspelt one. Must not know what is named.

/// The known name nearest to a misspelt one, if one is near.
pub fn did_you_mean<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<_> = known.into_iter().collect();
    let nearest = known.iter().map(|name| (strsim::jaro_winkler(unknown, name), *name));
    let nearest = nearest.filter(|(likeness, _)| *likeness > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
    // Of a short name with two letters exchanged that likeness sees one letter: rnu. Of two letters one is no likeness.
    let is_slip = |name: &&str| unknown.len() > 2 && strsim::osa_distance(unknown, name) == 1;
    nearest.map(|(_, name)| name).or_else(|| known.into_iter().find(is_slip))
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn a_slip_finds_its_name_and_nonsense_finds_none() {
        let known = ["run", "report", "model inspect", "p1"];
        for (typed, meant) in [("rnu", Some("run")), ("reprot", Some("report")), ("nonsense", None), ("p9", None)] {
            assert_eq!(did_you_mean(typed, known), meant, "{typed}");
        }
    }
}
