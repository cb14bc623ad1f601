//! Makes an engine of llama.cpp: the crate `llama` is asked and answers in our words. Nothing else calls it.
//!
//! - `asking`: prompts as tokens, with all that surrounds them
//! - `words`: our words as the crate's, and the crate's as ours
//! - `telling`: what it tells while it works
//! - `recorder`: what a trace shows, written to files
//!
//! Must not know how llama.cpp is asked. `engine/without_llama.rs` has the same names where it is not built in.

use std::path::Path;

use super::{
    BlockCodec, Device, Devices, Engine, EngineError, EngineFacts, Footprint, Grammar, LoadSettings, Messages,
    Observer, PromptCounts, Quantisation, Questions, Takeover, TraceWork, Traced, Work,
};
use crate::domain::{ModelFacts, OpOffload, Template};
use crate::engine::kernels::{Kernels, KernelsFinding};
use crate::hardware::{Bench, Ceiling, Pace};

mod asking;
mod recorder;
mod telling;
mod words;

use asking::{Asking, rendered_forms, tokens_of};
use recorder::Files;
use telling::Telling;
pub use words::{chain, step};

/// llama.cpp, initialised. One in a process.
pub struct Llama(::llama::Llama, Kernels);

/// A loaded model.
pub struct Model(::llama::Model);

/// How weights are changed in the type that they have; llama.cpp need not be started for it.
pub fn block_codec() -> Option<BlockCodec> {
    Some(BlockCodec { takes: ::llama::can_rewrite, rewrite: ::llama::rewrite })
}

/// Which llama.cpp was built in; it need not be started.
pub fn built_with() -> Option<String> {
    Some(::llama::version())
}

/// The kernels whose instructions this CPU says that it has, the quickest first.
pub fn kernels_here() -> Vec<Kernels> {
    let is_supported = |kernels: &Kernels| match words::kernels(*kernels) {
        ::llama::Kernels::Ours(ours) => ours.is_supported(),
        ::llama::Kernels::Ggml => true,
    };
    [Kernels::Avx512, Kernels::Avx2, Kernels::Portable].into_iter().filter(is_supported).collect()
}

/// Has llama.cpp tell these of its messages, on stderr.
pub fn tell(messages: Messages) {
    ::llama::tell(match messages {
        Messages::Warnings => ::llama::Messages::Warnings,
        Messages::Info => ::llama::Messages::Info,
        Messages::Debug => ::llama::Messages::Debug,
    });
}

/// Tries kernels in this process, which may not survive it.
///
/// # Errors
/// None; without llama.cpp there is one.
pub fn try_kernels(kernels: Kernels) -> Result<KernelsFinding, EngineError> {
    Ok(words::finding(::llama::try_kernels(words::kernels(kernels))))
}

impl Llama {
    /// Starts llama.cpp, and has it multiply by `kernels`.
    ///
    /// # Errors
    /// When it has been started before in this process.
    pub fn start(kernels: Kernels) -> Result<Self, EngineError> {
        Ok(Self(::llama::Llama::start(words::kernels(kernels))?, kernels))
    }

    /// What llama.cpp is, as far as it may change a text, and what it computes on.
    pub fn facts(&self) -> EngineFacts {
        let accelerators = self.devices().devices.into_iter().filter(|device| device.kind.holds_weights());
        let accelerators: Vec<_> =
            accelerators.map(|device| format!("{} ({})", device.name, device.description)).collect();
        let untested = cfg!(not(target_arch = "x86_64")).then(|| {
            format!("it was tested on x86-64 only, and ggml has other kernels for {}", std::env::consts::ARCH)
        });
        let on_gpu = accelerators.first().map(|device| {
            format!("{device} sums in an order that the batch's width chooses; with --batch 1 no text has company")
        });
        let fingerprint = self.0.fingerprint();
        EngineFacts { fingerprint, kernels: Some(self.1), accelerators, variance: on_gpu.or(untested) }
    }

    /// What llama.cpp was built with and sees on this machine.
    pub fn devices(&self) -> Devices {
        let built_with = self.0.back_ends().into_iter().map(str::to_owned).collect();
        Devices { built_with, devices: self.0.devices().into_iter().map(Device::from).collect() }
    }

    /// Measures how fast the host computes; None where a device beside it would compute, of which that says nothing.
    pub fn pace(&self, threads: u32) -> Option<Pace> {
        if !self.facts().accelerators.is_empty() {
            return None;
        }
        let ::llama::Pace { weight_bytes_per_s, products_per_s } = self.0.pace(threads)?;
        Some(Pace { weight_bytes_per_s, products_per_s })
    }

    /// Measures how fast the host computes, and what it can do at most.
    pub fn bench(&self, threads: u32) -> Bench {
        Bench { threads, pace: self.pace(threads), ceiling: self.ceiling(threads) }
    }

    /// Measures what the host can do at most; None for kernels whose instructions are not known.
    pub fn ceiling(&self, threads: u32) -> Option<Ceiling> {
        let ::llama::Limits { floats_per_s, bytes_per_s, memory_bytes_per_s } = self.0.limits(threads)?;
        Some(Ceiling { floats_per_s, bytes_per_s, memory_bytes_per_s })
    }

    /// Reads a model's metadata and counts the tokens of each prompt, without
    /// loading any weights.
    ///
    /// # Errors
    /// When the file is not a model that llama.cpp can load, or ends too early.
    pub fn inspect(&self, path: &Path, questions: &Questions) -> Result<(ModelFacts, PromptCounts), EngineError> {
        let model = ::llama::Model::load_vocabulary(&self.0, path)?;
        let Questions { prompts, keys } = questions;
        let counts = PromptCounts::of(keys, |key| {
            let asking = Asking::new(&model, key)?;
            prompts.iter().map(|prompt| Ok(asking.tokens(prompt)?.len() as u32)).collect()
        });
        let asks_by_chat = keys.iter().any(|key| *key.get::<Template>() == Template::Chat);
        let chat = if asks_by_chat { model.chat_form().ok() } else { None };
        let chat = chat.map(|form| Box::new(form.into()));
        Ok((ModelFacts { chat, rendered: rendered_forms(&model, keys), ..model.facts().into() }, counts))
    }

    /// Has llama.cpp read a grammar for the model at `path`, without loading any weights.
    ///
    /// # Errors
    /// When it can't be read; llama.cpp's reason is on stderr.
    pub fn check_grammar(&self, path: &Path, grammar: &Grammar) -> Result<(), EngineError> {
        let model = ::llama::Model::load_vocabulary(&self.0, path)?;
        Ok(::llama::check_grammar(&model, &grammar.grammar, &grammar.root)?)
    }

    /// Writes `quantisation.target` anew from `quantisation.source`.
    ///
    /// # Errors
    /// When llama.cpp refuses, as it does for weights that are quantised
    /// already; its reason is on stderr.
    pub fn quantise(&self, quantisation: &Quantisation) -> Result<(), EngineError> {
        let Quantisation { source, target, quant, threads } = quantisation;
        let refused = |reason: String| EngineError::Quantise { path: source.clone(), quant: *quant, reason };
        let file_type = words::file_type(*quant).ok_or_else(|| refused("source means the file as it is".to_owned()))?;
        self.0.quantise(source, target, file_type, *threads).map_err(|error| match error {
            ::llama::Error::Quantise { reason, .. } => refused(reason),
            other => other.into(),
        })
    }

    /// When a device beside the host computes with experts that are on the host; None where there is none.
    fn takeover(&self, op_offload: OpOffload) -> Option<Takeover> {
        let takes = self.0.takes_over()?;
        Some(match op_offload {
            OpOffload::Off => Takeover::Never,
            OpOffload::On => Takeover::found_by(takes),
        })
    }
}

impl Model {
    /// Loads the weights.
    ///
    /// # Errors
    /// When llama.cpp refuses the file.
    pub fn load(llama: &Llama, settings: &LoadSettings) -> Result<Self, EngineError> {
        Ok(Self(::llama::Model::load(&llama.0, &settings.path, &settings.into())?))
    }
}

/// What a loaded model takes when it works as `settings` say. Creates a context
/// to measure it, and drops it again.
///
/// # Errors
/// When llama.cpp can't allocate the context.
pub fn footprint(llama: &Llama, model: &Model, settings: &LoadSettings) -> Result<Footprint, EngineError> {
    let holdings = ::llama::footprint(&llama.0, &model.0, &settings.into())?;
    let places = holdings.into_iter().map(Into::into).collect();
    Ok(Footprint { places, takeover: llama.takeover(settings.levels.op_offload()) })
}

/// A loaded model, and how it is to be used.
pub struct LlamaEngine<'m> {
    llama: &'m Llama,
    model: &'m Model,
    settings: LoadSettings,
}

impl<'m> LlamaEngine<'m> {
    pub fn new(llama: &'m Llama, model: &'m Model, settings: &LoadSettings) -> Self {
        Self { llama, model, settings: settings.clone() }
    }
}

impl Engine for LlamaEngine<'_> {
    fn generate(&mut self, work: &Work, observer: &mut dyn Observer) -> Result<(), EngineError> {
        let takeover = self.llama.takeover(self.settings.levels.op_offload());
        let strategy = self.settings.strategy.for_work(self.settings.numerics, work);
        let settings = ::llama::Settings { strategy: strategy.into(), ..(&self.settings).into() };
        let asked =
            words::work(work, tokens_of(&self.model.0, work.groups.iter().map(|group| (&*group.prompt, &group.key)))?);
        let mut telling = Telling { observer, takeover };
        Ok(::llama::generate(&self.llama.0, &self.model.0, &settings, &asked, &mut telling)?)
    }

    fn reuse(&mut self, settings: &LoadSettings) -> Result<Option<Footprint>, EngineError> {
        self.settings = settings.clone();
        footprint(self.llama, self.model, settings).map(Some)
    }

    fn trace(&mut self, work: &TraceWork, observer: &mut dyn Observer) -> Result<Vec<Traced>, EngineError> {
        let mut files = Files::new(work, observer);
        let settings = (&self.settings).into();
        let asked = words::trace_work(
            work,
            tokens_of(&self.model.0, work.texts.iter().map(|text| (&*text.prompt, &text.key)))?,
        );
        let traced = ::llama::trace::trace(&self.llama.0, &self.model.0, &settings, &asked, &mut files)?;
        Ok(traced.into_iter().map(|text| words::traced(text, work)).collect())
    }
}
