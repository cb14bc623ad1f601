//! Reads pip's settings where pip has them: in `PIP_…` variables, then in its configuration files.
//!
//! Names, places and order are those of pip's `_internal/configuration.py` and `utils/appdirs.py`: a variable before
//! any file; of the files `PIP_CONFIG_FILE`, the environment's (`VIRTUAL_ENV`), the user's and the machine's; in them
//! `[download]`, which is the command that does the like, before `[global]`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use configparser::ini::Ini;

use super::IndexError;
use super::error::Origin;

const SECTIONS: [&str; 2] = ["download", "global"];

/// pip's settings.
pub struct Pip<'a> {
    variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// What counts first comes first.
    files: Vec<(PathBuf, Ini)>,
}

impl<'a> Pip<'a> {
    /// Reads the files that there are. `variable` is a lookup in the environment.
    ///
    /// # Errors
    /// When one is there and can't be read.
    pub fn read(variable: &'a dyn Fn(&str) -> Option<OsString>) -> Result<Self, IndexError> {
        let there = places(variable).into_iter().filter(|path| path.is_file());
        let files = there.map(|path| Ok((path.clone(), parse(&path)?))).collect::<Result<_, _>>()?;
        Ok(Self { variable, files })
    }

    /// What is set as `name`, such as `index-url`, and by whom. What is empty is not set.
    pub fn get(&self, name: &str) -> Option<(String, Origin)> {
        let variable = format!("PIP_{}", name.to_uppercase().replace('-', "_"));
        let stated = (self.variable)(&variable).and_then(|value| value.into_string().ok()).and_then(full);
        if let Some(value) = stated {
            return Some((value, Origin::Variable(variable)));
        }
        SECTIONS.iter().find_map(|section| {
            self.files.iter().find_map(|(path, file)| {
                let keys = file.get_map_ref().get(*section)?;
                let named = |key: &str| key.trim_start_matches("--").to_lowercase().replace('_', "-") == name;
                let value = keys.iter().find_map(|(key, value)| full(value.clone().filter(|_| named(key))?));
                Some((value?, Origin::File(path.clone())))
            })
        })
    }
}

fn full(value: String) -> Option<String> {
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// Where configuration files may lie, those that count first at the front.
fn places(variable: &dyn Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let stated = path("PIP_CONFIG_FILE");
    // pip reads no file at all then.
    if stated.as_deref() == Some(Path::new(if cfg!(windows) { "nul" } else { "/dev/null" })) {
        return vec![];
    }
    let name = if cfg!(windows) { "pip.ini" } else { "pip.conf" };
    let mut found: Vec<_> = stated.iter().cloned().collect();
    found.extend(path("VIRTUAL_ENV").map(|site| site.join(name)));
    // A file that is named takes the place of the user's own.
    if !stated.is_some_and(|path| path.exists()) {
        let home = path("HOME").or_else(|| path("USERPROFILE")).unwrap_or_default();
        let library = home.join("Library/Application Support/pip");
        let user = if cfg!(windows) {
            path("APPDATA").map(|data| data.join("pip"))
        } else if cfg!(target_os = "macos") && library.is_dir() {
            Some(library)
        } else {
            Some(path("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")).join("pip"))
        };
        found.extend(user.map(|user| user.join(name)));
        found.push(home.join(if cfg!(windows) { "pip" } else { ".pip" }).join(name));
    }
    if cfg!(windows) {
        found.extend(path("PROGRAMDATA").map(|data| data.join("pip").join(name)));
    } else if cfg!(target_os = "macos") {
        found.push(Path::new("/Library/Application Support/pip").join(name));
    } else {
        found.push(Path::new("/etc").join(name));
        let shared = path("XDG_CONFIG_DIRS").unwrap_or_else(|| "/etc/xdg".into());
        found.extend(std::env::split_paths(&shared).map(|shared| shared.join("pip").join(name)));
    }
    found
}

fn parse(path: &Path) -> Result<Ini, IndexError> {
    let unreadable = |reason: String| IndexError::Configuration { path: path.to_owned(), reason };
    let text = crate::regular_file::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    // Names of sections are as they are written; keys are not (`get`).
    let mut file = Ini::new_cs();
    // A # within a line belongs to the value, as Python's module of the name has it.
    file.set_inline_comment_symbols(Some(&[]));
    file.set_multiline(true);
    file.read(text).map_err(unreadable)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Machine(tempfile::TempDir, Vec<(&'static str, OsString)>);

    impl Machine {
        fn new(files: &[(&str, &str)]) -> Self {
            let home = tempfile::tempdir().expect("a directory");
            for (name, text) in files {
                let path = home.path().join(name);
                std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
                std::fs::write(path, text).expect("written");
            }
            let at = |name: &str| home.path().join(name).into_os_string();
            let variables = vec![("HOME", at("")), ("XDG_CONFIG_DIRS", at("xdg")), ("VIRTUAL_ENV", at("venv"))];
            Self(home, variables)
        }

        fn set(&mut self, name: &'static str, value: impl Into<OsString>) {
            self.1.push((name, value.into()));
        }

        fn get(&self, key: &str) -> Option<String> {
            let find = |name: &str| self.1.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
            let mut pip = Pip::read(&find).expect("readable");
            // Whoever runs the tests may have settings for the whole machine.
            pip.files.retain(|(path, _)| path.starts_with(self.0.path()));
            Some(pip.get(key)?.0)
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_variable_counts_before_the_files_and_the_nearer_file_before_the_wider() {
        let text = |value: &str| format!("[global]\nindex-url = {value}\n");
        let files = [
            ("xdg/pip/pip.conf", text("machine")),
            (".pip/pip.conf", text("old")),
            (".config/pip/pip.conf", text("user")),
            ("venv/pip.conf", text("site")),
            ("mine.conf", text("mine")),
        ];
        for at_least in 1..=4 {
            let there: Vec<_> = files[..at_least].iter().map(|(name, text)| (*name, &**text)).collect();
            let expected = ["machine", "old", "user", "site"][at_least - 1];
            assert_eq!(Machine::new(&there).get("index-url").as_deref(), Some(expected));
        }
        let mut machine = Machine::new(&files.each_ref().map(|(name, text)| (*name, &**text)));
        machine.set("PIP_CONFIG_FILE", machine.0.path().join("mine.conf"));
        assert_eq!(machine.get("index-url").as_deref(), Some("mine"));
        machine.set("PIP_INDEX_URL", "variable");
        assert_eq!(machine.get("index-url").as_deref(), Some("variable"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_files_are_read_as_python_reads_them() {
        let get = |text: &str| Machine::new(&[(".config/pip/pip.conf", text)]).get("index-url");
        assert_eq!(get("[global]\nindex_url: https://h/a#b%c ; d\n").as_deref(), Some("https://h/a#b%c ; d"));
        assert_eq!(get("# x\n; y\n[global]\nINDEX-URL=a\n").as_deref(), Some("a"));
        assert_eq!(get("[global]\nextra-index-url = \n    x\n    y\nindex-url = a\n").as_deref(), Some("a"));
        assert_eq!(get("[global]\n  timeout = 3\n  index-url = a\n").as_deref(), Some("a"));
        assert_eq!(get("[Global]\nindex-url = a\n"), None);
        assert_eq!(
            get("[global]\nindex-url = a\n[download]\nindex-url = b\n[list]\nindex-url = c\n").as_deref(),
            Some("b")
        );
        assert_eq!(get("[global]\nindex-url =\n"), None);
        assert_eq!(get("[install]\nindex-url = a\n"), None);
    }

    #[test]
    #[cfg(unix)]
    fn the_null_device_is_no_configuration_at_all() {
        let mut machine = Machine::new(&[("venv/pip.conf", "[global]\nindex-url = a\n")]);
        assert!(machine.get("index-url").is_some());
        machine.set("PIP_CONFIG_FILE", "/dev/null");
        assert_eq!(machine.get("index-url"), None);
    }
}
