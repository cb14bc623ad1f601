//! GGUF files made by hand.

/// A file, as it is written. Nothing is checked: wrong ones are wanted.
#[derive(Clone)]
pub struct Builder {
    version: u32,
    alignment: u64,
    keys: Vec<Vec<u8>>,
    tensors: Vec<Vec<u8>>,
    /// Where the next tensor lies in the data section.
    offset: u64,
    /// Where the last one ends.
    data: u64,
}

/// Ids of `gguf_type`.
pub const U16: u32 = 2;
pub const U32: u32 = 4;
pub const I32: u32 = 5;
pub const BOOL: u32 = 7;
pub const TEXT: u32 = 8;
pub const LIST: u32 = 9;
pub const U64: u32 = 10;

/// Ids of `ggml_type`.
pub const F32: u32 = 0;
pub const Q8_0: u32 = 8;
pub const Q3_K: u32 = 11;
pub const IQ2_XXS: u32 = 16;
pub const MXFP4: u32 = 39;

pub fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

impl Builder {
    pub fn new() -> Self {
        Self { version: 3, alignment: 32, keys: vec![], tensors: vec![], offset: 0, data: 0 }
    }

    pub fn version(self, version: u32) -> Self {
        Self { version, ..self }
    }

    /// Where tensors are laid; the key is for the caller to add.
    pub fn alignment(self, alignment: u64) -> Self {
        Self { alignment, ..self }
    }

    pub fn key(mut self, key: &str, value_type: u32, value: &[u8]) -> Self {
        self.keys.push([&text(key), &value_type.to_le_bytes()[..], value].concat());
        self
    }

    pub fn text(self, key: &str, value: &str) -> Self {
        self.key(key, TEXT, &text(value))
    }

    pub fn u32(self, key: &str, value: u32) -> Self {
        self.key(key, U32, &value.to_le_bytes())
    }

    pub fn texts(self, key: &str, values: &[&str]) -> Self {
        let items: Vec<u8> = values.iter().flat_map(|value| text(value)).collect();
        let head = [&TEXT.to_le_bytes()[..], &(values.len() as u64).to_le_bytes()].concat();
        self.key(key, LIST, &[head, items].concat())
    }

    pub fn u32s(self, key: &str, values: &[u32]) -> Self {
        self.numbers(key, U32, values)
    }

    pub fn i32s(self, key: &str, values: &[u32]) -> Self {
        self.numbers(key, I32, values)
    }

    fn numbers(self, key: &str, element: u32, values: &[u32]) -> Self {
        let items: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let head = [&element.to_le_bytes()[..], &(values.len() as u64).to_le_bytes()].concat();
        self.key(key, LIST, &[head, items].concat())
    }

    pub fn truth(self, key: &str, value: bool) -> Self {
        self.key(key, BOOL, &[value.into()])
    }

    /// Without a key that it has.
    pub fn without(mut self, key: &str) -> Self {
        let before = self.keys.len();
        self.keys.retain(|entry| !entry.starts_with(&text(key)));
        assert_eq!(self.keys.len() + 1, before, "there is one {key}");
        self
    }

    /// A tensor behind the ones before it.
    pub fn tensor(self, name: &str, dims: &[u64], tensor_type: u32, bytes: u64) -> Self {
        let offset = self.offset;
        self.tensor_at(name, dims, tensor_type, bytes, offset)
    }

    pub fn tensor_at(mut self, name: &str, dims: &[u64], tensor_type: u32, bytes: u64, offset: u64) -> Self {
        let dimensions: Vec<u8> = dims.iter().flat_map(|dim| dim.to_le_bytes()).collect();
        self.tensors.push(
            [
                &text(name),
                &(dims.len() as u32).to_le_bytes()[..],
                &dimensions,
                &tensor_type.to_le_bytes(),
                &offset.to_le_bytes(),
            ]
            .concat(),
        );
        self.data = offset.saturating_add(bytes);
        self.offset = self.data.next_multiple_of(self.alignment);
        self
    }

    /// All up to the tensors' data.
    pub fn header(&self) -> Vec<u8> {
        let counts = [self.tensors.len() as u64, self.keys.len() as u64].map(u64::to_le_bytes).concat();
        let mut header = [&b"GGUF"[..], &self.version.to_le_bytes(), &counts].concat();
        header.extend(self.keys.concat());
        header.extend(self.tensors.concat());
        header.resize(header.len().next_multiple_of(self.alignment as usize), 0);
        header
    }

    /// How long the file must be.
    pub fn file_bytes(&self) -> u64 {
        self.header().len() as u64 + self.data
    }

    /// The whole file, the data zeros.
    pub fn file(&self) -> Vec<u8> {
        let mut file = self.header();
        file.resize(self.file_bytes() as usize, 0);
        file
    }
}

/// A small mixture of experts: 2 layers, the second with 4 experts, 2 used,
/// and one shared.
pub fn tiny_moe() -> Builder {
    Builder::new()
        .text("general.architecture", "deepseek")
        .text("general.name", "Tiny")
        .u32("general.file_type", 7)
        .u32("deepseek.block_count", 2)
        .u32("deepseek.context_length", 128)
        .u32("deepseek.embedding_length", 32)
        .u32("deepseek.feed_forward_length", 64)
        .u32("deepseek.attention.head_count", 4)
        .u32("deepseek.attention.head_count_kv", 2)
        .u32("deepseek.expert_count", 4)
        .u32("deepseek.expert_used_count", 2)
        .u32("deepseek.expert_shared_count", 1)
        .u32("deepseek.expert_feed_forward_length", 32)
        .text("tokenizer.ggml.model", "gpt2")
        .texts("tokenizer.ggml.tokens", &["a", "b", "c", "<s>"])
        .u32("tokenizer.ggml.bos_token_id", 3)
        .key("tokenizer.ggml.add_bos_token", BOOL, &[1])
        .text("tokenizer.chat_template", "{{ messages }}")
        .tensor("token_embd.weight", &[32, 4], F32, 512)
        .tensor("blk.0.attn_q.weight", &[32, 8], Q8_0, 272)
        .tensor("blk.1.ffn_gate_inp.weight", &[32, 4], F32, 512)
        .tensor("blk.1.ffn_gate_exps.weight", &[32, 8, 4], MXFP4, 544)
        .tensor("blk.1.ffn_up_exps.weight", &[32, 8, 4], MXFP4, 544)
        .tensor("blk.1.ffn_down_shexp.weight", &[32, 8], Q8_0, 272)
        .tensor("output_norm.weight", &[32], F32, 128)
}

/// The template of [`chat_keys`]: a message ends with its token of id 1.
pub const CHAT_TEMPLATE: &str =
    "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '<|im_end|>' }}{% endfor %}";

/// All but the tensors of a small chat model that has nothing wrong.
pub fn chat_keys() -> Builder {
    let tokens = ["<|begin|>", "<|im_end|>", "a", "b", "<turn-over>", "c", "d", "e", "f", "g", "h", "i"];
    let types = tokens.map(|token| if token.starts_with('<') { 3 } else { 1 });
    Builder::new()
        .text("general.architecture", "llama")
        .text("general.name", "Tiny Instruct")
        .u32("llama.block_count", 1)
        .u32("llama.context_length", 128)
        .u32("llama.embedding_length", 256)
        .u32("llama.feed_forward_length", 256)
        .u32("llama.attention.head_count", 4)
        .key("llama.attention.layer_norm_rms_epsilon", 6, &1e-5_f32.to_le_bytes())
        .text("tokenizer.ggml.model", "gpt2")
        .text("tokenizer.ggml.pre", "gpt-2")
        .texts("tokenizer.ggml.tokens", &tokens)
        .i32s("tokenizer.ggml.token_type", &types)
        .texts("tokenizer.ggml.merges", &["a b"])
        .u32("tokenizer.ggml.bos_token_id", 0)
        .u32("tokenizer.ggml.eos_token_id", 1)
        .truth("tokenizer.ggml.add_bos_token", true)
        .text("tokenizer.chat_template", CHAT_TEMPLATE)
}

/// Its tensors, each with a type and the bytes of a row of 256 in it.
pub fn chat_tensors(keys: Builder, tensors: &[(&str, u32, u64)]) -> Builder {
    tensors.iter().fold(keys, |builder, &(name, tensor_type, row_bytes)| {
        builder.tensor(name, &[256, 12], tensor_type, 12 * row_bytes)
    })
}
