//! Lists the keys that an experiment file needs and does not have, all of them at once, with the lines to add.

use toml::Table;

use super::error::Problems;

/// A section of the file, and the keys that it needs.
pub struct Section {
    /// None for the keys above all sections.
    name: Option<&'static str>,
    keys: &'static [Key],
}

/// A key, and a line that has it; any of its names will do.
struct Key {
    names: &'static [&'static str],
    line: &'static str,
}

const TOP: Section = Section {
    name: None,
    keys: &[Key { names: &["schema"], line: "schema = 1" }, Key { names: &["name"], line: "name = \"my-experiment\"" }],
};
const MODEL: Key = Key { names: &["model"], line: "model = [\"gpt-oss-tiny\"]" };
const PROMPTS: Section =
    Section { name: Some("prompts"), keys: &[Key { names: &["file", "inline"], line: "file = \"prompts.txt\"" }] };

pub const SWEEP: [Section; 3] = [
    TOP,
    Section {
        name: Some("grid"),
        keys: &[
            MODEL,
            Key { names: &["chain"], line: "chain = [\"llama.cpp\"]" },
            Key { names: &["temperature"], line: "temperature = [0.1, 0.9]" },
        ],
    },
    PROMPTS,
];
pub const STUDY: [Section; 3] = [TOP, Section { name: Some("grid"), keys: &[MODEL] }, PROMPTS];

/// Adds what the TOML reader found in a file that needs these keys: those that are missing all at once.
pub fn add_shape(error: &toml::de::Error, text: &str, needed: &[Section], problems: &mut Problems) {
    let lacks_one = error.message().starts_with("missing field");
    if !(lacks_one && add_missing(text, needed, problems)) {
        problems.add_toml(error);
    }
}

/// Adds one problem for all keys that are missing; says whether there are any.
fn add_missing(text: &str, needed: &[Section], problems: &mut Problems) -> bool {
    let Ok(file) = text.parse::<Table>() else { return false };
    let (mut missing, mut lines) = (Vec::new(), Vec::new());
    for Section { name, keys } in needed {
        let none = Table::new();
        let section = match name {
            None => &file,
            Some(name) => match file.get(*name) {
                None => &none,
                Some(value) => match value.as_table() {
                    Some(table) => table,
                    // A value of another type, which is said of it.
                    None => return false,
                },
            },
        };
        let absent: Vec<_> =
            keys.iter().filter(|key| !key.names.iter().any(|name| section.contains_key(*name))).collect();
        if let (Some(name), false) = (name, absent.is_empty()) {
            lines.push(format!("[{name}]"));
        }
        lines.extend(absent.iter().map(|key| key.line.to_owned()));
        let shown = |key: &&Key| match name {
            None => key.names.join(" or "),
            Some(section) => format!("{section}.{}", key.names.join(" or ")),
        };
        missing.extend(absent.iter().map(shown));
    }
    if missing.is_empty() {
        return false;
    }
    let help = format!("add these lines, each below its heading, with values of your own:\n{}", lines.join("\n"));
    problems.add(0..0, format!("keys are missing: {}", missing.join(", ")), help);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::raw::SCHEMA;

    #[test]
    fn the_line_to_add_states_the_schema_that_is_read() {
        assert_eq!(TOP.keys[0].line, format!("schema = {SCHEMA}"));
    }
}
