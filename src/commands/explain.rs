//! Is `moe-sweep explain`, which says what is known of a cause of loops.

use super::{Failure, print_json, tell};
use crate::causes::Cause;
use crate::cli::ExplainArgs;
use crate::exit_code::ExitCode;
use crate::report::causes::{Explained, Listed, list, page};

/// Prints the page of a cause, or the list of all.
///
/// # Errors
/// When no cause has this id.
pub fn explain(args: &ExplainArgs) -> Result<ExitCode, Failure> {
    let Some(id) = &args.id else {
        return if args.json { print_json(&Cause::ALL.map(Listed::from).as_slice()) } else { tell(list()) };
    };
    let cause: Cause = id.parse()?;
    if args.json { print_json(&Explained::from(cause)) } else { tell(page(cause)) }
}
