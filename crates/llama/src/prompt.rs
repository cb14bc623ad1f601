//! Turns a prompt's text into the tokens that a model is asked with.
//!
//! The prompt's own text is never read as a special token, whatever it says;
//! those of the chat template around it are.

use std::ffi::CStr;

use llama_cpp_2::model::{LlamaChatMessage, LlamaChatTemplate};
use llama_cpp_sys_2 as sys;

use crate::{Bos, Model, PromptOptions, Template, Token};

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
    /// The prompt's tokens, those of its template and BOS included.
    ///
    /// # Errors
    /// Why the model can't be asked in this way.
    pub fn tokenize(&self, prompt: &str, options: PromptOptions) -> Result<Vec<Token>, String> {
        let PromptOptions { template, bos } = options;
        let mut tokens = match template {
            Template::Raw => self.cut(prompt, bos, Special::Text),
            Template::Chat => self.cut_chat(prompt, bos)?,
        };
        if bos == Bos::Always {
            let bos = self.llama.vocab().bos().0;
            if bos < 0 {
                return Err("its vocabulary has no BOS token: use bos = \"model\" or \"never\"".to_owned());
            }
            if tokens.first() != Some(&bos) {
                tokens.insert(0, bos);
            }
        }
        Ok(tokens)
    }

    /// The prompt as one user's message, the assistant's turn opened.
    fn cut_chat(&self, prompt: &str, bos: Bos) -> Result<Vec<Token>, String> {
        if self.cut(prompt, Bos::Never, Special::Text) == self.cut(prompt, Bos::Never, Special::Token) {
            // Nothing in it could be mistaken: exactly what llama.cpp does.
            return Ok(self.cut(&self.render(prompt)?, bos, Special::Token));
        }
        // The prompt holds the text of a special token. It is cut by itself,
        // between what the template puts before and after it.
        let (before, after) = self.around_a_prompt()?;
        let mut tokens = self.cut(&before, bos, Special::Token);
        tokens.extend(self.cut(prompt, Bos::Never, Special::Text));
        tokens.extend(self.cut(&after, Bos::Never, Special::Token));
        Ok(tokens)
    }

    /// What llama.cpp makes of the model's chat template.
    ///
    /// # Errors
    /// Why the model can't be asked in this way.
    pub fn chat_form(&self) -> Result<ChatForm, String> {
        let template = self.template()?;
        let (before, after) = self.around_a_prompt()?;
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

    /// What the template puts before and after a prompt.
    fn around_a_prompt(&self) -> Result<(String, String), String> {
        const MARK: &str = "moe-sweep-puts-the-prompt-here";
        let rendered = self.render(MARK)?;
        let (before, after) = rendered.split_once(MARK).ok_or("its chat template drops the user's message")?;
        Ok((before.to_owned(), after.to_owned()))
    }

    fn render(&self, prompt: &str) -> Result<String, String> {
        self.apply(&self.template()?, &[("user", prompt)])
    }

    fn template(&self) -> Result<LlamaChatTemplate, String> {
        self.llama.chat_template(None).map_err(|_| "its file has no chat template".to_owned())
    }

    fn apply(&self, template: &LlamaChatTemplate, messages: &[(&str, &str)]) -> Result<String, String> {
        let messages =
            messages.iter().map(|(role, text)| LlamaChatMessage::new((*role).to_owned(), (*text).to_owned()));
        let messages: Vec<_> =
            messages.collect::<Result<_, _>>().map_err(|_| "the prompt holds a NUL byte".to_owned())?;
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
