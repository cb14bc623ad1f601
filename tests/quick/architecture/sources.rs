//! The sources as the tests of the architecture read them: text, code and tokens, without unit tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

#[derive(Clone)]
pub struct Source {
    /// From the repository's root.
    pub path: String,
    /// The folder of its crate, such as `crates/score/`; empty for the one at the root.
    pub krate: String,
    /// Where it stands in its crate's tree of modules.
    pub modules: Vec<String>,
    /// The top-level module of its crate; no two crates have one of the same name.
    pub module: String,
    pub text: String,
    /// Without comments and unit tests.
    pub code: String,
    pub tokens: Vec<Token>,
    /// The modules that it declares for tests only.
    test_modules: Vec<String>,
}

/// What the rules look at. Groups are opened and closed by marks, so that a file is one list.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    Word(String),
    Mark(char),
    /// A text between quotes, with them.
    Text(String),
}

impl Token {
    pub fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Mark(_) | Self::Text(_) => None,
        }
    }

    pub fn is(&self, mark: char) -> bool {
        *self == Self::Mark(mark)
    }
}

/// All of `src/` and `crates/*/src`, but for what is compiled into tests only. Read once for all tests.
pub fn sources() -> &'static [Source] {
    static ALL: LazyLock<Vec<Source>> = LazyLock::new(|| {
        let mut folders = vec![root().join("src")];
        folders.extend(fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path().join("src")));
        folders.iter().flat_map(|folder| sources_in(folder)).collect()
    });
    &ALL
}

/// Those of one crate.
pub fn sources_in(folder: &Path) -> Vec<Source> {
    let mut files = Vec::new();
    collect(folder, &mut files);
    assert!(!files.is_empty(), "there are no sources in {}", folder.display());
    let sources: Vec<_> = files.iter().map(|file| Source::read(file)).collect();
    let test_only: BTreeSet<_> = sources.iter().flat_map(Source::test_modules).collect();
    let is_test = |source: &Source| {
        (0..=source.modules.len()).any(|n| test_only.contains(&(source.krate.clone(), source.modules[..n].to_vec())))
    };
    sources.into_iter().filter(|source| !is_test(source)).collect()
}

/// The words of every file in these folders, or of its unit tests alone, with the file's path.
pub fn words_of(folders: &[&str], of: Of) -> Vec<(String, BTreeSet<String>)> {
    let mut files = Vec::new();
    for folder in folders {
        collect(&root().join(folder), &mut files);
    }
    let code: BTreeSet<_> = match of {
        Of::All => BTreeSet::new(),
        Of::UnitTests => sources().iter().map(|source| source.path.clone()).collect(),
    };
    let words_of = |file: &PathBuf| {
        let (path, text) = (shown(file), fs::read_to_string(file).unwrap());
        let begin = if code.contains(&path) { text.find(UNIT_TESTS).unwrap_or(text.len()) } else { 0 };
        let words = words(&text[begin..]);
        (path, words)
    };
    files.iter().map(words_of).collect()
}

/// What of a file is looked at.
#[derive(Clone, Copy)]
pub enum Of {
    All,
    UnitTests,
}

const UNIT_TESTS: &str = "#[cfg(test)]\nmod ";

/// The lines of every file of `src/` and `crates/`, tests included.
pub fn lines() -> Vec<(String, usize)> {
    let mut files = Vec::new();
    collect(&root().join("src"), &mut files);
    collect(&root().join("crates"), &mut files);
    files.iter().map(|file| (shown(file), fs::read_to_string(file).unwrap().lines().count())).collect()
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn shown(file: &Path) -> String {
    file.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/")
}

fn words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).map(str::to_owned).collect()
}

impl Source {
    fn read(file: &Path) -> Self {
        let path = shown(file);
        let (krate, in_crate) = path.split_once("src/").unwrap();
        let mut modules: Vec<String> = in_crate.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        let module = modules[0].clone();
        if matches!(modules.last().map(String::as_str), Some("mod" | "lib")) {
            modules.pop();
        }
        let text = fs::read_to_string(file).unwrap();
        let without_tests = text.split(UNIT_TESTS).next().unwrap();
        let lines = without_tests.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code = lines.collect::<Vec<_>>().join("\n");
        let stream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        let (mut tokens, mut test_modules) = (Vec::new(), Vec::new());
        flatten(stream, &mut tokens, &mut test_modules);
        Self { krate: krate.to_owned(), modules, module, code, tokens, test_modules, text, path }
    }

    fn test_modules(&self) -> Vec<(String, Vec<String>)> {
        let of = |name: &String| (self.krate.clone(), [&self.modules[..], std::slice::from_ref(name)].concat());
        self.test_modules.iter().map(of).collect()
    }

    /// What it declares as `pub`, with the kind: `fn`, `struct` and so on.
    pub fn public_items(&self) -> Vec<(&str, &str)> {
        let words: Vec<_> = self.tokens.iter().map(Token::word).collect();
        let item = |at: usize| {
            let mut kinds = words[at + 1..].iter().take_while(|word| word.is_some_and(|word| KINDS.contains(&word)));
            let kind = kinds.by_ref().last().copied()??;
            let first = at + 1 + words[at + 1..].iter().position(|word| *word == Some(kind))?;
            Some((kind, words[first + 1]?))
        };
        (0..words.len()).filter(|at| words[*at] == Some("pub")).filter_map(item).collect()
    }

    /// How often the code names something, but for the heads of its `impl`s.
    pub fn mentions(&self, name: &str) -> usize {
        let is_head = |at: usize| matches!(self.tokens[..at].last().and_then(Token::word), Some("impl" | "for"));
        (0..self.tokens.len()).filter(|at| self.tokens[*at].word() == Some(name) && !is_head(*at)).count()
    }

    /// Lines that are neither blank nor comments nor unit tests.
    pub fn lines_of_code(&self) -> usize {
        self.code.lines().filter(|line| !line.trim().is_empty()).count()
    }
}

const KINDS: [&str; 9] = ["fn", "struct", "enum", "const", "static", "trait", "type", "unsafe", "async"];

/// Makes a list of a tree of tokens, leaves out what stands under `#[cfg(test)]` and notes modules declared there.
fn flatten(stream: TokenStream, into: &mut Vec<Token>, test_modules: &mut Vec<String>) {
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                let Some(TokenTree::Group(group)) = trees.next_if(|next| matches!(next, TokenTree::Group(_))) else {
                    // `#!` of a file.
                    continue;
                };
                if group.to_string().replace(' ', "") == "[cfg(test)]" {
                    skip_item(&mut trees, test_modules);
                } else {
                    flatten(group.stream(), into, test_modules);
                    into.push(Token::Mark('#'));
                }
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ('(', ')'),
                    Delimiter::Brace => ('{', '}'),
                    Delimiter::Bracket => ('[', ']'),
                    Delimiter::None => (' ', ' '),
                };
                into.push(Token::Mark(open));
                flatten(group.stream(), into, test_modules);
                into.push(Token::Mark(close));
            }
            TokenTree::Ident(ident) => into.push(Token::Word(ident.to_string())),
            TokenTree::Punct(punct) => into.push(Token::Mark(punct.as_char())),
            TokenTree::Literal(literal) => into.push(Token::Text(literal.to_string())),
        }
    }
}

/// Takes the tokens of the next item, to its `;` or its block.
fn skip_item(trees: &mut impl Iterator<Item = TokenTree>, test_modules: &mut Vec<String>) {
    let mut after_mod = false;
    for tree in trees {
        match tree {
            TokenTree::Ident(ident) if after_mod => {
                test_modules.push(ident.to_string());
                after_mod = false;
            }
            TokenTree::Ident(ident) => after_mod = ident == "mod",
            TokenTree::Punct(punct) if punct.as_char() == ';' => return,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return,
            _ => {}
        }
    }
}
