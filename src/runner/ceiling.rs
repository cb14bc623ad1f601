//! Measures what the machine can do at most, when a run has ended that says something about speed.

use super::report::{Ending, RunReport};
use super::settings::Settings;
use crate::domain::Numerics;
use crate::hardware::Ceiling;
use crate::worker::measure_ceiling;

/// A run of so many seconds is worth the part of one that measuring takes.
const WORTH_MEASURING_S: f64 = 15.0;

/// None for a run that is too short, did not make all its texts, or computed nothing here.
pub fn measure(report: &RunReport, settings: &Settings, numerics: Numerics) -> Option<Ceiling> {
    let computed_here = report.loads.iter().any(|load| load.kernels.is_some());
    let worth_it = report.ending == Ending::Complete && report.seconds >= WORTH_MEASURING_S && computed_here;
    worth_it.then(|| measure_ceiling(&settings.executable, numerics, settings.options.limits.threads)).flatten()
}
