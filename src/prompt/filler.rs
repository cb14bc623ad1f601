//! Makes prose of any length, to stand in front of prompts.
//!
//! English sentences of everyday things, drawn at random with a fixed seed: none says anything that a prompt asks, none holds
//! the text of a special token, and few words stand together twice.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// What the draws begin with. The filler's text is part of what a trial's id stands for: it does not change.
const SEED: u64 = 20_261_130;
/// Sentences of a paragraph.
const PARAGRAPH: u32 = 5;

const PEOPLE: [&str; 40] = [
    "baker",
    "carpenter",
    "clerk",
    "cook",
    "dentist",
    "driver",
    "farmer",
    "ferryman",
    "fisherman",
    "gardener",
    "glazier",
    "grocer",
    "hunter",
    "innkeeper",
    "janitor",
    "judge",
    "lawyer",
    "librarian",
    "mason",
    "mechanic",
    "miller",
    "miner",
    "nurse",
    "painter",
    "pilot",
    "plumber",
    "porter",
    "postman",
    "potter",
    "printer",
    "sailor",
    "shepherd",
    "smith",
    "surgeon",
    "tailor",
    "teacher",
    "typist",
    "waiter",
    "weaver",
    "widow",
];
const NAMES: [&str; 32] = [
    "Agnes", "Albert", "Bertha", "Boris", "Carla", "Conrad", "Dora", "Edgar", "Emil", "Flora", "Gustav", "Hanna",
    "Hector", "Ida", "Igor", "Jonas", "Karla", "Leo", "Lydia", "Magda", "Martin", "Nora", "Oscar", "Otto", "Paula",
    "Quentin", "Rosa", "Rufus", "Selma", "Thea", "Victor", "Wanda",
];
const THINGS: [&str; 64] = [
    "anchor", "apron", "axe", "barrel", "basket", "bell", "blanket", "bottle", "bucket", "button", "cabinet", "candle",
    "carpet", "chair", "chisel", "clock", "coat", "comb", "cradle", "curtain", "desk", "drum", "envelope", "fence",
    "fiddle", "gate", "glove", "hammer", "handle", "hat", "hinge", "jar", "kettle", "key", "ladder", "lamp", "lantern",
    "ledger", "letter", "lock", "map", "mirror", "nail", "needle", "oar", "oven", "parcel", "pillow", "plough", "pump",
    "purse", "razor", "rope", "saddle", "scale", "shelf", "shovel", "spoon", "stove", "table", "trunk", "umbrella",
    "wagon", "whistle",
];
const QUALITIES: [&str; 44] = [
    "bent", "black", "blue", "borrowed", "brass", "broken", "cheap", "clean", "copper", "cracked", "crooked", "damp",
    "dusty", "empty", "faded", "foreign", "green", "grey", "heavy", "iron", "large", "leather", "light", "little",
    "long", "narrow", "new", "oak", "old", "painted", "plain", "polished", "red", "round", "rusty", "sharp", "short",
    "silver", "square", "stolen", "thin", "warm", "white", "wooden",
];
const DEEDS: [&str; 40] = [
    "bought",
    "brought back",
    "buried",
    "carried",
    "cleaned",
    "counted",
    "described",
    "dropped",
    "emptied",
    "examined",
    "fetched",
    "filled",
    "found",
    "gave away",
    "hid",
    "inherited",
    "kept",
    "lent",
    "lifted",
    "lost",
    "measured",
    "mended",
    "moved",
    "opened",
    "packed",
    "painted",
    "pawned",
    "praised",
    "pulled",
    "pushed",
    "repaired",
    "sold",
    "stored",
    "studied",
    "threw away",
    "took",
    "turned",
    "washed",
    "weighed",
    "wrapped",
];
const PLACES: [&str; 48] = [
    "arch",
    "attic",
    "bakery",
    "balcony",
    "bank",
    "barn",
    "barracks",
    "border",
    "brewery",
    "bridge",
    "canal",
    "cellar",
    "chapel",
    "cliff",
    "court",
    "dam",
    "factory",
    "ferry",
    "field",
    "forest",
    "fountain",
    "garden",
    "harbour",
    "hedge",
    "hill",
    "hospital",
    "inn",
    "kitchen",
    "laundry",
    "market",
    "mill",
    "museum",
    "orchard",
    "platform",
    "pond",
    "quarry",
    "river",
    "roof",
    "school",
    "shed",
    "stable",
    "station",
    "theatre",
    "tower",
    "town hall",
    "tunnel",
    "valley",
    "workshop",
];
const WHERE: [&str; 14] = [
    "above", "across", "at", "behind", "below", "beside", "beyond", "by", "in", "near", "on", "outside", "past",
    "under",
];
const TIMES: [&str; 36] = [
    "After lunch",
    "Afterwards",
    "All winter",
    "Almost daily",
    "At dawn",
    "At noon",
    "Before breakfast",
    "By chance",
    "Early in May",
    "Every Sunday",
    "For hours",
    "In April",
    "In autumn",
    "In secret",
    "Last summer",
    "Late on Friday",
    "Long ago",
    "Meanwhile",
    "Mostly",
    "Nowadays",
    "Often",
    "On Monday",
    "Once",
    "Once a month",
    "One afternoon",
    "Rarely",
    "Seldom",
    "Some weeks later",
    "Sometimes",
    "Suddenly",
    "That evening",
    "The next morning",
    "Toward midnight",
    "Twice a week",
    "Until March",
    "Within a week",
];
const ACTS: [&str; 24] = [
    "agreed",
    "argued",
    "arrived",
    "blushed",
    "complained",
    "danced",
    "fainted",
    "grumbled",
    "hesitated",
    "laughed",
    "left",
    "listened",
    "nodded",
    "prayed",
    "recovered",
    "returned",
    "sang",
    "shouted",
    "slept",
    "sneezed",
    "waited",
    "watched",
    "wept",
    "whistled",
];

/// Prose of at least so many characters, in paragraphs; a longer one ends as a shorter one does.
pub fn filler(least_characters: usize) -> String {
    let mut words = Words(ChaCha8Rng::seed_from_u64(SEED));
    let mut paragraphs = Vec::new();
    let mut length = 0;
    while length < least_characters {
        let sentences: Vec<_> = (0..PARAGRAPH).map(|_| words.sentence()).collect();
        let paragraph = format!("{}\n\n", sentences.join(" "));
        length += paragraph.len();
        paragraphs.push(paragraph);
    }
    paragraphs.reverse();
    paragraphs.concat()
}

/// Chooses among words.
struct Words(ChaCha8Rng);

impl Words {
    /// A number below `n`.
    fn draw(&mut self, n: usize) -> usize {
        // The high bits of the product are as even as the draw.
        ((u64::from(self.0.next_u32()) * n as u64) >> u32::BITS) as usize
    }

    fn one_of(&mut self, words: &[&'static str]) -> &'static str {
        words[self.draw(words.len())]
    }

    fn sentence(&mut self) -> String {
        let (time, person, deed) = (self.one_of(&TIMES), self.one_of(&PEOPLE), self.one_of(&DEEDS));
        match self.draw(6) {
            0 => format!("{time} the {person} {deed} {} {}.", self.thing(), self.reason()),
            1 => format!("The {} of the {person} stood {}, {}.", self.one_of(&THINGS), self.place(), self.reason()),
            2 => {
                let (other, done) = (self.one_of(&PEOPLE), self.one_of(&DEEDS));
                format!("{time} one {person} {deed} {}, and the {other} {done} it {}.", self.thing(), self.place())
            }
            3 => format!("Some {person} {deed} {} {}.", self.thing(), self.place()),
            4 => format!("There was {}, {} and a {person} {}.", self.thing(), self.thing(), self.place()),
            _ => format!("{time} our {person} {} {}, {}.", self.one_of(&ACTS), self.place(), self.reason()),
        }
    }

    fn thing(&mut self) -> String {
        let (quality, thing) = (self.one_of(&QUALITIES), self.one_of(&THINGS));
        let article = if quality.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        format!("{article} {quality} {thing}")
    }

    fn place(&mut self) -> String {
        format!("{} the {}", self.one_of(&WHERE), self.one_of(&PLACES))
    }

    fn reason(&mut self) -> String {
        match self.draw(5) {
            0 => format!("because the {} was {}", self.one_of(&THINGS), self.one_of(&QUALITIES)),
            1 => format!("although the {} {}", self.one_of(&PEOPLE), self.one_of(&ACTS)),
            2 => format!("while {} {} {}", self.one_of(&NAMES), self.one_of(&DEEDS), self.thing()),
            3 => format!("as {} {}", self.one_of(&NAMES), self.one_of(&ACTS)),
            _ => format!("without {}", self.thing()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{loop_of_tokens, seq_rep, words};

    #[test]
    fn a_longer_one_ends_as_a_shorter_one_does() {
        let (short, long) = (filler(500), filler(5_000));
        assert!(short.len() >= 500 && long.len() >= 5_000);
        assert!(long.ends_with(&short) && short.ends_with(".\n\n"));
        assert_eq!(filler(0), "");
    }

    #[test]
    fn it_is_prose_that_repeats_hardly_anything() {
        let prose = filler(12_000);
        let words: Vec<_> = words(&prose).collect();
        assert!(words.len() > 2_000, "{}", words.len());
        let repeated = seq_rep::<4>(&words).expect("it is long enough");
        assert!(repeated < 0.05, "{repeated}");
        assert!(loop_of_tokens(&words).is_none());
        assert!(
            prose.chars().all(|c| c.is_ascii_alphabetic() || " ,.'\n".contains(c)),
            "no special token is written so"
        );
    }

    #[test]
    fn it_is_always_the_same_for_ids_do_not_hold_it() {
        let hash = blake3::hash(filler(100_000).as_bytes()).to_hex();
        assert_eq!(&hash[..16], "00dc9b072b2fd380");
    }
}
