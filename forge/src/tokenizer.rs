//! Byte-level BPE: trained on the corpus, kept in the model file.
//!
//! Owns the special tokens and the pre-tokenizer that llama.cpp calls `gpt-2`.

use candle_core::quantized::gguf_file::{Content, Value};
use tokenizers::{
    AddedToken, Decoder, DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper, TokenizerImpl,
    models::bpe::{BPE, BpeTrainerBuilder, Vocab},
    pre_tokenizers::byte_level::ByteLevel,
};

/// Begins every text.
pub const BOS: u32 = 0;
/// Ends every document.
pub const EOS: u32 = 1;

const SPECIAL: [&str; 2] = ["<|begin|>", "<|end|>"];
const TOKENS: &str = "tokenizer.ggml.tokens";
const MERGES: &str = "tokenizer.ggml.merges";

/// llama.cpp's kinds of tokens.
const NORMAL: i32 = 1;
const CONTROL: i32 = 3;

type Inner = TokenizerImpl<BPE, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>;

/// Text to token ids and back.
pub struct Tokenizer {
    inner: Inner,
    /// In the order in which they were learned.
    merges: Vec<(String, String)>,
}

/// Why there is no tokenizer.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    #[error("cannot train or apply the tokenizer: {0}")]
    Inner(#[from] tokenizers::Error),
    #[error("the trained tokenizer cannot be read back")]
    Unreadable(#[from] serde_json::Error),
    #[error("the model file has no readable {0}")]
    Missing(&'static str),
}

impl Tokenizer {
    /// Learns `size` tokens, the two special ones and the 256 bytes among them.
    pub fn train(texts: impl Iterator<Item = String> + Send, size: usize) -> Result<Self, TokenizerError> {
        let mut inner = Inner::new(BPE::default());
        inner.with_pre_tokenizer(Some(byte_level()));
        let mut trainer = BpeTrainerBuilder::new()
            .show_progress(false)
            .vocab_size(size)
            .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
            .special_tokens(SPECIAL.map(|token| AddedToken::from(token, true)).to_vec())
            .build();
        inner.train(&mut trainer, texts)?;
        // The library keeps its merges to itself, but writes them down.
        let mut model = serde_json::to_value(inner.get_model())?;
        let merges = serde_json::from_value(model["merges"].take())?;
        Self::assemble(inner.get_vocab(true).into_iter().collect(), merges)
    }

    /// The tokenizer of a model file.
    pub fn read(content: &Content) -> Result<Self, TokenizerError> {
        let merges: Vec<(String, String)> = strings(content, MERGES)?
            .iter()
            .map(|merge| merge.split_once(' ').map(|(left, right)| (left.to_owned(), right.to_owned())))
            .collect::<Option<_>>()
            .ok_or(TokenizerError::Missing(MERGES))?;
        Self::assemble(strings(content, TOKENS)?.into_iter().zip(0..).collect(), merges)
    }

    /// Brings the vocabulary to `size` with words that no text is cut into.
    pub fn filled(self, size: usize) -> Result<Self, TokenizerError> {
        let mut vocabulary: Vocab = self.inner.get_vocab(true).into_iter().collect();
        let from = vocabulary.len();
        // "Ġ" is how byte-level BPE writes a space.
        vocabulary.extend((from..size).map(|id| (format!("Ġ#{id}"), id as u32)));
        Self::assemble(vocabulary, self.merges)
    }

    /// Special tokens are in the vocabulary, but not looked for in texts.
    fn assemble(vocabulary: Vocab, merges: Vec<(String, String)>) -> Result<Self, TokenizerError> {
        let mut inner = Inner::new(BPE::builder().vocab_and_merges(vocabulary, merges.clone()).build()?);
        inner.with_pre_tokenizer(Some(byte_level()));
        Ok(Self { inner, merges })
    }

    /// The tokens of `text` alone: special tokens in it stay text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        Ok(self.inner.encode_fast(text, false)?.get_ids().to_vec())
    }

    pub fn decode(&self, tokens: &[u32]) -> Result<String, TokenizerError> {
        let bytes: Vec<String> = tokens.iter().filter_map(|&token| self.inner.id_to_token(token)).collect();
        Ok(byte_level().decode_chain(bytes)?.concat())
    }

    pub fn size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// What llama.cpp needs to know to cut text in the same way.
    pub fn metadata(&self) -> Vec<(String, Value)> {
        let tokens: Vec<String> = (0..self.size() as u32).filter_map(|id| self.inner.id_to_token(id)).collect();
        let kinds =
            (0..tokens.len() as u32).map(|id| Value::I32(if id == BOS || id == EOS { CONTROL } else { NORMAL }));
        let merges = self.merges.iter().map(|(left, right)| Value::String(format!("{left} {right}")));
        vec![
            ("tokenizer.ggml.model".to_owned(), Value::String("gpt2".to_owned())),
            ("tokenizer.ggml.pre".to_owned(), Value::String("gpt-2".to_owned())),
            ("tokenizer.ggml.token_type".to_owned(), Value::Array(kinds.collect())),
            (TOKENS.to_owned(), Value::Array(tokens.into_iter().map(Value::String).collect())),
            (MERGES.to_owned(), Value::Array(merges.collect())),
            ("tokenizer.ggml.bos_token_id".to_owned(), Value::U32(BOS)),
            ("tokenizer.ggml.eos_token_id".to_owned(), Value::U32(EOS)),
            ("tokenizer.ggml.add_bos_token".to_owned(), Value::Bool(true)),
            ("tokenizer.ggml.add_eos_token".to_owned(), Value::Bool(false)),
        ]
    }
}

/// A leading space is the text's own, never added.
fn byte_level() -> ByteLevel {
    ByteLevel::new(false, true, true)
}

fn strings(content: &Content, key: &'static str) -> Result<Vec<String>, TokenizerError> {
    content
        .metadata
        .get(key)
        .and_then(|value| value.to_vec().ok())
        .and_then(|values| values.iter().map(|value| value.to_string().ok().cloned()).collect())
        .ok_or(TokenizerError::Missing(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trained() -> Tokenizer {
        let texts = ["the sun heats the sea", "the wind cools the sea"].map(str::to_owned);
        Tokenizer::train(texts.into_iter(), 280).unwrap()
    }

    #[test]
    fn any_text_comes_back() {
        let tokenizer = trained();
        for text in ["the sea", " Übermut, naïve: 42 – \n", "<|end|>", ""] {
            assert_eq!(tokenizer.decode(&tokenizer.encode(text).unwrap()).unwrap(), text);
        }
    }

    #[test]
    fn filler_is_words_that_no_text_is_cut_into() {
        let learned = trained().size();
        let filled = trained().filled(1000).unwrap();
        assert_eq!(filled.size(), 1000);
        assert_eq!(filled.decode(&[999]).unwrap(), " #999");
        assert!(filled.encode(" #999 the sea").unwrap().iter().all(|&token| (token as usize) < learned));
    }

    #[test]
    fn special_tokens_in_a_text_stay_text() {
        assert!(!trained().encode("<|end|>").unwrap().contains(&EOS));
    }
}
