//! A test in a process of its own: for what a process has one of, as llama.cpp's start, its log, and the environment
//! that it reads.

use std::env;
use std::process::Command;

/// Names the test whose process this is.
const ALONE: &str = "MOE_SWEEP_TEST_ALONE";

/// Runs `body` in a process of its own, with these variables. `name` is the test's, as `--list` says it.
///
/// # Panics
/// Where that process fails, or has no such test.
pub fn alone(name: &str, variables: &[(&str, &str)], body: impl FnOnce()) {
    if env::var_os(ALONE).is_some_and(|running| running == name) {
        return body();
    }
    let mut command = Command::new(env::current_exe().expect("this program has a path"));
    command.args(["--exact", name, "--nocapture", "--test-threads", "1"]);
    let output = command.env(ALONE, name).envs(variables.iter().copied()).output().expect("this program starts");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name} fails in a process of its own: {}", output.status);
    // Without a test of that name all is well, too.
    assert!(said.contains("test result: ok. 1 passed"), "there is no test {name}");
}
