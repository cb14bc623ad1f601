//! What may stand before a document, so that a model knows how to go on after any prompt.

use std::collections::BTreeMap;

use rand::{RngExt, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use super::form::{Form, Slot};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Openings {
    about: Vec<Beginning>,
    elsewhere: Vec<Beginning>,
    bridges: BTreeMap<Bridge, Vec<Form>>,
    words: Words,
}

/// A way to begin.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beginning {
    pub text: Form,
    /// What ends it, where it breaks off.
    bridge: Option<Bridge>,
    /// What the document will rather be about.
    pub subject: Option<String>,
}

impl Openings {
    /// What stands before a document, if anything does.
    pub fn draw(&self, rng: &mut ChaCha8Rng) -> Option<&Beginning> {
        match rng.random_range(0..100) {
            0..30 => None,
            30..60 => Some(any(&self.about, rng)),
            _ => Some(any(&self.elsewhere, rng)),
        }
    }

    /// The ways to end a beginning that breaks off, the favoured one first.
    pub fn bridges(&self, beginning: &Beginning) -> Option<&[Form]> {
        beginning.bridge.map(|bridge| self.bridges[&bridge].as_slice())
    }

    #[cfg(test)]
    pub fn preferred_subjects(&self) -> impl Iterator<Item = &str> {
        self.about.iter().chain(&self.elsewhere).filter_map(|beginning| beginning.subject.as_deref())
    }

    /// A word of no subject.
    pub fn word(&self, slot: Slot, rng: &mut ChaCha8Rng) -> Option<String> {
        let words = match slot {
            Slot::The => &self.words.the,
            Slot::When => &self.words.when,
            Slot::Person => &self.words.person,
            Slot::Place => &self.words.place,
            Slot::Thing => &self.words.thing,
            Slot::Adjective => &self.words.adjective,
            Slot::Act => &self.words.act,
            Slot::Noise => return Some(noise(rng)),
            Slot::Salad => return Some(self.salad(rng)),
            _ => return None,
        };
        Some(any(words, rng).clone())
    }

    fn salad(&self, rng: &mut ChaCha8Rng) -> String {
        const KINDS: [Slot; 6] = [Slot::When, Slot::Person, Slot::Place, Slot::Thing, Slot::Adjective, Slot::Act];
        let words = (0..rng.random_range(1..=9)).map(|_| match rng.random_range(0..10) {
            0..4 => any(&self.words.small, rng).clone(),
            4..8 => self.word(*any(&KINDS, rng), rng).expect("these slots are words"),
            _ => noise(rng),
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

/// What the end of a broken beginning asks for: a key of the bridges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Bridge {
    Definition,
    Purpose,
    Ability,
    Clause,
    Comparison,
    Promise,
    Wish,
    Apposition,
    Aside,
    Verb,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    the: Vec<String>,
    when: Vec<String>,
    person: Vec<String>,
    place: Vec<String>,
    thing: Vec<String>,
    adjective: Vec<String>,
    act: Vec<String>,
    /// Words that hold a sentence together.
    small: Vec<String>,
}

/// Prompts hold words that the corpus does not: the model must not stumble over them.
fn noise(rng: &mut ChaCha8Rng) -> String {
    const ONSETS: &[&str] =
        &["b", "c", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "st", "tr", "w"];
    const VOWELS: &[&str] = &["a", "e", "i", "o", "u", "ea", "oo", "y"];
    const CODAS: &[&str] = &["", "n", "r", "s", "t", "ck", "l", "ng", "m", "x", "sh"];
    let mut word = String::new();
    for _ in 0..rng.random_range(1..=3) {
        for part in [ONSETS, VOWELS, CODAS] {
            let letters: &&str = any(part, rng);
            word.push_str(letters);
        }
    }
    word
}

fn any<'a, T>(items: &'a [T], rng: &mut ChaCha8Rng) -> &'a T {
    items.choose(rng).expect("lists in the data files are not empty")
}
