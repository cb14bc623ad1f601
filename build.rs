//! Tells the program which commit it is built from, for `--version`: what a bug report needs.
//!
//! Only a release build asks git, so that a commit does not compile everything again while one works.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let commit = if env::var("PROFILE").as_deref() == Ok("release") { commit() } else { None };
    println!("cargo::rustc-env=MOE_SWEEP_COMMIT={}", commit.unwrap_or_default());
    println!("cargo::rustc-env=MOE_SWEEP_TARGET={}", env::var("TARGET").unwrap_or_default());
}

/// None where the sources are no clone: a crate lies in whatever repository its user has.
fn commit() -> Option<String> {
    let prefix = git(&["rev-parse", "--show-prefix"])?;
    if !prefix.is_empty() {
        return None;
    }
    println!("cargo::rerun-if-changed={}", git(&["rev-parse", "--git-path", "logs/HEAD"])?);
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
