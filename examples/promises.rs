//! How often verdicts and the gate err, over simulated runs whose truth is known.
//!
//!     cargo run --release --example promises [SETS [TITLE]]
//!
//! Prints a table for each kind of decision (those whose title holds TITLE): percent of SETS (500) data sets in which the verdict is wrong, or the gate
//! passes what is worse by the margin. Ends with 1 where a rate lies above 5 % by more than two standard errors.
//!
//! A prompt's text loops with the prompt's own probability, Beta(2P, 2(1 − P)), an intraclass correlation of 1/3;
//! then 48 to 94 of its 95 trigrams are repeats. Of any other text none is (60 %), or 1 to 5 are. Whole decisions are
//! simulated: trials with scores go into the same functions as those of a run.

use std::process::ExitCode;

use moe_sweep::analysis::{Conclusion, Questions, ScoredTrial, TrialResult, verdicts};
use moe_sweep::check::{By, GateStatus, Rule, Texts, Unit, decide};
use moe_sweep::domain::{Cell, Factor, Generation, Seed, Selection, Stop, Temperature, Trial, TrialId};
use moe_sweep::experiment::{Direction, Hypothesis, Settings, Sides, Test};
use moe_sweep::journal::record::Failure;
use moe_sweep::metrics::{Metric, Scores, TextPart};
use moe_sweep::stats::{Kinds, PromptDifference};
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use statrs::distribution::{Beta, ContinuousCDF as _};

const ALPHA: f64 = 0.05;
const MARGIN: f64 = 0.05;
/// Mean scores of a text that loops, and of another.
const LOOPING: f64 = (48.0 + 23.0) / 95.0;
const FREE: f64 = 0.4 * 3.0 / 95.0;
const TEMPERATURES: [f32; 5] = [0.1, 0.5, 0.9, 1.3, 1.7];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let sets = arguments.next().and_then(|sets| sets.parse().ok()).unwrap_or(500);
    let mut tables = Tables { sets, wanted: arguments.next().unwrap_or_default(), is_wanted: true, broken: 0 };
    tables.directed();
    tables.intervals();
    tables.true_claims();
    tables.skewed();
    tables.against_the_mean();
    tables.equivalences();
    tables.interactions();
    tables.families();
    tables.losses();
    tables.gate();
    if tables.broken == 0 {
        println!("\nNo rate lies above {:.0} % by more than two standard errors.", 100.0 * ALPHA);
        ExitCode::SUCCESS
    } else {
        println!("\n{} rates lie above {:.0} % by more than two standard errors.", tables.broken, 100.0 * ALPHA);
        ExitCode::FAILURE
    }
}

struct Tables {
    sets: u64,
    /// Part of a title.
    wanted: String,
    is_wanted: bool,
    broken: usize,
}

impl Tables {
    fn head(&mut self, title: &str, n: &[usize]) {
        self.is_wanted = title.contains(&self.wanted);
        if !self.is_wanted {
            return;
        }
        println!("\n### {title}\n");
        println!("| |{}", n.iter().map(|n| format!(" n {n} |")).collect::<String>());
        println!("|---|{}", "---|".repeat(n.len()));
    }

    /// A line: how often what must not happen does, by the number of prompts.
    fn line(&mut self, name: &str, n: &[usize], wrong: impl Fn(&mut ChaCha8Rng, usize) -> bool + Sync) {
        self.shares(name, n, wrong, true);
    }

    /// A line that promises nothing.
    fn told(&mut self, name: &str, n: &[usize], happens: impl Fn(&mut ChaCha8Rng, usize) -> bool + Sync) {
        self.shares(name, n, happens, false);
    }

    fn shares(&mut self, name: &str, n: &[usize], is: impl Fn(&mut ChaCha8Rng, usize) -> bool + Sync, promised: bool) {
        if !self.is_wanted {
            return;
        }
        let cell = |&n: &usize| {
            let hits = (0..self.sets).into_par_iter().filter(|&set| is(&mut generator(set), n)).count();
            hits as f64 / self.sets as f64
        };
        let shares: Vec<f64> = n.iter().map(cell).collect();
        let most = ALPHA + 2.0 * (ALPHA * (1.0 - ALPHA) / self.sets as f64).sqrt();
        let broken = |share: f64| promised && share > most;
        self.broken += shares.iter().filter(|&&share| broken(share)).count();
        let shown = |&share: &f64| {
            let mark = if broken(share) { " **!**" } else { "" };
            format!(" {:.1}{mark} |", 100.0 * share)
        };
        println!("| {name} |{}", shares.iter().map(shown).collect::<String>());
    }

    /// Nothing differs: supported or refuted is wrong.
    fn directed(&mut self) {
        let n = [4, 8, 16, 24, 48, 96];
        self.head("Nothing differs: supported or refuted", &n);
        for (p, texts) in [(0.0, 1), (0.05, 1), (0.05, 4), (0.3, 1), (0.3, 4), (0.9, 1), (0.9, 4)] {
            for (test, name) in [(trend(), "trend"), (contrast(Direction::Increasing), "contrast")] {
                self.line(&format!("{name}, P {p}, {texts} a cell"), &n, |rng, n| {
                    let levels = if name == "trend" { 5 } else { 2 };
                    let trials = arms(rng, n, texts, levels, |rng| vec![beta(p, uniform(rng)); levels]);
                    judge(&trials, &hypothesis(&test)) != Conclusion::Inconclusive
                });
            }
        }
    }

    /// The interval beside a contrast does not hold the true difference.
    fn intervals(&mut self) {
        let n = [6, 8, 12, 24, 48, 96];
        self.head("The 95 % interval of a mean difference misses the true one", &n);
        for (p, q, texts) in
            [(0.0, 0.0, 1), (0.0, 0.05, 1), (0.05, 0.05, 1), (0.05, 0.05, 4), (0.05, 0.3, 1), (0.05, 0.3, 4)]
                .into_iter()
                .chain([(0.3, 0.3, 4), (0.3, 0.6, 1), (0.3, 0.6, 4), (0.6, 0.9, 4), (0.05, 0.9, 1)])
        {
            self.line(&format!("P {p} → {q}, {texts} a cell"), &n, |rng, n| {
                let trials = arms(rng, n, texts, 2, |rng| {
                    let place = uniform(rng);
                    vec![beta(p, place), beta(q, place)]
                });
                let hypotheses = [hypothesis(&contrast(Direction::Increasing))];
                let questions = Questions { hypotheses: &hypotheses, ..Questions::default() };
                let verdict = verdicts(&trials, questions).remove(0);
                let truth = (q - p) * (LOOPING - FREE);
                let interval = verdict.effects[0].interval.expect("there are six prompts");
                interval.low > truth || interval.high < truth
            });
        }
    }

    /// The claim is true: refuted is wrong.
    fn true_claims(&mut self) {
        let n = [4, 8, 12, 24, 48];
        self.head("Hot texts loop more often, and \"loop more often\" is refuted (metric vllm_loop)", &n);
        for (p, q, texts) in [(0.0, 0.05, 1), (0.0, 0.05, 4), (0.02, 0.1, 1), (0.05, 0.3, 1)] {
            self.line(&format!("P {p} → {q}, {texts} a cell"), &n, |rng, n| {
                let trials = arms(rng, n, texts, 2, |rng| vec![beta(p, uniform(rng)), beta(q, uniform(rng))]);
                let claim = Hypothesis { metric: Metric::VllmLoop, ..hypothesis(&contrast(Direction::Increasing)) };
                judge(&trials, &claim) == Conclusion::Refuted
            });
        }
    }

    /// The base loops with P, the other arm never, and repeats itself a little everywhere: the means are equal.
    fn skewed(&mut self) {
        let n = [6, 8, 12, 16, 24, 48, 96];
        self.head("Equal means of unequal shapes: \"the other is higher\" supported", &n);
        for (p, texts) in [(0.05, 1), (0.05, 4), (0.1, 1), (0.1, 4), (0.3, 1)] {
            self.line(&format!("P {p}, {texts} a cell"), &n, |rng, n| {
                let mean = 95.0 * (p * LOOPING + (1.0 - p) * FREE);
                let mut trials = Vec::new();
                for prompt in 0..n {
                    let loops = if texts == 1 { p } else { beta(p, uniform(rng)) };
                    for seed in 0..texts {
                        trials.push(scored(prompt, "pure", 0.1, seed, score(rng, loops)));
                        let low = mean.floor();
                        let step = ((uniform(rng) * 5.0).floor() - 2.0).max(-low);
                        let up = if uniform(rng) < mean - low { 1.0 } else { 0.0 };
                        trials.push(scored(prompt, "pure", 0.5, seed, (low + step + up) / 95.0));
                    }
                }
                judge(&trials, &hypothesis(&contrast(Direction::Increasing))) == Conclusion::Supported
            });
        }
    }

    /// Ranks rise with each level, and the mean does not, for some prompts loop at the coldest.
    fn against_the_mean(&mut self) {
        let n = [12, 24, 48, 96];
        self.head("Ranks rise while the mean falls: \"raises repetition\" supported", &n);
        for p in [0.05, 0.1, 0.2] {
            self.line(&format!("P {p} at the coldest of 4"), &n, |rng, n| {
                let mut trials = Vec::new();
                for (prompt, level) in (0..n).flat_map(|prompt| (0..4).map(move |level| (prompt, level))) {
                    let score = if level == 0 && uniform(rng) < p {
                        (48.0 + (47.0 * uniform(rng)).floor()) / 95.0
                    } else {
                        (level as f64 + (3.0 * uniform(rng)).floor()) / 95.0
                    };
                    trials.push(scored(prompt, "pure", TEMPERATURES[level], 0, score));
                }
                judge(&trials, &hypothesis(&trend())) == Conclusion::Supported
            });
        }
    }

    /// The arms differ by just the margin: supported is wrong.
    fn equivalences(&mut self) {
        let n = [4, 6, 8, 12, 16, 24, 48, 96];
        self.head("A difference of just the margin 0.05: equivalence supported", &n);
        for metric in [Metric::VllmLoop, Metric::RepetitionScore] {
            for (p, texts) in [(0.0, 1), (0.0, 4), (0.05, 1), (0.05, 4), (0.3, 1), (0.3, 4), (0.9, 1), (0.05, 32)] {
                let step = if metric == Metric::VllmLoop { MARGIN } else { MARGIN / (LOOPING - FREE) };
                self.line(&format!("{}, P {p}, {texts} a cell", metric.name()), &n, |rng, n| {
                    let trials = arms(rng, n, texts, 2, |rng| {
                        let place = uniform(rng);
                        vec![beta(p, place), beta(p + step, if p > 0.0 { place } else { uniform(rng) })]
                    });
                    let (base, other) = (at(0), at(1));
                    let claim = hypothesis(&Test::Equivalence { base, other, margin: MARGIN });
                    judge(&trials, &Hypothesis { metric, ..claim }) == Conclusion::Supported
                });
            }
        }
    }

    /// Main effects that add up: an interaction is wrong.
    fn interactions(&mut self) {
        let n = [4, 8, 24, 48];
        self.head("Effects add up: interaction supported (metric vllm_loop)", &n);
        for (levels, texts) in [(2, 1), (2, 4), (5, 1), (5, 4)] {
            self.line(&format!("2 × {levels}, {texts} a cell"), &n, |rng, n| {
                let mut trials = Vec::new();
                for prompt in 0..n {
                    let base = 0.5 * beta(0.05, uniform(rng));
                    for (place, chain) in ["pure", "llama.cpp"].into_iter().enumerate() {
                        for (level, &temperature) in TEMPERATURES.iter().enumerate().take(levels) {
                            let p = base + 0.3 * place as f64 + 0.15 * level as f64 / (levels - 1) as f64;
                            for seed in 0..texts {
                                trials.push(scored(prompt, chain, temperature, seed, score(rng, p)));
                            }
                        }
                    }
                }
                let claim = hypothesis(&Test::Interaction { factors: [Factor::Chain, Factor::Temperature] });
                judge(&trials, &Hypothesis { metric: Metric::VllmLoop, ..claim }) == Conclusion::Supported
            });
        }
    }

    /// Five hypotheses, none of which is true.
    fn families(&mut self) {
        let n = [8, 16, 24, 48];
        self.head("Five hypotheses, nothing differs: any supported or refuted", &n);
        for texts in [1, 4] {
            self.line(&format!("P 0.3, {texts} a cell"), &n, |rng, n| {
                let trials = arms(rng, n, texts, 5, |rng| vec![beta(0.3, uniform(rng)); 5]);
                let arms = |base, other, expect| Test::Contrast { base: at(base), other: at(other), expect };
                let tests = [
                    trend(),
                    arms(0, 4, Direction::Increasing),
                    arms(0, 2, Direction::Decreasing),
                    arms(1, 3, Direction::Different),
                    arms(2, 4, Direction::Increasing),
                ];
                let hypotheses: Vec<Hypothesis> = tests.iter().map(hypothesis).collect();
                let questions =
                    Questions { hypotheses: &hypotheses, settings: Settings::default(), ..Questions::default() };
                verdicts(&trials, questions).iter().any(|verdict| verdict.outcome != Conclusion::Inconclusive)
            });
        }
    }

    /// What is lost is not lost by chance.
    fn losses(&mut self) {
        let n = [8, 12, 24, 48];
        self.head("Texts are lost: supported", &n);
        self.line("P 0.3 → 0.6, nine in ten loops fail when hot, \"hot repeats less\"", &n, |rng, n| {
            let mut trials = arms(rng, n, 4, 2, |rng| vec![beta(0.3, uniform(rng)), beta(0.6, uniform(rng))]);
            for trial in &mut trials {
                let TrialResult::Scored { scores, .. } = &trial.result else { continue };
                let is_hot = trial.trial.cell.temperature().get() > 0.3;
                if is_hot && scores.get(Metric::Loop) == Some(1.0) && uniform(rng) < 0.9 {
                    trial.result = TrialResult::Failed(Failure { reason: "it took too long".to_owned(), attempts: 2 });
                }
            }
            judge(&trials, &hypothesis(&contrast(Direction::Decreasing))) == Conclusion::Supported
        });
        self.line("nothing differs, a chain that never loops is left out when hot, trend", &n, |rng, n| {
            let mut trials = Vec::new();
            for prompt in 0..n {
                let loops = beta(0.5, uniform(rng));
                for (level, &temperature) in TEMPERATURES.iter().enumerate().take(3) {
                    let clean = (level < 2).then_some(("llama.cpp", 0.0));
                    for (chain, p) in [("pure", loops), ("greedy", loops)].into_iter().chain(clean) {
                        trials.push(scored(prompt, chain, temperature, 0, score(rng, p)));
                    }
                }
            }
            judge(&trials, &hypothesis(&trend())) != Conclusion::Inconclusive
        });
    }

    fn gate(&mut self) {
        let n = [8, 12, 24, 48, 64, 96];
        self.head("The gate: worse by just the margin 0.05, and it passes", &n);
        let designs = [(0.0, 1), (0.0, 4), (0.05, 1), (0.05, 4), (0.05, 32), (0.3, 1), (0.3, 32), (0.9, 4)];
        for (p, texts) in designs {
            self.line(&format!("P {p}, {texts} texts a prompt"), &n, |rng, n| {
                release(rng, n, p, texts, MARGIN) == GateStatus::Pass
            });
        }
        self.head("The gate: worse by just the margin 0.05, and it fails", &n);
        for (p, texts) in designs {
            self.line(&format!("P {p}, {texts} texts a prompt"), &n, |rng, n| {
                release(rng, n, p, texts, MARGIN) == GateStatus::Fail
            });
        }
        self.head("The gate: no worse, all texts new, and it passes (no promise)", &n);
        for (p, texts) in designs {
            self.told(&format!("P {p}, {texts} texts a prompt"), &n, |rng, n| {
                release(rng, n, p, texts, 0.0) == GateStatus::Pass
            });
        }
        self.head("The gate: worse by 0.1, and it fails (no promise)", &n);
        for (p, texts) in designs.into_iter().filter(|(p, _)| *p < 0.5) {
            self.told(&format!("P {p}, {texts} texts a prompt"), &n, |rng, n| {
                release(rng, n, p, texts, 0.1) == GateStatus::Fail
            });
        }
    }
}

/// One arm of a release against its baseline, worse by so much; both are drawn anew, which is the worst case: an
/// unchanged release of the same engine writes the same texts.
fn release(rng: &mut ChaCha8Rng, n: usize, p: f64, texts: usize, worse_by: f64) -> GateStatus {
    let step = worse_by / (LOOPING - FREE);
    let mut prompt = |_| {
        let place = uniform(rng);
        let mut arm = |p: f64| -> (f64, Kinds) {
            let scores: Vec<f64> = (0..texts).map(|_| score(rng, p)).collect();
            let is_loop = |score: &f64| *score >= 0.5;
            let kinds = Kinds { loops: scores.iter().any(is_loop), free: !scores.iter().all(is_loop) };
            (scores.iter().sum::<f64>() / texts as f64, kinds)
        };
        let ((before, base), (after, other)) = (arm(beta(p, place)), arm(beta((p + step).min(1.0), place)));
        PromptDifference { value: after - before, base, other }
    };
    let prompts = (0..n).map(&mut prompt).collect();
    let (name, texts) = (String::new(), Texts::Other);
    let unit = Unit { name, by: By::Arm, prompts, means: None, texts, blind: None, loops_more: None };
    decide(&[unit], Rule { margin: MARGIN, alpha: ALPHA }).outcome
}

/// Trials of so many levels of the temperature; `loops` gives a prompt's probabilities.
fn arms(
    rng: &mut ChaCha8Rng,
    n: usize,
    texts: usize,
    levels: usize,
    loops: impl Fn(&mut ChaCha8Rng) -> Vec<f64>,
) -> Vec<ScoredTrial> {
    let mut trials = Vec::with_capacity(n * texts * levels);
    for prompt in 0..n {
        let loops = loops(rng);
        for (level, seed) in (0..levels).flat_map(|level| (0..texts).map(move |seed| (level, seed))) {
            trials.push(scored(prompt, "pure", TEMPERATURES[level], seed, score(rng, loops[level])));
        }
    }
    trials
}

fn scored(prompt: usize, chain: &str, temperature: f32, seed: usize, score: f64) -> ScoredTrial {
    let cell = Cell::usual("m", chain, Temperature::new(temperature).expect("it is above 0"));
    let name = format!("{prompt} {chain} {temperature} {seed}");
    let id: TrialId = TrialId::known(name.clone());
    let loops = f64::from(u8::from(score >= 0.5));
    let scores = Scores::from_fn(|metric| match metric {
        Metric::RepetitionScore => Some(score),
        Metric::Loop | Metric::VllmLoop => Some(loops),
        _ => None,
    });
    let seed = u32::try_from(seed).ok().and_then(Seed::new);
    let trial = Trial { id, cell, prompt: format!("p{prompt:03}"), seed };
    let generation = Generation::of_tokens(1, vec![], name, Stop::Eos);
    ScoredTrial::new(trial, TrialResult::Scored { generation, scores })
}

fn judge(trials: &[ScoredTrial], hypothesis: &Hypothesis) -> Conclusion {
    let questions = Questions { hypotheses: std::slice::from_ref(hypothesis), ..Questions::default() };
    verdicts(trials, questions).remove(0).outcome
}

fn hypothesis(test: &Test) -> Hypothesis {
    Hypothesis {
        id: "it".to_owned(),
        claim: "it".to_owned(),
        metric: Metric::RepetitionScore,
        part: TextPart::Whole,
        first: None,
        within: Selection::default(),
        each: None,
        test: test.clone(),
        sides: Sides::Two,
        least: None,
    }
}

fn trend() -> Test {
    Test::Trend { factor: Factor::Temperature, expect: Direction::Increasing }
}

fn contrast(expect: Direction) -> Test {
    Test::Contrast { base: at(0), other: at(1), expect }
}

fn at(level: usize) -> Selection {
    Selection::of(Temperature::new(TEMPERATURES[level]))
}

fn generator(set: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(set)
}

fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    rng.random()
}

fn beta(p: f64, place: f64) -> f64 {
    if p <= 0.0 || p >= 1.0 {
        return p.clamp(0.0, 1.0);
    }
    Beta::new(2.0 * p, 2.0 * (1.0 - p)).expect("both are positive").inverse_cdf(place)
}

fn score(rng: &mut ChaCha8Rng, loops: f64) -> f64 {
    let (is, place) = (uniform(rng), uniform(rng));
    if is < loops {
        (48.0 + (47.0 * place).floor()) / 95.0
    } else if place < 0.6 {
        0.0
    } else {
        (((place - 0.6) / 0.4 * 5.0).floor() + 1.0) / 95.0
    }
}
