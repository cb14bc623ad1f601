//! Is a deterministic engine without a model, for tests: it makes exact texts, and failures on order.
//!
//! Its "model file" is a `*.scripted.toml`, so tests choose it the way a user
//! chooses a model, and everything around the engine runs as it is.

use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::{
    Effort, Engine, EngineError, EngineFacts, Footprint, Group, Job, LoadSettings, Observer, PromptCounts, Questions,
    Strategy, Timing, Unaskable, Work,
};
use crate::domain::{
    CacheFacts, Generation, ModelFacts, OwnTemplate, PrefixTokens, PromptKey, Step, Stop, Template, Token,
};
use crate::regular_file;

/// The words a scripted model knows; a token is an index into them.
const WORDS: [&str; 16] = [
    "the", "model", "says", "that", "a", "wheel", "turns", "when", "water", "falls", "and", "then", "light", "is",
    "made", "again",
];

/// A script: how fast the "model" is, and which prompts it fails on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScriptedEngine {
    /// Jobs that are in flight together.
    together: NonZeroUsize,
    /// Texts hang on how many jobs are in flight.
    sociable: bool,
    /// Time for each job, in milliseconds.
    delay_ms: u64,
    /// Prompts that contain this kill the process; the empty word is in every prompt.
    abort_on: Option<String>,
    /// They do so only while this file is beside the script.
    abort_beside: Option<String>,
    /// They do so by this signal, "SIGSEGV"; by an abort where there is none.
    abort_by: Option<String>,
    /// Tokens that their texts get before.
    tokens_before: u64,
    /// Loading the model kills the process, in the same way.
    abort_load: bool,
    /// Prompts that contain this never end.
    hang_on: Option<String>,
    /// Prompts that contain this end the work with an error.
    error_on: Option<String>,
    /// From this temperature on, texts end in a loop.
    loops_from: Option<f32>,
    /// Its file has a chat template.
    chat_template: bool,
    /// The model can't be loaded.
    refuse_load: bool,
    /// Texts for which there is memory: a load for more of them together aborts the process.
    room: Option<u32>,
    /// While this file is beside the script, memory is so short that the kernel kills whoever loads the model.
    killed_beside: Option<String>,
}

impl Default for ScriptedEngine {
    fn default() -> Self {
        Self {
            together: NonZeroUsize::MIN,
            sociable: false,
            delay_ms: 0,
            abort_on: None,
            abort_beside: None,
            abort_by: None,
            tokens_before: 0,
            abort_load: false,
            hang_on: None,
            error_on: None,
            loops_from: None,
            chat_template: false,
            refuse_load: false,
            room: None,
            killed_beside: None,
        }
    }
}

impl ScriptedEngine {
    /// # Errors
    /// When the script can't be read or understood, or says so.
    pub fn load(path: &Path, strategy: Strategy) -> Result<Self, EngineError> {
        let refused = |reason: String| EngineError::Load { path: path.to_owned(), reason };
        let mut script: Self = read(path)?;
        let is_beside = |name: &String| path.with_file_name(name).exists();
        if script.killed_beside.as_ref().is_some_and(is_beside) {
            end_by(Some("SIGKILL"));
        }
        if script.abort_beside.as_ref().is_some_and(|name| !is_beside(name)) {
            (script.abort_on, script.abort_load) = (None, false);
        }
        if script.abort_load {
            end_by(script.abort_by.as_deref());
        }
        if script.room.is_some_and(|room| room < strategy.lanes * strategy.batch) {
            std::alloc::handle_alloc_error(std::alloc::Layout::new::<Self>());
        }
        if script.refuse_load { Err(refused("the script says so".to_owned())) } else { Ok(script) }
    }

    /// # Errors
    /// When the script can't be read or understood.
    pub fn inspect(path: &Path, questions: &Questions) -> Result<(ModelFacts, PromptCounts), EngineError> {
        let script = read(path)?;
        let facts = ModelFacts {
            architecture: "scripted".to_owned(),
            n_layer: 1,
            n_expert: 0,
            n_expert_used: 0,
            n_vocab: WORDS.len() as u32,
            n_ctx_train: u32::MAX,
            rope_scaling: None,
            chat: None,
            rendered: vec![],
            thought_markers: None,
            own_template: if script.chat_template { OwnTemplate::There } else { OwnTemplate::Absent },
            cache_bytes_per_token: None,
            cache: CacheFacts::default(),
        };
        let counts: Vec<_> = questions.prompts.iter().map(|prompt| count_words(prompt)).collect();
        let counts = |key: &PromptKey| match key.get() {
            Template::Raw => Ok(counts.iter().map(|count| count + prefix(key)).collect()),
            Template::Chat | Template::Jinja => {
                Err(Unaskable::Template("a scripted model has no chat template".to_owned()))
            }
        };
        Ok((facts, PromptCounts::of(&questions.keys, counts)))
    }

    pub fn facts() -> EngineFacts {
        EngineFacts { fingerprint: "scripted 1".to_owned(), kernels: None, accelerators: vec![], variance: None }
    }

    fn misbehave(&self, prompt: &str, observer: &mut dyn Observer) -> Result<(), EngineError> {
        let asks_for = |mark: &Option<String>| mark.as_ref().is_some_and(|mark| prompt.contains(mark));
        if asks_for(&self.abort_on) {
            observer.worked(Effort { fast_draws: self.tokens_before, ..Effort::default() })?;
            let _ = writeln!(io::stderr(), "scripted: abort on this prompt");
            end_by(self.abort_by.as_deref());
        }
        if asks_for(&self.error_on) {
            return Err(EngineError::Decode("the script says so".to_owned()));
        }
        while asks_for(&self.hang_on) {
            thread::sleep(Duration::from_secs(1));
        }
        Ok(())
    }
}

impl Engine for ScriptedEngine {
    fn reuse(&mut self, _: &LoadSettings) -> Result<Option<Footprint>, EngineError> {
        Ok(None)
    }

    fn generate(&mut self, work: &Work, observer: &mut dyn Observer) -> Result<(), EngineError> {
        let jobs: Vec<_> =
            work.groups.iter().flat_map(|group| group.jobs.iter().map(move |job| (group, job))).collect();
        for together in jobs.chunks(self.together.get()) {
            let begun = Instant::now();
            for (_, job) in together {
                observer.started(job.ticket)?;
            }
            for (group, job) in together {
                self.misbehave(&group.prompt, observer)?;
                thread::sleep(Duration::from_millis(self.delay_ms));
                let company = if self.sociable { together.len() } else { 0 };
                let cycle = self.loops_from.filter(|&from| is_as_hot(job, from)).map(|_| LOOP);
                let generation = generate(group, job, company, work.max_tokens, cycle);
                observer.worked(Effort::evaluated(generation.n_tokens().unwrap_or_default().into()))?;
                let timing = Timing {
                    seconds: begun.elapsed().as_secs_f64(),
                    batch: together.len() as u32,
                    first_token_seconds: None,
                };
                observer.finished(job.ticket, generation, timing)?;
            }
        }
        Ok(())
    }
}

/// Ends the process by a signal, without a word, as the kernel does it; by an abort where it is none.
fn end_by(signal: Option<&str>) -> ! {
    #[cfg(unix)]
    if let Some(signal) = signal.and_then(|name| name.parse::<nix::sys::signal::Signal>().ok()) {
        // Rust's own handler of SIGSEGV and SIGBUS lets the first one pass: it expects the fault to come again.
        for _ in 0..2 {
            let _ = nix::sys::signal::raise(signal);
        }
    }
    #[cfg(not(unix))]
    let _ = signal;
    std::process::abort();
}

/// Tokens in the cycle of a text that loops.
const LOOP: usize = 4;

fn is_as_hot(job: &Job, from: f32) -> bool {
    job.chain.0.iter().any(|step| matches!(step, Step::Temperature { t } if t.get() >= from))
}

/// Words that depend on these, and on nothing else; filler is counted, and changes none.
fn generate(group: &Group, job: &Job, company: usize, max_tokens: u32, cycle: Option<usize>) -> Generation {
    let mut hasher = blake3::Hasher::new();
    hasher.update(group.prompt.as_bytes());
    hasher.update(&serde_json::to_vec(job.chain.0.as_slice()).expect("a chain is plain data"));
    hasher.update(&job.seed.map_or(0, |seed| seed.get()).to_le_bytes());
    hasher.update(&[company as u8]);
    let mut bytes = vec![0; max_tokens as usize];
    hasher.finalize_xof().fill(&mut bytes);
    let place = |index: usize| cycle.map_or(index, |cycle| index % cycle);
    let tokens: Vec<Token> =
        (0..bytes.len()).map(|index| Token::from(bytes[place(index)] % WORDS.len() as u8)).collect();
    let words: Vec<_> = tokens.iter().map(|&token| WORDS[token as usize]).collect();
    let text = words.join(" ");
    let n_prompt_tokens = count_words(&group.prompt) + prefix(&group.key);
    Generation::of_tokens(n_prompt_tokens, tokens, text, Stop::MaxTokens)
}

fn prefix(key: &PromptKey) -> u32 {
    key.get::<PrefixTokens>().get()
}

fn count_words(text: &str) -> u32 {
    text.split_whitespace().count() as u32
}

fn read(path: &Path) -> Result<ScriptedEngine, EngineError> {
    let refused = |reason: String| EngineError::Load { path: path.to_owned(), reason };
    let text = regular_file::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    toml::from_str(&text).map_err(|error| refused(error.to_string()))
}
