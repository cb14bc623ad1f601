//! Sends requests to a server and says what became of them. With `patience`, `incoming` and `model::download::web` it is
//! the only place that knows ureq, and the only one that knows a key.
//!
//! Hands out nothing that a server said but through `incoming` and `secret`, which scrub the key.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use ureq::config::Config;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER};
use ureq::http::{HeaderValue, Response};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body, RequestBuilder};

use super::answer::{Answer, Broken, Heard, says_repetition};
use super::incoming::{Incoming, Lost};
use super::patience::Patience;
use super::request::{Ask, base_of};
use crate::experiment::{Api, Delivery, Server};
use crate::proxy::Proxy;
use crate::secret::{Secret, Secrets};

const CONNECT: Duration = Duration::from_secs(10);
/// What a server says of itself must be there so soon.
const DOCUMENT: Duration = Duration::from_secs(30);
/// How long the reason of a refusal is waited for.
const REFUSAL: Duration = Duration::from_secs(10);
/// How long a stream is listened to after the reason of its end, for the number of tokens and the last message.
const AFTERTHOUGHT: Duration = Duration::from_secs(10);
/// How much of a refusal is quoted.
const QUOTED_BYTES: usize = 400;
/// An answer may take so much for each token that was asked for, and the frame around it.
const BYTES_PER_TOKEN: usize = 4096;
const FRAME_BYTES: usize = 64 * 1024;

/// Speaks with one server, a request at a time.
pub struct Client {
    server: Server,
    agent: Agent,
    patience: Patience,
    key: Option<Secret>,
    /// The key, and whatever else is shown to somebody.
    secrets: Arc<Secrets>,
    /// Which stands between us and it.
    proxy: Option<Proxy>,
}

/// Why no whole answer came.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// Nobody is there.
    #[error("cannot reach {url}: {reason}")]
    Unreachable { url: String, reason: String },
    /// The server may answer if it is asked again.
    #[error("{reason}")]
    Passing { reason: String, retry_after: Option<Duration> },
    /// It would say the same again.
    #[error("{0}")]
    Lasting(String),
    /// The same, for it wants a key, or another one.
    #[error("{0}")]
    Denied(String),
    /// The server has no such page.
    #[error("{0}")]
    NoPage(String),
    /// The stream ended, or fell silent, after some of the text.
    #[error("the response broke off: {reason}")]
    BrokenOff { answer: Box<Answer>, reason: String },
}

impl Client {
    /// # Errors
    /// When the environment lacks the key, or names a proxy that can't be used.
    pub fn new(server: &Server) -> Result<Self, String> {
        let key = server.key_env.as_deref().map(|name| key(server, name)).transpose()?;
        let proxy = Proxy::from_env(&server.url).map_err(|unusable| unusable.to_string())?;
        let through = match &proxy {
            None => None,
            Some(proxy) => {
                let parsed = ureq::Proxy::new(&proxy.url);
                Some(parsed.map_err(|_| proxy.clone().unusable().to_string())?)
            }
        };
        let silence = Some(silence(server));
        let config = Config::builder()
            .http_status_as_error(false)
            // A redirect would take the key along.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // Ours: the library takes HTTPS_PROXY for every scheme, and a proxy for this machine.
            .proxy(through)
            .user_agent(concat!("moe-sweep/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(silence)
            .timeout_per_read(silence)
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build());
        let patience = Patience::default();
        let agent = patience.agent(config.build());
        let secrets = Secrets::new(key.clone().into_iter().chain(proxy.as_ref().and_then(Proxy::password)));
        Ok(Self { server: server.clone(), agent, patience, key, secrets: Arc::new(secrets), proxy })
    }

    /// One that can make a request while this one does.
    pub fn another(&self) -> Self {
        let Self { server, agent, key, secrets, proxy, .. } = self;
        let patience = Patience::default();
        Self {
            server: server.clone(),
            agent: patience.agent(agent.config().clone()),
            patience,
            key: key.clone(),
            secrets: Arc::clone(secrets),
            proxy: proxy.clone(),
        }
    }

    /// Asks for a text; `on_first_piece` is called when it begins to come.
    ///
    /// # Errors
    /// When no whole answer came.
    pub fn ask(&self, ask: &Ask, max_tokens: u32, mut on_first_piece: impl FnMut()) -> Result<Answer, RequestError> {
        let by = Instant::now() + answer(&self.server);
        let body = match self.post(ask.path, &ask.body, by) {
            // Ollama's way to end a loop of which it sent nothing: to ask again would give the same.
            Err(RequestError::Passing { reason, .. } | RequestError::Lasting(reason)) if says_repetition(&reason) => {
                return Ok(Answer::ended_for_repetition(&reason));
            }
            // Nothing is there of the text: another attempt would take as long.
            Err(RequestError::Passing { .. }) if Instant::now() >= by => return Err(self.too_late()),
            response => response?,
        };
        let limit = FRAME_BYTES + BYTES_PER_TOKEN * max_tokens as usize;
        let endless = || RequestError::Lasting(endless(limit, max_tokens));
        match self.server.delivery {
            Delivery::Stream => self.read_stream(body, ask.api, limit, by, &mut on_first_piece, &endless),
            Delivery::Whole => {
                let text = match body.whole(limit, by) {
                    Err(_) if Instant::now() >= by => return Err(self.too_late()),
                    Err(Lost(reason)) => return Err(passing(format!("the response broke off: {reason}"))),
                    Ok(text) => text.ok_or_else(endless)?,
                };
                let mut answer = self.answer();
                answer.take_whole(ask.api, &text).map_err(|broken| of_broken(&broken))?;
                on_first_piece();
                Ok(answer)
            }
        }
    }

    fn read_stream(
        &self,
        body: Incoming,
        api: Api,
        limit: usize,
        by: Instant,
        on_first_piece: &mut dyn FnMut(),
        endless: &dyn Fn() -> RequestError,
    ) -> Result<Answer, RequestError> {
        let silence_s = self.server.silence_s;
        let silence = silence(&self.server);
        let mut lines = body.lines(limit);
        let mut answer = self.answer();
        let mut begun = false;
        // Bytes that are no line yet, and what keeps a connection open, say nothing: a proxy does that for
        // ever, whatever became of the server behind it.
        let mut last_heard = Instant::now();
        let broke_off = |mut answer: Answer, reason: String| {
            answer.end_stream(api);
            Err(RequestError::BrokenOff { answer: Box::new(answer), reason })
        };
        loop {
            let patience = if answer.is_complete() { AFTERTHOUGHT.min(silence) } else { silence };
            let silent = last_heard + patience;
            let line = match lines.next(silent.min(by)) {
                // What comes after the end is not waited for.
                Ok(None) | Err(_) if answer.is_complete() => return Ok(answer),
                Ok(None) | Err(_) if lines.is_exhausted() => return Err(endless()),
                Ok(Some(line)) => line,
                Ok(None) => return broke_off(answer, "the stream ended without its last message".to_owned()),
                Err(_) if Instant::now() >= by => {
                    answer.end_stream(api);
                    if !answer.has_text() {
                        return Err(self.too_late());
                    }
                    answer.give_up(format!("stopped waiting after answer_s = {} s", self.server.answer_s));
                    return Ok(answer);
                }
                Err(_) if Instant::now() >= silent => {
                    return broke_off(answer, format!("nothing was sent for {silence_s} s"));
                }
                Err(Lost(reason)) => return broke_off(answer, reason),
            };
            if answer.take_line(api, &line).map_err(|broken| of_broken(&broken))? == Heard::Something {
                last_heard = Instant::now();
            }
            if !begun && answer.has_text() {
                begun = true;
                on_first_piece();
            }
            if answer.is_over() {
                lines.finish();
                return Ok(answer);
            }
        }
    }

    /// A document of JSON that the server has about itself; None where it has none.
    ///
    /// # Errors
    /// When it can't be reached or refuses.
    pub fn document(&self, path: &str, body: Option<&Value>) -> Result<Option<Value>, RequestError> {
        let by = Instant::now() + DOCUMENT.min(answer(&self.server));
        let response = match body {
            Some(body) => self.post(path, body, by),
            None => {
                let request = self.prepared(self.agent.get(self.address(path)), by);
                request.call().map_err(|error| self.unsent(&error)).and_then(|response| self.accept(response, path))
            }
        };
        let incoming = match response {
            Ok(incoming) => incoming,
            Err(RequestError::NoPage(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let text = incoming.whole(FRAME_BYTES * 64, by).map_err(|Lost(reason)| passing(reason))?;
        Ok(text.and_then(|text| self.secrets.json(&text).ok()))
    }

    /// Without the key: what was put together here of what the server sent.
    pub fn scrub(&self, text: String) -> String {
        self.secrets.scrub(text)
    }

    fn post(&self, path: &str, body: &Value, by: Instant) -> Result<Incoming, RequestError> {
        let request = self.prepared(self.agent.post(self.address(path)), by).header(CONTENT_TYPE, "application/json");
        let response = request.send(body.to_string()).map_err(|error| self.unsent(&error))?;
        self.accept(response, path)
    }

    /// A request with the key, of which all must be over at a moment.
    fn prepared<B>(&self, request: RequestBuilder<B>, by: Instant) -> RequestBuilder<B> {
        self.patience.set(None);
        let left = by.saturating_duration_since(Instant::now());
        let request = request.config().timeout_global(Some(left)).build();
        match &self.key {
            Some(key) => request.header(AUTHORIZATION, key.bearer()),
            None => request,
        }
    }

    fn answer(&self) -> Answer {
        Answer::without(&self.secrets)
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.server.url)
    }

    fn accept(&self, response: Response<Body>, path: &str) -> Result<Incoming, RequestError> {
        let status = response.status();
        let header = |name: HeaderName| Some(self.secrets.text(response.headers().get(name)?.as_bytes()));
        let (leads_to, retry_after) = (header(LOCATION), header(RETRY_AFTER));
        let incoming = Incoming::new(response.into_body(), &self.secrets, &self.patience);
        if status.is_success() {
            return Ok(incoming);
        }
        let retry_after = retry_after.as_deref().and_then(seconds_until);
        let by = Instant::now() + REFUSAL.min(silence(&self.server));
        // More than is quoted: what is scrubbed is shorter.
        let said = incoming.beginning(FRAME_BYTES, by);
        let quoted = excerpt(said.trim());
        let asked = self.address(path);
        let (from, advice) = match status.as_u16() {
            300..=399 => {
                let place = leads_to.as_deref().map_or_else(|| "does not say where it leads".to_owned(), leads);
                let advice = "; moe-sweep does not follow redirects, because that would send the key along: set url \
                              to the address it leads to";
                (format!(" from {asked}, which {place}"), advice.to_owned())
            }
            404 | 405 => (format!(" from {asked}"), doubled(&self.server.url, path)),
            _ => (String::new(), String::new()),
        };
        let said = format!("{status}{from}: {quoted}");
        let reason = format!("{}{advice}", said.trim_end_matches(": "));
        Err(match status.as_u16() {
            401 | 403 => RequestError::Denied(reason),
            404 | 405 => RequestError::NoPage(reason),
            408 | 425 | 429 | 500..=599 => RequestError::Passing { reason, retry_after },
            _ => RequestError::Lasting(reason),
        })
    }

    fn unsent(&self, error: &ureq::Error) -> RequestError {
        let mut reason = self.secrets.text(error.to_string().as_bytes());
        if let Some(proxy) = &self.proxy {
            reason += &format!(", {}", proxy.by_way_of());
        }
        match error {
            ureq::Error::Timeout(timeout) if !matches!(timeout, ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                passing(format!("no answer: {reason}"))
            }
            ureq::Error::BadUri(_) | ureq::Error::Tls(_) => RequestError::Lasting(reason),
            // The connection was taken and lost, or used for too much: somebody is there.
            ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => passing(reason),
            ureq::Error::Io(error) if error.kind() != std::io::ErrorKind::ConnectionRefused => passing(reason),
            _ => RequestError::Unreachable { url: self.server.url.clone(), reason },
        }
    }

    /// Of a text of which nothing was there in time.
    fn too_late(&self) -> RequestError {
        RequestError::Lasting(format!("no part of the text arrived within answer_s = {} s", self.server.answer_s))
    }
}

fn of_broken(broken: &Broken) -> RequestError {
    match broken {
        Broken::Reported(_) => passing(broken.to_string()),
        Broken::Foreign { .. } => RequestError::Lasting(broken.to_string()),
    }
}

fn passing(reason: String) -> RequestError {
    RequestError::Passing { reason, retry_after: None }
}

/// As much as is quoted.
fn excerpt(text: &str) -> &str {
    &text[..text.floor_char_boundary(QUOTED_BYTES)]
}

/// Where a redirect leads, without what may be another key: a user and a password, what follows `?`.
fn leads(place: &str) -> String {
    let place = place.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = place.split_once("://").map_or(("", place), |(scheme, rest)| (scheme, rest));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let separator = if scheme.is_empty() { "" } else { "://" };
    format!("leads to {}", excerpt(&format!("{scheme}{separator}{host}{path}")))
}

/// The key in a variable of the environment, without the white space around it: what a file or a
/// command put there ends in a line break.
fn key(server: &Server, name: &str) -> Result<Secret, String> {
    let id = &server.id;
    let Some(key) = std::env::var(name).ok().as_deref().and_then(Secret::new) else {
        return Err(format!("the server {id} needs a key: set the environment variable {name}"));
    };
    if HeaderValue::from_str(&key.bearer()).is_err() {
        return Err(format!(
            "the environment variable {name}, the key of the server {id}, contains a line break or another character \
             that can't be sent: set it to the key alone"
        ));
    }
    Ok(key)
}

/// What to say where the path that is added to the address stands in it already.
fn doubled(url: &str, path: &str) -> String {
    base_of(url).map_or_else(String::new, |base| {
        let held = &url[base.len()..];
        format!("; url ends in {held}, but moe-sweep adds {path} itself: write url = \"{base}\"")
    })
}

/// How long a server may say nothing.
fn silence(server: &Server) -> Duration {
    Duration::from_secs(server.silence_s.into())
}

/// How long all of an answer may take.
fn answer(server: &Server) -> Duration {
    Duration::from_secs(server.answer_s.into())
}

fn endless(limit: usize, max_tokens: u32) -> String {
    format!("the response was dropped after {limit} bytes, too many for max_tokens = {max_tokens}")
}

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3).
pub(super) fn seconds_until(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}
