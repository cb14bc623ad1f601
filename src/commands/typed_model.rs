//! Says what was typed for a model: a path or a name, and what a model without a name is called.

use std::path::Path;

/// Whether what was typed for a model can only be a path.
pub fn is_path(name: &str) -> bool {
    let extension = Path::new(name).extension();
    name.contains(std::path::MAIN_SEPARATOR)
        || extension.is_some_and(|extension| extension == "gguf" || extension == "toml")
}

/// A name for folders and experiments.
pub fn plain_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = name.chars().map(plain).collect();
    name.trim_start_matches('.').to_owned()
}

/// The same of what a server calls a model: llama-server, by the path of its file.
pub fn served_name(served_as: &str) -> String {
    let last = served_as.rsplit('/').next().unwrap_or_default();
    plain_name(last.strip_suffix(".gguf").unwrap_or(last))
}
