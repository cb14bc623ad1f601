//! Asks a package index, and says what its answers mean.

use url::Url;

use super::error::Fault;
use super::index::IndexSettings;
use super::page::{Wheel, wheel_of};
use crate::experiment::PackageFile;
use crate::model::download::{Answer, Contents, Credential, Web};

/// HTML too, though it can't be used: so an index that has no JSON says that it has a page.
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, text/html;q=0.01";

/// Speaks with one index, and with those that keep its files.
pub struct Client<'a> {
    index: &'a str,
    web: Web,
}

impl<'a> Client<'a> {
    pub fn new(IndexSettings { index, roots, .. }: &'a IndexSettings) -> Self {
        let shown = index.authorization.clone();
        let credential = shown.map(|value| Credential::new(value, &index.url, "the index's address"));
        Self { index: &index.url, web: Web::new(roots.clone(), credential, index.secrets.iter().cloned()) }
    }

    /// The wheel that should hold a file, with its size.
    pub fn wheel(&self, file: &PackageFile) -> Result<Wheel, Fault> {
        let answer = self.web.page(&format!("{}/{}/", self.index, file.package), ACCEPT)?;
        let index = || self.index.to_owned();
        let kind = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
        match answer.status() {
            404 => return Err(Fault::NoPackage { index: index() }),
            406 => return Err(Fault::HtmlOnly { index: index() }),
            _ => Self::check(&answer)?,
        }
        if kind.contains("html") {
            return Err(Fault::HtmlOnly { index: index() });
        }
        let url = answer.url.clone();
        let no_address = |reason: String| Fault::NotAnIndex { url: url.clone(), reason };
        let address = Url::parse(&url).map_err(|error| no_address(error.to_string()))?;
        let mut wheel = wheel_of(&answer.json()?, &address, &file.version, self.index)?;
        if wheel.size_bytes.is_none() {
            let answer = self.web.head(&wheel.url, None)?;
            Self::check(&answer)?;
            let size = answer.header("content-length").and_then(|size| size.parse().ok());
            wheel.size_bytes =
                Some(size.ok_or_else(|| no_address(format!("the size of {} is not stated", wheel.name)))?);
        }
        Ok(wheel)
    }

    /// The wheel from byte `from` on, or from 0 where the server gives whole files only.
    pub fn contents(&self, wheel: &Wheel, from: u64) -> Result<Contents, Fault> {
        let answer = self.web.file(&wheel.url, from)?;
        Self::check(&answer)?;
        Ok(answer.contents(from)?)
    }

    fn check(answer: &Answer) -> Result<(), Fault> {
        match answer.status() {
            status @ (401 | 403) => Err(Fault::Denied { url: answer.url.clone(), status }),
            status if status >= 400 => Err(Fault::Status { url: answer.url.clone(), status }),
            _ => Ok(()),
        }
    }
}
