//! Owns which of its messages llama.cpp tells.

/// From which level on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Messages {
    /// Warnings and errors.
    #[default]
    Warnings,
    Info,
    Debug,
}

impl Messages {
    /// Those that RUST_LOG asks for; None where it asks for none. What it says of single targets is for other programs.
    pub fn wanted(rust_log: &str) -> Option<Self> {
        rust_log.split(',').find_map(|directive| match &*directive.trim().to_ascii_lowercase() {
            "error" | "warn" => Some(Self::Warnings),
            "info" => Some(Self::Info),
            "debug" | "trace" => Some(Self::Debug),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Messages;

    #[test]
    fn a_level_counts_and_other_programs_targets_do_not() {
        let cases = [
            ("debug", Some(Messages::Debug)),
            ("hyper=debug, INFO", Some(Messages::Info)),
            ("error", Some(Messages::Warnings)),
            ("off", None),
            ("", None),
            ("hyper=debug", None),
        ];
        for (rust_log, expected) in cases {
            assert_eq!(Messages::wanted(rust_log), expected, "{rust_log:?}");
        }
    }
}
