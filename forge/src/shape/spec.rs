//! The widths of published models, as llama.cpp's names of keys and tensors.
//!
//! DeepSeek-MoE-16B: <https://huggingface.co/deepseek-ai/deepseek-moe-16b-base> `config.json`;
//! GPT-OSS-20B: <https://huggingface.co/openai/gpt-oss-20b> `config.json`, without its YaRN.

use candle_core::quantized::gguf_file::Value;

/// Of the logits: at a temperature of 1 about as undecided as a trained model (3 to 4 nats at
/// these vocabularies; log of the vocabulary's size less half the variance).
const LOGITS_STD: f32 = 4.0;
/// Positions; more than any measurement here needs.
const CONTEXT: u32 = 4096;

/// What is in a file, without the tokenizer.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Tokens.
    pub vocabulary: usize,
    pub metadata: Vec<(String, Value)>,
    pub tensors: Vec<TensorSpec>,
}

/// A tensor to be made.
#[derive(Debug, Clone)]
pub struct TensorSpec {
    pub name: String,
    /// In ggml's order: a row's length first.
    pub dims: Vec<u64>,
    pub content: Content,
}

/// What a tensor is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Content {
    /// F16.
    Noise { std: f32 },
    /// F32, for what is never quantised.
    FullNoise { std: f32 },
    /// F32.
    Constant(f32),
}

pub fn deepseek(layers: usize) -> Spec {
    const WIDTH: u64 = 2048;
    const HEADS: u32 = 16;
    const DENSE_HIDDEN: u64 = 10_944;
    const EXPERTS: u64 = 64;
    const SHARED: u64 = 2;
    const HIDDEN: u64 = 1408;
    let mut tensors = Tensors::new(WIDTH, 102_400);
    for layer in 0..layers {
        let name = |part: &str| format!("blk.{layer}.{part}");
        tensors.constant(name("attn_norm.weight"), WIDTH, 1.0);
        for part in ["attn_q", "attn_k", "attn_v", "attn_output"] {
            tensors.matrix(name(part) + ".weight", &[WIDTH, WIDTH]);
        }
        tensors.constant(name("ffn_norm.weight"), WIDTH, 1.0);
        if layer == 0 {
            tensors.swiglu(&name("ffn"), "", WIDTH, DENSE_HIDDEN, None);
            continue;
        }
        tensors.router(name("ffn_gate_inp.weight"), WIDTH, EXPERTS);
        tensors.swiglu(&name("ffn"), "_exps", WIDTH, HIDDEN, Some(EXPERTS));
        tensors.swiglu(&name("ffn"), "_shexp", WIDTH, HIDDEN * SHARED, None);
    }
    let numbers = [
        ("embedding_length", WIDTH as u32),
        ("block_count", layers as u32),
        ("feed_forward_length", DENSE_HIDDEN as u32),
        ("attention.head_count", HEADS),
        ("attention.head_count_kv", HEADS),
        ("rope.dimension_count", WIDTH as u32 / HEADS),
        ("leading_dense_block_count", 1),
        ("expert_count", EXPERTS as u32),
        ("expert_used_count", 6),
        ("expert_shared_count", SHARED as u32),
        ("expert_feed_forward_length", HIDDEN as u32),
    ];
    let reals =
        [("attention.layer_norm_rms_epsilon", 1e-6), ("rope.freq_base", 10_000.0), ("expert_weights_scale", 1.0)];
    tensors.spec("deepseek", &numbers, &reals)
}

pub fn gpt_oss(layers: usize) -> Spec {
    const WIDTH: u64 = 2880;
    const HEADS: u64 = 64;
    const KV_HEADS: u64 = 8;
    const HEAD_WIDTH: u64 = 64;
    const EXPERTS: u64 = 32;
    const HIDDEN: u64 = 2880;
    const BIAS_STD: f32 = 0.02;
    let mut tensors = Tensors::new(WIDTH, 201_088);
    for layer in 0..layers {
        let name = |part: &str| format!("blk.{layer}.{part}");
        tensors.constant(name("attn_norm.weight"), WIDTH, 1.0);
        let (inner, inner_kv) = (HEADS * HEAD_WIDTH, KV_HEADS * HEAD_WIDTH);
        let parts = [("q", WIDTH, inner), ("k", WIDTH, inner_kv), ("v", WIDTH, inner_kv), ("output", inner, WIDTH)];
        for (part, from, to) in parts {
            tensors.matrix(name(&format!("attn_{part}.weight")), &[from, to]);
            tensors.push(name(&format!("attn_{part}.bias")), &[to], Content::FullNoise { std: BIAS_STD });
        }
        tensors.push(name("attn_sinks.weight"), &[HEADS], Content::FullNoise { std: 1.0 });
        tensors.constant(name("post_attention_norm.weight"), WIDTH, 1.0);
        tensors.router(name("ffn_gate_inp.weight"), WIDTH, EXPERTS);
        tensors.push(name("ffn_gate_inp.bias"), &[EXPERTS], Content::FullNoise { std: BIAS_STD });
        tensors.swiglu(&name("ffn"), "_exps", WIDTH, HIDDEN, Some(EXPERTS));
        for (part, to) in [("gate", HIDDEN), ("up", HIDDEN), ("down", WIDTH)] {
            let bias = name(&format!("ffn_{part}_exps.bias"));
            tensors.push(bias, &[to, EXPERTS], Content::FullNoise { std: BIAS_STD });
        }
    }
    let numbers = [
        ("embedding_length", WIDTH as u32),
        ("block_count", layers as u32),
        ("feed_forward_length", HIDDEN as u32),
        ("attention.head_count", HEADS as u32),
        ("attention.head_count_kv", KV_HEADS as u32),
        ("attention.key_length", HEAD_WIDTH as u32),
        ("attention.value_length", HEAD_WIDTH as u32),
        ("attention.sliding_window", 128),
        ("rope.dimension_count", HEAD_WIDTH as u32),
        ("expert_count", EXPERTS as u32),
        ("expert_used_count", 4),
        ("expert_feed_forward_length", HIDDEN as u32),
    ];
    let reals = [("attention.layer_norm_rms_epsilon", 1e-5), ("rope.freq_base", 150_000.0)];
    tensors.spec("gpt-oss", &numbers, &reals)
}

/// Collects tensors, beginning with those that every model has.
struct Tensors {
    vocabulary: u64,
    tensors: Vec<TensorSpec>,
}

impl Tensors {
    fn new(width: u64, vocabulary: u64) -> Self {
        let mut new = Self { vocabulary, tensors: Vec::new() };
        new.push("token_embd.weight".to_owned(), &[width, vocabulary], Content::Noise { std: 1.0 });
        new.constant("output_norm.weight".to_owned(), width, 1.0);
        let std = LOGITS_STD / (width as f32).sqrt();
        new.push("output.weight".to_owned(), &[width, vocabulary], Content::Noise { std });
        new
    }

    fn push(&mut self, name: String, dims: &[u64], content: Content) {
        self.tensors.push(TensorSpec { name, dims: dims.to_vec(), content });
    }

    fn constant(&mut self, name: String, width: u64, value: f32) {
        self.push(name, &[width], Content::Constant(value));
    }

    /// Keeps the size of what it is applied to.
    fn matrix(&mut self, name: String, dims: &[u64]) {
        self.push(name, dims, Content::Noise { std: 1.0 / (dims[0] as f32).sqrt() });
    }

    /// llama.cpp keeps routers in F32.
    fn router(&mut self, name: String, width: u64, experts: u64) {
        self.push(name, &[width, experts], Content::FullNoise { std: 1.0 / (width as f32).sqrt() });
    }

    fn swiglu(&mut self, name: &str, suffix: &str, width: u64, hidden: u64, experts: Option<u64>) {
        for (part, from, to) in [("gate", width, hidden), ("up", width, hidden), ("down", hidden, width)] {
            let dims: Vec<u64> = [from, to].into_iter().chain(experts).collect();
            self.matrix(format!("{name}_{part}{suffix}.weight"), &dims);
        }
    }

    fn spec(self, architecture: &str, numbers: &[(&str, u32)], reals: &[(&str, f32)]) -> Spec {
        let vocabulary = self.vocabulary as usize;
        let common = [("vocab_size", self.vocabulary as u32), ("context_length", CONTEXT)];
        let general = [
            ("general.architecture".to_owned(), Value::String(architecture.to_owned())),
            ("general.name".to_owned(), Value::String(format!("{architecture} shape, random weights"))),
            // llama.cpp's `general.file_type` of F16.
            ("general.file_type".to_owned(), Value::U32(1)),
        ];
        let numbers = common.iter().chain(numbers).map(|&(key, value)| (key, Value::U32(value)));
        let reals = reals.iter().map(|&(key, value)| (key, Value::F32(value)));
        let own = numbers.chain(reals).map(|(key, value)| (format!("{architecture}.{key}"), value));
        Spec { vocabulary, metadata: general.into_iter().chain(own).collect(), tensors: self.tensors }
    }
}
