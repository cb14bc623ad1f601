//! Reads the metadata of a header: it keeps what is small of keys and values, and counts the rest.

use std::collections::BTreeMap;
use std::io::{Read, Seek};

use super::error::Problem;
use super::layout::KeyPlace;
use super::names::{name, shown, shown_bytes};
use super::source::{Fault, Source};
use super::texts::Texts;
use super::value::{List, Value, ValueType};

const DEFAULT_ALIGNMENT: u64 = 32;
/// `GGUF`'s own limit on keys.
const MAX_KEY_BYTES: u64 = (1 << 16) - 1;
/// Longer texts are counted only: a tokenizer's JSON is one.
const MAX_TEXT_BYTES: u64 = 1 << 20;
/// Longer arrays are counted only. The largest vocabularies have half as many tokens.
const MAX_KEPT_ELEMENTS: u64 = 1 << 19;
/// What texts and arrays may take together, whatever the file says: 2^19 tokens and the merges that made them fit.
const KEPT_BYTES: u64 = 24 << 20;
/// What an array's element takes in memory: an integer, or where a text ends.
const ELEMENT_BYTES: u64 = 8;

/// What a header says before its tensors.
pub(super) struct Metadata {
    pub values: BTreeMap<String, Value>,
    /// Where each value stands, in the file's order.
    pub places: Vec<KeyPlace>,
    /// Of the tensors' data, in bytes.
    pub alignment: u64,
}

pub(super) fn read_metadata<R: Read + Seek>(source: &mut Source<R>, count: u64) -> Result<Metadata, Fault> {
    let mut values = BTreeMap::new();
    let mut places = Vec::new();
    let mut alignment = DEFAULT_ALIGNMENT;
    let mut kept = Kept(KEPT_BYTES);
    for _ in 0..count {
        let begin = source.position();
        let bad = |problem| Fault::Bad { offset: begin, problem };
        let key = name(source, "key", MAX_KEY_BYTES)?;
        if key.is_empty() {
            return Err(bad(Problem::EmptyKey));
        }
        let value_begin = source.position();
        let value_type = value_type(source, &key)?;
        let value = read_value(source, &key, value_type, &mut kept)?;
        places.push(KeyPlace { key: key.clone(), value: value_begin..source.position() });
        if key == "general.alignment" {
            alignment = alignment_of(value_type, &value).ok_or_else(|| {
                let found = shown(&format!("{value_type:?} {value:?}"));
                bad(Problem::Alignment { found })
            })?;
        }
        let shown = shown(&key);
        if values.insert(key, value).is_some() {
            return Err(bad(Problem::DuplicateKey { key: shown }));
        }
    }
    Ok(Metadata { values, places, alignment })
}

fn value_type<R: Read + Seek>(source: &mut Source<R>, key: &str) -> Result<ValueType, Fault> {
    let offset = source.position();
    let found = source.u32("a value's type")?;
    let problem = || Problem::ValueType { key: shown(key), found };
    ValueType::from_id(found).ok_or_else(|| Fault::Bad { offset, problem: problem() })
}

fn read_value<R: Read + Seek>(
    source: &mut Source<R>,
    key: &str,
    value_type: ValueType,
    kept: &mut Kept,
) -> Result<Value, Fault> {
    match value_type {
        ValueType::Text => {
            let bytes = source.length("a text")?;
            if bytes > MAX_TEXT_BYTES || !kept.take(bytes) {
                source.skip("a text", bytes)?;
                return Ok(Value::LongText { bytes });
            }
            let text = source.bytes("a text", bytes)?;
            // Shown or compared, never written back: what is not UTF-8 may be replaced.
            Ok(Value::Text(String::from_utf8(text).unwrap_or_else(|bad| shown_bytes(bad.as_bytes()))))
        }
        ValueType::List => read_list(source, key, kept).map(Value::List),
        number => {
            let width = number.fixed_bytes().expect("texts and lists are dealt with");
            Ok(number.decode(source.number("a value", width)?))
        }
    }
}

fn read_list<R: Read + Seek>(source: &mut Source<R>, key: &str, kept: &mut Kept) -> Result<List, Fault> {
    let offset = source.position();
    let element = value_type(source, key)?;
    if element == ValueType::List {
        return Err(Fault::Bad { offset, problem: Problem::Nested { key: shown(key) } });
    }
    let len = source.u64("an array's length")?;
    let Some(width) = element.fixed_bytes() else {
        let texts = read_texts(source, len, kept)?;
        return Ok(List { element, len, integers: None, texts });
    };
    source.count("elements in an array", len, width, u64::MAX)?;
    let float = matches!(element, ValueType::F32 | ValueType::F64);
    if float || len > MAX_KEPT_ELEMENTS || !kept.take(len * ELEMENT_BYTES) {
        source.skip("an array", len * width)?;
        return Ok(List { element, len, integers: None, texts: None });
    }
    let mut integers = Some(Vec::with_capacity(len as usize));
    for _ in 0..len {
        let integer = element.decode(source.number("an array's element", width)?).integer();
        // One that is beyond 2^63 spoils the list, and no list of use here has one.
        integers = integers.zip(integer).map(|(mut all, one)| {
            all.push(one);
            all
        });
    }
    Ok(List { element, len, integers, texts: None })
}

/// The texts of an array; None where they are too many, or too long together.
fn read_texts<R: Read + Seek>(source: &mut Source<R>, len: u64, kept: &mut Kept) -> Result<Option<Texts>, Fault> {
    // Each takes at least its length.
    source.count("texts in an array", len, 8, u64::MAX)?;
    let is_short = len <= MAX_KEPT_ELEMENTS && kept.take(len * ELEMENT_BYTES);
    let mut texts = is_short.then(Texts::default);
    for _ in 0..len {
        let bytes = source.length("a text in an array")?;
        texts = texts.filter(|_| kept.take(bytes));
        match &mut texts {
            Some(texts) => texts.push(&String::from_utf8_lossy(&source.bytes("a text in an array", bytes)?)),
            None => source.skip("a text in an array", bytes)?,
        }
    }
    Ok(texts)
}

fn alignment_of(value_type: ValueType, value: &Value) -> Option<u64> {
    value.unsigned().filter(|n| value_type == ValueType::U32 && n.is_power_of_two())
}

/// Bytes of memory that are left for what is kept.
struct Kept(u64);

impl Kept {
    fn take(&mut self, bytes: u64) -> bool {
        let taken = self.0.checked_sub(bytes);
        self.0 = taken.unwrap_or(self.0);
        taken.is_some()
    }
}
