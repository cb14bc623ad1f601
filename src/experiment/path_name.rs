//! Owns which names can become a part of a path: a file's, a folder's, a revision's.

/// Whether a name is one component of a path that means itself wherever it is put.
pub fn is_plain(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.+ ()[]=,@".contains(c);
    !name.is_empty() && name.chars().all(allowed) && !name.starts_with('.') && name.trim() == name
}
