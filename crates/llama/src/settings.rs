//! Owns how a model is loaded and decoded.

use std::num::NonZeroU32;

use crate::options::ContextOptions;

/// How a model is loaded, and what its contexts are like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    pub experts: HostExperts,
    /// Experts that a token goes through; None for as many as the file says. A model must have as many.
    pub experts_used: Option<NonZeroU32>,
    pub repack: Repack,
    pub options: ContextOptions,
    pub numerics: Numerics,
    /// Tokens of context for each sequence.
    pub context: u32,
    pub overflow: Overflow,
    pub strategy: Strategy,
    pub samplers: Samplers,
    pub sharing: Sharing,
    pub load_mode: LoadMode,
}

/// Which routed experts stay on the host while all else goes to the accelerator, as `--cpu-moe` and `--n-cpu-moe` have
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostExperts {
    None,
    /// Those of the first n layers.
    Layers(u32),
    All,
}

/// What becomes of a text that fills its context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// No text does: a prompt that leaves no room for `max_tokens` is refused.
    #[default]
    Refuse,
    /// It ends there.
    Stop,
    /// It forgets the older half of all but its first tokens, `keep` and BOS, and goes on with the rest moved up in its
    /// place (`--context-shift`, `--keep`).
    Shift { keep: u32 },
}

/// Whether ggml repacks weights for its kernels for many rows (`--no-repack`). In fast numerics alone, and where no
/// other kernels than ggml's multiply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repack {
    /// llama.cpp's default.
    #[default]
    On,
    Off,
}

/// What a text's logits depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numerics {
    /// Settings under which a sequence's logits are bit-identical in any batch and at any number of threads.
    Invariant,
    /// The quickest settings.
    Fast,
}

impl Numerics {
    /// Whether a text may go from one context to another: in fast numerics what is decoded beside it may change it.
    pub(crate) fn texts_can_move(self) -> bool {
        match self {
            Self::Invariant => true,
            Self::Fast => false,
        }
    }
}

/// Contexts, threads and sequences. Changes no text, only the speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strategy {
    /// Contexts that decode side by side, each other texts.
    pub lanes: u32,
    /// Threads of each lane.
    pub threads: u32,
    /// Sequences that a lane decodes together, at most 255 (one more is parked).
    pub rows: u32,
}

/// Which samplers choose; the tokens are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Samplers {
    /// Those in Rust, for the chains that they cover.
    Fast,
    /// llama.cpp's own, for comparison.
    Llama,
}

/// Which texts share evaluations; the tokens are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Every text evaluates its prompt and its tokens by itself.
    None,
    /// A prompt is evaluated once for its texts.
    Prompt,
    /// So is every beginning that texts have in common.
    Trie,
}

/// How weights that stay on the host get into its memory (`--load-mode`); the kernels that compute with them are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadMode {
    /// llama.cpp's own choice: mapped, unless a device can't take weights from a mapped file.
    Auto,
    /// The file is mapped: pages come when they are touched, and an accelerator's driver copies what it is sent once more.
    Mmap,
    /// The file is read. Beside an accelerator the weights are in memory that its driver has pinned, where it has such.
    None,
}

/// Whether a beginning-of-sequence token stands before a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bos {
    /// As the model's file says (`tokenizer.ggml.add_bos_token`).
    Model,
    Always,
    Never,
}
