//! One builder for every test that runs the program: a directory with an
//! experiment in it, and `moe-sweep` run there.
#![allow(dead_code)] // each test binary uses its part of this

pub mod alone;
pub mod canned;
pub mod defaults;
pub mod gguf;
pub mod hub;
pub mod index;
pub mod kills;
pub mod server;

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A directory of its own with an experiment file, `x.toml`.
pub struct Bench {
    directory: TempDir,
}

/// What a finished command said.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A grid of 24 trials on the scripted engine.
pub const SCRIPTED: &str = r#"
schema = 1
name = "x"

[generate]
max_tokens = 20
context = 64

[grid]
model = ["scripted"]
chain = ["pure", "greedy"]
temperature = [0.5, 1.0]
seed = { from = 0, count = 3 }

[prompts]
inline = ["first prompt", "second prompt", "third prompt"]

[[model]]
id = "scripted"
path = "m.scripted.toml"
"#;

/// An experiment on the bundled model's file, or on what is there instead.
pub const GGUF: &str = r#"
schema = 1
name = "x"

[generate]
max_tokens = 8
context = 32

[grid]
model = ["m"]
chain = ["greedy"]
temperature = [1.0]

[prompts]
inline = ["one"]

[[model]]
id = "m"
path = "m.gguf"
"#;

impl Bench {
    pub fn new(experiment: &str) -> Self {
        let bench = Self { directory: TempDir::new().expect("a temporary directory") };
        bench.write("x.toml", experiment);
        bench
    }

    /// A bench with [`SCRIPTED`] and its model.
    pub fn scripted(script: &str) -> Self {
        let bench = Self::new(SCRIPTED);
        bench.write("m.scripted.toml", script);
        bench
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), contents).expect("the bench is writable");
    }

    /// Replaces text in the experiment, which must hold it.
    pub fn edit(&self, from: &str, to: &str) {
        let text = self.read("x.toml");
        assert!(text.contains(from), "x.toml holds no {from:?}");
        self.write("x.toml", text.replace(from, to));
    }

    pub fn read(&self, name: &str) -> String {
        let path = self.path().join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// A file of the run in `directory`.
    pub fn result(&self, directory: &str, name: &str) -> String {
        self.read(&format!("{directory}/{name}"))
    }

    pub fn exists(&self, name: &str) -> bool {
        self.path().join(name).exists()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = without_the_callers_variables(PROGRAM);
        command.args(arguments).current_dir(self.path()).env("NO_COLOR", "1").stdin(Stdio::null());
        hear_signals(&mut command);
        command
    }

    pub fn say(&self, arguments: &[&str]) -> Said {
        self.command(arguments).output().expect("moe-sweep starts").into()
    }

    /// The same in a pipe that is so wide.
    pub fn say_in_columns(&self, columns: u32, arguments: &[&str]) -> Said {
        let mut command = self.command(arguments);
        command.env("COLUMNS", columns.to_string()).output().expect("moe-sweep starts").into()
    }

    /// `run x.toml --out DIRECTORY ARGUMENTS`, which must exit with `code`.
    pub fn run(&self, directory: &str, arguments: &[&str], code: i32) -> Said {
        let said = self.say(&[&["run", "x.toml", "--out", directory], arguments].concat());
        assert_eq!(said.code, Some(code), "{said:#?}");
        said
    }

    /// Starts the same, without waiting for it.
    pub fn start(&self, directory: &str, arguments: &[&str]) -> Child {
        let mut command = self.command(&[&["run", "x.toml", "--out", directory], arguments].concat());
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("moe-sweep starts")
    }

    /// Waits until the run in `directory` has kept `trials` trials.
    pub fn wait_for_trials(&self, directory: &str, trials: usize) {
        let journal = format!("{directory}/trials.jsonl");
        wait_until("trials are kept", || self.exists(&journal) && self.read(&journal).matches('\n').count() >= trials);
    }

    /// Changes the records of a run as if it had made them so: `edit` gets each with its number, from 0, and says
    /// whether it is kept.
    pub fn forge(&self, directory: &str, mut edit: impl FnMut(usize, &mut Value) -> bool) {
        let mut records = String::new();
        for (number, line) in self.result(directory, "trials.jsonl").lines().enumerate() {
            let mut record = serde_json::from_str(line).expect("a record is JSON");
            if edit(number, &mut record) {
                records += &(sealed(record) + "\n");
            }
        }
        self.write(&format!("{directory}/trials.jsonl"), records);
        let mut manifest: Value = serde_json::from_str(&self.result(directory, "manifest.json")).expect("it is JSON");
        manifest.as_object_mut().expect("it is an object").remove("n_trials");
        self.write(&format!("{directory}/manifest.json"), sealed(manifest));
    }

    /// The files that must not differ between runs of the same experiment.
    pub fn reproducible(&self, directory: &str) -> [String; 3] {
        ["trials.csv", "cells.csv", "verdicts.json"].map(|name| self.result(directory, name))
    }
}

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_moe-sweep");

/// A command that hears nothing of what the caller of the tests tells their own moe-sweep: options, proxies, colours. Every
/// process that a test starts begins here (`tests/quick/surroundings.rs`).
pub fn without_the_callers_variables(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if is_for_moe_sweep(&name.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    // In which no line of a pipe is folded.
    command.env("COLUMNS", "10000");
    command
}

/// Whether a variable of this name tells moe-sweep what to do.
pub fn is_for_moe_sweep(name: &str) -> bool {
    let proxies = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"];
    let output = ["CLICOLOR", "CLICOLOR_FORCE", "RUST_LOG"];
    name.starts_with("MOE_SWEEP_") || output.contains(&name) || proxies.contains(&&*name.to_ascii_lowercase())
}

/// Whoever runs the tests may ignore signals, as a shell's background job does, and what is inherited as ignored
/// rightly stays so.
pub fn hear_signals(command: &mut Command) {
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;

        use nix::sys::signal::{SigHandler, Signal, signal};
        let hear = || {
            for ending in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
                // SAFETY: the default is no function of ours.
                unsafe { signal(ending, SigHandler::SigDfl) }?;
            }
            Ok(())
        };
        // SAFETY: between fork and exec, these are calls of the system that allocate nothing.
        unsafe { command.pre_exec(hear) };
    }
}

/// As moe-sweep writes it.
pub fn sealed(mut value: Value) -> String {
    value.as_object_mut().expect("an object is sealed").remove("seal");
    let mut json = serde_json::to_vec(&value).expect("it is JSON");
    moe_sweep::seal::seal(&mut json);
    String::from_utf8(json).expect("it is text")
}

/// The same of a text in which something was replaced.
pub fn sealed_anew(json: &str) -> String {
    sealed(serde_json::from_str(json).expect("it is JSON"))
}

impl Said {
    /// The message holds every one of these, whatever the line breaks.
    pub fn says(&self, expected: &[&str]) {
        let words = self.stderr.replace('│', " ");
        let message = words.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in expected {
            assert!(message.contains(part), "no {part:?} in\n{}", self.stderr);
        }
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("messages are UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Waits for what soon comes to hold. Fails rather than hang where it never does.
pub fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited a minute, in vain, until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The bundled models.
pub fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models")
}

/// Numbers that look random and are the same in every run (SplitMix64).
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

/// The file that a variable names; says so where it is not set.
pub fn real(variable: &str) -> Option<PathBuf> {
    let path = env::var_os(variable).map(PathBuf::from);
    if path.is_none() {
        println!("skipped: {variable} does not name a file");
    }
    path
}
