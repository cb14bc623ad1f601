//! Shows a run as it goes: a bar on a terminal, plain lines elsewhere, all of
//! it on stderr. The only place that knows indicatif.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::domain::Temperature;
use crate::event::{Again, RunEvent};
use crate::journal::record::Outcome;
use crate::message::{say, warn};
use crate::metrics::{repetition_score, word_ids};
use crate::screen::{Layout, Lines, Volume};
use crate::terminal::{stderr, volume};

mod fetch;
mod pace;

pub use fetch::FetchProgress;
use pace::Pace;

/// How often a plain line tells of progress, and how soon the first one does.
const PLAIN_EVERY: Duration = Duration::from_secs(10);
const PLAIN_FIRST: Duration = Duration::from_secs(3);
/// Columns.
const LONGEST_BAR: usize = 30;

/// A display of one run.
pub struct Progress {
    display: Display,
    state: State,
}

enum Display {
    Bar(ProgressBar),
    /// When the last line was printed.
    Plain(Option<Instant>),
}

/// What has happened so far.
#[derive(Default)]
struct State {
    trials: usize,
    done: usize,
    /// Of what is computed by this run.
    pace: Pace,
    failed: usize,
    /// What was loaded last: the model, and how.
    key: String,
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
            RunEvent::Started { trials, already_done, loads, .. } => self.say(&match trials - already_done {
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
                bar.set_style(bar_style("{pos}/{len} {wide_msg}\n{prefix}"));
                bar.set_message(state.speed());
                bar.set_prefix(folded(&[state.at_work(), state.means().trim_start_matches("; ").to_owned()]));
            }
            Display::Bar(_) => {}
            Display::Plain(last) => {
                let due = |since| last.map_or(since + PLAIN_FIRST, |last| last + PLAIN_EVERY);
                let now = Instant::now();
                if state.decoding_since.is_some_and(|since| due(since) <= now) {
                    *last = Some(now);
                    say(&state.line());
                }
            }
        }
    }

    fn end(&mut self, message: &str) {
        if let Display::Bar(bar) = &self.display {
            bar.finish_and_clear();
        }
        if self.state.pace.finished > 0 {
            say(&self.state.line());
        }
        if !message.is_empty() {
            warn(message);
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
    if std::io::stderr().is_terminal() && !dumb && volume() > Volume::Quiet {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
        // Nothing is shown until there is something to show.
        Display::Bar(bar.with_style(style("{msg}")))
    } else {
        Display::Plain(None)
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

/// A bar before what the template has: of a quarter of the terminal, at most.
fn bar_style(template: &str) -> ProgressStyle {
    let columns = stderr().map_or(LONGEST_BAR, |layout| (layout.width / 4).min(LONGEST_BAR));
    style(&format!("{{bar:{columns}}} {template}"))
}

/// What stands below a bar, as wide as the terminal.
fn folded(paragraphs: &[String]) -> String {
    let mut lines = Lines::default();
    paragraphs.iter().filter(|text| !text.is_empty()).for_each(|text| lines.prose(text));
    let layout = stderr().unwrap_or(Layout::FILE);
    lines.laid_out(layout).trim_end().to_owned()
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
            RunEvent::Started { trials, already_done, prompt_tokens, max_tokens, .. } => {
                let pace = Pace { texts: trials - already_done, prompt_tokens, max_tokens, ..Pace::default() };
                *self = Self { trials, done: already_done, pace, ..Self::default() };
            }
            RunEvent::Loaded { key, .. } => {
                self.key = key.to_string();
                self.decoding_since.get_or_insert_with(Instant::now);
            }
            RunEvent::Evaluated { tokens } => self.pace.evaluated_tokens += tokens,
            RunEvent::TrialDone { trial, record } => {
                self.done += 1;
                self.pace.finished += 1;
                match &record.outcome {
                    Outcome::Failed(_) => self.failed += 1,
                    Outcome::Generated(generation) => {
                        let n_tokens = generation.tokens.as_ref().map_or(0, Vec::len);
                        self.pace.finished_tokens += n_tokens as u64;
                        let (sum, n) = self.scores.entry(trial.cell.temperature()).or_default();
                        *sum += repetition_score(&word_ids(&generation.text));
                        *n += 1;
                    }
                }
            }
            _ => {}
        }
    }

    fn line(&self) -> String {
        format!("{}/{} {}{}", self.done, self.trials, self.speed(), self.means())
    }

    /// What texts are made of, and for how long.
    fn at_work(&self) -> String {
        let elapsed = self.decoding_since.map_or(Duration::ZERO, |since| since.elapsed());
        format!("{}, for {}", self.key, HumanDuration(Duration::from_secs(elapsed.as_secs())))
    }

    /// Tokens a second, and the time left.
    fn speed(&self) -> String {
        let Some(since) = self.decoding_since else { return String::new() };
        let elapsed = since.elapsed();
        let seconds = elapsed.as_secs_f64();
        let finished = self.pace.finished;
        // What a server evaluates is not known.
        let (mut text, left) = match self.pace.evaluated_tokens {
            0 => (format!("{:.1} texts/s", finished as f64 / seconds), self.left_by_texts(elapsed)),
            tokens => (format!("{:.0} tokens/s", tokens as f64 / seconds), self.pace.left(elapsed)),
        };
        if let Some(left) = left {
            text += &format!(", about {} left", HumanDuration(left));
        }
        if self.failed > 0 {
            text += &format!(", {} failed", self.failed);
        }
        text
    }

    /// Where only texts can be counted, the time left once a tenth of them is done: before that most of the work is in
    /// texts that have not ended.
    fn left_by_texts(&self, elapsed: Duration) -> Option<Duration> {
        let (finished, left) = (self.pace.finished, self.trials - self.done);
        (left > 0 && finished * 9 >= left).then(|| elapsed.mul_f64(left as f64 / finished as f64))
    }

    /// The mean score so far at each temperature.
    fn means(&self) -> String {
        let means = self.scores.iter().map(|(t, (sum, n))| format!("T {t} {:.2}", sum / f64::from(*n)));
        let means: Vec<_> = means.collect();
        if means.is_empty() { String::new() } else { format!("; score so far: {}", means.join(" · ")) }
    }
}
