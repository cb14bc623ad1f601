//! The samplers in Rust against llama.cpp's own: the same token at every draw.
//!
//! `MOE_SWEEP_TEST_DRAWS=1000000 cargo test --release --test llama sampling::` makes a
//! million draws a chain instead of ten thousand and takes 8 minutes; the count
//! of draws that were left to llama.cpp is printed with `-- --nocapture`.

use llama::Sampler;
use llama::fast::{FastChain, Row, Sampled, Scratch};
use moe_sweep::domain::{Chain, Step, Temperature, TokenBias};
use moe_sweep::engine::llama::{chain, step as crate_step};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::sampler_cases;

/// Tokens of a sequence; longer than what the penalties remember.
const LENGTH: usize = 90;
const TEMPERATURES: [f32; 10] = [0.0, 1e-9, 0.01, 0.1, 0.7, 0.9, 1.0, 1.5, 8.0, 1e6];

/// Draws of one chain, and how many were left to llama.cpp.
#[derive(Clone, Copy, Default)]
struct Tally {
    draws: u64,
    asked: u64,
}

/// One chain at one temperature, both ways, along one sequence.
struct Pair {
    chain: usize,
    name: String,
    llama: Sampler,
    fast: FastChain,
}

fn pairs(chains: &[Chain], rng: &mut ChaCha8Rng, n_vocab: usize) -> Vec<Pair> {
    let prompt: Vec<i32> = (0..rng.random_range(1..80)).map(|_| rng.random_range(0..n_vocab as i32)).collect();
    let temperatures: [f32; 2] = std::array::from_fn(|_| TEMPERATURES[rng.random_range(0..TEMPERATURES.len())]);
    let seed = rng.random_range(0..u32::MAX);
    let of = |(index, named): (usize, &Chain), t| {
        let resolved = named.at(Temperature::new(t).expect("a temperature"));
        let covered = FastChain::compile(&chain(&resolved), seed);
        let mut fast = covered.unwrap_or_else(|| panic!("{} is not covered", named.id));
        prompt.iter().for_each(|&token| fast.accept(token));
        // Those that are off too, which have no effect in llama.cpp.
        let steps: Vec<_> = resolved.0.iter().map(crate_step).collect();
        let llama = Sampler::new(sampler_cases::model(), &steps, seed, &prompt).expect("llama.cpp takes the chain");
        Pair { chain: index, name: format!("{} at {t}", named.id), llama, fast }
    };
    temperatures.iter().flat_map(|&t| chains.iter().enumerate().map(move |chain| of(chain, t))).collect()
}

/// Disturbs the logits in one of the ways that samplers are sensitive to.
fn disturb(logits: &mut [f32], rng: &mut ChaCha8Rng) {
    let n = logits.len();
    match rng.random_range(0..12) {
        // Ties: many, all, in pairs.
        0 => logits.iter_mut().for_each(|logit| *logit = logit.round()),
        1 => logits.fill(rng.random_range(-1.0..1.0)),
        2 => (0..n / 2).for_each(|index| logits[n - 1 - index] = logits[index]),
        // Infinities.
        3 => logits.iter_mut().step_by(2).for_each(|logit| *logit = f32::NEG_INFINITY),
        4 => {
            let only = rng.random_range(0..n);
            (0..n).filter(|&index| index != only).for_each(|index| logits[index] = f32::NEG_INFINITY);
        }
        5 => logits[rng.random_range(0..n)] = f32::INFINITY,
        // Far from zero; all negative.
        6 => logits.iter_mut().for_each(|logit| *logit += 1000.0),
        7 => logits.iter_mut().for_each(|logit| *logit -= 40.0),
        _ => {}
    }
}

/// Runs all chains along sequences over `n_vocab` tokens until each has made
/// `draws`. Chains at one position share a [`Row`], as jobs do.
fn compare(n_vocab: usize, draws: u64, rng: &mut ChaCha8Rng, tallies: &mut [Tally]) {
    let chains = sampler_cases::chains();
    let mut scratch = Scratch::default();
    let until = tallies[0].draws + draws;
    while tallies[0].draws < until {
        let mut pairs = pairs(&chains, rng, n_vocab);
        let spread = [0.1, 1.0, 2.5, 10.0][rng.random_range(0..4)];
        let base = sampler_cases::logits(rng, n_vocab, spread);
        for position in 0..LENGTH.min(draws as usize) {
            // The same few tokens lead at every position, so that they repeat.
            let mut logits = base.clone();
            logits.iter_mut().step_by(3).for_each(|logit| *logit += rng.random_range(-0.5..0.5));
            disturb(&mut logits, rng);
            let mut row = Row::new(&logits, &mut scratch);
            for pair in &mut pairs {
                let expected = pair.llama.sample(&logits).expect("llama.cpp selects a token");
                let tally = &mut tallies[pair.chain];
                tally.draws += 1;
                match pair.fast.sample(&mut row) {
                    Sampled::Token(token) => {
                        assert_eq!(token, expected, "{}, {n_vocab} tokens, position {position}", pair.name);
                    }
                    Sampled::AskLlama => {
                        tally.asked += 1;
                        pair.fast.accept(expected);
                    }
                }
            }
        }
    }
}

#[test]
fn every_token_is_the_one_llama_cpp_chooses() {
    let draws = std::env::var("MOE_SWEEP_TEST_DRAWS").map_or(10_000, |draws| draws.parse().expect("a number"));
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let mut tallies = vec![Tally::default(); sampler_cases::chains().len()];
    for n_vocab in [2, 37, 1024, 1025] {
        compare(n_vocab, draws / 4, rng, &mut tallies);
    }
    for (n_vocab, draws) in [(8192, 60), (32_000, 20), (201_088, 8)] {
        compare(n_vocab, draws, rng, &mut tallies);
    }
    for (chain, Tally { draws, asked }) in sampler_cases::chains().iter().zip(&tallies) {
        println!("{:16} {asked} of {draws} left to llama.cpp", chain.id);
        assert!(*asked < draws / 2, "{} hardly ever decides", chain.id);
    }
}

/// On logits without contrived ties next to nothing is left to llama.cpp.
#[test]
fn llama_cpp_is_rarely_asked() {
    let chains = sampler_cases::shipped_chains();
    let rng = &mut ChaCha8Rng::seed_from_u64(2);
    let (mut draws, mut asked) = (0, 0);
    let mut scratch = Scratch::default();
    for seed in 0..40 {
        let logits = sampler_cases::logits(rng, 32_000, 2.5);
        let mut row = Row::new(&logits, &mut scratch);
        for shipped in &chains {
            for t in [0.1, 0.7, 1.0, 1.5] {
                let resolved = shipped.at(Temperature::new(t).expect("a temperature"));
                let mut fast = FastChain::compile(&chain(&resolved), seed).expect("a covered chain");
                draws += 1;
                asked += u32::from(fast.sample(&mut row) == Sampled::AskLlama);
            }
        }
    }
    assert!(asked * 100 <= draws, "{asked} of {draws}");
}

/// Values around each of the borders at which llama.cpp switches a sampler off.
fn at_the_borders() -> Vec<Step<Temperature>> {
    let shares = [-1.0, -0.1, 0.0, 0.001, 0.5, 0.51, 0.99, 1.0, 1.5];
    let mut steps: Vec<Step<Temperature>> = vec![Step::Infill, Step::Greedy, Step::Dist];
    steps.extend([-2, -1, 0, 1, 40].map(|k| Step::TopK { k }));
    steps.extend(shares.map(|n| Step::TopNSigma { n }));
    for p in shares {
        for min_keep in [0, 3] {
            steps.extend([Step::TopP { p, min_keep }, Step::MinP { p, min_keep }, Step::Typical { p, min_keep }]);
        }
        steps.extend(shares.map(|threshold| Step::Xtc { p, threshold, min_keep: 0 }));
    }
    for last_n in [-5, -1, 0, 1, 64] {
        for (repeat, frequency, presence) in
            [(1.0, 0.0, 0.0), (1.1, 0.0, 0.0), (1.0, 0.1, 0.0), (1.0, 0.0, -0.1), (0.0, 0.0, 1.1)]
        {
            steps.push(Step::Penalties { last_n, repeat, frequency, presence });
        }
        for (multiplier, base) in [(0.0, 1.75), (0.8, 1.75), (0.8, 1.0), (0.8, 0.99), (-0.5, 2.0)] {
            for allowed_length in [-1, 0, 2, 64] {
                let sequence_breakers = vec!["\n".to_owned()];
                steps.push(Step::Dry { multiplier, base, allowed_length, last_n, sequence_breakers });
            }
        }
    }
    for n in 0..3 {
        steps.push(Step::LogitBias { biases: (0..n).map(|token| TokenBias { token, bias: 0.0 }).collect() });
    }
    steps
}

#[test]
fn a_step_is_off_where_llama_cpp_switches_it_off() {
    let mut off = 0;
    for step in at_the_borders() {
        let steps = [crate_step(&step), crate_step(&Step::Dist)];
        let llama = Sampler::new(sampler_cases::model(), &steps, 1, &[]).expect("llama.cpp takes the chain");
        assert_eq!(llama.idle_steps(), [step.is_off(), false], "{step:?}");
        off += usize::from(step.is_off());
    }
    assert!(off > 50, "{off} steps were off");
}
