//! The same seed trains the same file, whatever the number of threads.

use std::{fs, path::Path, process::Command};

use forge::family::Family;

#[test]
fn the_same_seed_trains_the_same_file() {
    for family in Family::ALL {
        let folder = tempfile::tempdir().unwrap();
        let one = trained(family.name(), &folder.path().join("one"), "1");
        let three = trained(family.name(), &folder.path().join("three"), "3");
        assert!(one == three, "{}: the files differ", family.name());
    }
}

/// The bytes of a short training's file.
fn trained(name: &str, out: &Path, threads: &str) -> Vec<u8> {
    fs::create_dir(out).unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_forge"))
        .args(["train", name, "--seed", "5", "--steps", "2", "--card", "none", "--out"])
        .arg(out)
        .env("RAYON_NUM_THREADS", threads)
        .status()
        .unwrap();
    assert!(status.success(), "forge train {name} on {threads} threads");
    fs::read(out.join(name).with_extension("gguf")).unwrap()
}
