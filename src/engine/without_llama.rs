//! Stands in the place of llama.cpp where this build has none: it can't be started, and says how to get a build that
//! can.
//!
//! The names of `engine/llama/`; as no [`Llama`] can be had, none of the rest is ever called.

use std::convert::Infallible;
use std::path::Path;

use super::{
    BlockCodec, Devices, Engine, EngineError, EngineFacts, Footprint, Grammar, LoadSettings, Messages, Observer,
    PromptCounts, Quantisation, Questions, Work,
};
use crate::domain::ModelFacts;
use crate::engine::kernels::{Kernels, KernelsFinding};
use crate::hardware::{Bench, Ceiling, Pace};

/// What to do.
pub const REMEDY: &str = "get a build with llama.cpp: `cargo build --release` in moe-sweep's source, without \
                          --no-default-features; it takes cmake and libclang. Or ask a server that has the model \
                          (docs/servers.md): this build can";

/// llama.cpp, of which there is none.
pub struct Llama(Infallible);

/// None: only llama.cpp knows how its blocks hold weights.
pub fn block_codec() -> Option<BlockCodec> {
    None
}

/// A model that it would have loaded.
pub struct Model(Infallible);

/// Such a model at work.
pub struct LlamaEngine(Infallible);

/// There is nothing to say of it.
pub fn built_with() -> Option<String> {
    None
}

/// No kernels without it.
pub fn kernels_here() -> Vec<Kernels> {
    vec![]
}

/// It says nothing.
pub fn tell(_: Messages) {}

/// # Errors
/// Always.
pub fn try_kernels(_: Kernels) -> Result<KernelsFinding, EngineError> {
    Err(EngineError::WithoutLlama)
}

impl Llama {
    /// # Errors
    /// Always.
    pub fn start(_: Kernels) -> Result<Self, EngineError> {
        Err(EngineError::WithoutLlama)
    }

    pub fn facts(&self) -> EngineFacts {
        match self.0 {}
    }

    pub fn devices(&self) -> Devices {
        match self.0 {}
    }

    pub fn bench(&self, _: u32) -> Bench {
        match self.0 {}
    }

    pub fn ceiling(&self, _: u32) -> Option<Ceiling> {
        match self.0 {}
    }

    pub fn pace(&self, _: u32) -> Option<Pace> {
        match self.0 {}
    }

    /// # Errors
    /// None: there is no llama.cpp to ask.
    pub fn inspect(&self, _: &Path, _: &Questions) -> Result<(ModelFacts, PromptCounts), EngineError> {
        match self.0 {}
    }

    /// # Errors
    /// None: there is no llama.cpp to ask.
    pub fn check_grammar(&self, _: &Path, _: &Grammar) -> Result<(), EngineError> {
        match self.0 {}
    }

    /// # Errors
    /// None: there is no llama.cpp to ask.
    pub fn quantise(&self, _: &Quantisation) -> Result<(), EngineError> {
        match self.0 {}
    }
}

impl Model {
    /// # Errors
    /// None: there is no llama.cpp to ask.
    pub fn load(llama: &Llama, _: &LoadSettings) -> Result<Self, EngineError> {
        match llama.0 {}
    }
}

/// # Errors
/// None: there is no llama.cpp to ask.
pub fn footprint(llama: &Llama, _: &Model, _: &LoadSettings) -> Result<Footprint, EngineError> {
    match llama.0 {}
}

impl LlamaEngine {
    pub fn new(llama: &Llama, _: &Model, _: &LoadSettings) -> Self {
        match llama.0 {}
    }
}

impl Engine for LlamaEngine {
    fn generate(&mut self, _: &Work, _: &mut dyn Observer) -> Result<(), EngineError> {
        match self.0 {}
    }
}
