//! Time to score texts, in bytes of text a second.
//!
//! `cargo bench -p moe-sweep-score --bench scoring`, or with a name to run that one. With
//! `SCORING_TEXTS` naming a file, one text a line, these are scored instead;
//! `scripts/compare-scoring.py` does so to compare with Python.

use std::hint::black_box;

use divan::Bencher;
use divan::counter::BytesCount;
use moe_sweep_score::metrics::{
    Grams, Looping, UpToFour, Written, compression_ratio, has_ollama_repeats, is_gemini_cli_loop,
    is_holtzman_repetition, mattr, mtld, recycled, repeat_4_chars, repetition_score, score, score_written, tail_cycle,
    word_ids, zipf,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

fn main() {
    divan::main();
}

struct Text {
    text: String,
    tokens: Vec<i32>,
}

/// Words with frequencies like a language's, of which every other text ends in a
/// loop. A token a word, as in no tokenizer, but the metrics do not care.
fn texts() -> Vec<Text> {
    let texts: Vec<String> = match std::env::var_os("SCORING_TEXTS") {
        Some(file) => std::fs::read_to_string(file).expect("a file of texts").lines().map(str::to_owned).collect(),
        None => (0..256).map(generated).collect(),
    };
    let with_tokens = |text: String| {
        let tokens = word_ids(&text).into_iter().map(u32::cast_signed).collect();
        Text { text, tokens }
    };
    texts.into_iter().map(with_tokens).collect()
}

fn generated(seed: u64) -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut word = || {
        let rank = 5000_f64.powf(f64::from(rng.next_u32()) / 2_f64.powi(32)) as u32;
        let letter = |place: u32| char::from(b'a' + (rank.wrapping_mul(2_654_435_761) >> (4 * place) & 15) as u8);
        (0..2 + rank.ilog2() / 2).map(letter).chain([' ']).collect::<String>()
    };
    let free: String = (0..200).map(|_| word()).collect();
    let rest: String = if seed.is_multiple_of(2) {
        let phrase: String = (0..1 + seed / 2 % 9).map(|_| word()).collect();
        phrase.repeat(200 / phrase.split(' ').count())
    } else {
        (0..200).map(|_| word()).collect()
    };
    free + &rest
}

/// Benches `one` over all texts, on one thread.
fn over_texts<T>(bencher: Bencher, one: impl Fn(&Text) -> T) {
    let texts = texts();
    let bytes: usize = texts.iter().map(|text| text.text.len()).sum();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        texts.iter().for_each(|text| {
            black_box(one(text));
        });
    });
}

#[divan::bench]
fn all(bencher: Bencher) {
    over_texts(bencher, |text| score(&text.text, Some(&text.tokens)));
}

#[divan::bench]
fn all_on_all_cores(bencher: Bencher) {
    let texts = texts();
    let bytes: usize = texts.iter().map(|text| text.text.len()).sum();
    bencher
        .counter(BytesCount::new(bytes))
        .bench_local(|| texts.par_iter().map(|text| score(&text.text, Some(&text.tokens))).collect::<Vec<_>>());
}

/// The finding's score alone.
#[divan::bench]
fn the_findings_score(bencher: Bencher) {
    over_texts(bencher, |text| repetition_score(&word_ids(&text.text)));
}

/// Five megabytes of one kind of repetition.
#[divan::bench(args = ["a word", "a letter", "a paragraph", "a counter", "no spaces", "a thought"], sample_count = 3)]
fn five_megabytes(bencher: Bencher, kind: &str) {
    const BYTES: usize = 5_000_000;
    let clean = |seeds: std::ops::Range<u64>| seeds.map(|seed| generated(2 * seed + 1)).collect::<String>();
    let paragraph = clean(0..9);
    let text = match kind {
        "a word" => "to be able ".repeat(BYTES / 11),
        "a letter" => "a".repeat(BYTES),
        "a paragraph" => paragraph.repeat(BYTES / paragraph.len()),
        "a counter" => (0..BYTES / 24).map(|i| format!("row{i} is ok and fine\n")).collect(),
        "no spaces" => "今天天气很好我们去公园散步吧。".repeat(BYTES / 45),
        _ => format!("<think>{}</think>{}", "wait, let me think ".repeat(BYTES / 38), clean(0..1000)),
    };
    let written = Written::of(&text, None, None);
    bencher.counter(BytesCount::new(text.len())).bench_local(|| score_written(&written, None));
}

mod parts {
    use super::*;

    #[divan::bench]
    fn words_to_ids(bencher: Bencher) {
        over_texts(bencher, |text| word_ids(&text.text));
    }

    #[divan::bench]
    fn n_grams(bencher: Bencher) {
        over_texts(bencher, |text| {
            UpToFour::new(Grams::of_items(text.tokens.iter().map(|token| token.cast_unsigned())))
        });
    }

    #[divan::bench]
    fn compression(bencher: Bencher) {
        over_texts(bencher, |text| compression_ratio(&text.text));
    }

    #[divan::bench]
    fn tail(bencher: Bencher) {
        over_texts(bencher, |text| (tail_cycle(&text.tokens), is_holtzman_repetition(&text.tokens)));
    }

    #[divan::bench]
    fn loops_of_characters(bencher: Bencher) {
        over_texts(bencher, |text| Looping::of(&text.text));
    }

    #[divan::bench]
    fn characters_that_repeat(bencher: Bencher) {
        let characters = |text: &Text| text.text.chars().map(u32::from).collect::<Vec<_>>();
        over_texts(bencher, |text| (repeat_4_chars(&characters(text)), recycled(&characters(text))));
    }

    #[divan::bench]
    fn other_detectors(bencher: Bencher) {
        over_texts(bencher, |text| (is_gemini_cli_loop(&text.text), has_ollama_repeats(&text.tokens)));
    }

    #[divan::bench]
    fn variety(bencher: Bencher) {
        over_texts(bencher, |text| {
            let words = Grams::of_ids(text.tokens.iter().map(|token| token.cast_unsigned()).collect());
            (mattr(&words), mtld(&words), zipf(&words))
        });
    }
}
