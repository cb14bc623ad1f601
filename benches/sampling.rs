//! Time to choose a token: the samplers in Rust beside llama.cpp's own.
//!
//! `cargo bench --bench sampling`, or with a chain's name to run that one.
//! `alone` is one chain at a position, `shared` what each costs where eight
//! jobs (two temperatures, four seeds) stand at the same one.

#[path = "../tests/support/sampling.rs"]
mod support;

use std::fmt;

use divan::Bencher;
use llama::fast::{FastChain, Row, Scratch};
use llama::{Rows, Sampler, Step};
use moe_sweep::domain::Temperature;
use moe_sweep::engine::llama::chain;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const TEMPERATURES: [f32; 2] = [0.9, 1.1];
const PROMPT: [i32; 3] = [1, 2, 3];
/// Positions a bench goes through, so that no branch is learnt by heart.
const ROWS: usize = 4;

/// Argument of a bench.
#[derive(Clone, Copy)]
struct Case {
    chain: &'static str,
    n_vocab: usize,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.chain, self.n_vocab)
    }
}

fn cases() -> impl Iterator<Item = Case> {
    let of = |chain| [512, 32_000, 128_256, 201_088].map(|n_vocab| Case { chain, n_vocab });
    support::CHAINS.into_iter().flat_map(of)
}

impl Case {
    fn chain(self, temperature: f32) -> Vec<Step> {
        let chains = support::shipped_chains();
        let shipped = chains.iter().find(|chain| chain.id == self.chain).expect("a shipped chain");
        chain(&shipped.at(Temperature::new(temperature).expect("a temperature")))
    }

    fn rows(self) -> Vec<Vec<f32>> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.n_vocab as u64);
        (0..ROWS).map(|_| support::logits(&mut rng, self.n_vocab, 2.5)).collect()
    }

    fn fast(self, temperature: f32, seed: u32) -> FastChain {
        let mut fast = FastChain::compile(&self.chain(temperature), seed).expect("a covered chain");
        PROMPT.iter().for_each(|&token| fast.accept(token));
        fast
    }
}

#[divan::bench(args = cases())]
fn llama(bencher: Bencher<'_, '_>, case: Case) {
    let (rows, mut turn) = (case.rows(), 0);
    let chain = case.chain(TEMPERATURES[0]);
    let mut sampler = Sampler::new(support::model(), &chain, 1, &PROMPT).expect("llama.cpp takes it");
    bencher.bench_local(|| {
        turn = (turn + 1) % ROWS;
        sampler.sample(&rows[turn]).expect("a token")
    });
}

#[divan::bench(args = cases())]
fn alone(bencher: Bencher<'_, '_>, case: Case) {
    let (rows, mut turn) = (case.rows(), 0);
    let mut fast = case.fast(TEMPERATURES[0], 1);
    let mut scratch = Scratch::default();
    bencher.bench_local(|| {
        turn = (turn + 1) % ROWS;
        fast.sample(&mut Row::new(&rows[turn], &mut scratch))
    });
}

#[divan::bench(args = cases())]
fn shared(bencher: Bencher<'_, '_>, case: Case) {
    let (rows, mut turn) = (case.rows(), 0);
    let jobs = TEMPERATURES.into_iter().flat_map(|t| (1..=4).map(move |seed| case.fast(t, seed)));
    let mut jobs: Vec<_> = jobs.collect();
    let mut scratch = Scratch::default();
    bencher.counter(divan::counter::ItemsCount::new(jobs.len())).bench_local(|| {
        turn = (turn + 1) % ROWS;
        let mut row = Row::new(&rows[turn], &mut scratch);
        jobs.iter_mut().for_each(|job| {
            divan::black_box(job.sample(&mut row));
        });
    });
}

/// A step of 32 rows, on one thread and on four.
#[divan::bench(args = [512, 4096, 16_384, 32_000, 102_400], consts = [1, 4])]
fn step<const THREADS: u32>(bencher: Bencher<'_, '_>, n_vocab: usize) {
    const WIDTH: u32 = 32;
    let rows = Rows::waking(THREADS, 0);
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let logits: Vec<_> = (0..WIDTH).map(|_| support::logits(&mut rng, n_vocab, 2.5)).collect();
    let case = Case { chain: "shimmy-1.7", n_vocab };
    let mut jobs: Vec<_> = (0..WIDTH).map(|seed| case.fast(TEMPERATURES[0], seed)).collect();
    bencher.bench_local(|| {
        let tasks = logits.iter().map(|row| &**row).zip(&mut jobs).collect();
        rows.sample(tasks, |row, job: &mut FastChain| Ok(job.sample(row))).expect("no task fails")
    });
}

fn main() {
    divan::main();
}
