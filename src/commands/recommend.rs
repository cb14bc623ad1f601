//! `moe-sweep recommend`: up to which temperature, and under which chain.

use miette::miette;

use super::{Failure, print_json, tell, trust};
use crate::analysis::{Limits, recommend as recommend_for};
use crate::cli::RecommendArgs;
use crate::exit_code::ExitCode;
use crate::message::say;
use crate::metrics::{Metric, Worse};
use crate::report::recommendation::{Advised, Answer, text};
use crate::results::Results;
use crate::run_dir::RunDir;

/// # Errors
/// When the directory is no run's.
pub fn recommend(args: &RecommendArgs) -> Result<ExitCode, Failure> {
    let Results { design, analysis, custody, .. } = RunDir::new(&args.directory).read(trust(args.custody))?.into();
    custody.iter().for_each(|note| say(&format!("note: {note}")));
    let limits = Limits { p_loop: args.max_p_loop, score: args.max_score, metric: metric(&args.metric)? };
    let advised = recommend_for(&analysis, limits).into_iter().map(|advice| Advised::new(advice, &design.chains));
    let caveat = design.caveat.as_deref();
    let answer = Answer { experiment: &design.name, limits, caveat, recommendations: advised.collect() };
    if args.json { print_json(&answer) } else { tell(&text(&answer)) }
}

/// A metric of which more is worse.
///
/// # Errors
/// When it is none, with those that are.
fn metric(name: &str) -> Result<Metric, Failure> {
    let is_share = |metric: &Metric| metric.worse() == Some(Worse::Higher);
    Metric::from_name(name).filter(is_share).ok_or_else(|| {
        let names = Metric::ALL.into_iter().filter(is_share).map(Metric::name).collect::<Vec<_>>().join(", ");
        Failure::bad_setup(miette!(help = format!("use one of: {names}"), "no limit can be set to the metric {name:?}"))
    })
}
