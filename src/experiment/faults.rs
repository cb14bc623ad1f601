//! Finds parameters of a step that llama.cpp does not apply as they are stated, or that lie outside the range in which
//! the sampler does what its name says.
//!
//! Owns the table of docs/chains.md, read off llama.cpp's `src/llama-sampler.cpp`. Knows nothing
//! of files: `rules` says where in one a fault stands.

use crate::domain::{Step, Temperature};

/// llama.cpp cuts a longer sequence breaker off, in bytes (`MAX_CHAR_LEN`).
const LONGEST_BREAKER: usize = 40;
/// The greatest decay that llama.cpp applies.
const GREATEST_DECAY: f32 = 0.99;

/// What is wrong with a step, and what to write in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub what: String,
    pub remedy: String,
}

/// What must be known of a step to read its results rightly: values that llama.cpp does not apply,
/// and a sampler that is off although its other parameters ask for something.
pub fn caveats(step: &Step<Temperature>) -> Vec<String> {
    let ignored = not_applied(step).into_iter().map(|fault| fault.what);
    ignored.chain(off_against_the_rest(step)).collect()
}

/// Every fault of a step; what depends on the trial's temperature aside.
pub fn faults<T: Copy + Into<Option<Temperature>>>(step: &Step<T>) -> Vec<Fault> {
    let mut faults = not_applied(step);
    faults.extend(out_of_range(step));
    faults
}

/// Values in whose place llama.cpp takes another, without a word.
fn not_applied<T: Copy + Into<Option<Temperature>>>(step: &Step<T>) -> Vec<Fault> {
    let mut faults = Faults::default();
    match step {
        Step::TopNSigma { n } => faults.add_if(*n == 0.0, || {
            let what =
                "top_n_sigma = 0 switches it off in llama.cpp, although the name suggests keeping only the most \
                 probable tokens";
            (what.to_owned(), "write -1 to switch it off, or a number above 0".to_owned())
        }),
        Step::TopP { p, .. } => faults.share_that_is_off("top_p", *p),
        Step::Typical { p, .. } => faults.share_that_is_off("typical", *p),
        Step::MinP { p, .. } => faults.add_if(*p < 0.0, || {
            let what = format!("min_p = {p} is not in [0, 1]: llama.cpp treats it as 0, which switches it off");
            (what, "write 0 to switch it off, or a share up to 1".to_owned())
        }),
        Step::Xtc { p, threshold, .. } => {
            faults.add_if(*p < 0.0, || {
                let what = format!("xtc's p = {p} is not in [0, 1]: llama.cpp treats it as 0, which switches it off");
                (what, "write 0 to switch it off, or a probability up to 1".to_owned())
            });
            // 1 is llama.cpp's documented way to switch it off.
            faults.add_if(*p > 0.0 && *threshold > 0.5 && *threshold < 1.0, || {
                let what = format!("xtc's threshold = {threshold} switches it off: llama.cpp does nothing above 0.5");
                (what, "write at most 0.5, or 1 to switch it off".to_owned())
            });
        }
        &Step::Penalties { last_n, repeat, frequency, presence } => {
            let asks = (repeat, frequency, presence) != (1.0, 0.0, 0.0);
            faults.add_if(asks && last_n < 0, || window_that_is_off("penalties'", last_n));
        }
        Step::Dry { multiplier, base, allowed_length, last_n, sequence_breakers } => {
            let asks = *multiplier != 0.0;
            faults.add_if(asks && *last_n < 0, || window_that_is_off("dry's", *last_n));
            faults.add_if(asks && *base < 1.0, || {
                let what = format!("dry's base = {base} is below 1, so llama.cpp switches it off");
                (what, "write a base from 1 up, or multiplier = 0 to switch it off".to_owned())
            });
            faults.add_if(asks && *base >= 1.0 && *last_n > 0 && allowed_length >= last_n, || {
                let what = format!(
                    "dry never penalises: within last_n = {last_n} tokens nothing can repeat for more than \
                     allowed_length = {allowed_length}"
                );
                (
                    what,
                    format!(
                        "write last_n = {} or more, or a smaller allowed_length",
                        allowed_length.saturating_add(1)
                    ),
                )
            });
            for breaker in sequence_breakers {
                faults.add_if(breaker.is_empty(), || {
                    let what = "llama.cpp ignores dry's sequence breaker \"\"".to_owned();
                    (what, "remove it: sequence_breakers = [] means that there are none".to_owned())
                });
                faults.add_if(breaker.len() > LONGEST_BREAKER, || {
                    let what = format!(
                        "llama.cpp cuts dry's sequence breaker {breaker:?} off after {LONGEST_BREAKER} bytes"
                    );
                    (what, format!("write at most {LONGEST_BREAKER} bytes"))
                });
            }
        }
        Step::TemperatureExt { t, delta, .. } => {
            let t: Option<Temperature> = (*t).into();
            if let Some(t) = t.map(Temperature::get)
                && *delta > t
            {
                let what =
                    format!("temperature_ext's lower end {t} - {delta} is below 0, so llama.cpp uses 0");
                faults.add(what, format!("write delta = {t} or less"));
            }
            faults.add_if(*delta < 0.0, || {
                let what = format!("temperature_ext's delta = {delta} is negative, so llama.cpp treats it as 0");
                (what, "write 0 for a fixed temperature, or a number above 0".to_owned())
            });
        }
        Step::AdaptiveP { target, decay } => {
            faults.add_if(*target < 0.0, || {
                let what = format!("adaptive_p's target = {target} is not in [0, 1]: llama.cpp then draws like \
                                    \"dist\"");
                (what, "write \"dist\" instead, or a target from 0 to 1".to_owned())
            });
            faults.add_if(*target > 1.0, || {
                let what = format!("adaptive_p's target = {target} is not in [0, 1]: llama.cpp uses 1");
                (what, "write a target from 0 to 1".to_owned())
            });
            faults.add_if(!(0.0..=GREATEST_DECAY).contains(decay), || {
                let applied = decay.clamp(0.0, GREATEST_DECAY);
                let what =
                    format!("adaptive_p's decay = {decay} is not in [0, {GREATEST_DECAY}]: llama.cpp uses {applied}");
                (what, format!("write {applied}, or another number in that range"))
            });
        }
        Step::LogitBias { biases } => {
            for (index, bias) in biases.iter().enumerate() {
                faults.add_if(biases[..index].iter().any(|other| other.token == bias.token), || {
                    let what = format!(
                        "duplicate token {} in logit_bias: depending on the order of candidates, llama.cpp adds both \
                         biases or only the first",
                        bias.token
                    );
                    (what, "write it once, with the sum".to_owned())
                });
            }
        }
        Step::Grammar { grammar, .. } => faults.add_if(grammar.is_empty(), || {
            ("an empty grammar allows every text".to_owned(), "remove the step, or write a grammar".to_owned())
        }),
        Step::Temperature { .. }
        | Step::TopK { .. }
        | Step::Json
        | Step::Infill
        | Step::Greedy
        | Step::Dist
        | Step::Mirostat { .. }
        | Step::MirostatV2 { .. }
        // What a server makes of it is its own affair.
        | Step::Request(_) => {}
    }
    faults.0
}

/// Values that llama.cpp applies, and that make no sense.
fn out_of_range<T>(step: &Step<T>) -> Vec<Fault> {
    let mut faults = Faults::default();
    match step {
        Step::TopP { p, .. } => faults.share_that_keeps_nothing("top_p", *p),
        Step::Typical { p, .. } => faults.share_that_keeps_nothing("typical", *p),
        Step::MinP { p, .. } => faults.add_if(*p > 1.0, || {
            (format!("min_p = {p} is not in [0, 1]"), "write a share from 0 to 1; 0 switches it off".to_owned())
        }),
        Step::Xtc { p, threshold, .. } => {
            faults.add_if(*p > 1.0, || {
                (format!("xtc's p = {p} is not in [0, 1]"), "write a probability from 0 to 1".to_owned())
            });
            faults.add_if(!(0.0..=1.0).contains(threshold), || {
                (format!("xtc's threshold = {threshold} is not in [0, 1]"), "write a share from 0 to 0.5".to_owned())
            });
        }
        Step::Penalties { repeat, .. } => faults.add_if(*repeat <= 0.0, || {
            let what = format!("penalties' repeat = {repeat} is a divisor of logits: it must be above 0");
            (what, "write 1 to switch it off, or another number above 0".to_owned())
        }),
        Step::Dry { multiplier, allowed_length, sequence_breakers, .. } => {
            faults.add_if(*multiplier < 0.0, || {
                let what = format!("dry's multiplier = {multiplier} is negative: it would reward repetition");
                (what, "write 0 to switch it off, or a number above 0".to_owned())
            });
            faults.add_if(*allowed_length < 0, || {
                let what = format!("dry's allowed_length = {allowed_length} is negative");
                (what, "write the number of tokens that may repeat, from 0 up".to_owned())
            });
            faults.add_if(sequence_breakers.iter().any(|breaker| breaker.contains('\0')), || {
                (
                    "a sequence breaker of dry contains a NUL byte".to_owned(),
                    "remove it: in C a text ends there".to_owned(),
                )
            });
        }
        Step::TemperatureExt { exponent, .. } => faults.add_if(*exponent < 0.0, || {
            let what =
                format!("temperature_ext's exponent = {exponent} is negative: the temperature could exceed t + delta");
            (what, "write a number from 0 up".to_owned())
        }),
        Step::Mirostat { tau, eta, m } => {
            faults.add_if(*m <= 1, || {
                let what = format!(
                    "mirostat's m = {m} is too small: it estimates a slope, which needs at least two candidates"
                );
                (what, "write 2 or more; llama.cpp's default is 100".to_owned())
            });
            faults.mirostat(*tau, *eta);
        }
        Step::MirostatV2 { tau, eta } => faults.mirostat(*tau, *eta),
        Step::Grammar { grammar, root } => faults
            .add_if([grammar, root].iter().any(|text| text.contains('\0')), || {
                ("the grammar contains a NUL byte".to_owned(), "remove it: in C a text ends there".to_owned())
            }),
        Step::Temperature { .. }
        | Step::TopK { .. }
        | Step::TopNSigma { .. }
        | Step::LogitBias { .. }
        | Step::Json
        | Step::Infill
        | Step::Greedy
        | Step::Dist
        | Step::AdaptiveP { .. }
        | Step::Request(_) => {}
    }
    faults.0
}

/// What switches a step off in the documented way while its other parameters ask for something.
fn off_against_the_rest<T>(step: &Step<T>) -> Option<String> {
    match *step {
        Step::Penalties { last_n: 0, repeat, frequency, presence }
            if (repeat, frequency, presence) != (1.0, 0.0, 0.0) =>
        {
            Some("penalties are off: last_n = 0".to_owned())
        }
        Step::Dry { multiplier, last_n: 0, .. } if multiplier != 0.0 => Some("dry is off: last_n = 0".to_owned()),
        Step::Xtc { p, threshold, .. } if p > 0.0 && threshold >= 1.0 => {
            Some(format!("xtc is off: threshold = {threshold}"))
        }
        _ => None,
    }
}

fn window_that_is_off(whose: &str, last_n: i32) -> (String, String) {
    let what = format!(
        "{whose} last_n = {last_n} switches the step off: llama.cpp's sampler treats it as 0 (servers read -1 as the \
         whole context)"
    );
    (what, "write the context of [generate] for the whole text, or 0 to switch the step off".to_owned())
}

#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, what: String, remedy: String) {
        self.0.push(Fault { what, remedy });
    }

    fn add_if(&mut self, is: bool, fault: impl FnOnce() -> (String, String)) {
        if is {
            let (what, remedy) = fault();
            self.add(what, remedy);
        }
    }

    fn share_that_is_off(&mut self, name: &str, p: f32) {
        self.add_if(p > 1.0, || {
            let what = format!("{name} = {p} is not in (0, 1]: llama.cpp treats it as 1, which switches it off");
            (what, "write 1 to switch it off, or a share below it".to_owned())
        });
    }

    fn share_that_keeps_nothing(&mut self, name: &str, p: f32) {
        self.add_if(p <= 0.0, || {
            (format!("{name} = {p} is not in (0, 1]"), "write a share above 0; 1 switches it off".to_owned())
        });
    }

    fn mirostat(&mut self, tau: f32, eta: f32) {
        self.add_if(tau <= 0.0 || eta <= 0.0, || {
            let what = format!("mirostat's tau = {tau} and eta = {eta} must be above 0");
            (what, "llama.cpp's defaults are tau = 5 and eta = 0.1".to_owned())
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::TokenBias;

    fn dry(multiplier: f32, base: f32, allowed_length: i32, last_n: i32) -> Step<Temperature> {
        Step::Dry { multiplier, base, allowed_length, last_n, sequence_breakers: vec![] }
    }

    fn breakers(breakers: &[&str]) -> Step<Temperature> {
        let sequence_breakers = breakers.iter().map(|&breaker| breaker.to_owned()).collect();
        Step::Dry { multiplier: 0.8, base: 1.75, allowed_length: 2, last_n: 64, sequence_breakers }
    }

    fn penalties(last_n: i32, repeat: f32) -> Step<Temperature> {
        Step::Penalties { last_n, repeat, frequency: 0.0, presence: 0.0 }
    }

    fn xtc(p: f32, threshold: f32) -> Step<Temperature> {
        Step::Xtc { p, threshold, min_keep: 0 }
    }

    fn warm(t: f32, delta: f32) -> Step<Temperature> {
        Step::TemperatureExt { t: Temperature::new(t).unwrap(), delta, exponent: 1.0 }
    }

    fn biased(tokens: &[i32]) -> Step<Temperature> {
        Step::LogitBias { biases: tokens.iter().map(|&token| TokenBias { token, bias: 1.0 }).collect() }
    }

    fn adaptive(target: f32, decay: f32) -> Step<Temperature> {
        Step::AdaptiveP { target, decay }
    }

    /// The table of docs/chains.md: a value that llama.cpp does not apply, and the one to write.
    #[test]
    fn what_llama_cpp_does_not_apply_is_a_fault_with_a_remedy() {
        for (step, what, remedy) in [
            (dry(0.8, 1.75, 2, -1), "dry's last_n = -1 switches the step off", "write the context of [generate]"),
            (dry(0.8, 0.5, 2, 64), "dry's base = 0.5 is below 1", "multiplier = 0"),
            (dry(0.8, 1.75, 64, 64), "dry never penalises", "write last_n = 65 or more"),
            (breakers(&[""]), "ignores dry's sequence breaker \"\"", "sequence_breakers = []"),
            (breakers(&[&"=".repeat(41)]), "off after 40 bytes", "at most 40 bytes"),
            (penalties(-1, 1.1), "penalties' last_n = -1 switches the step off", "write the context of [generate]"),
            (xtc(0.5, 0.6), "xtc's threshold = 0.6 switches it off", "write at most 0.5"),
            (xtc(-0.5, 0.1), "xtc's p = -0.5 is not in [0, 1]", "write 0"),
            (Step::TopNSigma { n: 0.0 }, "top_n_sigma = 0 switches it off", "write -1"),
            (Step::TopP { p: 1.5, min_keep: 0 }, "top_p = 1.5 is not in (0, 1]", "write 1"),
            (Step::Typical { p: 1.5, min_keep: 0 }, "typical = 1.5 is not in (0, 1]", "write 1"),
            (Step::MinP { p: -0.1, min_keep: 0 }, "min_p = -0.1 is not in [0, 1]", "write 0"),
            (warm(0.2, 0.5), "lower end 0.2 - 0.5 is below 0", "write delta = 0.2 or less"),
            (warm(0.2, -0.5), "delta = -0.5 is negative", "write 0"),
            (adaptive(-1.0, 0.9), "draws like \"dist\"", "write \"dist\""),
            (adaptive(1.5, 0.9), "target = 1.5 is not in [0, 1]: llama.cpp uses 1", "from 0 to 1"),
            (adaptive(0.5, 1.0), "decay = 1 is not in [0, 0.99]: llama.cpp uses 0.99", "write 0.99"),
            (biased(&[5, 6, 5]), "duplicate token 5", "with the sum"),
            (Step::Grammar { grammar: String::new(), root: "root".to_owned() }, "an empty grammar", "remove the step"),
        ] {
            let found = not_applied(&step);
            let [fault] = &found[..] else { panic!("one fault of {step:?}: {found:?}") };
            assert!(fault.what.contains(what) && fault.remedy.contains(remedy), "{fault:?}");
            assert_eq!(caveats(&step), std::slice::from_ref(&fault.what), "a faithful chain is told of the same");
        }
    }

    #[test]
    fn what_is_applied_and_makes_no_sense_is_a_fault_and_no_caveat() {
        for step in [
            penalties(64, 0.0),
            dry(-1.0, 1.75, 2, 64),
            dry(0.8, 1.75, -1, 64),
            breakers(&["a\0b"]),
            xtc(1.5, 0.1),
            xtc(0.5, -0.1),
            Step::TopP { p: 0.0, min_keep: 1 },
            Step::Typical { p: -1.0, min_keep: 1 },
            Step::MinP { p: 1.5, min_keep: 1 },
            Step::TemperatureExt { t: Temperature::new(1.0).unwrap(), delta: 0.5, exponent: -1.0 },
            Step::Mirostat { tau: 5.0, eta: 0.1, m: 1 },
            Step::MirostatV2 { tau: 0.0, eta: 0.1 },
        ] {
            assert_eq!((faults(&step).len(), caveats(&step)), (1, vec![]), "{step:?}");
        }
    }

    /// llama.cpp's documented ways (`common/arg.cpp`).
    #[test]
    fn a_sampler_may_be_switched_off_as_documented() {
        for step in [
            penalties(0, 1.0),
            penalties(64, 1.0),
            penalties(-1, 1.0),
            dry(0.0, 1.75, 2, 64),
            dry(0.0, 1.75, 2, -1),
            xtc(0.0, 0.1),
            xtc(0.0, 0.9),
            Step::TopK { k: 0 },
            Step::TopK { k: -1 },
            Step::TopNSigma { n: -1.0 },
            Step::TopP { p: 1.0, min_keep: 0 },
            Step::Typical { p: 1.0, min_keep: 0 },
            Step::MinP { p: 0.0, min_keep: 0 },
            biased(&[]),
        ] {
            assert!(step.is_off(), "{step:?}");
            assert_eq!((faults(&step), caveats(&step)), (vec![], vec![]), "{step:?}");
        }
    }

    #[test]
    fn what_is_off_although_it_asks_for_something_is_allowed_and_told() {
        for (step, expected) in [
            (penalties(0, 1.1), "penalties are off: last_n = 0"),
            (dry(0.8, 1.75, 2, 0), "dry is off: last_n = 0"),
            (xtc(0.5, 1.0), "xtc is off: threshold = 1"),
        ] {
            assert!(step.is_off(), "{step:?}");
            assert_eq!((faults(&step), caveats(&step)), (vec![], vec![expected.to_owned()]), "{step:?}");
        }
    }
}
