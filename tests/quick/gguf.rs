//! The reader of GGUF headers: what it refuses, and in which words.

use std::fs;
use std::path::Path;

use crate::support::gguf::{BOOL, Builder, F32, LIST, MXFP4, Q8_0, TEXT, U16, U32, U64, tiny_moe};
use moe_sweep::model::gguf::{Gguf, GgufError, Problem, Value, read_bytes};
use tempfile::TempDir;

fn problem(builder: &Builder) -> Problem {
    let header = builder.header();
    let (offset, problem) = read_bytes(&header).expect_err("this must be refused");
    assert!(offset <= header.len() as u64, "byte {offset} is not in the file");
    problem
}

/// Everything that is said of a file: its place, the problem, the remedy.
fn said(bytes: &[u8]) -> String {
    let (offset, problem) = read_bytes(bytes).expect_err("this must be refused");
    format!("byte {offset}: {problem}\n  {}\n", problem.remedy())
}

#[test]
fn a_whole_file_is_read_in_both_versions() {
    for version in [2, 3] {
        let header = read_bytes(&tiny_moe().version(version).file()).expect("a whole file");
        assert_eq!((header.version, header.tensors.len()), (version, 7));
        assert_eq!(header.metadata["general.name"], Value::Text("Tiny".to_owned()));
        assert_eq!(header.metadata["deepseek.block_count"], Value::Unsigned(2));
        let experts = &header.tensors[3];
        assert_eq!((experts.elements, experts.bytes), (1024, 544));
        assert_eq!(experts.tensor_type.name(), "MXFP4");
    }
}

#[test]
fn every_proper_prefix_of_a_file_is_refused() {
    let file = tiny_moe().file();
    read_bytes(&file).expect("the whole of it");
    for length in 0..file.len() {
        assert!(read_bytes(&file[..length]).is_err(), "{length} of {} bytes were taken", file.len());
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_a_remedy() {
    let t = |builder: Builder| builder.file();
    let new = Builder::new;
    let arrays = [&LIST.to_le_bytes()[..], &1_u64.to_le_bytes()].concat();
    let many = [&U32.to_le_bytes()[..], &u64::MAX.to_le_bytes()].concat();
    let texts = [&TEXT.to_le_bytes()[..], &(1_u64 << 61).to_le_bytes()].concat();
    let long = "k".repeat(70_000);
    let mut keys = new().file();
    keys[16..24].fill(0xFF);
    let mut tensors = tiny_moe().file();
    tensors[8..16].copy_from_slice(&1_000_000_u64.to_le_bytes());
    let whole = tiny_moe().file();
    let cases: [(&str, Vec<u8>); 26] = [
        ("empty", vec![]),
        ("a text", b"a text, and no model\n".to_vec()),
        ("cut in the counts", whole[..20].to_vec()),
        ("cut in a key", whole[..30].to_vec()),
        ("cut in the tensors' table", whole[..tiny_moe().header().len() - 40].to_vec()),
        ("cut in the data", whole[..whole.len() - 1].to_vec()),
        ("version 1", new().version(1).file()),
        ("version 4", new().version(4).file()),
        ("big-endian", new().version(3_u32.swap_bytes()).file()),
        ("too many keys", keys),
        ("too many tensors", tensors),
        ("a key twice", t(new().u32("a", 1).u32("a", 2))),
        ("an empty key", t(new().u32("", 1))),
        ("a long key", t(new().u32(&long, 1))),
        ("an unknown value", t(new().key("a", 13, &[0; 8]))),
        ("a long text", t(new().key("a", TEXT, &u64::MAX.to_le_bytes()))),
        ("arrays in an array", t(new().key("a", LIST, &arrays))),
        ("a long array", t(new().key("a", LIST, &many))),
        ("many texts", t(new().key("a", LIST, &texts))),
        ("alignment 3", t(new().u32("general.alignment", 3))),
        ("alignment in 16 bits", t(new().key("general.alignment", U16, &32_u16.to_le_bytes()))),
        ("a tensor twice", t(new().tensor("t", &[8], F32, 32).tensor("t", &[8], F32, 32))),
        ("5 dimensions", t(new().tensor("t", &[1; 5], F32, 4))),
        ("an unknown type", t(new().tensor("t", &[8], 99, 32))),
        ("half a block", t(new().tensor("t", &[48, 2], Q8_0, 102))),
        ("a gap", t(new().tensor("t", &[8], F32, 32).tensor_at("u", &[8], F32, 32, 96))),
    ];
    let report: String = cases.iter().map(|(name, bytes)| format!("{name}\n  {}", said(bytes))).collect();
    insta::assert_snapshot!(report);
}

#[test]
fn sizes_that_overflow_are_refused() {
    for dims in [
        vec![u64::MAX],
        vec![1 << 63],
        vec![1 << 32, 1 << 32],
        vec![1 << 31, 1 << 31, 1 << 31],
        vec![1 << 62], // of 4 bytes each
        vec![0, u64::MAX],
    ] {
        let refused = problem(&Builder::new().tensor("t", &dims, F32, 0));
        assert!(matches!(refused, Problem::Overflow { .. }), "{dims:?}: {refused}");
    }
    let far = Builder::new().tensor("t", &[1 << 60], F32, 0).tensor_at("u", &[1 << 60], F32, 0, 1 << 62);
    assert!(matches!(problem(&far), Problem::Truncated { .. }));
}

#[test]
fn a_zero_alignment_is_refused() {
    assert!(matches!(problem(&Builder::new().u32("general.alignment", 0)), Problem::Alignment { .. }));
}

#[test]
fn an_alignment_of_its_own_is_kept() {
    let builder = Builder::new().alignment(64).u32("general.alignment", 64);
    let file = builder.tensor("a", &[1], F32, 4).tensor("b", &[1], F32, 4).file();
    assert_eq!(read_bytes(&file).expect("a whole file").tensors.len(), 2);
}

#[test]
fn a_tensor_of_nothing_takes_nothing() {
    let file = Builder::new().tensor("t", &[0, 8], F32, 0).tensor("one", &[], F32, 4).file();
    let tensors = read_bytes(&file).expect("a whole file").tensors;
    assert_eq!([tensors[0].bytes, tensors[1].bytes], [0, 4]);
}

#[test]
fn long_texts_and_lists_are_counted_and_not_kept() {
    let long = "x".repeat(2 << 20);
    let (most, numbers) = (1 << 19, vec![7; (1 << 19) + 1]);
    let file = Builder::new()
        .text("long", &long)
        .u32s("numbers", &numbers)
        .u32s("few", &[1, 2])
        .key("huge", U64, &u64::MAX.to_le_bytes())
        .file();
    let metadata = read_bytes(&file).expect("a whole file").metadata;
    assert_eq!(metadata["long"], Value::LongText { bytes: 2 << 20 });
    let list = |key: &str| metadata[key].list().expect("a list").clone();
    assert_eq!((list("numbers").len, list("numbers").integers), (most + 1, None));
    assert_eq!(list("few").integers, Some(vec![1, 2]));
    assert_eq!(metadata["huge"].unsigned(), Some(u64::MAX));
}

#[test]
fn a_truth_is_any_byte_and_a_text_may_be_no_utf8() {
    let bytes = [&3_u64.to_le_bytes()[..], &[b'a', 0xFF, b'b']].concat();
    let file = Builder::new().key("truth", BOOL, &[7]).key("text", TEXT, &bytes).file();
    let metadata = read_bytes(&file).expect("a whole file").metadata;
    assert_eq!(metadata["truth"], Value::Bool(true));
    assert_eq!(metadata["text"], Value::Text("a\u{FFFD}b".to_owned()));
}

fn part(index: u16, count: u16, builder: Builder) -> Vec<u8> {
    builder.key("split.no", U16, &index.to_le_bytes()).key("split.count", U16, &count.to_le_bytes()).file()
}

fn split_set(directory: &Path, second: Option<Vec<u8>>) -> Result<Gguf, GgufError> {
    let first = directory.join("m-00001-of-00002.gguf");
    fs::write(&first, part(0, 2, tiny_moe())).expect("a temporary file");
    if let Some(second) = second {
        fs::write(directory.join("m-00002-of-00002.gguf"), second).expect("a temporary file");
    }
    Gguf::read(&first)
}

#[test]
fn a_split_set_is_one_model() {
    let directory = TempDir::new().expect("a temporary directory");
    let more = Builder::new().tensor("blk.1.ffn_down_exps.weight", &[32, 32, 4], MXFP4, 2176);
    let whole = split_set(directory.path(), Some(part(1, 2, more))).expect("both parts");
    assert_eq!((whole.paths.len(), whole.tensors.len()), (2, 8));
    assert!(whole.metadata.contains_key("general.name"));
}

#[test]
fn a_split_set_that_does_not_belong_together_is_refused() {
    let of = |second: Option<Vec<u8>>| {
        let directory = TempDir::new().expect("a temporary directory");
        split_set(directory.path(), second).expect_err("this must be refused")
    };
    let missing = of(None);
    assert!(matches!(&missing, GgufError::Read { path, .. } if path.ends_with("m-00002-of-00002.gguf")), "{missing}");
    let problem = |second| match of(Some(second)) {
        GgufError::Bad { path, problem, .. } => {
            assert!(path.ends_with("m-00002-of-00002.gguf"));
            problem
        }
        other => panic!("{other}"),
    };
    let other_part = problem(part(2, 3, Builder::new()));
    assert_eq!(other_part, Problem::Part { expected: 2, count: 2, index: 3, found: 3 });
    let twice = problem(part(1, 2, tiny_moe()));
    assert_eq!(twice, Problem::DuplicateTensor { tensor: "token_embd.weight".to_owned() });
}

#[test]
fn a_part_under_another_name_is_refused() {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("m.gguf");
    fs::write(&path, part(1, 3, tiny_moe())).expect("a temporary file");
    let refused = Gguf::read(&path).expect_err("this must be refused");
    assert!(matches!(refused, GgufError::Bad { problem: Problem::PartName { index: 2, count: 3 }, .. }), "{refused}");
}

#[test]
fn what_is_no_file_is_refused() {
    let directory = TempDir::new().expect("a temporary directory");
    assert!(matches!(Gguf::read(directory.path()), Err(GgufError::NotAFile { .. })));
    assert!(matches!(Gguf::read(Path::new("/dev/null")), Err(GgufError::NotAFile { .. })));
    assert!(matches!(Gguf::read(&directory.path().join("none.gguf")), Err(GgufError::Read { .. })));
}

#[test]
fn the_texts_of_a_list_are_kept_where_they_are_not_too_long() {
    let long = "x".repeat(25 << 20);
    let file = Builder::new().texts("t", &["ab", "", "é"]).texts("long", &["a", &long]).text("after", "x").file();
    let metadata = read_bytes(&file).expect("a whole file").metadata;
    let list = |key: &str| metadata[key].list().expect("a list").clone();
    let texts = list("t").texts.expect("short texts");
    assert_eq!((texts.iter().collect::<Vec<_>>(), texts.get(2), texts.get(3)), (vec!["ab", "", "é"], Some("é"), None));
    assert_eq!((list("long").len, list("long").texts), (2, None));
    assert_eq!(metadata["after"].text(), Some("x"));
}
