//! Which file names what is defined in which other file, as far as paths say it.
//!
//! A path is followed through re-exports to the file that defines what it names, so a module that only declares and
//! re-exports its children depends on none of them, and they not on it. A module's own file beside its children's is
//! looked at item by item: it may hold the words that they share, and what is made of them, as long as no word leads
//! back to itself by way of a child. What is called as a method of a value is not seen.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::{Source, Token};

/// From each node to those that it names. A node is a file's path; of a file with children, that and an item's name.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

pub fn graph(sources: &[Source]) -> Graph {
    // `main.rs` is a crate of its own, which nobody can name.
    let sources: Vec<_> = sources.iter().filter(|source| source.module != "main").collect();
    let parents: BTreeSet<_> =
        sources.iter().filter_map(|source| Some((&source.krate, source.modules.split_last()?.1))).collect();
    let files: Files<'_> = sources
        .iter()
        .map(|source| {
            let is_parent = parents.contains(&(&source.krate, &source.modules[..]));
            ((&*source.krate, source.modules.clone()), File::of(source, is_parent))
        })
        .collect();
    let mut graph = Graph::new();
    for file in files.values() {
        for item in &file.items {
            let from = file.node(&item.name);
            let named = file.named(item, &files);
            let others = named.iter().filter_map(|path| definer(&files, &file.source.krate, path));
            let own = file.items.iter().filter(|own| item.words.contains(&own.name)).map(|own| file.node(&own.name));
            let to: Vec<_> = others.chain(own).filter(|to| *to != from).collect();
            // What a macro makes is no item here, and leads nowhere.
            to.iter().for_each(|to| _ = graph.entry(to.clone()).or_default());
            graph.entry(from).or_default().extend(to);
        }
    }
    graph
}

/// The sets of nodes each of which leads to all others of its set, where they are of several files.
pub fn circles(graph: &Graph) -> BTreeSet<BTreeSet<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> = graph.keys().map(|node| (node, reach(graph, node))).collect();
    let circle = |node: &&String| -> BTreeSet<String> {
        reached[node].iter().filter(|other| reached[*other].contains(node)).map(|&other| other.clone()).collect()
    };
    let circles = graph.keys().filter(|node| reached[*node].contains(node)).map(|node| circle(&node));
    circles.filter(|circle| circle.iter().map(|node| file_of(node)).collect::<BTreeSet<_>>().len() > 1).collect()
}

/// The file of a node.
pub fn file_of(node: &str) -> &str {
    node.split(": ").next().unwrap_or(node)
}

/// What a node leads to; itself only by way of another.
fn reach<'g>(graph: &'g Graph, node: &String) -> BTreeSet<&'g String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&String> = graph[node].iter().collect();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(graph.get(next).into_iter().flatten());
        }
    }
    reached
}

/// By their crate's folder and their module in it.
type Files<'s> = BTreeMap<(&'s str, Vec<String>), File<'s>>;

pub struct File<'s> {
    source: &'s Source,
    imports: Vec<Import>,
    /// One without a name where the file has no children.
    items: Vec<Item>,
}

struct Import {
    path: Vec<String>,
    /// What it is called here; `*` and `_` as they are.
    name: String,
    is_public: bool,
}

/// What is used outside of imports.
struct Item {
    name: String,
    words: BTreeSet<String>,
    paths: Vec<Vec<String>>,
}

impl<'s> File<'s> {
    pub fn of(source: &'s Source, is_parent: bool) -> Self {
        let (imports, rest) = without_imports(&source.tokens);
        let items = match is_parent {
            true => items(&rest).into_iter().map(|(name, tokens)| Item::of(name, tokens)).collect(),
            false => vec![Item::of(String::new(), &rest)],
        };
        Self { source, imports, items }
    }

    /// The top-level modules of its own crate that the file names.
    pub fn own_modules(&self) -> BTreeSet<&str> {
        let paths =
            self.imports.iter().map(|import| &import.path).chain(self.items.iter().flat_map(|item| &item.paths));
        paths.filter(|path| path.len() > 1 && path[0] == "crate").map(|path| &*path[1]).collect()
    }

    /// What the file uses by name; to re-export is no use, unless by another name.
    pub fn uses(&self) -> BTreeSet<&str> {
        let is_used = |import: &&Import| !import.is_public || import.path.last() != Some(&import.name);
        let imported = self.imports.iter().filter(is_used).flat_map(|import| &import.path);
        imported.chain(self.items.iter().flat_map(|item| &item.words)).map(String::as_str).collect()
    }

    fn node(&self, item: &str) -> String {
        let path = &self.source.path;
        match &self.items[..] {
            [Item { name, .. }] if name.is_empty() => path.clone(),
            _ => format!("{path}: {item}"),
        }
    }

    /// The paths of what an item uses, as absolute ones within its crate.
    fn named(&self, item: &Item, files: &Files<'_>) -> Vec<Vec<String>> {
        // A trait is used without being named.
        let is_silent = |name: &String| !self.items.iter().any(|item| item.words.contains(name));
        let is_used =
            |import: &&Import| item.words.contains(&import.name) || (!import.is_public && is_silent(&import.name));
        let imports = self.imports.iter().filter(is_used).map(|import| import.path.clone());
        let paths = item.paths.iter().map(|path| match self.imports.iter().find(|import| import.name == path[0]) {
            Some(import) => [&import.path, &path[1..]].concat(),
            None => path.clone(),
        });
        imports.chain(paths).filter_map(|path| self.absolute(&path, files)).collect()
    }

    /// A path as one from the crate's root; `None` where it leads to another crate, or is none of modules.
    fn absolute(&self, path: &[String], files: &Files<'_>) -> Option<Vec<String>> {
        let own = &self.source.modules;
        let (first, rest) = path.split_first()?;
        let mut from = match &**first {
            "crate" => vec![],
            "self" => own.clone(),
            "super" => own[..own.len().checked_sub(1)?].to_vec(),
            child => {
                let child = [&own[..], &[child.to_owned()]].concat();
                files.contains_key(&(&*self.source.krate, child.clone())).then_some(child)?
            }
        };
        let ups = rest.iter().take_while(|segment| *segment == "super").count();
        from.truncate(from.len().checked_sub(ups)?);
        from.extend_from_slice(&rest[ups..]);
        Some(from)
    }
}

/// The node that defines what a path names; `None` where it names a module itself.
fn definer<'s>(files: &Files<'s>, krate: &'s str, path: &[String]) -> Option<String> {
    let is_module = |n: &usize| files.contains_key(&(krate, path[..*n].to_vec()));
    let n = (0..=path.len()).take_while(is_module).last()?;
    let (home, rest) = (&files[&(krate, path[..n].to_vec())], &path[n..]);
    match home.imports.iter().find(|import| Some(&import.name) == rest.first()) {
        Some(import) => definer(files, krate, &home.absolute(&[&import.path, &rest[1..]].concat(), files)?),
        None => rest.first().map(|name| home.node(name)),
    }
}

impl Item {
    fn of(name: String, tokens: &[Token]) -> Self {
        let (mut words, mut paths, mut at) = (BTreeSet::new(), Vec::new(), 0);
        while at < tokens.len() {
            match &tokens[at] {
                Token::Word(_) => {
                    let (path, next) = path_at(tokens, at);
                    words.extend(path.iter().cloned());
                    // What follows `::` is another crate's, or a type's.
                    if path.len() > 1 && !(at > 1 && is_double_colon(tokens, at - 2)) {
                        paths.push(path);
                    }
                    at = next;
                    continue;
                }
                // Attributes name functions in quotes.
                Token::Text(text) => {
                    let text = text.trim_matches('"');
                    if text.starts_with("crate::") || text.starts_with("super::") {
                        paths.push(text.split("::").map(str::to_owned).collect());
                    }
                }
                Token::Mark(_) => {}
            }
            at += 1;
        }
        Self { name, words, paths }
    }
}

/// The imports of a file, and its other tokens.
fn without_imports(tokens: &[Token]) -> (Vec<Import>, Vec<Token>) {
    let (mut imports, mut rest, mut at) = (Vec::new(), Vec::new(), 0);
    while at < tokens.len() {
        if tokens[at].word() == Some("use") {
            let is_public = at > 0 && (tokens[at - 1].word() == Some("pub") || tokens[at - 1].is(')'));
            at = use_tree(tokens, at + 1, &[], is_public, &mut imports);
        } else {
            rest.push(tokens[at].clone());
            at += 1;
        }
    }
    (imports, rest)
}

/// The top-level items of a file with their names; an `impl` has that of its type.
fn items(tokens: &[Token]) -> Vec<(String, &[Token])> {
    let (mut items, mut begin, mut depth) = (Vec::new(), 0, 0);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Mark('(' | '[' | '{') => depth += 1,
            Token::Mark(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        let kind = tokens[begin..at].iter().filter_map(Token::word).find(|word| KINDS.contains(word));
        let is_value = matches!(kind, Some("const" | "static"));
        if depth == 0 && (token.is(';') || (token.is('}') && !is_value)) {
            items.push((item_name(&tokens[begin..=at]), &tokens[begin..=at]));
            begin = at + 1;
        }
    }
    items
}

const KINDS: [&str; 10] = ["fn", "struct", "enum", "const", "static", "type", "trait", "impl", "mod", "macro_rules"];

fn item_name(item: &[Token]) -> String {
    let Some(at) = item.iter().position(|token| token.word().is_some_and(|word| KINDS.contains(&word))) else {
        return String::new();
    };
    let rest = &item[at + 1..];
    if item[at].word() != Some("impl") {
        let mut names = rest.iter().filter_map(Token::word).filter(|word| !KINDS.contains(word));
        return names.next().unwrap_or_default().to_owned();
    }
    let head = rest.split(|token| token.is('{')).next().unwrap_or_default();
    let implementor = head.rsplit(|token| token.word() == Some("for")).next().unwrap_or_default();
    let mut angles = 0;
    let mut names = implementor.iter().filter(|token| {
        angles += i32::from(token.is('<')) - i32::from(token.is('>'));
        angles == 0
    });
    names.find_map(Token::word).unwrap_or_default().to_owned()
}

/// Reads the path that begins at a token, and says where it ends.
fn path_at(tokens: &[Token], begin: usize) -> (Vec<String>, usize) {
    let (mut path, mut at) = (Vec::new(), begin);
    while let Some(word) = tokens.get(at).and_then(Token::word) {
        path.push(word.to_owned());
        at += 1;
        match is_double_colon(tokens, at) && tokens.get(at + 2).is_some_and(|next| next.word().is_some()) {
            true => at += 2,
            false => break,
        }
    }
    (path, at)
}

/// Reads what follows `use`, or a part of it in braces, and says where it ends.
fn use_tree(tokens: &[Token], begin: usize, within: &[String], is_public: bool, imports: &mut Vec<Import>) -> usize {
    let (mut path, mut at) = (within.to_vec(), begin);
    if is_double_colon(tokens, at) {
        // Another crate's name.
        path.push(String::new());
        at += 2;
    }
    loop {
        match tokens.get(at) {
            Some(Token::Mark('{')) => {
                at += 1;
                while !tokens[at].is('}') {
                    at = use_tree(tokens, at, &path, is_public, imports);
                    at += usize::from(tokens[at].is(','));
                }
                return at + 1;
            }
            Some(Token::Mark('*')) => {
                imports.push(Import { path, name: "*".to_owned(), is_public });
                return at + 1;
            }
            Some(Token::Word(word)) => {
                path.push(word.clone());
                at += 1;
                if is_double_colon(tokens, at) {
                    at += 2;
                    continue;
                }
                if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
                    path.pop();
                }
                let mut name = path.last().cloned().unwrap_or_default();
                if tokens.get(at).and_then(Token::word) == Some("as") {
                    name = tokens[at + 1].word().expect("a name follows `as`").to_owned();
                    at += 2;
                }
                imports.push(Import { path, name, is_public });
                return at;
            }
            // `use<'_>` of a type.
            _ => return at,
        }
    }
}

fn is_double_colon(tokens: &[Token], at: usize) -> bool {
    matches!(tokens.get(at..at + 2), Some([Token::Mark(':'), Token::Mark(':')]))
}
