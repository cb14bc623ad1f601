//! The same seed trains the same file, whatever the number of threads.

use std::{fs, path::Path, process::Command};

#[test]
fn the_same_seed_trains_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let train = |name: &str, threads: &str| {
        let out = folder.path().join(name);
        fs::create_dir(&out).unwrap();
        let status = Command::new(env!("CARGO_BIN_EXE_forge"))
            .args(["train", "deepseek-tiny", "--seed", "5", "--steps", "2", "--card", "none", "--out"])
            .arg(&out)
            .env("RAYON_NUM_THREADS", threads)
            .status()
            .unwrap();
        assert!(status.success());
        bytes(&out)
    };
    assert!(train("one", "1") == train("three", "3"), "the files differ");
}

fn bytes(out: &Path) -> Vec<u8> {
    fs::read(out.join("deepseek-tiny.gguf")).unwrap()
}
