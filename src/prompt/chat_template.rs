//! Renders a model's chat template as transformers' `apply_chat_template` and llama-server's `--jinja` do.
//!
//! A template is a stranger's program: what it may compute is limited, and whatever goes wrong in it is an error.

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, Value};
use strum::{Display, EnumString};

use super::python;
use crate::domain::Thinking;

/// The only template of its environment.
const NAME: &str = "chat template";
/// What templates call the switch for thinking: Qwen's, GLM's and SmolLM's the first, Granite's and DeepSeek's the second.
const SWITCHES: [&str; 2] = ["enable_thinking", "thinking"];
/// Instructions that a rendering may take, and pieces of 64 bytes that it may write; public templates take some thousands.
const FUEL: u64 = 200_000;

/// A model's chat template, read.
pub struct ChatTemplate {
    environment: Environment<'static>,
    tokens: SpecialTokens,
    /// Those of [`SWITCHES`] that it looks at.
    switches: Vec<&'static str>,
    asks_date: bool,
}

/// The texts of a vocabulary's special tokens, as far as templates write them; empty where it has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpecialTokens {
    pub bos: String,
    pub eos: String,
}

/// One turn of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    pub role: Role,
    pub content: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum Role {
    System,
    User,
    Assistant,
}

/// Why a template can't be read, or a conversation not be rendered by it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// What it says by `raise_exception`.
    #[error("its chat template refuses the conversation: {0}")]
    Refuses(String),
    #[error("its chat template can't be rendered: {0}")]
    Unusable(String),
}

impl ChatTemplate {
    /// Reads a template, for a vocabulary with these tokens.
    ///
    /// # Errors
    /// When it is no Jinja.
    pub fn parse(text: &str, tokens: SpecialTokens) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        // As transformers has it: a tag takes the line's indentation and the line break after it with it.
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(unusable)?);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_fuel(Some(FUEL));
        python::add_to(&mut environment);
        environment.add_template_owned(NAME, python::without_generation_tags(text)).map_err(unusable)?;
        let looks_at = environment.get_template(NAME).map_err(unusable)?.undeclared_variables(false);
        let switches = SWITCHES.into_iter().filter(|switch| looks_at.contains(*switch)).collect();
        let asks_date = looks_at.contains(python::STRFTIME_NOW);
        Ok(Self { environment, tokens, switches, asks_date })
    }

    /// Whether it can be told to have the model think, or not to.
    pub fn knows_thinking(&self) -> bool {
        !self.switches.is_empty()
    }

    /// Whether it asks which day it is.
    pub fn asks_date(&self) -> bool {
        self.asks_date
    }

    /// Renders a conversation, the assistant's turn opened.
    ///
    /// # Errors
    /// When the template refuses it, or can't be computed.
    pub fn render(&self, messages: &[Message<'_>], thinking: Thinking) -> Result<String, TemplateError> {
        let SpecialTokens { bos, eos } = &self.tokens;
        let mut variables = vec![
            ("messages", messages.iter().map(turn).collect()),
            ("bos_token", Value::from(bos)),
            ("eos_token", Value::from(eos)),
            ("add_generation_prompt", Value::from(true)),
            // transformers defines these two even where there are none.
            ("tools", Value::from(())),
            ("documents", Value::from(())),
        ];
        variables.extend(self.switches.iter().filter_map(|switch| Some((*switch, Value::from(thinking.switch()?)))));
        let template = self.environment.get_template(NAME).map_err(unusable)?;
        template.render(Value::from_pairs(variables)).map_err(unusable)
    }
}

fn turn(&Message { role, content }: &Message<'_>) -> Value {
    Value::from_pairs([("role", role.to_string()), ("content", content.to_owned())])
}

/// The reason in one line.
fn unusable(error: minijinja::Error) -> TemplateError {
    if let Some(message) = python::raised(&error) {
        return TemplateError::Refuses(message);
    }
    let what = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it does not finish".to_owned(),
        (kind, None) => kind.to_string(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
    };
    let line = error.line().map_or_else(String::new, |line| format!(" in its line {line}"));
    TemplateError::Unusable(format!("{what}{line}"))
}
