//! Keeps keys, tokens and passwords, and rids text of them.
//!
//! Owns what a secret is and what of it may not come out again: whoever it was shown to may send it
//! back, whole, in part, or in the part that a cut leaves. Knows neither where secrets come from nor
//! whom they are for.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

/// So many bytes of a secret in a row are not let out. A secret that is shorter is none: `none` and
/// `EMPTY` are keys that people set, and words of a text.
const RUN_BYTES: usize = 8;
/// What stands in the place of such a run.
const STAND_IN: &str = "[key]";

/// A key, a token or a password. It has no way to be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
    /// Every run of `RUN_BYTES` in it.
    runs: BTreeSet<[u8; RUN_BYTES]>,
}

/// All that must not come out again of what a server sends: the one way from its bytes to text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets(Vec<Secret>);

impl Secret {
    /// None where nothing is left of it without the white space around it.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim().to_owned();
        let runs = text.as_bytes().windows(RUN_BYTES).map(|run| run.try_into().expect("a window's size")).collect();
        (!text.is_empty()).then_some(Self { text, runs })
    }

    /// The value of the header that shows it to whom it is for.
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.text)
    }

    /// How many bytes of `text`, from `at` on, are a run of the secret that must not come out.
    fn run_at(&self, text: &[u8], at: usize) -> Option<usize> {
        let start: [u8; RUN_BYTES] = text.get(at..at + RUN_BYTES)?.try_into().ok()?;
        if !self.runs.contains(&start) {
            return None;
        }
        let secret = self.text.as_bytes();
        let begins = (0..secret.len()).filter(|&from| secret[from..].starts_with(&start));
        let same = |from: usize| secret[from..].iter().zip(&text[at..]).take_while(|(one, other)| one == other).count();
        begins.map(same).max()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secrets {
    pub fn new(secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self(secrets.into_iter().collect())
    }

    /// Bytes that came in as text: without any run of a secret, and with U+FFFD for what is not UTF-8.
    pub fn text(&self, bytes: &[u8]) -> String {
        let scrubbed = self.0.iter().fold(Cow::Borrowed(bytes), |bytes, secret| match without(secret, &bytes) {
            None => bytes,
            Some(without) => Cow::Owned(without),
        });
        String::from_utf8_lossy(&scrubbed).into_owned()
    }

    /// The same of text that was put together here, of pieces that each held too little of a secret.
    pub fn scrub(&self, text: String) -> String {
        let holds = |secret: &Secret| (0..text.len()).any(|at| secret.run_at(text.as_bytes(), at).is_some());
        if self.0.iter().any(holds) { self.text(text.as_bytes()) } else { text }
    }

    /// JSON that came in. Its strings may escape any letter, so they are scrubbed once they are read.
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn json(&self, text: &str) -> serde_json::Result<Value> {
        Ok(self.scrub_value(serde_json::from_str(text)?))
    }

    fn scrub_value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.scrub(text)),
            Value::Array(values) => values.into_iter().map(|value| self.scrub_value(value)).collect(),
            Value::Object(object) => {
                let scrubbed = object.into_iter().map(|(key, value)| (self.scrub(key), self.scrub_value(value)));
                Value::Object(scrubbed.collect::<Map<_, _>>())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }
}

/// `bytes` with every run replaced; None where there is none.
fn without(secret: &Secret, bytes: &[u8]) -> Option<Vec<u8>> {
    let (mut out, mut copied, mut at) = (Vec::new(), 0, 0);
    while at < bytes.len() {
        match secret.run_at(bytes, at) {
            None => at += 1,
            Some(length) => {
                out.extend_from_slice(&bytes[copied..at]);
                out.extend_from_slice(STAND_IN.as_bytes());
                at += length;
                copied = at;
            }
        }
    }
    if copied == 0 {
        return None;
    }
    out.extend_from_slice(&bytes[copied..]);
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "sk-0123456789abcdef";

    fn secrets(key: &str) -> Secrets {
        Secrets::new(Secret::new(key))
    }

    #[test]
    fn a_run_of_a_secret_is_replaced_wherever_it_stands() {
        let scrub = |text: &str| secrets(KEY).text(text.as_bytes());
        assert_eq!(scrub("it is sk-0123456789abcdef!"), "it is [key]!");
        assert_eq!(scrub("456789ab"), "[key]");
        assert_eq!(scrub("cut: sk-0123456"), "cut: [key]");
        assert_eq!(scrub("too little: sk-0123 456789a"), "too little: sk-0123 456789a");
        assert_eq!(scrub("sk-0123456789abcdefsk-0123456789abcdef"), "[key][key]");
        assert_eq!(scrub("89abcdefsk-01234"), "[key][key]");
        assert_eq!(secrets(KEY).text(b"\xFF456789ab\xFF"), "\u{FFFD}[key]\u{FFFD}");
        // The longest run that begins there, not the first that is found.
        assert_eq!(secrets("aaaaaaaab-aaaaaaaac").text(b"aaaaaaaac"), "[key]");
    }

    #[test]
    fn a_word_that_people_set_for_a_key_is_no_secret() {
        for key in ["x", "none", "EMPTY", "1234567"] {
            assert_eq!(secrets(key).text(key.as_bytes()), key);
        }
        assert!(Secret::new(" \n").is_none());
    }

    #[test]
    fn escaped_letters_are_letters() {
        let read = |json: &str| secrets(KEY).json(json).unwrap().to_string();
        assert_eq!(read(r#"{"a": ["\u0073k-01\u0032345"]}"#), r#"{"a":["[key]"]}"#);
        assert_eq!(read(r#"{"\u0073k-01\u0032345": 1}"#), r#"{"[key]":1}"#);
        assert!(secrets(KEY).json("{").is_err());
    }

    #[test]
    fn a_secret_is_never_shown() {
        let secret = Secret::new(" sk-0123456789abcdef\n").unwrap();
        assert_eq!((secret.bearer(), format!("{secret:?}")), (format!("Bearer {KEY}"), "Secret(…)".to_owned()));
    }

    proptest! {
        #[test]
        fn nothing_of_eight_letters_is_left(key in "[ab]{8,24}", text in "[ab.]{0,80}") {
            let scrubbed = secrets(&key).text(text.as_bytes());
            prop_assert!(key.as_bytes().windows(RUN_BYTES).all(|run| !scrubbed.as_bytes().windows(RUN_BYTES).any(|left| left == run)));
        }
    }
}
