//! Simulates how often printed intervals cover what they are of, and how often noise is named as a cause: the figures
//! of docs/intervals.md. It is not a part of the program.
//!
//!     cargo test --release -p moe-sweep-score --lib -- --ignored --nocapture --test-threads 1 coverage_tables
//!
//! A text loops with its prompt's own probability, Beta(cP, c(1 − P)), so that the texts' ICC is 1 / (1 + c): 1/3
//! where nothing else is said. It then scores 48 to 94 of 95 trigrams, evenly; another text 0 (60 %) or 1 to 5 of 95.

use itertools::iproduct;
use rayon::prelude::*;
use statrs::distribution::{Beta, ContinuousCDF};

use super::cluster_mean::bca_from;
use super::testing::{gaussians, uniforms};
use super::{
    Component, Ends, Hits, Interval, LEAST_PROMPTS, Observation, Onset, Strata, attribute, bca_interval_of_mean,
    bounded_mean, clustered_share, kaplan_meier, quantiles,
};

const SETS: u64 = 1000;
const LEVEL: f64 = 0.95;
const PROMPTS: [usize; 6] = [6, 8, 12, 24, 48, 96];
const P: [f64; 6] = [0.02, 0.05, 0.1, 0.3, 0.6, 0.95];
/// Of a text that loops, and of another one.
const MEANS: [f64; 2] = [(48.0 + 23.0) / 95.0, 0.4 * 3.0 / 95.0];

/// The probabilities of a loop that prompts have, evenly spaced in probability.
struct Prompts(Vec<f64>);

impl Prompts {
    /// `c` is infinite for prompts that are all alike.
    fn new(p: f64, c: f64) -> Self {
        if c.is_infinite() {
            return Self(vec![p]);
        }
        let beta = Beta::new(c * p, c * (1.0 - p)).unwrap();
        Self(
            (0..4096)
                .map(|place| beta.inverse_cdf((f64::from(place) + 0.5) / 4096.0).clamp(1e-9, 1.0 - 1e-9))
                .collect(),
        )
    }

    fn draw(&self, uniforms: &mut impl Iterator<Item = f64>) -> f64 {
        self.0[(uniforms.next().unwrap() * self.0.len() as f64) as usize]
    }
}

fn text(p: f64, uniforms: &mut impl Iterator<Item = f64>) -> (Component, f64) {
    let (which, at) = (uniforms.next().unwrap(), uniforms.next().unwrap());
    if which < p {
        return (Component::Looping, (48.0 + (47.0 * at).floor()) / 95.0);
    }
    (Component::Free, if at < 0.6 { 0.0 } else { (((at - 0.6) / 0.4 * 5.0).floor() + 1.0) / 95.0 })
}

/// Another sequence for each design and data set.
fn stream(design: usize, set: u64) -> impl Iterator<Item = f64> {
    uniforms(design as u64 * 1_000_000 + set)
}

/// Whether each data set's intervals cover; `None` where there is none. Percent of those that there are, by column.
struct Covered(Vec<Vec<Option<bool>>>);

impl Covered {
    fn of(sets: u64, one: impl Fn(u64) -> Vec<Option<bool>> + Sync + Send) -> Self {
        Self((0..sets).into_par_iter().map(one).collect())
    }

    fn percent(&self, column: usize) -> String {
        let known: Vec<bool> = self.0.iter().filter_map(|row| row[column]).collect();
        // Of few it would say nothing.
        if known.len() < self.0.len() / 10 {
            return "–".to_owned();
        }
        let covering = known.iter().filter(|covers| **covers).count();
        format!("{:.1}", 100.0 * covering as f64 / known.len() as f64)
    }
}

fn covers(interval: Interval, truth: f64) -> bool {
    interval.low <= truth && truth <= interval.high
}

/// Tables side by side in columns of cells, a row a design.
fn print(title: &str, head: &str, columns: &[usize], rows: &[(String, Vec<String>)]) {
    let of = |n: &usize| format!(" n = {n} |");
    println!("\n{title}\n\n| {head} |{}", columns.iter().map(of).collect::<String>());
    println!("|---|{}", "---|".repeat(columns.len()));
    for (name, cells) in rows {
        println!("| {name} | {} |", cells.join(" | "));
    }
}

#[test]
#[ignore = "a simulation of some minutes"]
fn means_and_shares() {
    let ends = Ends { best: Some(0.0), worst: Some(1.0) };
    let mut tables: [Vec<(String, Vec<String>)>; 3] = std::array::from_fn(|_| Vec::new());
    for (design, (p, k)) in iproduct!(P, [1, 4, 16, 32]).enumerate() {
        let of = Prompts::new(p, 2.0);
        let cells = PROMPTS.map(|n| {
            let truth = p * MEANS[0] + (1.0 - p) * MEANS[1];
            let covered = Covered::of(SETS, |set| {
                let mut uniforms = stream(1000 + design * 10 + n, set);
                let prompts: Vec<Vec<(Component, f64)>> = (0..n)
                    .map(|_| {
                        let p = of.draw(&mut uniforms);
                        (0..k).map(|_| text(p, &mut uniforms)).collect()
                    })
                    .collect();
                let scores = |wanted: fn(Component) -> bool| -> Vec<Vec<f64>> {
                    let of = |texts: &Vec<(Component, f64)>| {
                        texts.iter().filter(|(component, _)| wanted(*component)).map(|(_, score)| *score).collect()
                    };
                    prompts.iter().map(of).collect()
                };
                let hits = |texts: &Vec<(Component, f64)>| Hits {
                    hits: texts.iter().filter(|(component, _)| *component == Component::Looping).count() as u32,
                    n: k as u32,
                };
                let hits: Vec<Hits> = prompts.iter().map(hits).collect();
                vec![
                    bounded_mean(&prompts, ends, LEVEL).map(|interval| covers(interval, truth)),
                    bca_from(2, &scores(|_| true), &Strata::default(), LEVEL).map(|interval| covers(interval, truth)),
                    clustered_share(&hits, LEVEL).ok().map(|share| covers(share.interval, p)),
                    bca_from(
                        LEAST_PROMPTS,
                        &scores(|component| component == Component::Free),
                        &Strata::default(),
                        LEVEL,
                    )
                    .map(|interval| covers(interval, MEANS[1])),
                ]
            });
            [format!("{} ({})", covered.percent(0), covered.percent(1)), covered.percent(2), covered.percent(3)]
        });
        for (which, table) in tables.iter_mut().enumerate() {
            table.push((format!("{p}, {k}"), cells.iter().map(|cell| cell[which].clone()).collect()));
        }
    }
    let [means, shares, free] = tables;
    print("Mean score: as printed (BCa alone)", "P(loop), texts a prompt", &PROMPTS, &means);
    print("P(loop)", "P(loop), texts a prompt", &PROMPTS, &shares);
    print(
        "Mean score of the texts that do not loop, from 6 prompts with one on",
        "P(loop), texts a prompt",
        &PROMPTS,
        &free,
    );
}

#[test]
#[ignore = "a simulation of some seconds"]
fn shares_of_other_prompts() {
    for (place, (name, c)) in [("ICC 0", f64::INFINITY), ("ICC 0.8", 0.25)].into_iter().enumerate() {
        let rows: Vec<_> = iproduct!(P, [1, 4, 16, 32])
            .enumerate()
            .map(|(design, (p, k))| {
                let of = Prompts::new(p, c);
                let cells = PROMPTS.map(|n| {
                    let covered = Covered::of(SETS, |set| {
                        let mut uniforms = stream(5000 + 1000 * place + design * 10 + n, set);
                        let prompt = |_| {
                            let p = of.draw(&mut uniforms);
                            Hits { hits: (0..k).filter(|_| uniforms.next().unwrap() < p).count() as u32, n: k }
                        };
                        let prompts: Vec<Hits> = (0..n).map(prompt).collect();
                        vec![clustered_share(&prompts, LEVEL).ok().map(|share| covers(share.interval, p))]
                    });
                    covered.percent(0)
                });
                (format!("{p}, {k}"), cells.to_vec())
            })
            .collect();
        print(&format!("P(loop), {name}"), "P(loop), texts a prompt", &PROMPTS, &rows);
    }
}

/// A loop begins at a constant rate, so that a prompt's share P of texts loops by 50 of 100. "Cut": half of
/// the texts end before, evenly.
#[test]
#[ignore = "a simulation of some seconds"]
fn time_to_loop() {
    let columns = [12, 24, 48];
    let mut rows = Vec::new();
    for (design, (cut, p, k)) in iproduct!([false, true], [0.05, 0.1, 0.3, 0.6, 0.9], [1, 4, 8]).enumerate() {
        let of = Prompts::new(p, 2.0);
        let cells = columns.map(|n| {
            let covered = Covered::of(SETS, |set| {
                let mut uniforms = stream(10_000 + design * 10 + n, set);
                let prompts: Vec<Vec<Onset>> = (0..n)
                    .map(|_| {
                        let rate = -(-of.draw(&mut uniforms)).ln_1p() / 50.0;
                        let mut onset = || {
                            let [begins, is_cut, ends] = [0; 3].map(|_| uniforms.next().unwrap());
                            let end = if cut && is_cut < 0.5 { (ends * 100.0).floor() } else { 100.0 };
                            let begins = -begins.ln() / rate;
                            if begins < end { Onset::At(begins.floor()) } else { Onset::Censored(end) }
                        };
                        (0..k).map(|_| onset()).collect()
                    })
                    .collect();
                let curve = kaplan_meier(&prompts).unwrap();
                let step = curve.steps.iter().rfind(|step| step.time < 50.0);
                vec![step.and_then(|step| step.interval).map(|interval| covers(interval, 1.0 - p))]
            });
            covered.percent(0)
        });
        rows.push((format!("{p}, {k}{}", if cut { ", cut" } else { "" }), cells.to_vec()));
    }
    print("Share without a loop at 50 of 100", "P(loop by 50), texts a prompt", &columns, &rows);
}

/// Positions of a text whose divergence is lognormal: as much between texts as within.
#[test]
#[ignore = "a simulation of some minutes"]
fn quantiles_and_means_of_divergences() {
    let shares = [0.5, 0.9, 0.99];
    let mut rows: Vec<(String, Vec<String>)> =
        ["mean", "p50", "p90", "p99"].map(|name| (name.to_owned(), Vec::new())).to_vec();
    // ln of the value is normal with variance 2.
    let truths = [1_f64.exp(), 1.0, (2_f64.sqrt() * 1.281_551_565_5).exp(), (2_f64.sqrt() * 2.326_347_874).exp()];
    for n in PROMPTS {
        let covered = Covered::of(400, |set| {
            let mut gaussians = gaussians(20_000_000 + n as u64 * 1000 + set);
            let text = |_| {
                let of_text = gaussians.next().unwrap();
                gaussians.by_ref().take(16).map(|g| (of_text + g).exp()).collect::<Vec<f64>>()
            };
            let texts: Vec<Vec<f64>> = (0..n).map(text).collect();
            let mean = bca_interval_of_mean(&texts, LEVEL);
            let found = quantiles(&texts, &shares, LEVEL).unwrap();
            let intervals = std::iter::once(mean).chain(found.into_iter().map(|quantile| quantile.interval));
            intervals.zip(truths).map(|(interval, truth)| Some(covers(interval?, truth))).collect()
        });
        rows.iter_mut().enumerate().for_each(|(place, (_, cells))| cells.push(covered.percent(place)));
    }
    print("Divergence of two arms over positions", "statistic", &PROMPTS, &rows);
}

/// Two factors of so many levels; their effects on P(loop), and that of their pair.
struct Truth {
    name: &'static str,
    levels: [usize; 2],
    base: f64,
    effects: [f64; 3],
}

impl Truth {
    fn p(&self, prompt: f64, [i, j]: [usize; 2]) -> f64 {
        let at = |place: usize, levels: usize| place as f64 / (levels as f64 - 1.0);
        let (x, y) = (at(i, self.levels[0]), at(j, self.levels[1]));
        let [a, b, both] = self.effects;
        (prompt * (1.0 - a - b) + a * x + b * y + both * (x - 0.5) * (y - 0.5) * 1.4).clamp(0.0, 1.0)
    }
}

const TRUTHS: [Truth; 7] = [
    Truth { name: "nothing, 2 × 5", levels: [2, 5], base: 0.3, effects: [0.0; 3] },
    Truth { name: "nothing, 4 × 7", levels: [4, 7], base: 0.3, effects: [0.0; 3] },
    Truth { name: "nothing, 2 × 5, P .03", levels: [2, 5], base: 0.03, effects: [0.0; 3] },
    Truth { name: "A .2, 2 × 5", levels: [2, 5], base: 0.2, effects: [0.2, 0.0, 0.0] },
    Truth { name: "A .1, 2 × 8", levels: [2, 8], base: 0.2, effects: [0.1, 0.0, 0.0] },
    Truth { name: "A .3, B .3, 2 × 5", levels: [2, 5], base: 0.3, effects: [0.3, 0.3, 0.0] },
    Truth { name: "A × B .4, 2 × 5", levels: [2, 5], base: 0.3, effects: [0.0, 0.0, 0.4] },
];

#[test]
#[ignore = "a simulation of some minutes"]
fn attribution() {
    println!(
        "\n| truth, texts a prompt | n | a wrong source named | A, B, A × B named | their intervals cover | totals |"
    );
    println!("|---|---|---|---|---|---|");
    for (design, (truth, k, n)) in iproduct!(&TRUTHS, [1, 4], [6, 8, 12, 24, 48]).enumerate() {
        let of = Prompts::new(truth.base, 2.0);
        let sets = SETS;
        let found: Vec<super::Attribution> = (0..sets)
            .into_par_iter()
            .filter_map(|set| {
                let mut uniforms = stream(30_000 + design, set);
                let mut all = Vec::new();
                for prompt in 0..n {
                    let own = if truth.effects[2] > 0.0 { truth.base } else { of.draw(&mut uniforms) };
                    for (i, j, _) in iproduct!(0..truth.levels[0], 0..truth.levels[1], 0..k) {
                        let (_, value) = text(truth.p(own, [i, j]), &mut uniforms);
                        all.push(Observation { levels: vec![i, j], prompt, value });
                    }
                }
                attribute(&truth.levels, &all).ok()
            })
            .collect();
        let percent = |test: &dyn Fn(&super::Attribution) -> bool| {
            format!("{:.1}", 100.0 * found.iter().filter(|found| test(found)).count() as f64 / found.len() as f64)
        };
        let is_named = |found: &super::Attribution, source: usize| {
            found.shares[source].against_chance.is_some_and(|chance| chance.p_holm <= 0.05)
        };
        let wrong = percent(&|found| (0..3).any(|source| truth.effects[source] == 0.0 && is_named(found, source)));
        let named = [0, 1, 2].map(|source| percent(&|found| is_named(found, source))).join(", ");
        // What grids over as many prompts have on average.
        let coverage = |portion: &dyn Fn(&super::Attribution) -> super::Portion| {
            let average = found.iter().map(|found| portion(found).estimate).sum::<f64>() / found.len() as f64;
            percent(&|found| portion(found).interval.is_some_and(|interval| covers(interval, average)))
        };
        let shares = [0, 1, 2].map(|source| coverage(&|found| found.shares[source].share)).join(", ");
        let totals = [0, 1].map(|factor| coverage(&|found| found.totals[factor])).join(", ");
        println!("| {}, {k} | {n} | {wrong} | {named} | {shares} | {totals} |", truth.name);
        assert!(n >= LEAST_PROMPTS);
    }
}
