//! Writes headers: keys, tensors, and where their data will lie. The data is for whoever asks for the header.

use super::TensorType;
use super::value::ValueType;

const VERSION: u32 = 3;

/// A header that is being put together; its entries stand in the order in which they were added.
#[derive(Clone, Debug)]
pub struct Draft {
    alignment: u64,
    n_keys: u64,
    keys: Vec<u8>,
    n_tensors: u64,
    tensors: Vec<u8>,
    /// Where the next tensor's data begin, from the first one's.
    offset: u64,
}

impl Draft {
    /// Starts a header whose tensors begin at multiples of `alignment` bytes. Another than 32 must be stated by the key
    /// `general.alignment`, which is for the caller to add.
    pub fn new(alignment: u64) -> Self {
        Self { alignment, n_keys: 0, keys: Vec::new(), n_tensors: 0, tensors: Vec::new(), offset: 0 }
    }

    /// Adds a key whose value stands in another file; `value` is its type and itself, as they stand there.
    pub fn raw(&mut self, key: &str, value: &[u8]) {
        put_text(&mut self.keys, key);
        self.keys.extend_from_slice(value);
        self.n_keys += 1;
    }

    pub fn text(&mut self, key: &str, value: &str) {
        let mut bytes = ValueType::Text.id().to_le_bytes().to_vec();
        put_text(&mut bytes, value);
        self.raw(key, &bytes);
    }

    pub fn u32(&mut self, key: &str, value: u32) {
        self.raw(key, &[ValueType::U32.id().to_le_bytes(), value.to_le_bytes()].concat());
    }

    /// Adds a key that is true.
    pub fn truth(&mut self, key: &str) {
        self.raw(key, &[&ValueType::Bool.id().to_le_bytes()[..], &[1]].concat());
    }

    pub fn u64(&mut self, key: &str, value: u64) {
        self.raw(key, &[&ValueType::U64.id().to_le_bytes()[..], &value.to_le_bytes()].concat());
    }

    pub fn f64(&mut self, key: &str, value: f64) {
        self.raw(key, &[&ValueType::F64.id().to_le_bytes()[..], &value.to_le_bytes()].concat());
    }

    /// Adds a tensor of so many bytes, whose data lie behind those of the tensors before it. None where they would end
    /// beyond 2^63.
    pub fn tensor(&mut self, name: &str, dims: &[u64], tensor_type: TensorType, bytes: u64) -> Option<()> {
        put_text(&mut self.tensors, name);
        self.tensors.extend((dims.len() as u32).to_le_bytes());
        self.tensors.extend(dims.iter().flat_map(|dim| dim.to_le_bytes()));
        self.tensors.extend(tensor_type.id().to_le_bytes());
        self.tensors.extend(self.offset.to_le_bytes());
        self.n_tensors += 1;
        let end = self.offset.checked_add(bytes)?.checked_next_multiple_of(self.alignment)?;
        self.offset = Some(end).filter(|&end| end <= i64::MAX as u64)?;
        Some(())
    }

    /// The header's bytes, up to where the first tensor's data begin.
    pub fn header(&self) -> Vec<u8> {
        let counts = [self.n_tensors, self.n_keys].map(u64::to_le_bytes).concat();
        let mut header = [&b"GGUF"[..], &VERSION.to_le_bytes(), &counts, &self.keys, &self.tensors].concat();
        header.resize(header.len() + self.padding(header.len() as u64), 0);
        header
    }

    /// Zeros that follow so many bytes, of the header or of a tensor's data, before the next data begin.
    pub fn padding(&self, bytes: u64) -> usize {
        (bytes.next_multiple_of(self.alignment) - bytes) as usize
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::gguf::{Value, read_bytes};

    #[test]
    fn what_was_written_is_read_back() {
        let mut draft = Draft::new(64);
        draft.u32("general.alignment", 64);
        draft.text("name", "a name");
        draft.u64("large", u64::MAX);
        draft.f64("small", 0.05);
        draft.truth("true");
        draft.raw("raw", &[&7_u32.to_le_bytes()[..], &[1]].concat());
        draft.tensor("first", &[5, 2], TensorType::F32, 40).unwrap();
        draft.tensor("second", &[3], TensorType::F32, 12).unwrap();
        let mut file = draft.header();
        assert_eq!(file.len() % 64, 0);
        file.resize(file.len() + 64 + 12, 0);
        let header = read_bytes(&file).unwrap();
        let value = |key: &str| header.metadata[key].clone();
        assert_eq!(value("name"), Value::Text("a name".to_owned()));
        assert_eq!((value("large"), value("small")), (Value::Unsigned(u64::MAX), Value::Float(0.05)));
        assert_eq!([value("raw"), value("true")], [Value::Bool(true), Value::Bool(true)]);
        let tensors: Vec<_> = header.tensors.iter().map(|tensor| (&*tensor.name, &tensor.dims[..])).collect();
        assert_eq!(tensors, [("first", &[5, 2][..]), ("second", &[3][..])]);
        assert_eq!(Draft::new(32).tensor("huge", &[1 << 62], TensorType::F32, 1 << 63), None);
    }
}
