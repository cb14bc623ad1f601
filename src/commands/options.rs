//! Turns what was typed of threads, memory, samplers and the place for quantised files into the means of a run, and what was
//! typed of its output into wishes.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::{ColorArg, LoadModeArg, Means, OutputOptions, SamplersArg, SharingArg};
use crate::engine::{Limits, LoadMode, Samplers, Sharing};
use crate::hardware::{available_memory_bytes, usable_cores};
use crate::prepare::default_cache;
use crate::runner::RunOptions;
use crate::screen::Volume;
use crate::terminal::{Wanted, Wishes};

pub fn run_options(args: &Means) -> RunOptions {
    RunOptions {
        limits: Limits {
            threads: threads(args),
            lanes: args.lanes.map(Into::into),
            batch: args.batch,
            memory_bytes: available_memory_bytes(),
        },
        samplers: match args.samplers {
            SamplersArg::Fast => Samplers::Fast,
            SamplersArg::Llama => Samplers::Llama,
        },
        sharing: match args.sharing {
            SharingArg::None => Sharing::None,
            SharingArg::Prompt => Sharing::Prompt,
            SharingArg::Trie => Sharing::Trie,
        },
        load_mode: match args.load_mode {
            LoadModeArg::Auto => LoadMode::Auto,
            LoadModeArg::Mmap => LoadMode::Mmap,
            LoadModeArg::None => LoadMode::None,
        },
        stall_timeout: Duration::from_secs(u64::from(args.stall_timeout.get())),
        memory_patience: Duration::from_secs(args.wait_for_memory.into()),
    }
}

pub fn wishes(args: OutputOptions) -> Wishes {
    let OutputOptions { quiet, verbose, color } = args;
    Wishes {
        colours: match color {
            ColorArg::Auto => Wanted::Auto,
            ColorArg::Always => Wanted::Always,
            ColorArg::Never => Wanted::Never,
        },
        volume: match (quiet, verbose) {
            (true, _) => Volume::Quiet,
            (false, true) => Volume::Verbose,
            (false, false) => Volume::Usual,
        },
    }
}

/// Returns where files that are made for `quant` are kept.
pub fn cache(args: &Means) -> PathBuf {
    args.cache.clone().unwrap_or_else(default_cache)
}

pub fn threads(args: &Means) -> u32 {
    args.threads.map_or_else(usable_cores, Into::into)
}
