//! Any bytes at all: the reader of headers refuses or reads them, never
//! panics, and takes no more memory than a constant beside the file.

use std::fs;
use std::path::{Path, PathBuf};

use moe_sweep::domain::Offload;
use moe_sweep::model::Anatomy;
use moe_sweep::model::findings::examine;
use moe_sweep::model::gguf::{Gguf, Header, read_bytes};
use moe_sweep::model::memory::{Estimate, Free, Room};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::fuzzing::{peak_bytes_since, start_counting};
use crate::support::gguf as made;

/// Beside the bytes themselves.
const MOST_BYTES: usize = 64 << 20;
const MUTANTS: usize = 10_000;

/// Reads the bytes and everything that is derived from them. Returns the
/// bytes that it took at its peak.
fn digest(bytes: &[u8]) -> usize {
    let before = start_counting();
    match read_bytes(bytes) {
        Ok(header) => describe(header, bytes.len()),
        Err((offset, problem)) => {
            assert!(offset <= bytes.len() as u64, "{problem}: byte {offset} of {}", bytes.len());
            assert!(format!("{problem} {}", problem.remedy()).len() < 2000);
        }
    }
    peak_bytes_since(before)
}

fn describe(header: Header, file_bytes: usize) {
    let Header { version, metadata, tensors } = header;
    let paths = vec![PathBuf::from("m.gguf")];
    let gguf = Gguf { paths, file_bytes: file_bytes as u64, version, metadata, tensors };
    let Ok(anatomy) = Anatomy::of(&gguf) else { return };
    serde_json::to_string(&anatomy).expect("an anatomy has no map with odd keys");
    assert!(anatomy.weights.bytes <= file_bytes as u64, "tensors lie within the file");
    for finding in examine(&gguf, &anatomy).findings {
        assert!(finding.sentence().len() < 4000, "{finding:?}");
    }
    for context in [1, 4096, u32::MAX] {
        for offload in [Offload::None, Offload::Layers(1), Offload::All] {
            let estimate = Estimate::of(&anatomy, offload, context);
            let free = Free { host_bytes: 1 << 30, device_bytes: None };
            if let Err(refused) = estimate.fits(free, Room { lanes: 4, batch: 255 }) {
                let help = miette::Diagnostic::help(&refused).expect("it always has a remedy");
                assert!(!help.to_string().is_empty() && !refused.to_string().is_empty());
            }
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(directory: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(directory)).expect("the directory is part of the repository");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "gguf"));
    files.sort();
    files
}

/// The headers of the bundled models, each with a little of its data, so that
/// it is cut short.
fn bundled() -> Vec<Vec<u8>> {
    let models = files("models");
    assert!(!models.is_empty(), "no bundled models");
    let header = |path: &PathBuf| {
        let whole = fs::read(path).expect("a bundled model");
        let at = whole.windows(19).position(|name| name == b"blk.0.attn_k.weight").unwrap_or(100_000);
        whole[..(at + 4000).min(whole.len())].to_vec()
    };
    models.iter().map(header).collect()
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<_> =
        files("tests/corpus/gguf").iter().map(|path| fs::read(path).expect("a seed of the corpus")).collect();
    assert!(seeds.len() >= 4, "the corpus is not there");
    assert!(seeds.iter().all(|seed| seed.len() <= 8192), "a seed is small");
    seeds.extend([made::tiny_moe().file(), made::Builder::new().file()]);
    seeds
}

/// Numbers that lengths, counts and dimensions go wrong with.
const EXTREMES: [u64; 12] =
    [0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, 1 << 32, (1 << 61) + 1, i64::MAX as u64, 1 << 63, u64::MAX];

fn mutate(rng: &mut ChaCha8Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..rng.random_range(1..=4) {
        let at = rng.random_range(0..bytes.len().max(1)).min(bytes.len());
        match rng.random_range(0..6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.random_range(0..8),
            1 => bytes.truncate(at),
            2 => {
                let from = rng.random_range(0..=other.len());
                let to = rng.random_range(from..=other.len()).min(from + 256);
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            3 => {
                let end = (at + rng.random_range(1..64)).min(bytes.len());
                bytes.drain(at..end);
            }
            // Half of them where the counts and the first key's length are.
            4 | 5 => {
                let at = if rng.random() { at } else { rng.random_range(0..=24).min(bytes.len()) };
                let extreme = EXTREMES[rng.random_range(0..EXTREMES.len())].to_le_bytes();
                let width = [4, 8][rng.random_range(0..2)].min(bytes.len() - at);
                bytes[at..at + width].copy_from_slice(&extreme[..width]);
            }
            _ => {}
        }
    }
}

#[test]
fn no_mutant_panics_or_takes_much_memory() {
    let mut rng = ChaCha8Rng::seed_from_u64(20_251_123);
    let (seeds, bundled) = (seeds(), bundled());
    let (mut read, mut refused) = (0, 0);
    for mutant in 0..MUTANTS {
        // One in eight of a real header, which is larger by far.
        let pool = if mutant % 8 == 0 { &bundled } else { &seeds };
        let mut bytes = pool[rng.random_range(0..pool.len())].clone();
        let other = &seeds[rng.random_range(0..seeds.len())];
        mutate(&mut rng, &mut bytes, other);
        let taken = digest(&bytes);
        assert!(taken <= bytes.len() + MOST_BYTES, "mutant {mutant} of {} bytes took {taken}", bytes.len());
        if read_bytes(&bytes).is_ok() { read += 1 } else { refused += 1 }
    }
    // The mutants must be neither all broken nor all whole, or little is tried.
    assert!(read > MUTANTS / 100 && refused > MUTANTS / 4, "{read} were read and {refused} refused");
}

#[test]
fn every_file_of_the_corpus_is_survived() {
    for path in files("tests/corpus/gguf").into_iter().chain(files("models")) {
        let bytes = fs::read(&path).expect("a file of the repository");
        let taken = digest(&bytes);
        assert!(taken <= MOST_BYTES, "{} took {taken}", path.display());
    }
}

/// Claims that a small file can't keep, and a large one can: the most of
/// everything that the reader keeps.
#[test]
fn a_file_full_of_the_smallest_entries_takes_little_memory() {
    let mut builder = made::Builder::new();
    for n in 0..65_536_u32 {
        builder = builder.tensor(&format!("{n}"), &[1, 1, 1, 1], made::F32, 4);
    }
    for n in 0..10_000_u32 {
        builder = builder.u32s(&format!("k{n}"), &[0; 200]);
    }
    let file = builder.file();
    assert_eq!(read_bytes(&file).expect("a whole file").tensors.len(), 65_536);
    let taken = digest(&file);
    assert!(taken <= MOST_BYTES, "{} bytes took {taken}", file.len());
}

/// Writes the hand-made part of the corpus: `cargo test --release --test
/// quick gguf_fuzz -- --ignored`. A mutant that the reader did not survive is added
/// by hand, under the name of what was wrong.
#[test]
#[ignore = "writes to tests/corpus"]
fn write_the_corpus() {
    let all_types = (0..=12_u32).fold(made::Builder::new(), |builder, value_type| {
        let key = format!("type.{value_type}");
        match value_type {
            8 => builder.text(&key, "text"),
            9 => builder.u32s(&key, &[1, 2, 3]).texts("texts", &["", "a"]),
            fixed => builder.key(&key, fixed, &[1; 8][..[1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8][fixed as usize]]),
        }
    });
    let claims_100_gb = made::tiny_moe().tensor("blk.1.ffn_down_exps.weight", &[1 << 30, 25], made::F32, 0);
    let part = made::tiny_moe().key("split.no", made::U16, &[1, 0]).key("split.count", made::U16, &[3, 0]);
    for (name, bytes) in [
        ("tiny-moe.gguf", made::tiny_moe().file()),
        ("version-2.gguf", made::tiny_moe().version(2).file()),
        ("no-tensors.gguf", made::Builder::new().text("general.architecture", "llama").file()),
        ("all-types.gguf", all_types.tensor("t", &[], made::F32, 4).file()),
        ("claims-100-gb.gguf", claims_100_gb.file()),
        ("part-2-of-3.gguf", part.file()),
    ] {
        fs::write(root().join("tests/corpus/gguf").join(name), bytes).expect("the corpus is writable");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            digest(&bytes);
    }

    #[test]
    fn any_bytes_behind_a_good_beginning_are_survived(
        n_tensors in 0..4_u64, n_keys in 0..4_u64, bytes in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
            let head = [&b"GGUF\x03\0\0\0"[..], &n_tensors.to_le_bytes(), &n_keys.to_le_bytes()].concat();
        digest(&[head, bytes].concat());
    }
}
