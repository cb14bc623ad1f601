//! What is wrong with an experiment file: each problem with its place and its
//! remedy, all of them at once.

use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

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
    source_code: NamedSource<Arc<str>>,
    /// Where in the source, in bytes.
    span: Option<Range<usize>>,
}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source_code)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::underline(span))))
    }
}

/// Collects the problems of one file.
#[derive(Debug)]
pub struct Problems {
    name: String,
    text: Arc<str>,
    found: Vec<Problem>,
}

impl Problems {
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.into(), found: vec![] }
    }

    pub fn add(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.push(Some(span), message.into(), Some(help.into()));
    }

    /// What the TOML reader found, with a suggestion for a misspelt name.
    pub fn add_toml(&mut self, error: &toml::de::Error) {
        let message = error.message().trim().to_owned();
        let help = suggestion(&message);
        self.push(error.span(), message, help);
    }

    fn push(&mut self, span: Option<Range<usize>>, message: String, help: Option<String>) {
        let source_code = NamedSource::new(&self.name, Arc::clone(&self.text));
        self.found.push(Problem { message, help, source_code, span });
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
            _ => Err(BadExperiment { file: self.name, problems: self.found }),
        }
    }
}

/// "did you mean" for serde's "unknown field `x`, expected one of `y`, `z`".
fn suggestion(message: &str) -> Option<String> {
    if !message.starts_with("unknown ") {
        return None;
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    did_you_mean(unknown, quoted).map(|name| format!("did you mean `{name}`?"))
}

/// The known name nearest to a misspelt one, if one is near.
pub fn did_you_mean<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let nearest = known.into_iter().map(|name| (strsim::jaro_winkler(unknown, name), name));
    nearest.filter(|(likeness, _)| *likeness > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
