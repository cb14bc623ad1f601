//! Says which shard this is: as typed, or as Slurm or Kubernetes say in the environment.

use std::env::var;

use miette::Diagnostic;

use crate::plan::{NoShard, Shard};

/// Why it is not known which shard this is.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum WhichShardError {
    #[error("--shard: {0}")]
    Typed(NoShard),
    #[error("--shard auto: {why}")]
    #[diagnostic(help(
        "a Slurm array needs nothing else; in a Kubernetes Indexed Job set MOE_SWEEP_SHARDS to its completions; \
         elsewhere write --shard K/N"
    ))]
    Auto { why: String },
}

/// Says which shard was typed: K/N, or `auto` for what Slurm or Kubernetes say in the environment.
///
/// # Errors
/// When it is no shard, or the environment does not say which.
pub fn which_shard(typed: &str) -> Result<Shard, WhichShardError> {
    if typed != "auto" {
        return typed.parse().map_err(WhichShardError::Typed);
    }
    from_environment(|name| var(name).ok()).map_err(|why| WhichShardError::Auto { why })
}

/// Slurm counts a task's id from `_MIN` on in steps of `_STEP`, Kubernetes its index from 0.
fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Shard, String> {
    let number = |name: &str| match variable(name) {
        None => Ok(None),
        Some(text) => text.parse::<u32>().map(Some).map_err(|_| format!("{name} is {text:?}, not a number")),
    };
    let (index, count) = match (number("SLURM_ARRAY_TASK_ID")?, number("JOB_COMPLETION_INDEX")?) {
        (Some(id), _) => {
            let least = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
            let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
            let count = number("SLURM_ARRAY_TASK_COUNT")?.ok_or("SLURM_ARRAY_TASK_COUNT is not set")?;
            (id.saturating_sub(least) / step + 1, count)
        }
        (None, Some(index)) => {
            (index.saturating_add(1), number("MOE_SWEEP_SHARDS")?.ok_or("MOE_SWEEP_SHARDS is not set")?)
        }
        (None, None) => return Err("neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set".to_owned()),
    };
    Shard::new(index, count).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn among(variables: &[(&str, &str)]) -> Result<String, String> {
        let value =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        from_environment(value).map(|shard| shard.to_string())
    }

    #[test]
    fn arrays_and_indexed_jobs_say_which_shard_this_is() {
        let slurm = |id, least, step, count| {
            among(&[
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_MIN", least),
                ("SLURM_ARRAY_TASK_STEP", step),
                ("SLURM_ARRAY_TASK_COUNT", count),
            ])
        };
        assert_eq!(slurm("0", "0", "1", "4").unwrap(), "shard 1 of 4");
        assert_eq!(slurm("4", "1", "1", "4").unwrap(), "shard 4 of 4");
        assert_eq!(slurm("15", "5", "5", "3").unwrap(), "shard 3 of 3");
        let kubernetes = among(&[("JOB_COMPLETION_INDEX", "0"), ("MOE_SWEEP_SHARDS", "2")]);
        assert_eq!(kubernetes.unwrap(), "shard 1 of 2");
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(among(&[]).unwrap_err().contains("neither"));
        assert!(among(&[("JOB_COMPLETION_INDEX", "0")]).unwrap_err().contains("MOE_SWEEP_SHARDS"));
        assert!(among(&[("SLURM_ARRAY_TASK_ID", "one")]).unwrap_err().contains("not a number"));
        let beyond = among(&[("JOB_COMPLETION_INDEX", "2"), ("MOE_SWEEP_SHARDS", "2")]);
        assert_eq!(beyond.unwrap_err(), "there is no shard 3 of 2: shards are numbered from 1");
    }
}
