//! What becomes of a prompt's text before it is cut into tokens: the model's own chat template around it, and filler in
//! front of it.
//!
//! - `chat_template`: renders a template's Jinja
//! - `python`: what such templates take from Python and from transformers beside Jinja
//! - `filler`: prose of any length
//!
//! Pure functions of text. Must not know models, engines, tokens, or where a template comes from.

mod chat_template;
mod filler;
mod python;

pub use chat_template::{ChatTemplate, Message, Role, SpecialTokens, TemplateError};
pub use filler::filler;
pub use python::TODAY;
