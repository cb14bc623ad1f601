//! Documents and comments name only what there is: files, folders, headings, items of the code, targets of make.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::architecture::sources::{Token, root, sources, sources_in};

/// What is written for people. The change log is looked at for its links only: it tells of files as they were.
const DOCUMENTS: [&str; 5] = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "docs", "crates"];
const CHANGELOG: &str = "CHANGELOG.md";
/// The contents of the book that `make book` builds, and what must be in it.
const SUMMARY: &str = "docs/SUMMARY.md";
const CHAPTERS: [&str; 6] = ["README.md", CHANGELOG, "CONTRIBUTING.md", "SECURITY.md", "docs", "models"];
/// Where comments are.
const COMMENTED: [&str; 8] = ["src", "crates", "forge", "benches", "examples", "tests", "scripts", "Makefile"];

/// What documents do not say, with what they say instead: one word for one thing (docs/glossary.md).
const SAID_OTHERWISE: [(&str, &str); 6] = [
    ("accelerator", "GPU"),
    ("anew", "again"),
    ("hang on", "depend on"),
    ("hangs on", "depends on"),
    ("a row a", "one row per"),
    ("so that the effect can show", "so that the effect is easy to see"),
];

/// Not part of the repository: what is built, and what runs leave.
const NOT_OURS: [&str; 5] = [".git", "target", "target-cuda", "target-vulkan", "results"];
/// What is, although it lies in one of these.
const BASELINES: &str = "results/baselines";

/// What is named like a file of ours and is none, with the document or source that says it. What is said no more must
/// leave the list.
const OTHERS: [(&str, &str); 5] = [
    // llama.cpp's.
    ("docs/chains.md", "src/llama-sampler.cpp"),
    ("forge/src/shape/file.rs", "docs/gguf.md"),
    // Folders of a run.
    ("docs/outputs.md", "plots/"),
    ("docs/decisions.md", "plots/"),
    // What a command makes.
    ("docs/sequential.md", "experiments/order.toml"),
];

#[test]
fn paths_that_documents_name_are_there() {
    let tree = Tree::read();
    let mut absent = BTreeSet::new();
    for (document, text) in documents() {
        let mut named: Vec<_> = paths(&text).filter(|path| tree.begins_at_root(path)).collect();
        let prose = without_fences(&text);
        named.extend(quoted(&prose).flat_map(paths).filter(|path| looks_like_ours(path)));
        absent.extend(tree.absent(&document, named));
    }
    for source in tree.files(&COMMENTED) {
        let Ok(text) = fs::read_to_string(root().join(source)) else { continue };
        let comments = text.lines().filter_map(comment);
        let is_source = |path: &&str| path.ends_with(".rs") || path.starts_with("docs/");
        absent.extend(tree.absent(source, comments.flat_map(paths).filter(is_source)));
    }
    let known = BTreeSet::from(OTHERS.map(|(place, path)| (place.to_owned(), path.to_owned())));
    let new: Vec<_> = absent.difference(&known).collect();
    assert!(new.is_empty(), "these name what is not there: {new:#?}");
    let expired: Vec<_> = known.difference(&absent).collect();
    assert!(expired.is_empty(), "these are named no more, or are there: take them off the list: {expired:#?}");
}

#[test]
fn links_lead_to_what_is_there() {
    let log = (CHANGELOG.to_owned(), fs::read_to_string(root().join(CHANGELOG)).unwrap());
    let mut n_links = 0;
    for (document, text) in documents().into_iter().chain([log]) {
        for link in links(&text).filter(|link| !link.contains("://")) {
            n_links += 1;
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let here = root().join(&document);
            let target = if file.is_empty() { here } else { here.parent().unwrap().join(file) };
            assert!(target.exists(), "{document} has a link to {link}, and there is no such file");
            if !heading.is_empty() {
                let headings: Vec<_> = headings(&fs::read_to_string(&target).unwrap()).collect();
                assert!(headings.iter().any(|there| there == heading), "{document}: {link} is none of {headings:?}");
            }
        }
    }
    assert!(n_links > 50, "only {n_links} links were found");
}

#[test]
fn the_book_has_each_document_once() {
    let summary = fs::read_to_string(root().join(SUMMARY)).unwrap();
    let mut chapters: Vec<_> = links(&summary).map(|link| from_root(SUMMARY, link)).collect();
    chapters.sort();
    let tree = Tree::read();
    let documents = tree.files(&CHAPTERS).filter(|file| file.ends_with(".md") && *file != SUMMARY);
    assert_eq!(chapters, documents.collect::<Vec<_>>());
}

#[test]
fn documents_have_one_word_for_one_thing() {
    let mut found = vec![];
    for (document, text) in documents() {
        let prose =
            without_fences(&text).lines().filter(|line| !line.starts_with("    ")).collect::<Vec<_>>().join(" ");
        let said = format!(" {} ", words(&prose).join(" "));
        let otherwise = SAID_OTHERWISE.iter().filter(|(not, _)| said.contains(&format!(" {not} ")));
        found.extend(otherwise.map(|(not, but)| format!("{document}: write \"{but}\", not \"{not}\"")));
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn items_that_documents_name_are_in_the_code() {
    let sources = [sources(), &sources_in(&root().join("forge/src"))].concat();
    let code: BTreeSet<_> = sources.iter().flat_map(|source| source.tokens.iter().filter_map(Token::word)).collect();
    let mut n_items = 0;
    for (document, text) in documents() {
        for item in quoted(&without_fences(&text)).flat_map(str::split_whitespace).filter(|word| word.contains("::")) {
            n_items += 1;
            let mut words = item.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
            assert!(words.all(|word| code.contains(word)), "{document} names {item}, which is not in the code");
        }
    }
    assert!(n_items > 10, "only {n_items} items were found");
}

#[test]
fn targets_of_make_that_documents_name_are_there() {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let targets: BTreeSet<_> = makefile.lines().filter_map(|line| line.split_once(':')).map(|(head, _)| head).collect();
    let mut n_targets = 0;
    for (document, text) in documents() {
        let lines = text.lines().map(str::trim_start);
        for command in quoted(&without_fences(&text)).chain(lines).filter_map(|words| words.strip_prefix("make ")) {
            let Some(target) = command.split_whitespace().find(|word| !word.contains('=')) else { continue };
            n_targets += 1;
            assert!(targets.contains(target), "{document} names make {target}, which the Makefile has not");
        }
    }
    assert!(n_targets > 20, "only {n_targets} targets were found");
}

/// Every file and folder of the repository, from its root.
struct Tree {
    files: BTreeSet<String>,
    folders: BTreeSet<String>,
}

impl Tree {
    fn read() -> Self {
        let mut tree = Self { files: BTreeSet::new(), folders: BTreeSet::new() };
        tree.collect(root());
        tree.folders.insert(BASELINES.to_owned());
        tree.collect(&root().join(BASELINES));
        tree
    }

    fn collect(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let shown = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            if NOT_OURS.contains(&&*shown) {
            } else if path.is_dir() {
                self.folders.insert(shown);
                self.collect(&path);
            } else {
                self.files.insert(shown);
            }
        }
    }

    /// The files at and below these paths.
    fn files<'t>(&'t self, paths: &'static [&str]) -> impl Iterator<Item = &'t str> {
        let below = |file: &str| paths.iter().any(|path| Path::new(file).starts_with(path));
        self.files.iter().map(String::as_str).filter(move |file| below(file))
    }

    /// Whether the path has several parts, of which the first is a folder at the root.
    fn begins_at_root(&self, path: &str) -> bool {
        path.split_once('/').is_some_and(|(first, _)| self.folders.contains(first))
    }

    /// Those of the paths that `place` names and that are not there, with the place. A path is looked for at the root and
    /// in the crate of the place, and anywhere if it begins with no folder of the root.
    fn absent<'p>(&self, place: &str, paths: impl IntoIterator<Item = &'p str>) -> Vec<(String, String)> {
        let mut parts = place.split('/');
        let home = match (parts.next(), parts.next()) {
            (Some("crates"), Some(name)) => format!("crates/{name}/"),
            (Some("forge"), Some(_)) => "forge/".to_owned(),
            _ => String::new(),
        };
        let is_absent = |path: &&str| {
            let files = self.files.iter().filter(|_| !path.ends_with('/'));
            let wanted = path.trim_end_matches('/');
            !self.folders.iter().chain(files).any(|there| {
                let at_home = there.strip_prefix(&home).is_some_and(|rest| is_like(rest, wanted));
                at_home || is_like(there, wanted) || (!self.begins_at_root(path) && ends_like(there, wanted))
            })
        };
        paths.into_iter().filter(is_absent).map(|path| (place.to_owned(), path.to_owned())).collect()
    }
}

/// Whether the path's last parts are those of the pattern.
fn ends_like(path: &str, pattern: &str) -> bool {
    let (n_parts, n_wanted) = (path.split('/').count(), pattern.split('/').count());
    n_parts >= n_wanted
        && path.split('/').skip(n_parts - n_wanted).zip(pattern.split('/')).all(|(part, like)| is_part(part, like))
}

fn is_like(path: &str, pattern: &str) -> bool {
    path.split('/').count() == pattern.split('/').count() && ends_like(path, pattern)
}

/// `*` stands for any letters; a part in capitals, such as NAME, for any part.
fn is_part(part: &str, pattern: &str) -> bool {
    let is_placeholder = pattern.len() > 1 && pattern.chars().all(|c| c.is_ascii_uppercase());
    match pattern.split_once('*') {
        Some((begin, end)) => part.len() >= begin.len() + end.len() && part.starts_with(begin) && part.ends_with(end),
        None => is_placeholder || part == pattern,
    }
}

/// The documents with their texts.
fn documents() -> Vec<(String, String)> {
    let tree = Tree::read();
    let documents = tree.files(&DOCUMENTS).filter(|file| file.ends_with(".md"));
    documents.map(|file| (file.to_owned(), fs::read_to_string(root().join(file)).unwrap())).collect()
}

/// Whatever may be a path.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_alphanumeric() && !"_-./*".contains(c));
    words.map(|word| word.trim_end_matches(['.', '-'])).filter(|word| !word.starts_with(['/', '.', '-']))
}

/// Whether what stands between backticks is a source or a folder.
fn looks_like_ours(path: &str) -> bool {
    let is_source = [".rs", ".py"].iter().any(|ending| path.len() > ending.len() && path.ends_with(ending));
    let is_folder = path.ends_with('/') && path.chars().any(char::is_alphabetic);
    is_source || is_folder
}

fn without_fences(text: &str) -> String {
    text.split("\n```").step_by(2).collect::<Vec<_>>().join("\n")
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link)
}

/// In small letters.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// Where a link of the document leads, as a path from the root.
fn from_root(document: &str, link: &str) -> String {
    let folder = Path::new(document).parent().unwrap();
    match link.strip_prefix("../") {
        Some(above) => folder.parent().unwrap().join(above),
        None => folder.join(link),
    }
    .to_str()
    .unwrap()
    .to_owned()
}

/// The headings as GitHub makes anchors of them.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let lines = text.lines().filter(|line| line.starts_with('#'));
    lines.map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        title.chars().filter(|c| c.is_alphanumeric() || " _-".contains(*c)).collect::<String>().replace(' ', "-")
    })
}

/// What a line of Rust, Python or the Makefile says in a comment.
fn comment(line: &str) -> Option<&str> {
    let at = line.find("// ").or(line.find("//!")).or(line.find("/// ")).or(line.find("# "))?;
    Some(&line[at..])
}
