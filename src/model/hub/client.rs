//! Sends requests to the hub, and is with `engine::http` the only place that knows ureq.
//!
//! Hands out nothing that was answered but through `secret`, which scrubs the token; the contents of a file
//! aside, which are kept as they are.
//!
//! Redirects are followed here and not by the library, because the hub says
//! what a file is (commit, hash, size) in the answer that sends us elsewhere,
//! and because the token is for the hub alone.

use std::io::{self, Read};
use std::time::Duration;

use ureq::config::Config;
use ureq::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, ETAG, LOCATION, RANGE};
use ureq::http::{HeaderMap, Method, Request, Response, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::{HubError, HubSettings};
use crate::experiment::{HubFile, shown_url};
use crate::proxy::Proxy;
use crate::secret::{Secret, Secrets};

/// A server that says nothing for so long will not say more.
const SILENCE: Duration = Duration::from_secs(30);
const MAX_HOPS: usize = 10;

/// Speaks with one hub.
pub struct Client<'a> {
    settings: &'a HubSettings,
    agent: Agent,
    /// What was shown to somebody, and must not come out again.
    secrets: Secrets,
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

/// The contents of a file, or the end of them.
pub struct Contents {
    /// The byte with which they begin: the one asked for, or 0.
    pub from: u64,
    body: Box<dyn Read>,
    secrets: Secrets,
}

impl Contents {
    /// The next bytes, 0 at the end.
    ///
    /// # Errors
    /// In words, when it broke off.
    pub fn read(&mut self, chunk: &mut [u8]) -> Result<usize, String> {
        loop {
            match self.body.read(chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read.map_err(|error| self.secrets.text(error.to_string().as_bytes())),
            }
        }
    }
}

impl<'a> Client<'a> {
    pub fn new(settings: &'a HubSettings) -> Self {
        let config = Config::builder()
            .http_status_as_error(false)
            // Chosen for each hop: one may lead to another scheme.
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("moe-sweep/", env!("CARGO_PKG_VERSION")))
            // A length and a range are those of the file, not of its compressed form.
            .accept_encoding("identity")
            .timeout_resolve(Some(SILENCE))
            .timeout_connect(Some(SILENCE))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build());
        let endpoint: Option<Uri> = settings.endpoint.parse().ok();
        let password = endpoint.as_ref().and_then(|uri| uri.authority()?.as_str().rsplit_once('@')?.0.split_once(':'));
        let password = password.and_then(|(_, password)| Secret::new(password));
        let proxies = ["http", "https"].map(|scheme| Proxy::from_env(&format!("{scheme}://hub")).ok().flatten());
        let proxies = proxies.iter().flatten().filter_map(Proxy::password);
        let secrets = Secrets::new(settings.token.clone().into_iter().chain(password).chain(proxies));
        Self { settings, agent: config.build().new_agent(), secrets }
    }

    /// Asks what `name`, a file of `file`'s repository, is at `revision`.
    pub fn metadata(&self, file: &HubFile, name: &str, revision: &str) -> Result<Metadata, HubError> {
        let url = self.url(file, name, revision);
        // The answer that leads away from the hub holds what we want to know.
        let (response, url) = self.send(&Method::HEAD, &url, None, |headers| !headers.contains_key("x-linked-etag"))?;
        self.check(&response, file, name, &url)?;
        let header = |name: &str| self.header(&response, name);
        let missing = |what: &str| HubError::NotTheHub { url: url.clone(), reason: format!("it states no {what}") };
        let etag = header("x-linked-etag").or_else(|| header(ETAG.as_str())).as_deref().and_then(plain_etag);
        let size = header("x-linked-size").or_else(|| header(CONTENT_LENGTH.as_str()));
        let commit = header("x-repo-commit").filter(|commit| super::cache::is_commit(commit));
        Ok(Metadata {
            commit: commit.ok_or_else(|| missing("commit"))?,
            etag: etag.ok_or_else(|| missing("usable entity tag"))?,
            size_bytes: size.and_then(|size| size.parse().ok()).ok_or_else(|| missing("size"))?,
        })
    }

    /// The contents of `name` from byte `from` on, or from 0 where the server
    /// gives whole files only.
    pub fn contents(&self, file: &HubFile, name: &str, revision: &str, from: u64) -> Result<Contents, HubError> {
        let url = self.url(file, name, revision);
        let range = (from > 0).then(|| format!("bytes={from}-"));
        let (response, url) = self.send(&Method::GET, &url, range.as_deref(), |_| true)?;
        self.check(&response, file, name, &url)?;
        let from = match response.status().as_u16() {
            206 => {
                let begins = self.header(&response, CONTENT_RANGE.as_str()).as_deref().and_then(first_byte);
                if begins != Some(from) {
                    let reason = format!("asked for bytes from {from} on, it gave others");
                    return Err(HubError::NotTheHub { url, reason });
                }
                from
            }
            _ => 0,
        };
        let body = response.into_body().into_with_config().limit(u64::MAX).reader();
        Ok(Contents { from, body: Box::new(body), secrets: self.secrets.clone() })
    }

    fn url(&self, file: &HubFile, name: &str, revision: &str) -> String {
        // A revision may hold a slash, which is no separator here.
        let revision = encoded(revision).replace('/', "%2F");
        format!("{}/{}/resolve/{revision}/{}", self.settings.endpoint, file.repo, encoded(name))
    }

    /// Sends a request and follows redirects as long as `follow` allows it of
    /// an answer's headers; returns the last answer and who gave it.
    fn send(
        &self,
        method: &Method,
        url: &str,
        range: Option<&str>,
        follow: impl Fn(&HeaderMap) -> bool,
    ) -> Result<(Response<Body>, String), HubError> {
        let broken = |url: &str, reason: String| HubError::NotTheHub { url: shown_url(url), reason };
        let mut uri: Uri = url.parse().map_err(|error| broken(url, format!("{error}")))?;
        let endpoint = origin(&uri);
        for _ in 0..MAX_HOPS {
            let mut request = Request::builder().method(method.clone()).uri(uri.clone());
            if let Some(range) = range {
                request = request.header(RANGE, range);
            }
            if let Some(token) = self.settings.token.as_ref().filter(|_| origin(&uri) == endpoint) {
                request = request.header(AUTHORIZATION, token.bearer());
            }
            let shown = self.secrets.scrub(shown(&uri));
            // The text of a header that can't be sent is not in the error.
            let request = request.body(()).map_err(|_| broken(&shown, "HF_TOKEN holds no token".to_owned()))?;
            let lost = |reason: String| HubError::Connection { url: shown.clone(), reason };
            let response = match Proxy::from_env(&shown)? {
                None => self.agent.run(request).map_err(|error| lost(self.plain(&error)))?,
                Some(proxy) => {
                    let through = ureq::Proxy::new(&proxy.url).map_err(|_| proxy.clone().unusable())?;
                    let request = self.agent.configure_request(request).proxy(Some(through)).build();
                    let response = self.agent.run(request);
                    response.map_err(|error| lost(format!("{}, {}", self.plain(&error), proxy.by_way_of())))?
                }
            };
            if !response.status().is_redirection() || !follow(response.headers()) {
                return Ok((response, shown));
            }
            let location = self.header(&response, LOCATION.as_str());
            let next = location.and_then(|location| joined(&uri, &location));
            uri = next.ok_or_else(|| broken(&shown, "it redirects to nowhere".to_owned()))?;
        }
        Err(broken(url, "it redirects without end".to_owned()))
    }

    fn header<T>(&self, response: &Response<T>, name: &str) -> Option<String> {
        Some(self.secrets.text(response.headers().get(name)?.as_bytes()))
    }

    fn plain(&self, error: &ureq::Error) -> String {
        self.secrets.text(error.to_string().as_bytes())
    }

    /// What an answer's status says. The hub tells its reasons apart in
    /// `X-Error-Code`; without it the status has to do.
    fn check<T>(&self, response: &Response<T>, file: &HubFile, name: &str, url: &str) -> Result<(), HubError> {
        let status = response.status().as_u16();
        if status < 400 {
            return Ok(());
        }
        let page = format!("{}/{}", shown_url(&self.settings.endpoint), file.repo);
        let file = file.clone();
        Err(match (status, self.header(response, "x-error-code").as_deref()) {
            (_, Some("GatedRepo")) | (403, None) => HubError::Gated { file, page },
            (_, Some("EntryNotFound")) | (404, None) => HubError::NoFile { file, name: name.to_owned(), page },
            (_, Some("RevisionNotFound")) => HubError::NoRevision { file, page },
            (_, Some("RepoNotFound")) | (401 | 403, _) => HubError::NoRepository { file, page },
            _ => HubError::Status { url: url.to_owned(), status },
        })
    }
}

/// An entity tag without its quotes, if it can be a file's name.
fn plain_etag(etag: &str) -> Option<String> {
    let etag = etag.trim_start_matches("W/").trim_matches('"');
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    (!etag.is_empty() && etag.len() <= 128 && etag.bytes().all(allowed)).then(|| etag.to_owned())
}

/// Of `bytes 5-9/10`, the 5.
fn first_byte(range: &str) -> Option<u64> {
    range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

/// Whom a token is for: scheme, host and port.
fn origin(uri: &Uri) -> (Option<String>, Option<String>) {
    (uri.scheme_str().map(str::to_owned), uri.authority().map(|authority| authority.as_str().to_ascii_lowercase()))
}

/// An address without what follows `?`, for a redirect's query is a key to the file, and without a user
/// and a password.
fn shown(uri: &Uri) -> String {
    let host = uri.authority().map_or("?", |authority| authority.as_str());
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{}://{host}{}", uri.scheme_str().unwrap_or("?"), uri.path())
}

/// Where a redirect from `uri` leads: an address of its own, or a path.
fn joined(uri: &Uri, location: &str) -> Option<Uri> {
    if location.starts_with('/') && !location.starts_with("//") {
        let authority = uri.authority()?;
        return format!("{}://{authority}{location}", uri.scheme_str()?).parse().ok();
    }
    location.parse().ok().filter(|next: &Uri| matches!(next.scheme_str(), Some("http" | "https")))
}

/// Percent-encoded, slashes aside (RFC 3986, § 2.3: what need not be).
fn encoded(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~/".contains(&b);
    path.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
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

    #[test]
    fn a_redirect_leads_to_a_path_or_to_another_host_but_not_to_a_file() {
        let uri: Uri = "https://hub:8/a/b?c".parse().expect("a URI");
        let to = |location: &str| joined(&uri, location).map(|uri| uri.to_string());
        assert_eq!(to("/x?y").as_deref(), Some("https://hub:8/x?y"));
        assert_eq!(to("http://cdn/x").as_deref(), Some("http://cdn/x"));
        for nowhere in ["file:///etc/passwd", "x", "//cdn/x", ""] {
            assert_eq!(to(nowhere), None, "{nowhere}");
        }
        assert_eq!(shown(&"https://me:secret@cdn/x?Signature=secret".parse().expect("a URI")), "https://cdn/x");
    }

    #[test]
    fn names_are_encoded_for_an_address() {
        assert_eq!(encoded("Q4 K/m+1.gguf"), "Q4%20K/m%2B1.gguf");
        assert_eq!(first_byte("bytes 5-9/10"), Some(5));
        assert_eq!(first_byte("5-9/10"), None);
    }
}
