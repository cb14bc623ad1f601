//! Metrics by the names that a user gives.

use miette::Diagnostic;

use crate::metrics::{Metric, Worse};

/// A name that no metric has which would do.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum MetricError {
    #[error("unknown metric {name:?}")]
    #[diagnostic(help("use one of: {}", names(|_| true)))]
    Unknown { name: String },
    #[error("no limit can be set to the metric {name:?}")]
    #[diagnostic(help("use one of: {}", names(grows_worse)))]
    NoLimit { name: String },
}

/// The metric of this name.
///
/// # Errors
/// When none has it, with those that there are.
pub fn metric_called(name: &str) -> Result<Metric, MetricError> {
    Metric::from_name(name).ok_or_else(|| MetricError::Unknown { name: name.to_owned() })
}

/// The metric of this name, to which a limit from above can be set: more of it is worse.
///
/// # Errors
/// When none such has it, with those that there are.
pub fn limited(name: &str) -> Result<Metric, MetricError> {
    Metric::from_name(name)
        .filter(|metric| grows_worse(*metric))
        .ok_or_else(|| MetricError::NoLimit { name: name.to_owned() })
}

fn grows_worse(metric: Metric) -> bool {
    metric.worse() == Some(Worse::Higher)
}

fn names(fit: fn(Metric) -> bool) -> String {
    Metric::ALL.into_iter().filter(|metric| fit(*metric)).map(Metric::name).collect::<Vec<_>>().join(", ")
}
