//! A diagnosis survives SIGKILL at random moments, and comes to the same.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::kills::kills;
use crate::support::{Bench, Numbers};

/// From T 0.75 on its texts are loops; each step takes its time.
const HOT: &str = "loops_from = 0.75\ndelay_ms = 5";
/// Some of its causes are to be told from each other.
const TYPED: [&str; 6] = ["diagnose", "m.scripted.toml", "--temperature", "1.3", "--presence-penalty", "0.1"];
const FILES: [&str; 4] = ["diagnosis.json", "diagnosis.md", "diagnosis.toml", "report.html"];
const FOLDER: &str = "results/diagnose-m.scripted";

#[test]
fn sigkill_at_random_moments_changes_no_byte_of_a_diagnosis() {
    let bench = Bench::scripted(HOT);
    let begun = Instant::now();
    let said = bench.say(&TYPED);
    let took = begun.elapsed();
    assert_eq!(said.code, Some(0), "{said:#?}");
    let undisturbed = FILES.map(|file| bench.result(FOLDER, file));
    std::fs::remove_dir_all(bench.path().join(FOLDER)).unwrap();

    let mut numbers = Numbers(11);
    let (mut killed, wanted) = (0, kills());
    while killed < wanted {
        let mut child = bench.command(&TYPED).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_micros(numbers.below(took.as_micros() as u64 / 2)));
        child.kill().expect("SIGKILL can be sent");
        // One that has ended by then leaves nothing more to kill.
        if child.wait().expect("the child can be waited for").code().is_some() {
            break;
        }
        killed += 1;
    }
    assert!(killed >= 3, "only {killed} kills hit a diagnosis that went on");
    let again = bench.say(&TYPED);
    assert_eq!((again.code, again.stdout), (said.code, said.stdout), "after {killed} kills");
    for (file, before) in FILES.into_iter().zip(undisturbed) {
        // Their texts are long, and say nothing here.
        assert!(bench.result(FOLDER, file) == before, "{file} differs after {killed} kills");
    }
}
