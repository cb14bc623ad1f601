//! Owns the journal's on-disk types, all of them, with their version. Must not know files, nor what becomes of a
//! record.
//!
//! A record is one line of `trials.jsonl`, and ends in its seal. It holds the text and the token ids, so that every
//! metric can be computed again without a model.

use serde::{Deserialize, Serialize};

use super::record;
use crate::domain::{self, TrialId};
use crate::engine;
use crate::format::{Stop, both_ways};
use crate::seal::seal;

/// The version this program writes; a newer one is refused, an older one read.
pub const VERSION: u32 = 2;
/// From this version on each record ends in its seal.
pub const SEALED: u32 = 2;

/// What became of one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub v: u32,
    id: String,
    outcome: Outcome,
    timing: Timing,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Generated(Generation),
    Failed(Failure),
}

/// One generated text. A field without `null` is absent where it has nothing to say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Generation {
    n_prompt_tokens: Option<u32>,
    tokens: Option<Vec<i32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n_stated_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thought: Option<String>,
    text: String,
    stop: Stop,
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logits_blake3: Option<String>,
}
both_ways!(
    Generation,
    domain::Generation { n_prompt_tokens, tokens, n_stated_tokens, thought, text, stop: into, doubt, logits_blake3 }
);

/// Why a trial has no text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Failure {
    reason: String,
    attempts: u32,
}
both_ways!(Failure, record::Failure { reason, attempts });

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Timing {
    seconds: f64,
    /// The texts decoded together, which files call rows.
    #[serde(rename = "rows")]
    batch: u32,
    /// Servers' texts were the first to have it, and it had another name then.
    #[serde(alias = "seconds_to_first_token", skip_serializing_if = "Option::is_none")]
    first_token_seconds: Option<f64>,
}
both_ways!(Timing, engine::Timing { seconds, batch, first_token_seconds });

/// Why a line is no record that can be read.
#[derive(Debug, thiserror::Error)]
pub enum NoRecord {
    #[error("{0}")]
    Damaged(#[from] serde_json::Error),
    #[error("a time can't be less than 0")]
    NegativeTime,
    #[error("format {0}")]
    Newer(u64),
}

impl Record {
    /// Reads a line, whatever its seal says.
    ///
    /// # Errors
    /// When it is no record, or one of a newer version.
    pub fn parse(line: &[u8]) -> Result<Self, NoRecord> {
        /// Only what every version has: a newer record need not parse otherwise.
        #[derive(Deserialize)]
        struct Versioned {
            v: u64,
        }
        let Versioned { v } = serde_json::from_slice(line)?;
        if v > u64::from(VERSION) {
            return Err(NoRecord::Newer(v));
        }
        let record: Self = serde_json::from_slice(line)?;
        let Timing { seconds, first_token_seconds, .. } = record.timing;
        if seconds < 0.0 || first_token_seconds.is_some_and(|seconds| seconds < 0.0) {
            return Err(NoRecord::NegativeTime);
        }
        Ok(record)
    }

    /// Makes the line that holds it, sealed, with its line feed.
    pub fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("a record is plain data");
        seal(&mut line);
        line.push(b'\n');
        line
    }
}

impl From<record::TrialRecord> for Record {
    fn from(record::TrialRecord { id, outcome, timing }: record::TrialRecord) -> Self {
        let outcome = match outcome {
            record::Outcome::Generated(generation) => Outcome::Generated(generation.into()),
            record::Outcome::Failed(failure) => Outcome::Failed(failure.into()),
        };
        Self { v: VERSION, id: id.into(), outcome, timing: timing.into() }
    }
}

impl From<Record> for record::TrialRecord {
    fn from(Record { v: _, id, outcome, timing }: Record) -> Self {
        let outcome = match outcome {
            Outcome::Generated(generation) => record::Outcome::Generated(generation.into()),
            Outcome::Failed(failure) => record::Outcome::Failed(failure.into()),
        };
        Self { id: TrialId::known(id), outcome, timing: timing.into() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;
    use crate::format::samples;
    use crate::seal::{Seal, seal_of};

    /// What this version writes. A change of it is a new version.
    const PINNED: &str = concat!(
        r#"{"v":2,"id":"f0","outcome":{"generated":{"n_prompt_tokens":3,"tokens":[1,-1],"n_stated_tokens":2,"#,
        r#""thought":"hm","text":"a \"b\"","stop":"max_tokens","doubt":"odd","logits_blake3":"00"}},"#,
        r#""timing":{"seconds":0.5,"rows":4,"first_token_seconds":0.25},"seal":"cf762774c0f99b0d7929d3b13503d412"}"#,
        "\n",
        r#"{"v":2,"id":"f0","outcome":{"generated":{"n_prompt_tokens":null,"tokens":null,"text":"","stop":"eos"}},"#,
        r#""timing":{"seconds":0.0,"rows":0},"seal":"5cfb3c395b050e5055135762ea144270"}"#,
        "\n",
        r#"{"v":2,"id":"f0","outcome":{"failed":{"reason":"it died","attempts":2}},"#,
        r#""timing":{"seconds":0.0,"rows":0},"seal":"81e3dbb6ac6ebdc487b555323227d179"}"#,
        "\n",
    );

    fn generations() -> impl Strategy<Value = domain::Generation> {
        use domain::Stop;
        let stops =
            [Stop::Eos, Stop::MaxTokens, Stop::Context, Stop::Grammar, Stop::Cut, Stop::Repetition, Stop::Unknown];
        let texts = (of("\\PC*"), ".*", of(".*"), of("[0-9a-f]{64}"));
        let numbers = (of(any::<u32>()), of(any::<Vec<i32>>()), of(any::<u32>()), prop::sample::select(stops.to_vec()));
        (texts, numbers).prop_map(|(texts, numbers)| {
            let (thought, text, doubt, logits_blake3) = texts;
            let (n_prompt_tokens, tokens, n_stated_tokens, stop) = numbers;
            domain::Generation { n_prompt_tokens, tokens, n_stated_tokens, thought, text, stop, doubt, logits_blake3 }
        })
    }

    fn outcomes() -> impl Strategy<Value = record::Outcome> {
        let failure = |(reason, attempts)| record::Outcome::Failed(record::Failure { reason, attempts });
        prop_oneof![generations().prop_map(record::Outcome::Generated), (".*", any::<u32>()).prop_map(failure)]
    }

    fn records() -> impl Strategy<Value = record::TrialRecord> {
        let seconds = 0.0..1e9_f64;
        let timing = (seconds.clone(), any::<u32>(), of(seconds))
            .prop_map(|(seconds, batch, first_token_seconds)| engine::Timing { seconds, batch, first_token_seconds });
        ("[0-9a-f]{32}", outcomes(), timing).prop_map(|(id, outcome, timing)| record::TrialRecord {
            id: TrialId::known(id),
            outcome,
            timing,
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(record in records()) {
            let line = Record::from(record.clone()).line();
            prop_assert_eq!(seal_of(&line), Seal::Whole);
            prop_assert_eq!(record::TrialRecord::from(Record::parse(&line).unwrap()), record);
        }
    }

    #[test]
    fn records_of_every_version_are_read_and_those_of_this_one_are_written_so() {
        let mut versions = [0; VERSION as usize];
        for (file, bytes) in samples("trials.jsonl") {
            for line in bytes.split_inclusive(|&byte| byte == b'\n') {
                let read = Record::parse(line).unwrap_or_else(|error| panic!("{file}: {error}"));
                versions[read.v as usize - 1] += 1;
                let v = read.v;
                let written = Record::from(record::TrialRecord::from(read));
                if v == VERSION {
                    assert_eq!(String::from_utf8(written.line()), String::from_utf8(line.to_vec()), "{file}");
                }
                let again = record::TrialRecord::from(written.clone());
                assert_eq!(Record::from(again), written, "{file}");
            }
        }
        assert!(versions.iter().all(|&n| n > 100), "{versions:?}");
    }

    #[test]
    fn a_newer_record_is_known_for_one_whatever_it_holds() {
        assert!(matches!(Record::parse(b"{\"v\":3,\"text\":[]}\n"), Err(NoRecord::Newer(3))));
    }

    #[test]
    fn a_record_has_these_bytes() {
        let generation = domain::Generation {
            n_prompt_tokens: Some(3),
            tokens: Some(vec![1, -1]),
            n_stated_tokens: Some(2),
            thought: Some("hm".to_owned()),
            text: "a \"b\"".to_owned(),
            stop: domain::Stop::MaxTokens,
            doubt: Some("odd".to_owned()),
            logits_blake3: Some("00".to_owned()),
        };
        let least = domain::Generation {
            n_prompt_tokens: None,
            ..domain::Generation::of_tokens(0, vec![], "".into(), domain::Stop::Eos)
        };
        let failure = record::Failure { reason: "it died".to_owned(), attempts: 2 };
        let outcomes = [
            record::Outcome::Generated(generation),
            record::Outcome::Generated(domain::Generation { tokens: None, ..least }),
            record::Outcome::Failed(failure),
        ];
        let timings = [
            engine::Timing { seconds: 0.5, batch: 4, first_token_seconds: Some(0.25) },
            engine::Timing::default(),
            engine::Timing::default(),
        ];
        let lines: String = outcomes
            .into_iter()
            .zip(timings)
            .map(|(outcome, timing)| record::TrialRecord { id: TrialId::known("f0"), outcome, timing })
            .map(|record| String::from_utf8(Record::from(record).line()).expect("it is text"))
            .collect();
        assert_eq!(lines, PINNED);
    }
}
