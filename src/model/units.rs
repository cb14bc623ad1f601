//! Writes large numbers for people.

/// Decimal units, as the hub's pages give them.
pub fn human_bytes(bytes: u64) -> String {
    let units = [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    match units.iter().find(|(_, unit)| bytes as f64 >= *unit) {
        Some((name, unit)) => format!("{:.1} {name}", bytes as f64 / unit),
        None => format!("{bytes} B"),
    }
}

/// A number of parameters.
pub fn human_count(n: u64) -> String {
    let units = [("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3)];
    match units.iter().find(|(_, unit)| n as f64 >= *unit) {
        Some((name, unit)) => format!("{:.2} {name}", n as f64 / unit),
        None => n.to_string(),
    }
}
