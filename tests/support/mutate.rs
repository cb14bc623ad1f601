//! Mutations of bytes that know a little of what they mean: lines, numbers, strings, TOML's values,
//! JSON's trees, binary lengths. Each is a function of the generator and the bytes alone.
//! scripts/torture/mutate.py does the same to whole programs.

use rand::RngExt as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// What the bytes are, so that a mutant stays nearly right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code)] // each binary has its targets
pub enum Kind {
    Toml,
    Json,
    /// A JSON value a line, perhaps behind a word as in `data: {}`.
    JsonLines,
    Text,
    Binary,
}

/// No mutant is longer.
pub const MOST_BYTES: usize = 1 << 18;

const NUMBERS: [&str; 20] = [
    "0",
    "-1",
    "-0.0",
    "1e308",
    "-1e308",
    "1e400",
    "0.1e-320",
    "nan",
    "inf",
    "1_000",
    "10001",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999",
    "0.0000001",
];
const STRINGS: [&str; 16] = [
    "",
    " ",
    "\u{202e}",
    "\u{1b}[31m",
    "\\u001b[2J",
    "\0",
    "\\u0000",
    "\\ud83d",
    "\\ude00",
    "</script>",
    "=1+1",
    "../../x",
    "all",
    "main",
    "T",
    "[DONE]",
];
const VALUES: [&str; 20] = [
    "{",
    "[",
    "[[],[],1]",
    "{}",
    "[]",
    "true",
    "1979-05-27T07:32:00Z",
    "\"\\ud800\"",
    "inf",
    "[1,\"a\"]",
    "\"x\"",
    "{ from = 0, count = 10000 }",
    "{ from = 0.1, to = 1e30, step = 0.1 }",
    "{ from = 0.0, to = 9999, step = 1 }",
    "{ from = 4294967290, count = 10 }",
    "{ from = 0, to = 1, step = 0 }",
    "{ from = 0, to = 1, step = 1e-30 }",
    "{ from = 0, count = 0 }",
    "{ from = 1, to = 0, step = -1 }",
    "[0.5, 0.5]",
];
const EXTREMES: [u64; 12] =
    [0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, 1 << 32, (1 << 61) + 1, i64::MAX as u64, 1 << 63, u64::MAX];
const PUNCTUATION: &[u8] = b"\"\\{}[]=.,#\n\r\t\0 '0123456789-eE:%";

/// A mutant of `bytes`; `other` is another file of the kind, of which it may take a part.
pub fn mutate(rng: &mut ChaCha8Rng, kind: Kind, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let mut mutant = bytes.to_vec();
    for _ in 0..[1, 1, 1, 2, 4][rng.random_range(0..5)] {
        mutant = once(rng, kind, &mutant, other);
        mutant.truncate(MOST_BYTES);
    }
    mutant
}

fn once(rng: &mut ChaCha8Rng, kind: Kind, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    if kind == Kind::Binary {
        return binary(rng, bytes, other);
    }
    match rng.random_range(0..10) {
        0 => flip(rng, bytes),
        1 => splice(rng, bytes, other),
        2 | 3 => lines(rng, bytes),
        4 => number(rng, bytes),
        5 => string(rng, bytes),
        6 if rng.random_ratio(1, 4) => nested(rng, bytes),
        _ => match kind {
            Kind::Toml => value(rng, bytes),
            Kind::Json => tree(rng, bytes),
            Kind::JsonLines => tree_of_a_line(rng, bytes),
            Kind::Text | Kind::Binary => splice(rng, bytes, other),
        },
    }
}

fn place(rng: &mut ChaCha8Rng, bytes: &[u8]) -> usize {
    rng.random_range(0..=bytes.len())
}

fn pick<'a>(rng: &mut ChaCha8Rng, list: &[&'a str]) -> &'a str {
    list.choose(rng).expect("a list of constants")
}

/// A few bytes changed, added or taken away.
fn flip(rng: &mut ChaCha8Rng, bytes: &[u8]) -> Vec<u8> {
    let mut mutant = bytes.to_vec();
    for _ in 0..[1, 1, 2, 8][rng.random_range(0..4)] {
        let at = place(rng, &mutant);
        let punctuation = PUNCTUATION[rng.random_range(0..PUNCTUATION.len())];
        match rng.random_range(0..5) {
            0 if at < mutant.len() => mutant[at] ^= 1 << rng.random_range(0..8),
            1 if at < mutant.len() => mutant[at] = punctuation,
            2 => mutant.insert(at, rng.random()),
            3 if at < mutant.len() => drop(mutant.remove(at)),
            _ => mutant.truncate(at),
        }
    }
    mutant
}

/// A stretch taken away, doubled many times over, or taken from the other.
fn splice(rng: &mut ChaCha8Rng, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let mut mutant = bytes.to_vec();
    let at = place(rng, &mutant);
    let end = (at + rng.random_range(0..200)).min(mutant.len());
    let from = place(rng, other);
    let to = (from + rng.random_range(0..400)).min(other.len());
    match rng.random_range(0..3) {
        0 => drop(mutant.drain(at..end)),
        1 => {
            let copies = mutant[at..end].repeat([1, 1, 2, 30, 1000][rng.random_range(0..5)]);
            mutant.splice(at..at, copies);
        }
        _ => drop(mutant.splice(at..end, other[from..to].iter().copied())),
    }
    mutant
}

fn lines(rng: &mut ChaCha8Rng, bytes: &[u8]) -> Vec<u8> {
    let mut lines: Vec<_> = bytes.split(|&byte| byte == b'\n').collect();
    let (one, two) = (rng.random_range(0..lines.len()), rng.random_range(0..lines.len()));
    match rng.random_range(0..5) {
        0 => drop(lines.remove(one)),
        1 => lines.insert(two, lines[one]),
        2 => lines.swap(one, two),
        3 => lines.truncate(one),
        _ => lines[one] = &lines[one][..place(rng, lines[one])],
    }
    let end: &[u8] = if rng.random_ratio(1, 10) { b"\r\n" } else { b"\n" };
    lines.join(end)
}

/// Where the bytes have a stretch that `begins` and then goes on as `holds` says; at random, of all of them.
fn stretch(
    rng: &mut ChaCha8Rng,
    bytes: &[u8],
    begins: impl Fn(u8) -> bool,
    holds: impl Fn(u8) -> bool,
) -> Option<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length =
            if begins(bytes[at]) { 1 + bytes[at + 1..].iter().take_while(|&&byte| holds(byte)).count() } else { 0 };
        if length > 0 {
            found.push((at, at + length));
        }
        at += length.max(1);
    }
    found.choose(rng).copied()
}

fn replaced(bytes: &[u8], from: usize, to: usize, with: &str) -> Vec<u8> {
    [&bytes[..from], with.as_bytes(), &bytes[to..]].concat()
}

fn number(rng: &mut ChaCha8Rng, bytes: &[u8]) -> Vec<u8> {
    let numeric = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let found = stretch(rng, bytes, |byte| byte == b'-' || byte.is_ascii_digit(), numeric);
    let Some((from, to)) = found else { return flip(rng, bytes) };
    let small = ["1", "2", "3", "0.5", "7"];
    let with = if rng.random() { pick(rng, &NUMBERS) } else { pick(rng, &small) };
    replaced(bytes, from, to, with)
}

fn string(rng: &mut ChaCha8Rng, bytes: &[u8]) -> Vec<u8> {
    let found = stretch(rng, bytes, |byte| byte == b'"', |byte| byte != b'"' && byte != b'\n');
    let Some((from, to)) = found else { return flip(rng, bytes) };
    let with = match rng.random_range(0..4) {
        0 => "A".repeat(5000),
        1 => String::from_utf8_lossy(&bytes[from + 1..to]).repeat(2),
        _ => pick(rng, &STRINGS).to_owned(),
    };
    replaced(bytes, from + 1, to, &with)
}

/// Depth and length without end, alone or beside what is right.
fn nested(rng: &mut ChaCha8Rng, bytes: &[u8]) -> Vec<u8> {
    let n = [100, 130, 1000, 10_000, 60_000][rng.random_range(0..5)];
    let deep = match rng.random_range(0..12) {
        0 => format!("x={}", "[".repeat(n)),
        1 => format!("x={}{}", "[".repeat(n), "]".repeat(n)),
        2 => format!("x={}1{}", "{a=".repeat(n), "}".repeat(n)),
        3 => format!("[{}a]\nb=1\n", "a.".repeat(n)),
        4 => format!("{}a=1\n", "a.".repeat(n)),
        5 => "{\"a\":".repeat(n),
        6 => "[".repeat(n),
        7 => "\"".repeat(n),
        8 => format!("x={}", "9".repeat(n)),
        9 => format!("x=1e{}", "9".repeat(n)),
        10 => "data: {\n".repeat(n / 4),
        _ => "{% if x %}{{ '".repeat(n / 4),
    };
    match rng.random_range(0..3) {
        0 => deep.into_bytes(),
        1 => [bytes, b"\n", deep.as_bytes()].concat(),
        _ => [deep.as_bytes(), b"\n", bytes].concat(),
    }
}

/// Another value behind one of TOML's keys.
fn value(rng: &mut ChaCha8Rng, bytes: &[u8]) -> Vec<u8> {
    let found = stretch(rng, bytes, |byte| byte == b'=', |byte| byte != b'\n' && byte != b'=');
    let Some((from, to)) = found else { return flip(rng, bytes) };
    let others: Vec<_> =
        bytes.split(|&byte| byte == b'\n').filter_map(|line| line.splitn(2, |&byte| byte == b'=').nth(1)).collect();
    let with = match others.choose(rng) {
        Some(other) if rng.random() => String::from_utf8_lossy(other).into_owned(),
        _ => pick(rng, &VALUES).to_owned(),
    };
    replaced(bytes, from + 1, to, &with)
}

fn tree(rng: &mut ChaCha8Rng, bytes: &[u8]) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else { return flip(rng, bytes) };
    change(rng, &mut value);
    value.to_string().into_bytes()
}

fn tree_of_a_line(rng: &mut ChaCha8Rng, bytes: &[u8]) -> Vec<u8> {
    let mut lines: Vec<_> = bytes.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    let at = rng.random_range(0..lines.len());
    let line = &lines[at];
    let begin = line.iter().position(|&byte| byte == b'{' || byte == b'[').unwrap_or(line.len());
    lines[at] = [&line[..begin], &tree(rng, &line[begin..])].concat();
    lines.join(&b'\n')
}

/// One place of the tree: taken away, doubled, renamed, or another value.
fn change(rng: &mut ChaCha8Rng, value: &mut Value) {
    let go_on = rng.random_ratio(3, 4);
    match value {
        Value::Object(map) if go_on && !map.is_empty() => {
            let index = rng.random_range(0..map.len());
            let key = map.keys().nth(index).expect("it has so many keys").clone();
            match rng.random_range(0..8) {
                0 => drop(map.remove(&key)),
                1 => {
                    let held = map.remove(&key).expect("it was there");
                    map.insert(key + "x", held);
                }
                2 => {
                    let other = map.values().nth(rng.random_range(0..map.len())).expect("it has so many").clone();
                    map.insert(key, other);
                }
                _ => change(rng, &mut map[&key]),
            }
        }
        Value::Array(list) if go_on && !list.is_empty() => {
            let at = rng.random_range(0..list.len());
            match rng.random_range(0..8) {
                0 => drop(list.remove(at)),
                1 => list.insert(at, list[at].clone()),
                2 => list.shuffle(rng),
                3 if list.len() < 100 => *list = list.iter().cycle().take(list.len() * 50).cloned().collect(),
                _ => change(rng, &mut list[at]),
            }
        }
        _ => *value = leaf(rng, value),
    }
}

fn leaf(rng: &mut ChaCha8Rng, value: &Value) -> Value {
    if let (Some(text), true) = (value.as_str(), rng.random()) {
        return Value::String(match rng.random_range(0..3) {
            0 => format!("{text}x"),
            1 => text.repeat(3),
            _ => text.chars().rev().collect(),
        });
    }
    if let (Some(number), true) = (value.as_f64(), rng.random()) {
        return json!([number + 1.0, -number, number * 8_589_934_592.0, number / 3.0][rng.random_range(0..4)]);
    }
    let leaves = [
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1),
        json!(1e308),
        json!(-1e308),
        json!(1e-320),
        json!(4_294_967_295_u64),
        json!(4_294_967_296_u64),
        json!(1_u64 << 53),
        json!(1_u64 << 63),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(""),
        json!("x"),
        json!("\0\u{1b}[2J"),
        json!("A".repeat(3000)),
        json!([]),
        json!({}),
        json!([[]]),
        json!([null]),
        json!({"a": 1}),
        json!(0.5),
    ];
    leaves.choose(rng).expect("there are leaves").clone()
}

/// Lengths and counts that lead astray, half of them where a header has its own.
fn binary(rng: &mut ChaCha8Rng, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let mut mutant = bytes.to_vec();
    let at = if rng.random_ratio(1, 3) { rng.random_range(0..=24).min(mutant.len()) } else { place(rng, &mutant) };
    match rng.random_range(0..4) {
        0 => flip(rng, &mutant),
        1 => splice(rng, &mutant, other),
        _ => {
            let extreme = EXTREMES[rng.random_range(0..EXTREMES.len())].to_le_bytes();
            let width = [4, 8][rng.random_range(0..2)].min(mutant.len() - at);
            mutant[at..at + width].copy_from_slice(&extreme[..width]);
            mutant
        }
    }
}
