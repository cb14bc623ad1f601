//! Asks a model as a key of prompts has it: what surrounds a prompt, filler before it, BOS; and which tokens that makes.
//!
//! Must not know how a template is rendered or how text is cut: `prompt` and the crate `llama` do.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use ::llama::{Form, around_a_prompt};

use crate::domain::{Bos, PrefixTokens, PromptKey, RenderedForm, System, Template, Thinking, Token};
use crate::engine::Unaskable;
use crate::prompt::{ChatTemplate, Message, Role, SpecialTokens, TODAY, filler};

/// Characters of a token of prose: rather too many.
const CHARACTERS_A_TOKEN: usize = 6;
/// White space that no template writes by itself.
const PADDING: &str = "\t \t";

/// How prompts of one key are asked of a model.
pub struct Asking<'m> {
    model: &'m ::llama::Model,
    bos: Bos,
    filler: Vec<Token>,
    writer: Writer<'m>,
}

/// What is written around a prompt.
enum Writer<'m> {
    Nothing,
    BuiltIn(Write<'m>),
    Rendered { write: Write<'m>, edges: Edges, date: Option<String> },
}

type Write<'m> = Box<::llama::Write<'m>>;

/// What becomes of white space at the edges of a prompt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edges {
    Kept,
    Trimmed,
}

impl<'m> Asking<'m> {
    /// # Errors
    /// Why the model can't be asked so.
    pub fn new(model: &'m ::llama::Model, key: &PromptKey) -> Result<Self, Unaskable> {
        let bos: Bos = *key.get();
        if bos == Bos::Always && model.bos().is_none() {
            return Err(Unaskable::Bos("its vocabulary has no BOS token, so use \"model\" or \"never\"".to_owned()));
        }
        let writer = match key.get() {
            Template::Raw => Writer::Nothing,
            Template::Chat => built_in(model, key.get())?,
            Template::Jinja => rendered(model, key)?,
        };
        Ok(Self { model, bos, filler: filler_tokens(model, *key.get()), writer })
    }

    /// The tokens of a prompt, with all that surrounds it.
    ///
    /// # Errors
    /// Why the model can't be asked this.
    pub fn tokens(&self, text: &str) -> Result<Vec<Token>, Unaskable> {
        let (text, form) = match &self.writer {
            Writer::Nothing => (text, Form::Raw),
            Writer::BuiltIn(write) | Writer::Rendered { write, edges: Edges::Kept, .. } => {
                (text, Form::Written(&**write))
            }
            Writer::Rendered { write, edges: Edges::Trimmed, .. } => (text.trim(), Form::Written(&**write)),
        };
        let prompt = ::llama::Prompt { text, filler: &self.filler, form, bos: self.bos.into() };
        self.model.tokenize(&prompt).map_err(Unaskable::Template)
    }
}

/// The tokens of each prompt, in order.
///
/// # Errors
/// Why the model can't be asked one of them.
pub fn tokens_of<'w>(
    model: &::llama::Model,
    asked: impl Iterator<Item = (&'w str, &'w PromptKey)>,
) -> Result<Vec<Vec<Token>>, Unaskable> {
    let mut askings: BTreeMap<&PromptKey, Asking<'_>> = BTreeMap::new();
    let mut tokens = Vec::new();
    for (prompt, key) in asked {
        let asking = match askings.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(Asking::new(model, key)?),
        };
        tokens.push(asking.tokens(prompt)?);
    }
    Ok(tokens)
}

/// What surrounds prompts, for each way in which the model's own template is asked for and can be used.
pub fn rendered_forms(model: &::llama::Model, keys: &[PromptKey]) -> Vec<RenderedForm> {
    let mut forms: Vec<RenderedForm> = Vec::new();
    for key in keys.iter().filter(|key| *key.get::<Template>() == Template::Jinja) {
        let (system, thinking): (System, Thinking) = (key.get::<System>().clone(), *key.get());
        if forms.iter().any(|form| form.system == system && form.thinking == thinking) {
            continue;
        }
        if let Ok(Writer::Rendered { write, date, .. }) = rendered(model, key)
            && let Ok((before, after)) = around_a_prompt(&*write)
        {
            forms.push(RenderedForm { system, thinking, before, after, date });
        }
    }
    forms
}

/// Exactly so many tokens, the last of longer prose: it ends with a paragraph.
fn filler_tokens(model: &::llama::Model, wanted: PrefixTokens) -> Vec<Token> {
    let wanted = wanted.get() as usize;
    let mut characters = wanted * CHARACTERS_A_TOKEN;
    loop {
        let mut tokens = model.cut_text(&filler(characters));
        if tokens.len() >= wanted {
            return tokens.split_off(tokens.len() - wanted);
        }
        characters *= 2;
    }
}

/// llama.cpp's own form.
fn built_in<'m>(model: &'m ::llama::Model, system: &System) -> Result<Writer<'m>, Unaskable> {
    model.write_chat(None, "").map_err(Unaskable::Template)?;
    let message = system.message().map(str::to_owned);
    let write: Write<'m> = Box::new(move |prompt| model.write_chat(message.as_deref(), prompt));
    is_sent(system, &around_a_prompt(&*write).map_err(Unaskable::Template)?)?;
    Ok(Writer::BuiltIn(write))
}

/// The model's own template.
fn rendered<'m>(model: &'m ::llama::Model, key: &PromptKey) -> Result<Writer<'m>, Unaskable> {
    let refused = |error: crate::prompt::TemplateError| Unaskable::Template(error.to_string());
    let text = model.facts().chat_template;
    let text = text.ok_or_else(|| Unaskable::Template("its file has no chat template".to_owned()))?;
    let [bos, eos] = model.bos_and_eos();
    let template = ChatTemplate::parse(&text, SpecialTokens { bos: bos.clone(), eos }).map_err(refused)?;
    let date = template.asks_date().then(|| TODAY.to_string());

    let plain = around_a_prompt(&|prompt| conversation(&template, None, prompt, Thinking::Default));
    let plain = plain.map_err(Unaskable::Template)?;
    let (system, thinking): (&System, Thinking) = (key.get(), *key.get());
    if thinking != Thinking::Default && !template.knows_thinking() {
        return Err(Unaskable::Thinking("its chat template has no switch for thinking".to_owned()));
    }
    let around = around_a_prompt(&|prompt| conversation(&template, system.message(), prompt, Thinking::Default));
    let around = around.map_err(Unaskable::System)?;
    is_sent(system, &around)?;
    if *system == System::None && around.0.len() + around.1.len() >= plain.0.len() + plain.1.len() {
        let why = "its chat template has no default system message, or writes it even if another is sent";
        return Err(Unaskable::System(why.to_owned()));
    }

    // llama.cpp adds BOS when it cuts the text, where the model's file says so; `never` means none at all.
    let bos_is_cut = match key.get() {
        Bos::Model => model.adds_bos(),
        Bos::Always => false,
        Bos::Never => true,
    };
    let message = system.message().map(str::to_owned);
    let write: Write<'m> = Box::new(move |prompt| {
        let text = conversation(&template, message.as_deref(), prompt, thinking)?;
        Ok(text.strip_prefix(&bos).filter(|_| bos_is_cut).map(str::to_owned).unwrap_or(text))
    });
    let (before, after) =
        around_a_prompt(&|prompt| write(&format!("{PADDING}{prompt}{PADDING}"))).map_err(Unaskable::Thinking)?;
    let edges = if before.ends_with(PADDING) && after.starts_with(PADDING) { Edges::Kept } else { Edges::Trimmed };
    Ok(Writer::Rendered { write, edges, date })
}

/// A prompt as a user's message, after a system message where there is one.
fn conversation(
    template: &ChatTemplate,
    system: Option<&str>,
    prompt: &str,
    thinking: Thinking,
) -> Result<String, String> {
    let system = system.map(|content| Message { role: Role::System, content });
    let user = Message { role: Role::User, content: prompt };
    let messages: Vec<_> = system.into_iter().chain([user]).collect();
    template.render(&messages, thinking).map_err(|error| error.to_string())
}

/// Whether a system message reaches the model.
///
/// # Errors
/// When it does not.
fn is_sent(system: &System, (before, after): &(String, String)) -> Result<(), Unaskable> {
    match system {
        System::Text(text) if !before.contains(text.trim()) && !after.contains(text.trim()) => {
            Err(Unaskable::System("its chat template does not send this system message".to_owned()))
        }
        System::Default | System::None | System::Text(_) => Ok(()),
    }
}
