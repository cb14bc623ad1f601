//! Asks the hub, in the words that it understands, and says what its answers mean.

use super::{HubError, HubSettings};
use crate::experiment::{HubFile, shown_url};
use crate::model::download::{Answer, Contents, Credential, Roots, Web, encoded};
use crate::secret::Secret;

/// Speaks with one hub.
pub struct Client<'a> {
    settings: &'a HubSettings,
    web: Web,
}

/// What the hub says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    pub commit: String,
    /// The name of its blob.
    pub etag: String,
    pub size_bytes: u64,
}

impl Metadata {
    /// The SHA-256 of the contents; None for the small files that Git itself keeps.
    pub fn sha256(&self) -> Option<&str> {
        let hexadecimal = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (self.etag.len() == 64 && self.etag.bytes().all(hexadecimal)).then_some(&*self.etag)
    }
}

impl<'a> Client<'a> {
    pub fn new(settings: &'a HubSettings) -> Self {
        let token = settings.token.as_ref();
        let credential = token.map(|token| Credential::new(token.bearer(), &settings.endpoint, "HF_TOKEN"));
        let password = password(&settings.endpoint).and_then(Secret::new);
        let secrets = settings.token.clone().into_iter().chain(password);
        Self { settings, web: Web::new(Roots::Platform, credential, secrets) }
    }

    /// Asks what `name`, a file of `file`'s repository, is at `revision`.
    pub fn metadata(&self, file: &HubFile, name: &str, revision: &str) -> Result<Metadata, HubError> {
        // The answer that leads away from the hub holds what we want to know.
        let answer = self.web.head(&self.url(file, name, revision), Some("x-linked-etag"))?;
        self.check(&answer, file, name)?;
        let missing = |what: &str| HubError::NotTheHub {
            url: answer.url.clone(),
            reason: format!("it does not state its {what}"),
        };
        let etag = answer.header("x-linked-etag").or_else(|| answer.header("etag")).as_deref().and_then(plain_etag);
        let size = answer.header("x-linked-size").or_else(|| answer.header("content-length"));
        let commit = answer.header("x-repo-commit").filter(|commit| super::cache::is_commit(commit));
        Ok(Metadata {
            commit: commit.ok_or_else(|| missing("commit"))?,
            etag: etag.ok_or_else(|| missing("usable entity tag"))?,
            size_bytes: size.and_then(|size| size.parse().ok()).ok_or_else(|| missing("size"))?,
        })
    }

    /// The contents of `name` from byte `from` on, or from 0 where the server
    /// gives whole files only.
    pub fn contents(&self, file: &HubFile, name: &str, revision: &str, from: u64) -> Result<Contents, HubError> {
        let answer = self.web.file(&self.url(file, name, revision), from)?;
        self.check(&answer, file, name)?;
        Ok(answer.contents(from)?)
    }

    fn url(&self, file: &HubFile, name: &str, revision: &str) -> String {
        // A revision may hold a slash, which is no separator here.
        let revision = encoded(revision).replace('/', "%2F");
        format!("{}/{}/resolve/{revision}/{}", self.settings.endpoint, file.repo, encoded(name))
    }

    /// What an answer's status says. The hub tells its reasons apart in
    /// `X-Error-Code`; without it the status has to do.
    fn check(&self, answer: &Answer, file: &HubFile, name: &str) -> Result<(), HubError> {
        let status = answer.status();
        if status < 400 {
            return Ok(());
        }
        let page = format!("{}/{}", shown_url(&self.settings.endpoint), file.repo);
        let file = file.clone();
        Err(match (status, answer.header("x-error-code").as_deref()) {
            (_, Some("GatedRepo")) | (403, None) => HubError::Gated { file, page },
            (_, Some("EntryNotFound")) | (404, None) => HubError::NoFile { file, name: name.to_owned(), page },
            (_, Some("RevisionNotFound")) => HubError::NoRevision { file, page },
            (_, Some("RepoNotFound")) | (401 | 403, _) => HubError::NoRepository { file, page },
            _ => HubError::Status { url: answer.url.clone(), status },
        })
    }
}

/// The password in an address.
fn password(url: &str) -> Option<&str> {
    let authority = url.split_once("://")?.1.split(['/', '?', '#']).next()?;
    Some(authority.rsplit_once('@')?.0.split_once(':')?.1)
}

/// An entity tag without its quotes, if it can be a file's name.
fn plain_etag(etag: &str) -> Option<String> {
    let etag = etag.trim_start_matches("W/").trim_matches('"');
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    (!etag.is_empty() && etag.len() <= 128 && etag.bytes().all(allowed)).then(|| etag.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_tag_is_taken_without_its_quotes_and_never_as_a_path() {
        assert_eq!(plain_etag("\"abc\"").as_deref(), Some("abc"));
        assert_eq!(plain_etag("W/\"abc\"").as_deref(), Some("abc"));
        for bad in ["", "\"\"", "\"../x\"", "\"a/b\"", "a.b"] {
            assert_eq!(plain_etag(bad), None, "{bad}");
        }
    }
}
