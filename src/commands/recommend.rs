//! `moe-sweep recommend`: up to which temperature, and under which chain.

use super::finished::{Finished, read_run};
use super::{Failure, print};
use crate::analysis::{Limits, recommend as recommend_for};
use crate::cli::RecommendArgs;
use crate::exit_code::ExitCode;
use crate::report::recommendation::{Advised, Answer, text};

/// # Errors
/// When the directory is no run's.
pub fn recommend(args: &RecommendArgs) -> Result<ExitCode, Failure> {
    let Finished { design, analysis, .. } = read_run(&args.directory)?;
    let limits = Limits { p_loop: args.max_p_loop, score: args.max_score };
    let advised = recommend_for(&analysis, limits).into_iter().map(|advice| Advised::new(advice, &design.chains));
    let caveat = design.caveat.as_deref();
    let answer = Answer { experiment: &design.name, limits, caveat, recommendations: advised.collect() };
    print(|out| {
        if args.json {
            serde_json::to_writer_pretty(&mut *out, &answer)?;
            out.push(b'\n');
        } else {
            out.extend_from_slice(text(&answer).as_bytes());
        }
        Ok(())
    })
}
