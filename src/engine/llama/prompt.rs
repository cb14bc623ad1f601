//! From a prompt's text to the tokens that a model is asked with.
//!
//! The prompt's own text is never read as a special token, whatever it says;
//! those of the chat template around it are.

use llama_cpp_2::model::LlamaChatMessage;
use llama_cpp_2::token::LlamaToken;

use super::Model;
use crate::experiment::{Bos, Template};

/// Whether the text of a special token means the token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Special {
    Text,
    Token,
}

impl Model {
    /// The prompt's tokens, those of its template and BOS included.
    ///
    /// # Errors
    /// Why the model can't be asked in this way.
    pub fn tokenize(&self, prompt: &str, template: Template, bos: Bos) -> Result<Vec<LlamaToken>, String> {
        let mut tokens = match template {
            Template::Raw => self.cut(prompt, bos, Special::Text),
            Template::Chat => self.cut_chat(prompt, bos)?,
        };
        if bos == Bos::Always {
            let bos = self.llama.vocab().bos();
            if bos.0 < 0 {
                return Err("its vocabulary has no BOS token: use bos = \"model\" or \"never\"".to_owned());
            }
            if tokens.first() != Some(&bos) {
                tokens.insert(0, bos);
            }
        }
        Ok(tokens)
    }

    /// The prompt as one user's message, the assistant's turn opened.
    fn cut_chat(&self, prompt: &str, bos: Bos) -> Result<Vec<LlamaToken>, String> {
        if self.cut(prompt, Bos::Never, Special::Text) == self.cut(prompt, Bos::Never, Special::Token) {
            // Nothing in it could be mistaken: exactly what llama.cpp does.
            return Ok(self.cut(&self.render(prompt)?, bos, Special::Token));
        }
        // The prompt holds the text of a special token. It is cut by itself,
        // between what the template puts before and after it.
        const MARK: &str = "moe-sweep-puts-the-prompt-here";
        let rendered = self.render(MARK)?;
        let (before, after) = rendered.split_once(MARK).ok_or("its chat template drops the user's message")?;
        let mut tokens = self.cut(before, bos, Special::Token);
        tokens.extend(self.cut(prompt, Bos::Never, Special::Text));
        tokens.extend(self.cut(after, Bos::Never, Special::Token));
        Ok(tokens)
    }

    fn render(&self, prompt: &str) -> Result<String, String> {
        let template = self.llama.chat_template(None).map_err(|_| "its file has no chat template".to_owned())?;
        let message = LlamaChatMessage::new("user".to_owned(), prompt.to_owned())
            .map_err(|_| "the prompt holds a NUL byte".to_owned())?;
        self.llama
            .apply_chat_template(&template, &[message], true)
            .map_err(|error| format!("llama.cpp can't apply its chat template ({error})"))
    }

    fn cut(&self, text: &str, bos: Bos, special: Special) -> Vec<LlamaToken> {
        // With add_special llama.cpp adds what the model's file asks for.
        self.llama.vocab().tokenize(text.as_bytes(), bos == Bos::Model, special == Special::Token)
    }
}
