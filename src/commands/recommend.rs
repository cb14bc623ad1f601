//! Is `moe-sweep recommend`, which says up to which temperature, and under which chain, a model stays clean.

use super::{Failure, and_next, print_json, tell, trust};
use crate::analysis::{Limits, recommend as recommend_for};
use crate::cli::RecommendArgs;
use crate::exit_code::ExitCode;
use crate::message::warn;
use crate::report::next::after_recommend;
use crate::report::recommendation::{Advised, Answer, text};
use crate::results::Results;
use crate::run_dir::{Output, RunDir, found};

/// Prints how a run's models stay clean.
///
/// # Errors
/// When the directory is no run's.
pub fn recommend(args: &RecommendArgs) -> Result<ExitCode, Failure> {
    let metric = args.metric;
    let directory = RunDir::new(found(&args.directory));
    let Results { design, analysis, custody, .. } = directory.read(trust(args.custody))?.into();
    custody.iter().for_each(|note| warn(&format!("note: {note}")));
    let limits = Limits { p_loop: args.max_p_loop, score: args.max_score, metric };
    let recommendations = recommend_for(&analysis, limits);
    let next = after_recommend(&recommendations, &directory.output(Output::Report));
    let advised = recommendations.into_iter().map(|advice| Advised::new(advice, &design.chains));
    let caveat = design.caveat.as_deref();
    let answer = Answer { experiment: &design.name, limits, caveat, recommendations: advised.collect() };
    if args.json { print_json(&answer) } else { tell(and_next(text(&answer), next)) }
}
