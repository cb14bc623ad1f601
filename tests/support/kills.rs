//! Runs that are killed at random moments, and go on.

use std::thread;
use std::time::{Duration, Instant};

use super::{Bench, Numbers};

/// How often the kill test kills; `MOE_SWEEP_TEST_KILLS=100` for more.
pub fn kills() -> u32 {
    std::env::var("MOE_SWEEP_TEST_KILLS").map_or(10, |kills| kills.parse().expect("a number"))
}

/// Kills runs at random moments, `kills` of them in the middle, then lets one
/// finish. Starts afresh when a run finished before enough were killed.
pub fn kill_and_resume(bench: &Bench, kills: u32, undisturbed: Duration) {
    let mut numbers = Numbers(7);
    let mut killed = 0;
    let mut sweep = 0;
    while killed < kills {
        let directory = format!("killed-{sweep}");
        sweep += 1;
        loop {
            let mut child = bench.start(&directory, &[]);
            let moment = Duration::from_micros(numbers.below(undisturbed.as_micros() as u64));
            thread::sleep(moment);
            child.kill().expect("SIGKILL can be sent");
            let finished = child.wait().expect("the child can be waited for").success();
            if finished || killed >= kills {
                break;
            }
            killed += 1;
        }
        bench.run(&directory, &[], 0);
        assert_eq!(bench.reproducible(&directory), bench.reproducible("undisturbed"), "after {killed} kills");
    }
}

/// Makes the run that the others must equal.
pub fn time_undisturbed(bench: &Bench) -> Duration {
    let begun = Instant::now();
    bench.run("undisturbed", &[], 0);
    begun.elapsed()
}
