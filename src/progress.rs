//! Shows a run as it goes: a bar on a terminal, plain lines elsewhere, all of
//! it on stderr. The only place that knows indicatif.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::domain::Temperature;
use crate::event::{Again, RunEvent};
use crate::journal::record::Outcome;
use crate::message::say;
use crate::metrics::{repetition_score, word_ids};

mod fetch;

pub use fetch::FetchProgress;

/// How often a plain line tells of progress.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// A display of one run.
pub struct Progress {
    display: Display,
    state: State,
}

enum Display {
    Bar(ProgressBar),
    /// When the last line was printed.
    Plain(Instant),
}

/// What has happened so far.
#[derive(Default)]
struct State {
    trials: usize,
    done: usize,
    /// Computed by this run: the base of speed and time left.
    computed: usize,
    failed: usize,
    evaluated_tokens: u64,
    /// Set when the first model is loaded: loading is not decoding.
    decoding_since: Option<Instant>,
    /// Until when a pause goes on that was told of.
    pausing_until: Option<Instant>,
    /// Sum and count of the repetition scores of this run.
    scores: BTreeMap<Temperature, (f64, u32)>,
}

impl Progress {
    /// A bar where stderr is a terminal that can move its cursor.
    pub fn new() -> Self {
        Self { display: bar_or_lines(), state: State::default() }
    }

    pub fn on_event(&mut self, event: RunEvent<'_>) {
        self.state.count(event);
        match event {
            RunEvent::Started { trials, already_done, loads } => self.say(&match trials - already_done {
                0 => format!("all {trials} texts are in the journal"),
                left => format!("{left} of {trials} texts to generate, {loads} to load"),
            }),
            RunEvent::LoadStarted { key, strategy: Some(strategy) } => self.say(&format!("loading {key}; {strategy}")),
            RunEvent::LoadStarted { key, strategy: None } => self.say(&format!("asking for {key}")),
            RunEvent::Loaded { key, seconds } => self.say(&format!("loaded {key} in {seconds:.1} s")),
            RunEvent::Warning { text } => self.say(text),
            RunEvent::Pausing { reason, seconds } => {
                // Of several texts that wait for the same server one word is enough.
                let now = Instant::now();
                if self.state.pausing_until.is_none_or(|until| until <= now) {
                    self.state.pausing_until = Some(now + Duration::from_secs_f64(seconds));
                    self.say(&pausing(reason, seconds));
                }
            }
            RunEvent::WorkerDied { reason, again } => self.say(&match again {
                Again::Halves(texts) => format!("{reason}; {texts} texts are tried again, by halves"),
                Again::Witness => format!("{reason}; no text has got past its first step, so one is tried alone"),
            }),
            RunEvent::GivenUp { key, reason, open } => {
                self.say(&format!("{reason}; {key} is given up, and {open} texts of it are left open"));
            }
            RunEvent::ShortOfMemory { reason, pause, strategy } => {
                let way = strategy.map_or_else(String::new, |strategy| format!(", with {strategy}"));
                let seconds = pause.as_secs();
                self.say(&format!("memory is short: {reason}; the model is loaded again in {seconds} s{way}"));
            }
            RunEvent::TrialDone { trial, record } => {
                if let Outcome::Failed(failure) = &record.outcome {
                    let cell = &trial.cell;
                    self.say(&format!(
                        "failed: {} · {} · T {} · prompt {}: {}",
                        cell.model(),
                        cell.chain(),
                        cell.temperature(),
                        trial.prompt,
                        failure.reason
                    ));
                }
            }
            RunEvent::Evaluated { .. } => {}
            RunEvent::Finished => self.end(""),
            RunEvent::Interrupted => {
                self.end("interrupted: finished trials are in the journal, the same command goes on from them");
            }
        }
        self.show();
    }

    fn say(&self, message: &str) {
        self.display.say(message);
    }

    fn show(&mut self) {
        let state = &self.state;
        match &mut self.display {
            Display::Bar(bar) if state.decoding_since.is_some() => {
                bar.set_length(state.trials as u64);
                bar.set_position(state.done as u64);
                bar.set_style(style("{bar:30} {pos}/{len} {msg}\n{prefix}"));
                bar.set_message(state.speed());
                bar.set_prefix(state.means());
            }
            Display::Bar(_) => {}
            Display::Plain(last) => {
                if last.elapsed() >= PLAIN_EVERY && state.decoding_since.is_some() {
                    *last = Instant::now();
                    say(&format!("{}/{} {}; {}", state.done, state.trials, state.speed(), state.means()));
                }
            }
        }
    }

    fn end(&mut self, message: &str) {
        if let Display::Bar(bar) = &self.display {
            bar.finish_and_clear();
        }
        if self.state.computed > 0 {
            let state = &self.state;
            say(&format!("{}/{} {}; {}", state.done, state.trials, state.speed(), state.means()));
        }
        if !message.is_empty() {
            say(message);
        }
        self.state.decoding_since = None;
    }
}

/// What to say of a pause.
pub fn pausing(reason: &str, seconds: f64) -> String {
    format!("waiting {seconds:.0} s before a server is asked again: {reason}")
}

fn bar_or_lines() -> Display {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    if std::io::stderr().is_terminal() && !dumb {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
        // Nothing is shown until there is something to show.
        Display::Bar(bar.with_style(style("{msg}")))
    } else {
        Display::Plain(Instant::now())
    }
}

impl Display {
    fn say(&self, message: &str) {
        match self {
            Self::Bar(bar) => bar.suspend(|| say(message)),
            Self::Plain(_) => say(message),
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("a valid template").progress_chars("█▌ ")
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    fn count(&mut self, event: RunEvent<'_>) {
        match event {
            // One display may show several runs, one after the other.
            RunEvent::Started { trials, already_done, .. } => {
                *self = Self { trials, done: already_done, ..Self::default() };
            }
            RunEvent::Loaded { .. } => {
                self.decoding_since.get_or_insert_with(Instant::now);
            }
            RunEvent::Evaluated { tokens } => self.evaluated_tokens += tokens,
            RunEvent::TrialDone { trial, record } => {
                self.done += 1;
                self.computed += 1;
                match &record.outcome {
                    Outcome::Failed(_) => self.failed += 1,
                    Outcome::Generated(generation) => {
                        let (sum, n) = self.scores.entry(trial.cell.temperature()).or_default();
                        *sum += repetition_score(&word_ids(&generation.text));
                        *n += 1;
                    }
                }
            }
            _ => {}
        }
    }

    /// Tokens a second and, once a tenth is done, the time left at the pace so
    /// far. Before that most of the work is in texts that have not ended, and
    /// the pace of those that have says little.
    fn speed(&self) -> String {
        let Some(since) = self.decoding_since else { return String::new() };
        let seconds = since.elapsed().as_secs_f64();
        // What a server evaluates is not known.
        let mut text = match self.evaluated_tokens {
            0 => format!("{:.1} texts/s", self.computed as f64 / seconds),
            tokens => format!("{:.0} tokens/s", tokens as f64 / seconds),
        };
        let left = self.trials - self.done;
        if left > 0 && self.computed * 9 >= left {
            let seconds_left = seconds / self.computed as f64 * left as f64;
            text += &format!(", about {} left", HumanDuration(Duration::from_secs_f64(seconds_left)));
        }
        if self.failed > 0 {
            text += &format!(", {} failed", self.failed);
        }
        text
    }

    /// The mean score so far at each temperature.
    fn means(&self) -> String {
        let means = self.scores.iter().map(|(t, (sum, n))| format!("T {t} {:.2}", sum / f64::from(*n)));
        format!("score so far: {}", means.collect::<Vec<_>>().join(" · "))
    }
}
