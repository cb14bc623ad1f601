//! The table of modules in the document: which module may name which.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::sources::root;

/// Where the table is.
pub const TABLE: &str = "docs/architecture.md";
const HEAD: &str = "| module | may name |";

/// Each module with those that it may name.
pub fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join(TABLE)).unwrap();
    let rows = text.lines().skip_while(|line| !line.starts_with(HEAD)).skip(2).take_while(|line| line.starts_with('|'));
    let mut table = BTreeMap::new();
    for row in rows {
        let mut cells = row.trim_matches('|').split('|');
        let (modules, may) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
        for module in quoted(modules) {
            let again = table.insert(module.clone(), quoted(may).collect());
            assert_eq!(again, None, "{TABLE} has two rows for {module}");
        }
    }
    assert!(!table.is_empty(), "{TABLE} has no table that begins with {HEAD}");
    table
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}
