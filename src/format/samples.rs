//! Finds the files that earlier versions wrote, for tests (tests/formats/README.md).

use std::fs;
use std::path::{Path, PathBuf};

/// Every sample file of this name: where it lies below tests/formats, and its bytes.
pub fn samples(name: &str) -> Vec<(String, Vec<u8>)> {
    let root = root();
    let mut found = Vec::new();
    collect(&root, name, &mut found);
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let below =
                path.strip_prefix(&root).expect("it was found there").to_str().expect("a plain name").to_owned();
            (below, fs::read(path).expect("a file that can be read"))
        })
        .collect()
}

/// One of them.
pub fn sample(path: &str) -> Vec<u8> {
    fs::read(root().join(path)).expect("a file that can be read")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats")
}

fn collect(folder: &Path, name: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder that can be listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, name, found);
        } else if path.file_name().is_some_and(|known| known == name) {
            found.push(path);
        }
    }
}
