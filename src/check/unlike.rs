//! Says in what else than their texts two runs differ, which may be why their texts do.

use std::collections::BTreeMap;

use miette::Diagnostic;

use super::Facts;

/// What two runs need not have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum Aspect {
    /// CPUs.
    Hardware,
    /// Settings of generation: numerics, context, lengths.
    Settings,
    /// The engine's version and settings.
    Engine,
    /// Model files of the same names.
    Models,
    /// Chains of the same names.
    Chains,
}

/// An aspect in which two runs differ, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlike {
    pub aspect: Aspect,
    pub how: String,
}

/// Two runs whose differences nobody has allowed for.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("the runs differ in more than their texts:\n{}", .0.iter().map(|unlike| format!("  {}", unlike.how)).collect::<Vec<_>>().join("\n"))]
#[diagnostic(help(
    "to compare them anyway: --allow {}",
    .0.iter().map(|unlike| unlike.aspect.to_string()).collect::<Vec<_>>().join(",")
))]
pub struct UnlikeRuns(pub Vec<Unlike>);

/// Makes a note for each difference that is allowed.
///
/// # Errors
/// With all that are not.
pub fn alike_but_for(allowed: &[Aspect], a: &Facts, b: &Facts) -> Result<Vec<String>, UnlikeRuns> {
    let (fine, refused): (Vec<_>, Vec<_>) =
        unlike(a, b).into_iter().partition(|unlike| allowed.contains(&unlike.aspect));
    if refused.is_empty() {
        Ok(fine.into_iter().map(|unlike| format!("differs: {}", unlike.how)).collect())
    } else {
        Err(UnlikeRuns(refused))
    }
}

/// Everything in which the runs differ, in the order of the aspects.
fn unlike(a: &Facts, b: &Facts) -> Vec<Unlike> {
    let lists = |what: &str, a: &[String], b: &[String]| {
        (a != b).then(|| format!("{what}: {} and {}", a.join(", "), b.join(", ")))
    };
    let files = |what: &str, a: &BTreeMap<String, String>, b: &BTreeMap<String, String>| {
        let other = |id: &String, value: &String| b.get(id).is_some_and(|other| other != value);
        let ids: Vec<_> = a.iter().filter(|(id, value)| other(id, value)).map(|(id, _)| id.as_str()).collect();
        (!ids.is_empty()).then(|| format!("{what} called {}", ids.join(", ")))
    };
    let found = [
        (Aspect::Hardware, lists("CPU", &a.cpus, &b.cpus)),
        (Aspect::Settings, (a.generate != b.generate).then(|| "[generate], numerics included".to_owned())),
        (Aspect::Engine, lists("engine", &a.engines, &b.engines)),
        (Aspect::Models, files("model files", &a.models, &b.models)),
        (Aspect::Chains, files("chains", &a.chains, &b.chains)),
    ];
    found.into_iter().filter_map(|(aspect, how)| Some(Unlike { aspect, how: how? })).collect()
}
