//! Feeds a reader of foreign bytes with mutants of a corpus, and holds it to four things: no panic, no
//! more than a second, bounded memory, and that it still reads what is right.
//!
//! For the unit tests (`src/lib.rs`) and for `tests/quick/fuzz.rs`. The corpus of a target is
//! `tests/corpus/fuzz/NAME/`: real files, and what was found, which is tried before anything else.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

#[path = "mutate.rs"]
mod mutate;

pub use mutate::Kind;

/// A mutant of at most 2^18 bytes may take so long, by the best of three tries: the machine may be busy.
const MOST_TIME: Duration = Duration::from_secs(1);
/// And so much memory on the thread that reads it.
const MOST_MEMORY_BYTES: usize = 256 << 20;
/// How long a fault is made smaller.
const SHRINKING: Duration = Duration::from_secs(3);
/// Accepted mutants that are mutated further.
const POOL: usize = 64;

/// What a reader made of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    Accepted,
    Refused,
}

impl<T, E> From<Result<T, E>> for Read {
    fn from(result: Result<T, E>) -> Self {
        if result.is_ok() { Self::Accepted } else { Self::Refused }
    }
}

/// Tries `read` with the corpus of `name` and with mutants of it: `cases` of them (a tenth where nothing is optimised),
/// or as many as `MOE_SWEEP_FUZZ_SECONDS` allow. `MOE_SWEEP_FUZZ_SEED` chooses others.
///
/// # Panics
/// At a fault; the input is kept in `target/fuzz`. Where no file of the corpus is accepted.
pub fn fuzz(name: &str, kind: Kind, cases: usize, read: impl Fn(&[u8]) -> Read) {
    let number = |variable| std::env::var(variable).ok().map(|value| value.parse::<u64>().expect("a whole number"));
    let seconds = number("MOE_SWEEP_FUZZ_SECONDS");
    let cases = if cfg!(debug_assertions) { cases / 10 } else { cases };
    let seed = number("MOE_SWEEP_FUZZ_SEED").unwrap_or(1);
    let mut counts = Counts::default();
    let mut pool = Vec::new();
    for (path, bytes) in corpus(name) {
        match judge(&read, &bytes) {
            Ok(Read::Accepted) => pool.push(bytes),
            Ok(Read::Refused) => counts.refused += 1,
            Err(fault) => panic!("{name}: {}: {fault}", path.display()),
        }
    }
    assert!(!pool.is_empty(), "{name}: no file of the corpus is accepted, so its mutants say nothing");
    counts.accepted += pool.len();
    let seeds = pool.len();

    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let begun = Instant::now();
    let goes_on = |done: usize| seconds.map_or(done < cases, |seconds| begun.elapsed().as_secs() < seconds);
    let mut done = 0;
    while goes_on(done) {
        done += 1;
        let (one, two) = (rng.random_range(0..pool.len()), rng.random_range(0..pool.len()));
        let mutant = mutate::mutate(&mut rng, kind, &pool[one], &pool[two]);
        match judge(&read, &mutant) {
            Ok(Read::Refused) => counts.refused += 1,
            Ok(Read::Accepted) => {
                counts.accepted += 1;
                if pool.len() < POOL {
                    pool.push(mutant);
                } else if mutant.len() <= 1 << 14 {
                    // The seeds stay.
                    let at = rng.random_range(seeds.min(POOL - 1)..POOL);
                    pool[at] = mutant;
                }
            }
            Err(fault) => {
                let kept = keep(name, &shrink(&read, mutant));
                panic!(
                    "{name}, seed {seed}, case {done}: {fault}\nmend it, and move {} to tests/corpus/fuzz/{name}/",
                    kept.display()
                );
            }
        }
    }
    let Counts { accepted, refused } = counts;
    println!(
        "fuzz {name}: {done} mutants, {accepted} accepted, {refused} refused, 0 faults, {:.1} s, seed {seed}",
        begun.elapsed().as_secs_f64()
    );
    assert!(seconds.is_some() || refused > 0, "{name}: nothing is refused");
}

#[derive(Default)]
struct Counts {
    accepted: usize,
    refused: usize,
}

fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/fuzz").join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).expect("a file of the corpus"))).collect()
}

/// What the reader does with the bytes, or what is wrong with that.
fn judge(read: &impl Fn(&[u8]) -> Read, bytes: &[u8]) -> Result<Read, String> {
    let mut shortest = Duration::MAX;
    for _ in 0..3 {
        let begun = Instant::now();
        let before = start_counting();
        let result = catch_unwind(AssertUnwindSafe(|| read(bytes))).map_err(|panic| {
            let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            format!("a panic: {}", said.unwrap_or("without words"))
        })?;
        let taken = peak_bytes_since(before);
        if taken > MOST_MEMORY_BYTES {
            return Err(format!("{taken} bytes of memory for an input of {}", bytes.len()));
        }
        shortest = shortest.min(begun.elapsed());
        if shortest < MOST_TIME {
            return Ok(result);
        }
    }
    Err(format!("{:.1} s for an input of {} bytes", shortest.as_secs_f64(), bytes.len()))
}

/// The smallest input with a fault that is found by leaving stretches out.
fn shrink(read: &impl Fn(&[u8]) -> Read, mut bytes: Vec<u8>) -> Vec<u8> {
    let begun = Instant::now();
    let mut stretch = bytes.len() / 2;
    while stretch > 0 {
        let mut at = 0;
        while at < bytes.len() {
            if begun.elapsed() > SHRINKING {
                return bytes;
            }
            let end = (at + stretch).min(bytes.len());
            let shorter = [&bytes[..at], &bytes[end..]].concat();
            if judge(read, &shorter).is_err() { bytes = shorter } else { at = end }
        }
        stretch /= 2;
    }
    bytes
}

fn keep(name: &str, bytes: &[u8]) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/fuzz");
    let path = folder.join(format!("{name}-{:016x}", hasher.finish()));
    fs::create_dir_all(&folder).and_then(|()| fs::write(&path, bytes)).expect("a fault can be kept");
    path
}

/// Counts what the thread allocates, and the peak of it. What it lets another thread free is counted as kept.
struct Counting;

thread_local! {
    static NOW_BYTES: Cell<isize> = const { Cell::new(0) };
    static PEAK_BYTES: Cell<isize> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Begins to look for a peak of what this thread has allocated; returns what it has now, in bytes.
pub fn start_counting() -> isize {
    PEAK_BYTES.set(NOW_BYTES.get());
    NOW_BYTES.get()
}

/// The peak in bytes since [`start_counting`] returned `before`, beyond that.
pub fn peak_bytes_since(before: isize) -> usize {
    PEAK_BYTES.get().saturating_sub(before).unsigned_abs()
}

fn count(bytes: isize) {
    // A thread that ends may have no counts any more.
    let _ = NOW_BYTES.try_with(|now| {
        now.set(now.get() + bytes);
        let _ = PEAK_BYTES.try_with(|peak| peak.set(peak.get().max(now.get())));
    });
}

// SAFETY: all is left to the system's allocator. The counts are plain cells, which allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // For a moment there may be both.
        count(size as isize);
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}
