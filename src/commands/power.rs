//! Is `moe-sweep power`, which says what a design can see, and what design would.

use super::{Failure, print_json, tell};
use crate::cli::PowerArgs;
use crate::exit_code::ExitCode;
use crate::report::power::{Answer, Asked, text};

/// Prints what a design can see.
///
/// # Errors
/// When no texts can be as they are asked for.
pub fn power(args: &PowerArgs) -> Result<ExitCode, Failure> {
    let answer = Answer::to(asked(args))?;
    if args.json { print_json(&answer) } else { tell(text(&answer)) }
}

fn asked(args: &PowerArgs) -> Asked {
    let PowerArgs {
        prompts,
        texts,
        hypotheses,
        alpha,
        power,
        sd,
        icc,
        cost_ratio,
        margin,
        from_rate,
        to_rate,
        correlation,
        ..
    } = *args;
    let effects = args.effect.clone();
    Asked {
        prompts,
        texts,
        hypotheses,
        alpha,
        power,
        sd,
        icc,
        cost_ratio,
        effects,
        margin,
        from_rate,
        to_rate,
        correlation,
    }
}
