//! Sends requests, and is with `engine::http` the only place that knows ureq.
//!
//! Hands out nothing that was answered but through `secret`, which scrubs tokens and passwords; the contents of a file
//! aside, which are kept as they are.
//!
//! Redirects are followed here and not by the library, because the hub says what a file is (commit, hash, size) in the
//! answer that sends us elsewhere, and because a token is for whom it was given alone.

use std::io::{self, Read};
use std::time::Duration;

use serde_json::Value;
use ureq::config::Config;
use ureq::http::header::{AUTHORIZATION, CONTENT_RANGE, LOCATION, RANGE};
use ureq::http::{Method, Request, Response, Uri};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

use super::TransferError;
use crate::experiment::shown_url;
use crate::proxy::Proxy;
use crate::secret::{Secret, Secrets};

/// A server that says nothing for so long will not say more.
const SILENCE: Duration = Duration::from_secs(30);
const MAX_HOPS: usize = 10;
/// A page that says what there is takes less.
const MAX_PAGE_BYTES: u64 = 64 << 20;

/// Speaks with the servers that have files.
pub struct Web {
    agent: Agent,
    credential: Option<Credential>,
    /// What was shown to somebody, and must not come out again.
    secrets: Secrets,
}

/// What is shown to one server, and to no other.
pub struct Credential {
    /// The value of the header.
    value: String,
    origin: Origin,
    /// What it was taken from, for the case that it can't be sent.
    holder: &'static str,
}

/// Whom a token is for: scheme, host and port.
type Origin = (Option<String>, Option<String>);

/// Whose certificates are trusted.
#[derive(Clone, Debug, Default)]
pub enum Roots {
    #[default]
    Platform,
    Specific(Vec<Certificate<'static>>),
}

/// What was answered, its contents aside.
pub struct Answer {
    /// Who answered at last: without a query, a user and a password.
    pub url: String,
    response: Response<Body>,
    secrets: Secrets,
}

/// The contents of a file, or the end of them.
pub struct Contents {
    /// The byte with which they begin: the one asked for, or 0.
    pub from: u64,
    body: Box<dyn Read>,
    secrets: Secrets,
}

impl Credential {
    /// The value of the header `Authorization` for the server of `url`.
    pub fn new(value: String, url: &str, holder: &'static str) -> Self {
        let origin = url.parse().map_or((None, None), |uri| origin(&uri));
        Self { value, origin, holder }
    }
}

impl Roots {
    /// Those of a PEM file; None where it holds no certificate.
    pub fn from_pem(pem: &[u8]) -> Option<Self> {
        let certificates = parse_pem(pem).filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        });
        Some(certificates.collect::<Vec<_>>()).filter(|found| !found.is_empty()).map(Self::Specific)
    }
}

impl Web {
    /// Trusts `roots`, shows `credential` to whom it is for, and lets out none of `secrets`.
    pub fn new(roots: Roots, credential: Option<Credential>, secrets: impl IntoIterator<Item = Secret>) -> Self {
        let roots = match roots {
            Roots::Platform => RootCerts::PlatformVerifier,
            Roots::Specific(certificates) => certificates.into(),
        };
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
            .tls_config(TlsConfig::builder().root_certs(roots).build());
        let proxies = ["http", "https"].map(|scheme| Proxy::from_env(&format!("{scheme}://hub")).ok().flatten());
        let proxies = proxies.iter().flatten().filter_map(Proxy::password);
        let secrets = Secrets::new(secrets.into_iter().chain(proxies));
        Self { agent: config.build().new_agent(), credential, secrets }
    }

    /// What a server says of `url`. A redirect is followed, but for one whose answer has the header `until`.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn head(&self, url: &str, until: Option<&str>) -> Result<Answer, TransferError> {
        self.send(&Method::HEAD, url, None, |answer| until.and_then(|name| answer.header(name)).is_none())
    }

    /// The page at `url`, in the kind that `accept` names.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn page(&self, url: &str, accept: &str) -> Result<Answer, TransferError> {
        self.send(&Method::GET, url, Some(("accept", accept)), |_| true)
    }

    /// The contents of `url` from byte `from` on, or from 0 where the server gives whole files only.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn file(&self, url: &str, from: u64) -> Result<Answer, TransferError> {
        let range = format!("bytes={from}-");
        self.send(&Method::GET, url, (from > 0).then_some((RANGE.as_str(), &*range)), |_| true)
    }

    /// Sends a request and follows redirects as long as `follow` allows it.
    fn send(
        &self,
        method: &Method,
        url: &str,
        header: Option<(&str, &str)>,
        follow: impl Fn(&Answer) -> bool,
    ) -> Result<Answer, TransferError> {
        let broken = |url: &str, reason: String| TransferError::Nonsense { url: shown_url(url), reason };
        let mut uri: Uri = url.parse().map_err(|error| broken(url, format!("{error}")))?;
        for _ in 0..MAX_HOPS {
            let mut request = Request::builder().method(method.clone()).uri(uri.clone());
            if let Some((name, value)) = header {
                request = request.header(name, value);
            }
            let credential = self.credential.as_ref().filter(|credential| origin(&uri) == credential.origin);
            if let Some(credential) = credential {
                request = request.header(AUTHORIZATION, &credential.value);
            }
            let shown = self.secrets.scrub(shown(&uri));
            // The text of a header that can't be sent is not in the error.
            let holder = credential.map_or("the address", |credential| credential.holder);
            let request = request.body(()).map_err(|_| broken(&shown, format!("{holder} does not contain a token")))?;
            let lost = |reason: String| TransferError::Connection { url: shown.clone(), reason };
            let response = match Proxy::from_env(&shown)? {
                None => self.agent.run(request).map_err(|error| lost(self.plain(&error)))?,
                Some(proxy) => {
                    let through = ureq::Proxy::new(&proxy.url).map_err(|_| proxy.clone().unusable())?;
                    let request = self.agent.configure_request(request).proxy(Some(through)).build();
                    let response = self.agent.run(request);
                    response.map_err(|error| lost(format!("{}, {}", self.plain(&error), proxy.by_way_of())))?
                }
            };
            let answer = Answer { url: shown, response, secrets: self.secrets.clone() };
            if !answer.response.status().is_redirection() || !follow(&answer) {
                return Ok(answer);
            }
            let next = answer.header(LOCATION.as_str()).and_then(|location| joined(&uri, &location));
            uri = next.ok_or_else(|| broken(&answer.url, "it redirects without an address".to_owned()))?;
        }
        Err(broken(url, "it redirects too often".to_owned()))
    }

    fn plain(&self, error: &ureq::Error) -> String {
        self.secrets.text(error.to_string().as_bytes())
    }
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    pub fn header(&self, name: &str) -> Option<String> {
        Some(self.secrets.text(self.response.headers().get(name)?.as_bytes()))
    }

    /// The page, which is JSON.
    ///
    /// # Errors
    /// When it breaks off, or is no JSON.
    pub fn json(self) -> Result<Value, TransferError> {
        let Self { url, response, secrets } = self;
        let mut bytes = Vec::new();
        let mut body = response.into_body().into_with_config().limit(MAX_PAGE_BYTES).reader();
        if let Err(error) = body.read_to_end(&mut bytes) {
            let reason = secrets.text(error.to_string().as_bytes());
            return Err(TransferError::Connection { url, reason });
        }
        let text = secrets.text(&bytes);
        secrets.json(&text).map_err(|error| TransferError::Nonsense { url, reason: format!("it is not JSON, {error}") })
    }

    /// The contents of a file that was asked for from byte `from` on.
    ///
    /// # Errors
    /// When other bytes were given than those asked for.
    pub fn contents(self, from: u64) -> Result<Contents, TransferError> {
        let from = match self.status() {
            206 => {
                let begins = self.header(CONTENT_RANGE.as_str()).as_deref().and_then(first_byte);
                if begins != Some(from) {
                    let reason = format!("it sent other bytes than the requested ones, from {from} on");
                    return Err(TransferError::Nonsense { url: self.url, reason });
                }
                from
            }
            _ => 0,
        };
        let body = self.response.into_body().into_with_config().limit(u64::MAX).reader();
        Ok(Contents { from, body: Box::new(body), secrets: self.secrets })
    }
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

/// Of `bytes 5-9/10`, the 5.
fn first_byte(range: &str) -> Option<u64> {
    range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

fn origin(uri: &Uri) -> Origin {
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
pub fn encoded(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~/".contains(&b);
    path.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_file_without_a_certificate_gives_no_roots() {
        assert!(Roots::from_pem(b"").is_none());
        assert!(Roots::from_pem(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").is_none());
        let pem = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(Roots::from_pem(pem), Some(Roots::Specific(found)) if found.len() == 1));
    }
}
