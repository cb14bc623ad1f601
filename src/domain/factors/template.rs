//! Owns the levels of `template`: what becomes of a prompt's text before it is cut into tokens.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantNames};

use super::read_name;
use crate::domain::{LevelType, Scope, Wording};

/// What becomes of a prompt's text before it is cut into tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[derive(Serialize, Deserialize, Display, EnumString, VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Template {
    /// Nothing.
    #[default]
    Raw,
    /// It is one user's message in llama.cpp's built-in chat form, the one that it takes the model's template for, and the
    /// assistant's turn is opened. The template itself is not rendered.
    Chat,
    /// It is one user's message in the model's own chat template, rendered (llama-server's `--jinja`).
    Jinja,
}

impl LevelType for Template {
    const SCOPE: Scope = Scope::Prompt;
    const WORDING: Wording = Wording::Always;
    read_name!();

    fn usual() -> Option<Self> {
        Some(Self::default())
    }

    fn in_title(&self) -> String {
        match self {
            Self::Raw => "raw prompt".to_owned(),
            Self::Chat => "llama.cpp's built-in chat form".to_owned(),
            Self::Jinja => "the model's own chat template".to_owned(),
        }
    }

    fn in_cell(&self) -> String {
        self.to_string()
    }
}
