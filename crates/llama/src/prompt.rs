//! Turns a prompt's text into the tokens that a model is asked with.
//!
//! The prompt's own text is never read as a special token, whatever it says; those of the text around it are. What is
//! around it llama.cpp's built-in chat forms write, or whoever asks.

use std::ffi::CStr;

use llama_cpp_2::model::{LlamaChatMessage, LlamaChatTemplate};
use llama_cpp_sys_2 as sys;

use crate::{Bos, Model, Token};

/// A prompt, and how it is put to a model.
#[derive(Clone, Copy)]
pub struct Prompt<'a> {
    pub text: &'a str,
    /// What stands right before it.
    pub filler: &'a [Token],
    pub form: Form<'a>,
    pub bos: Bos,
}

/// What surrounds a prompt.
#[derive(Clone, Copy)]
pub enum Form<'a> {
    /// Nothing.
    Raw,
    /// What this writes around it. The texts of special tokens in there are the tokens.
    Written(&'a Write<'a>),
}

/// Puts a prompt's text where it belongs, or says why it can't.
pub type Write<'a> = dyn Fn(&str) -> Result<String, String> + 'a;

/// What llama.cpp makes of a model's chat template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatForm {
    /// The template of the model's file, in Jinja.
    pub template: String,
    /// llama.cpp's built-in forms that write what it wrote for this model: one, or several that agree.
    pub forms: Vec<String>,
    /// What it puts before a user's message, and after it.
    pub before: String,
    pub after: String,
    /// A conversation in which every role speaks.
    pub dialogue: String,
}

/// Whether the text of a special token means the token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Special {
    Text,
    Token,
}

/// A conversation in which every role speaks, to tell llama.cpp's forms apart.
const DIALOGUE: [(&str, &str); 4] = [("system", "S"), ("user", "U"), ("assistant", "A"), ("user", "V")];

impl Model {
    /// The prompt's tokens, with what surrounds it, filler and BOS.
    ///
    /// # Errors
    /// Why the model can't be asked in this way.
    pub fn tokenize(&self, prompt: &Prompt<'_>) -> Result<Vec<Token>, String> {
        let Prompt { text, filler, form, bos } = *prompt;
        let mut tokens = match form {
            Form::Raw if filler.is_empty() => self.cut(text, bos, Special::Text),
            Form::Raw => [&self.cut("", bos, Special::Text), filler, &self.cut_text(text)].concat(),
            // Nothing in it could be mistaken: exactly what llama.cpp does.
            Form::Written(write) if filler.is_empty() && self.is_plain(text) => {
                self.cut(&write(text)?, bos, Special::Token)
            }
            Form::Written(write) => {
                let (before, after) = around_a_prompt(write)?;
                let (before, after) =
                    (self.cut(&before, bos, Special::Token), self.cut(&after, Bos::Never, Special::Token));
                [&before, filler, &self.cut_text(text), &after].concat()
            }
        };
        if let (Bos::Always, Some(bos)) = (bos, self.bos())
            && tokens.first() != Some(&bos)
        {
            tokens.insert(0, bos);
        }
        Ok(tokens)
    }

    /// The beginning-of-sequence token; None where the vocabulary has none.
    pub fn bos(&self) -> Option<Token> {
        Some(self.llama.vocab().bos().0).filter(|&token| token >= 0)
    }

    /// The tokens of a text alone: no BOS, and none of it is a special token.
    pub fn cut_text(&self, text: &str) -> Vec<Token> {
        self.cut(text, Bos::Never, Special::Text)
    }

    /// Whether no part of a text could be mistaken for a special token.
    fn is_plain(&self, text: &str) -> bool {
        self.cut_text(text) == self.cut(text, Bos::Never, Special::Token)
    }

    /// Whether tokens begin with BOS, as the model's file has it.
    pub fn adds_bos(&self) -> bool {
        // SAFETY: reads a flag of the model's vocabulary.
        unsafe { sys::llama_vocab_get_add_bos(sys::llama_model_get_vocab(self.pointer())) }
    }

    /// The texts of BOS and of EOS; empty where the vocabulary has none.
    pub fn bos_and_eos(&self) -> [String; 2] {
        let vocab = self.llama.vocab();
        [vocab.bos(), vocab.eos()].map(|token| {
            let piece = (token.0 >= 0).then(|| vocab.token_to_piece(token, true, None));
            String::from_utf8_lossy(&piece.unwrap_or_default()).into_owned()
        })
    }

    /// What llama.cpp makes of the model's chat template.
    ///
    /// # Errors
    /// Why the model can't be asked in this way.
    pub fn chat_form(&self) -> Result<ChatForm, String> {
        let template = self.template()?;
        let (before, after) = around_a_prompt(&|prompt| self.write_chat(None, prompt))?;
        let dialogue = self.apply(&template, &DIALOGUE)?;
        // The name of what it recognised it does not tell: it is the form that writes the same.
        let same = |name: &String| {
            let form = LlamaChatTemplate::new(name).ok();
            form.and_then(|form| self.apply(&form, &DIALOGUE).ok()).is_some_and(|written| written == dialogue)
        };
        let forms = built_in_forms().into_iter().filter(same).collect();
        let template = template.as_c_str().to_string_lossy().into_owned();
        Ok(ChatForm { template, forms, before, after, dialogue })
    }

    /// Writes a system message, where there is one, and a user's, in the form that llama.cpp knows the model's template by;
    /// the assistant's turn is opened.
    ///
    /// # Errors
    /// Why the model can't be asked in this way.
    pub fn write_chat(&self, system: Option<&str>, user: &str) -> Result<String, String> {
        let system = system.map(|text| ("system", text));
        let messages: Vec<_> = system.into_iter().chain([("user", user)]).collect();
        self.apply(&self.template()?, &messages)
    }

    fn template(&self) -> Result<LlamaChatTemplate, String> {
        self.llama.chat_template(None).map_err(|_| "its file has no chat template".to_owned())
    }

    fn apply(&self, template: &LlamaChatTemplate, messages: &[(&str, &str)]) -> Result<String, String> {
        let messages =
            messages.iter().map(|(role, text)| LlamaChatMessage::new((*role).to_owned(), (*text).to_owned()));
        let messages: Vec<_> =
            messages.collect::<Result<_, _>>().map_err(|_| "the prompt contains a NUL byte".to_owned())?;
        self.llama
            .apply_chat_template(template, &messages, true)
            .map_err(|error| format!("llama.cpp can't apply its chat template ({error})"))
    }

    fn cut(&self, text: &str, bos: Bos, special: Special) -> Vec<Token> {
        // With add_special llama.cpp adds what the model's file asks for.
        let tokens = self.llama.vocab().tokenize(text.as_bytes(), bos == Bos::Model, special == Special::Token);
        tokens.into_iter().map(|token| token.0).collect()
    }
}

/// What is written before and after a prompt.
///
/// # Errors
/// Why it can't be written.
pub fn around_a_prompt(write: &Write<'_>) -> Result<(String, String), String> {
    const MARK: &str = "moe-sweep-puts-the-prompt-here";
    let written = write(MARK)?;
    let (before, after) = written.split_once(MARK).ok_or("its chat template drops the user's message")?;
    Ok((before.to_owned(), after.to_owned()))
}

/// The names of the forms that llama.cpp can write.
fn built_in_forms() -> Vec<String> {
    // SAFETY: asked for no names, it tells their number; then it writes that many pointers to
    // strings that live as long as the program.
    let names = unsafe {
        let count = sys::llama_chat_builtin_templates(std::ptr::null_mut(), 0).max(0) as usize;
        let mut names = vec![std::ptr::null(); count];
        sys::llama_chat_builtin_templates(names.as_mut_ptr(), count);
        names.into_iter().filter(|name: &*const _| !name.is_null()).map(|name| CStr::from_ptr(name)).collect::<Vec<_>>()
    };
    names.into_iter().map(|name| name.to_string_lossy().into_owned()).collect()
}
