//! Loads a GGUF file, with its experts where the offload wants them.

use std::ffi::{CString, c_char};
use std::num::NonZeroU32;
use std::path::Path;
use std::ptr::{self, NonNull};

use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_sys_2 as sys;

use crate::{Error, HostExperts, Llama, LoadMode, Numerics, Repack, Settings, Token};

/// llama.cpp's own pattern for the tensors of routed experts (`--cpu-moe` in
/// its `common/arg.cpp`), fused gate-and-up tensors included.
const EXPERTS: &str = r"\.ffn_(up|down|gate|gate_up)_(ch|)exps";

/// What a model's file says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    pub architecture: String,
    pub n_layer: u32,
    /// Experts of a layer; 0 for a dense model.
    pub n_expert: u32,
    pub n_expert_used: u32,
    pub n_vocab: u32,
    /// The context length the model was trained for; 0 where the file does not tell.
    pub n_ctx_train: u32,
    /// How that length was reached, where positions were scaled.
    pub rope_scaling: Option<RopeScaling>,
    /// In Jinja.
    pub chat_template: Option<String>,
    /// What the cache takes for one token; None where the file does not tell.
    pub cache_bytes_per_token: Option<u64>,
    /// Numbers of a head's key; None where the metadata does not tell, or layers differ.
    pub key_length: Option<u32>,
    /// Of its value.
    pub value_length: Option<u32>,
    pub kv: KeysAndValues,
    pub memory: Memory,
    /// Tokens that layers with a sliding window look back on; None where the metadata names none.
    pub window: Option<u32>,
}

/// How a cache holds keys and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysAndValues {
    Apart,
    /// In one, as multi-head latent attention has them: they have one type.
    Together,
}

/// What a model keeps of the tokens that it has read, as far as some can be forgotten and the others moved up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Of each its key and value, and llama.cpp can turn a key to another position.
    Movable,
    /// The same, but llama.cpp can't: a token has several positions (M-RoPE), or layers differ in theirs.
    Fixed,
    /// One state of them all, alone or beside keys and values.
    State,
}

/// How a model's positions were scaled to a longer context.
#[derive(Clone, Debug, PartialEq)]
pub struct RopeScaling {
    /// llama.cpp's name: `linear`, `yarn`, `longrope`; files of models with LongRoPE often name none.
    pub kind: Option<String>,
    pub factor: Option<f32>,
    /// The context before it was scaled.
    pub original_context: Option<u32>,
}

/// A loaded model.
pub struct Model {
    pub(crate) llama: LlamaModel,
}

impl Model {
    /// Loads the weights.
    ///
    /// # Errors
    /// When llama.cpp refuses the file.
    pub fn load(llama: &Llama, path: &Path, settings: &Settings) -> Result<Self, Error> {
        let patterns = expert_patterns(settings.experts);
        let mut overrides: Vec<_> = patterns
            .iter()
            .map(|pattern| sys::llama_model_tensor_buft_override {
                pattern: pattern.as_ptr(),
                // SAFETY: returns a pointer to a static.
                buft: unsafe { sys::ggml_backend_cpu_buffer_type() },
            })
            .collect();
        overrides.push(sys::llama_model_tensor_buft_override { pattern: ptr::null(), buft: ptr::null_mut() });

        // SAFETY: plain data, filled in by llama.cpp.
        let mut params = unsafe { sys::llama_model_default_params() };
        // Everything goes to the accelerator, if there is one; the overrides
        // then keep the experts on the host.
        params.n_gpu_layers = -1;
        params.tensor_buft_overrides = overrides.as_ptr();
        let mut metadata = Vec::new();
        if let Some(n) = settings.experts_used {
            let architecture = Self::load_vocabulary(llama, path)?.facts().architecture;
            metadata = vec![integer(&format!("{architecture}.expert_used_count"), n.get().into()), end_of_overrides()];
            params.kv_overrides = metadata.as_ptr();
        }
        // Repacked weights have kernels of their own, which a batch's width chooses. Ours stand in their place.
        let repacks = settings.numerics == Numerics::Fast && settings.repack == Repack::On;
        params.use_extra_bufts = crate::kernels::are_ours() || repacks;
        params.load_mode = match settings.load_mode {
            LoadMode::Auto => sys::LLAMA_LOAD_MODE_AUTO,
            LoadMode::Mmap => sys::LLAMA_LOAD_MODE_MMAP,
            LoadMode::None => sys::LLAMA_LOAD_MODE_NONE,
        };
        let model = load(path, params);
        drop(metadata);
        model
    }

    /// For what llama-cpp-2 has no function for.
    pub(crate) fn pointer(&self) -> *const sys::llama_model {
        // SAFETY: LlamaModel is repr(transparent) over this pointer.
        unsafe { *(&raw const self.llama).cast::<*const sys::llama_model>() }
    }

    /// Loads metadata and vocabulary only.
    ///
    /// # Errors
    /// When llama.cpp refuses the file; a file that ends before its tensors do
    /// is refused too.
    pub fn load_vocabulary(_: &Llama, path: &Path) -> Result<Self, Error> {
        // SAFETY: plain data, filled in by llama.cpp.
        let mut params = unsafe { sys::llama_model_default_params() };
        params.vocab_only = true;
        load(path, params)
    }

    /// What its file says of it.
    pub fn facts(&self) -> Facts {
        let text = |key: &str| self.llama.meta_val_str(key).ok();
        let architecture = text("general.architecture").unwrap_or_default();
        let number = |key: &str| text(&format!("{architecture}.{key}")).and_then(|value| value.parse().ok());
        Facts {
            n_layer: number("block_count").unwrap_or(0),
            n_expert: number("expert_count").unwrap_or(0),
            n_expert_used: number("expert_used_count").unwrap_or(0),
            n_ctx_train: number("context_length").unwrap_or(0),
            rope_scaling: rope_scaling(&|key| text(&format!("{architecture}.rope.scaling.{key}"))),
            chat_template: text("tokenizer.chat_template"),
            n_vocab: self.llama.n_vocab().unsigned_abs(),
            cache_bytes_per_token: self.cache_bytes_per_token(),
            key_length: self.head_length("key_length"),
            value_length: self.head_length("value_length"),
            // As `llama_hparams::is_mla` has it, and `llama_init_from_model`.
            kv: if architecture == "deepseek4" || number("attention.key_length_mla").is_some_and(|n| n > 0) {
                KeysAndValues::Together
            } else {
                KeysAndValues::Apart
            },
            memory: self.memory(&architecture),
            window: number("attention.sliding_window").filter(|&n| n > 0),
            architecture,
        }
    }

    /// As `llama_kv_cache::get_can_shift` has it.
    fn memory(&self, architecture: &str) -> Memory {
        // SAFETY: reads a number of the model.
        let rope = unsafe { sys::llama_model_rope_type(self.pointer()) };
        if self.llama.is_recurrent() || self.llama.is_hybrid() {
            Memory::State
        } else if [sys::LLAMA_ROPE_TYPE_MROPE, sys::LLAMA_ROPE_TYPE_IMROPE].contains(&rope) || architecture == "step35"
        {
            Memory::Fixed
        } else {
            Memory::Movable
        }
    }

    /// Tokens of a prompt that stand before its own: BOS, or none.
    pub(crate) fn n_bos(&self, prompt: &[Token]) -> u32 {
        self.bos().is_some_and(|bos| prompt.first() == Some(&bos)).into()
    }

    /// Bytes that the cache takes for one token, in 16-bit floats as llama.cpp
    /// keeps it: keys and values of every layer. None where the metadata does
    /// not tell.
    fn cache_bytes_per_token(&self) -> Option<u64> {
        let text = |key: &str| self.llama.meta_val_str(key).ok();
        let architecture = text("general.architecture")?;
        let number = |key: &str| text(&format!("{architecture}.{key}"))?.parse::<u64>().ok();
        let heads = number("attention.head_count")?;
        let [key, value] = ["key_length", "value_length"].map(|name| self.head_length(name).map(u64::from));
        let (key, value) = (key?, value?);
        // Where layers differ in their heads this is a list: take the most.
        let kv_heads = number("attention.head_count_kv").unwrap_or(heads);
        Some(number("block_count")? * kv_heads * (key + value) * 2)
    }

    /// Numbers of a head's key or value; where the metadata does not say, heads share the embedding.
    fn head_length(&self, name: &str) -> Option<u32> {
        let text = |key: &str| self.llama.meta_val_str(key).ok();
        let architecture = text("general.architecture")?;
        let number = |key: &str| text(&format!("{architecture}.{key}"))?.parse::<u32>().ok();
        let shared = || Some(number("embedding_length")? / number("attention.head_count")?.max(1));
        number(&format!("attention.{name}")).or_else(shared)
    }

    /// Tokens as text; control tokens have none.
    pub fn detokenize(&self, tokens: &[Token]) -> String {
        let vocab = self.llama.vocab();
        let bytes: Vec<u8> =
            tokens.iter().flat_map(|&token| vocab.token_to_piece(LlamaToken(token), false, None)).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Tokens that a layer with a sliding window looks back on.
    pub(crate) fn window(&self) -> Option<NonZeroU32> {
        // SAFETY: reads a number of the model.
        NonZeroU32::new(unsafe { sys::llama_model_n_swa(self.pointer()) }.unsigned_abs())
    }

    /// The tokens that end a generation.
    pub(crate) fn ends(&self) -> impl Iterator<Item = Token> {
        (0..self.llama.n_vocab()).filter(|&token| self.is_end(token))
    }

    /// Whether the token ends a generation.
    pub fn is_end(&self, token: Token) -> bool {
        self.llama.vocab().is_eog(LlamaToken(token))
    }
}

fn load(path: &Path, params: sys::llama_model_params) -> Result<Model, Error> {
    let refused = |reason: &str| Error::Load { path: path.to_owned(), reason: reason.to_owned() };
    let file =
        CString::new(path.as_os_str().as_encoded_bytes()).map_err(|_| refused("its path contains a NUL byte"))?;
    // SAFETY: `file` and everything `params` points to live during the call.
    let model = unsafe { sys::llama_model_load_from_file(file.as_ptr(), params) };
    let model = NonNull::new(model).ok_or_else(|| refused("llama.cpp refused it"))?;
    // SAFETY: LlamaModel is repr(transparent) over this pointer and frees it
    // when dropped. Its own loader can't be used: it has no use_extra_bufts.
    let llama = unsafe { std::mem::transmute::<NonNull<sys::llama_model>, LlamaModel>(model) };
    Ok(Model { llama })
}

/// An entry of the file's metadata that is to have this value.
fn integer(name: &str, value: i64) -> sys::llama_model_kv_override {
    let mut entry = end_of_overrides();
    entry.tag = sys::LLAMA_KV_OVERRIDE_TYPE_INT;
    entry.__bindgen_anon_1.val_i64 = value;
    // The last byte stays 0.
    let room = entry.key.len() - 1;
    for (to, from) in entry.key.iter_mut().take(room).zip(name.bytes()) {
        *to = from as c_char;
    }
    entry
}

/// An entry without a name, which ends a list of them.
fn end_of_overrides() -> sys::llama_model_kv_override {
    // SAFETY: plain data, for which zeros are a value.
    unsafe { std::mem::zeroed() }
}

/// What the header says of it; None where it scales nothing.
fn rope_scaling(text: &dyn Fn(&str) -> Option<String>) -> Option<RopeScaling> {
    let kind = text("type");
    let original_context = text("original_context_length").and_then(|value| value.parse().ok());
    let scales = kind.as_deref().map_or(original_context.is_some(), |kind| kind != "none");
    let factor = text("factor").and_then(|value| value.parse().ok());
    scales.then_some(RopeScaling { kind, factor, original_context })
}

/// Patterns of the tensors that stay on the host.
fn expert_patterns(experts: HostExperts) -> Vec<CString> {
    let patterns = match experts {
        HostExperts::None => vec![],
        HostExperts::All => vec![EXPERTS.to_owned()],
        HostExperts::Layers(n) => (0..n).map(|layer| format!(r"blk\.{layer}{EXPERTS}")).collect(),
    };
    patterns.into_iter().map(|pattern| CString::new(pattern).expect("a pattern holds no NUL")).collect()
}
