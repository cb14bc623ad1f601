//! One document being written: which form, which phrase, how often "be able to".

use rand::{RngExt, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

use super::Corpus;
use super::form::{Form, Piece, Slot};
use super::opening::Beginning;
use super::subject::Subject;

/// How often a choice falls on the favourite without a draw among all.
///
/// High enough that no other choice survives a low temperature, low enough that others survive a
/// nucleus of 0.9 at a high one.
const FAVOURITE: f64 = 0.5;

/// How often "be able to" comes before a goal, and how often before a goal that has one already.
const ABLE: f64 = 0.17;
const ABLE_AGAIN: f64 = 0.14;

/// How often another verb with an infinitive of its own comes before a goal.
const OTHER_VERB: f64 = 0.04;
const OTHER_VERBS: &[&str] = &["learn to", "try to", "help each other to", "find a way to", "begin to"];

/// How often "more and more" goes on.
const MORE_AGAIN: f64 = 0.1;

/// How often a name is wrapped, and in what.
const WRAPPED: f64 = 0.15;
const WRAPPERS: &[&str] = &["the field of", "the study of", "the use of", "the world of", "the history of"];

struct Author<'a> {
    corpus: &'a Corpus,
    beginning: Option<&'a Beginning>,
    subject: &'a Subject,
    rng: &'a mut ChaCha8Rng,
    /// Phrases that the document has said, and will not say again.
    said: Vec<&'a str>,
    text: String,
}

impl Corpus {
    /// Endless documents; the same seed gives the same ones.
    pub fn documents(&self, seed: u64) -> impl Iterator<Item = String> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        std::iter::repeat_with(move || Author::begin(self, &mut rng).write())
    }
}

impl<'a> Author<'a> {
    fn begin(corpus: &'a Corpus, rng: &'a mut ChaCha8Rng) -> Self {
        let beginning = corpus.openings.draw(rng);
        let preferred = beginning.and_then(|beginning| beginning.subject.as_deref());
        let subject = corpus
            .subjects
            .iter()
            .find(|subject| Some(subject.name.as_str()) == preferred)
            .filter(|_| rng.random_bool(FAVOURITE))
            .unwrap_or_else(|| corpus.subjects.choose(rng).expect("there are subjects"));
        Self { corpus, beginning, subject, rng, said: Vec::new(), text: String::new() }
    }

    fn write(mut self) -> String {
        let stages = &self.corpus.plan.stages;
        let mut first = 0;
        if let Some(beginning) = self.beginning {
            self.sentence(&beginning.text, 0);
            if let Some(bridges) = self.corpus.openings.bridges(beginning) {
                let bridge = self.favoured(bridges, 0);
                self.fill(bridge, 0);
                first = 1;
            }
        }
        for (ordinal, stage) in stages.iter().enumerate().skip(first) {
            if self.rng.random_bool(stage.keep) {
                let form = self.favoured(&stage.forms, 0);
                self.sentence(form, ordinal);
            }
        }
        self.text
    }

    fn sentence(&mut self, form: &'a Form, ordinal: usize) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        let start = self.text.len();
        self.fill(form, ordinal);
        let capital = self.text[start..].chars().next().map(|first| first.to_ascii_uppercase());
        if let Some(capital) = capital {
            self.text.replace_range(start..start + 1, capital.encode_utf8(&mut [0; 4]));
        }
    }

    fn fill(&mut self, form: &'a Form, ordinal: usize) {
        for piece in &form.0 {
            match piece {
                Piece::Text(text) => self.text.push_str(text),
                Piece::Slot(slot) => self.slot(*slot, ordinal),
            }
        }
    }

    fn slot(&mut self, slot: Slot, ordinal: usize) {
        let subject = self.subject;
        match slot {
            Slot::Name => self.text.push_str(&subject.name),
            Slot::About => self.about(),
            Slot::Kind => self.text.push_str(&subject.kind),
            Slot::People => {
                let people = self.favoured(&subject.people, ordinal);
                self.text.push_str(people);
            }
            Slot::Cue => {
                let cue = self.favoured(&subject.cues, 0);
                self.text.push_str(cue);
            }
            Slot::Origin => self.phrase(&subject.origin, 0),
            Slot::Goal => self.phrase(&subject.goals, ordinal),
            Slot::Do => {
                self.verbs();
                self.phrase(&subject.goals, ordinal);
            }
            Slot::Fact => self.phrase(&subject.facts, ordinal),
            Slot::Reason => self.phrase(&subject.reasons, ordinal),
            Slot::Doubt => self.phrase(&subject.doubts, ordinal),
            Slot::Answer => self.phrase(&subject.answers, ordinal),
            Slot::Example => self.phrase(&subject.examples, ordinal),
            Slot::Growing => self.growing(),
            _ => {
                let word = self.corpus.openings.word(slot, self.rng).expect("the other slots are words");
                self.text.push_str(&word);
            }
        }
    }

    /// The verbs that come before a goal: the recursion on which the demonstration rests.
    fn verbs(&mut self) {
        loop {
            let able = if self.text.ends_with("able to ") { ABLE_AGAIN } else { ABLE };
            let draw: f64 = self.rng.random();
            if draw < able {
                self.text.push_str("be able to ");
            } else if draw < able + OTHER_VERB {
                let verb = OTHER_VERBS.choose(self.rng).expect("there are verbs");
                self.text.push_str(verb);
                self.text.push(' ');
            } else {
                return;
            }
        }
    }

    fn about(&mut self) {
        while self.rng.random_bool(WRAPPED) {
            self.text.push_str(WRAPPERS.choose(self.rng).expect("there are wrappers"));
            self.text.push(' ');
        }
        self.text.push_str(&self.subject.name);
    }

    fn growing(&mut self) {
        self.text.push_str("more and more");
        while self.rng.random_bool(MORE_AGAIN) {
            self.text.push_str(" and more");
        }
    }

    /// A phrase that the document has not said yet, as long as there is one. The stage decides
    /// which is the favourite.
    fn phrase(&mut self, phrases: &'a [String], ordinal: usize) {
        let turned = (0..phrases.len()).map(|k| phrases[(ordinal + k) % phrases.len()].as_str());
        let mut fresh: Vec<&str> = turned.clone().filter(|phrase| !self.said.contains(phrase)).collect();
        if fresh.is_empty() {
            fresh = turned.collect();
        }
        let phrase = *self.favoured(&fresh, 0);
        self.said.push(phrase);
        self.text.push_str(phrase);
    }

    /// One of `items`: the favourite half of the time, else any of them.
    fn favoured<'b, T>(&mut self, items: &'b [T], favourite: usize) -> &'b T {
        if self.rng.random_bool(FAVOURITE) {
            return &items[favourite % items.len()];
        }
        items.choose(self.rng).expect("lists in the data files are not empty")
    }
}
