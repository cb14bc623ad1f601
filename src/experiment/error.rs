//! Collects what is wrong with an experiment file: each problem with its place and its remedy, all of them at once.

use std::ops::Range;

use miette::{Diagnostic, LabeledSpan, SourceCode};

use super::excerpt::Excerpt;
pub use crate::nearest::did_you_mean;

/// How many problems of a file are kept.
const MOST_PROBLEMS: usize = 200;

/// An experiment file, or a catalogue, that can't be used, and every reason why.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("cannot use {file}")]
pub struct BadExperiment {
    pub file: String,
    #[related]
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    message: String,
    help: Option<String>,
    /// Where in the file.
    excerpt: Option<Excerpt>,
}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.excerpt.as_ref()?.place.clone();
        Some(Box::new(std::iter::once(LabeledSpan::underline(place))))
    }
}

/// Collects the problems of one file.
#[derive(Debug)]
pub struct Problems {
    name: String,
    text: String,
    found: Vec<Found>,
    /// Places that are shown as asterisks, whatever they are shown for.
    secrets: Vec<Range<usize>>,
}

#[derive(Debug)]
struct Found {
    span: Option<Range<usize>>,
    message: String,
    help: Option<String>,
}

impl Problems {
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), found: vec![], secrets: vec![] }
    }

    pub fn add(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.push(Some(span), message.into(), Some(help.into()));
    }

    /// The same of a place that may hold a key or a password: no message shows what stands there.
    pub fn add_secret(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.secrets.push(span.clone());
        self.add(span, message, help);
    }

    /// What the TOML reader found, in the words of the file.
    pub fn add_toml(&mut self, error: &toml::de::Error) {
        let (message, help) = in_plain_words(error.message().trim());
        self.push(error.span(), message, help);
    }

    fn push(&mut self, span: Option<Range<usize>>, message: String, help: Option<String>) {
        // No person writes more of them, and each is looked for in the whole file.
        if self.found.len() < MOST_PROBLEMS {
            self.found.push(Found { span, message, help });
        }
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// `value` if nothing was found.
    ///
    /// # Errors
    /// Everything that was found.
    pub fn none_or<T>(self, value: Option<T>) -> Result<T, BadExperiment> {
        match value {
            Some(value) if self.found.is_empty() => Ok(value),
            _ => Err(self.into_error()),
        }
    }

    fn into_error(self) -> BadExperiment {
        let Self { name, mut text, found, secrets } = self;
        for secret in secrets {
            text.replace_range(secret.clone(), &"*".repeat(secret.len()));
        }
        let excerpt = |span| Excerpt::of(&name, &text, span);
        let problems = found
            .into_iter()
            .map(|Found { span, message, help }| Problem { message, help, excerpt: span.map(excerpt) })
            .collect();
        BadExperiment { file: name.clone(), problems }
    }
}

/// Windows writes paths with it.
pub const BACKSLASH: &str =
    "a backslash starts an escape in \"…\"; write the path in '…', where it is an ordinary character, or use / instead";

/// serde speaks of fields, variants and Rust's types; a file has keys,
/// samplers and numbers. What is not known here is passed on as it is.
fn in_plain_words(message: &str) -> (String, Option<String>) {
    let mut names = message.split('`').skip(1).step_by(2);
    if let Some(unknown) = message.strip_prefix("unknown ").and_then(|_| names.next()) {
        let what = if message.starts_with("unknown variant") { "sampler" } else { "key" };
        let known: Vec<_> = names.collect();
        let help = match did_you_mean(unknown, known.iter().copied()) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("use one of: {}", known.join(", ")),
        };
        return (format!("unknown {what} {unknown:?}"), Some(help));
    }
    if let Some(missing) = message.strip_prefix("missing field ").and_then(|_| names.next()) {
        return (format!("the key {missing:?} is missing"), Some("add it".to_owned()));
    }
    if message.contains("unit variant, expected") {
        let help = "write it as a table with its parameters, such as { top_k = 40 }";
        return ("this sampler needs parameters".to_owned(), Some(help.to_owned()));
    }
    if message.starts_with("wanted exactly 1 element") {
        return ("each step is one sampler".to_owned(), Some("write a separate table for each step".to_owned()));
    }
    if ["escape", "unicode value", "unicode hexadecimal"].iter().any(|part| message.contains(part)) {
        return (message.to_owned(), Some(BACKSLASH.to_owned()));
    }
    match message.split_once(", expected ") {
        Some((found, expected)) => {
            let found = found.replace("invalid type: ", "wrong type: ").replace("floating point", "number");
            (format!("{found}, expected {}", in_toml_terms(expected)), None)
        }
        None => (message.to_owned(), None),
    }
}

fn in_toml_terms(expected: &str) -> &str {
    match expected {
        "f32" | "f64" => "a number",
        "i32" | "i64" => "a whole number",
        "u32" | "u64" | "usize" => "a whole number from 0 up",
        "a sequence" => "a list",
        "a map" => "a table",
        _ if expected.starts_with("struct ") => "a table",
        other => other,
    }
}
