//! Says which package index to ask and how, as the command line, the environment and pip's files have it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use url::Url;

use super::IndexError;
use super::cache::default_cache;
use super::error::Origin;
use super::pip::Pip;
use crate::model::download::{Access, Roots};
use crate::secret::Secret;

const DEFAULT: &str = "https://pypi.org/simple";

/// An index of packages.
#[derive(Clone, Debug)]
pub struct Index {
    /// Without a slash at its end, a user and a password.
    pub url: String,
    /// What the header `Authorization` says, where the address had a user.
    pub authorization: Option<String>,
    /// What of the address must not come out again.
    pub secrets: Vec<Secret>,
}

/// Where to fetch from, and where to.
#[derive(Clone, Debug)]
pub struct IndexSettings {
    pub index: Index,
    pub roots: Roots,
    /// The directory of all models that came in packages.
    pub cache: PathBuf,
    pub access: Access,
}

impl IndexSettings {
    /// What the command line's `--index-url` says, else the environment and pip's files.
    ///
    /// # Errors
    /// When what they name can't be used.
    pub fn from_env(index_url: Option<&str>, access: Access) -> Result<Self, IndexError> {
        Self::from_variables(index_url, access, &|name| std::env::var_os(name))
    }

    fn from_variables(
        index_url: Option<&str>,
        access: Access,
        variable: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Self, IndexError> {
        let pip = Pip::read(variable)?;
        let stated = index_url.map(|url| (url.to_owned(), Origin::CommandLine)).or_else(|| pip.get("index-url"));
        let (url, origin) = stated.unwrap_or_else(|| (DEFAULT.to_owned(), Origin::Default));
        let roots = pip.get("cert").map(|(path, origin)| roots(Path::new(&path), origin)).transpose()?;
        let index = Index::new(&url, origin)?;
        Ok(Self { index, roots: roots.unwrap_or_default(), cache: default_cache(), access })
    }
}

fn roots(path: &Path, origin: Origin) -> Result<Roots, IndexError> {
    let unusable = |reason: String| IndexError::Certificates { origin: origin.clone(), path: path.to_owned(), reason };
    let pem = crate::regular_file::read(path).map_err(|error| unusable(format!("can't be read: {error}")))?;
    Roots::from_pem(&pem).ok_or_else(|| unusable("contains no certificate".to_owned()))
}

impl Index {
    /// The index at this address, in which a user and a password may stand.
    pub fn new(url: &str, origin: Origin) -> Result<Self, IndexError> {
        // What can't be understood is not shown: it may hold a password.
        let bad = |reason: String| IndexError::Address { origin, reason };
        let mut url = match Url::parse(url) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
            Ok(_) => return Err(bad("it does not begin with https:// or http://".to_owned())),
            Err(error) => return Err(bad(error.to_string())),
        };
        let (user, password) = (decoded(url.username()), url.password().map(decoded));
        let raw = [url.password(), Some(url.username()).filter(|_| url.password().is_none())];
        let mut secrets: Vec<_> = raw.into_iter().flatten().filter_map(Secret::new).collect();
        // A user without a password is a token.
        secrets.extend(Secret::new(password.as_deref().unwrap_or(&user)));
        let shown = !user.is_empty() || password.is_some();
        let authorization = shown.then(|| {
            let encoded = BASE64_STANDARD.encode(format!("{user}:{}", password.as_deref().unwrap_or_default()));
            secrets.extend(Secret::new(&encoded));
            format!("Basic {encoded}")
        });
        // Of an http address this can't fail.
        let _ = (url.set_username(""), url.set_password(None));
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self { url: url.as_str().trim_end_matches('/').to_owned(), authorization, secrets })
    }
}

/// A user or a password as it was before it was written into an address.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let digits = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(url: &str) -> Index {
        Index::new(url, Origin::CommandLine).expect("an address")
    }

    #[test]
    fn an_address_is_kept_without_its_user_and_password() {
        let found = index("https://me:p%40ss%3Aword1@host:8/simple/?x#y");
        assert_eq!(found.url, "https://host:8/simple");
        // `me:p@ss:word1`
        assert_eq!(found.authorization.as_deref(), Some("Basic bWU6cEBzczp3b3JkMQ=="));
        let secrets = crate::secret::Secrets::new(found.secrets);
        for shown in ["p@ss:word1", "p%40ss%3Aword1", "bWU6cEBzczp3b3JkMQ=="] {
            assert!(secrets.text(shown.as_bytes()).starts_with("[key]"), "{shown}");
        }
        let token = index("https://pypi-0123456789@host/simple");
        assert_eq!(crate::secret::Secrets::new(token.secrets).text(b"pypi-0123456789"), "[key]");
        assert_eq!(index("https://host/simple/").authorization, None);
    }

    #[test]
    fn what_is_no_address_is_refused_and_not_shown() {
        for bad in ["", "pypi.org/simple", "file:///srv/simple", "https://", "https://me:hunter2secret@[/simple"] {
            let said = Index::new(bad, Origin::Variable("PIP_INDEX_URL".into())).expect_err(bad).to_string();
            assert!(said.starts_with("the variable PIP_INDEX_URL does not name a package index: "), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn certificates_that_cannot_be_read_are_named() {
        let pem = tempfile::NamedTempFile::new().expect("a file");
        let with = |path: &Path| {
            let find = |name: &str| match name {
                "PIP_CERT" => Some(path.into()),
                "PIP_CONFIG_FILE" => Some("/dev/null".into()),
                _ => None,
            };
            IndexSettings::from_variables(None, Access::Online, &find).expect_err("no certificates").to_string()
        };
        let said = with(pem.path());
        assert_eq!(
            said,
            format!("the variable PIP_CERT names {}, which contains no certificate", pem.path().display())
        );
        assert!(with(Path::new("/no/such.pem")).contains("which can't be read"));
    }
}
