//! Bytes to and from a server: with `model::hub::client` the only place that
//! knows ureq, and the only one that knows a key.

use std::io::Read;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use ureq::config::Config;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use ureq::http::{HeaderValue, Response};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::answer::{Answer, Broken, Heard, says_repetition};
use super::lines::Lines;
use super::request::{Ask, base_of};
use crate::experiment::{Api, Delivery, Server};
use crate::proxy::Proxy;

const CONNECT: Duration = Duration::from_secs(10);
/// How much of a refusal is quoted.
const QUOTED_BYTES: u64 = 400;
/// An answer may take so much for each token that was asked for, and the frame around it.
const BYTES_PER_TOKEN: usize = 4096;
const FRAME_BYTES: usize = 64 * 1024;

/// Speaks with one server.
pub struct Client<'a> {
    server: &'a Server,
    agent: Agent,
    key: Option<String>,
    /// Which stands between us and it.
    proxy: Option<Proxy>,
}

/// Why no whole answer came.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Nobody is there.
    #[error("{url} can't be reached: {reason}")]
    Unreachable { url: String, reason: String },
    /// The server may answer if it is asked again.
    #[error("{reason}")]
    Passing { reason: String, retry_after: Option<Duration> },
    /// It would say the same again.
    #[error("{0}")]
    Lasting(String),
    /// The stream ended, or fell silent, after some of the text.
    #[error("the answer broke off: {reason}")]
    BrokenOff { answer: Box<Answer>, reason: String },
}

impl<'a> Client<'a> {
    /// # Errors
    /// When the environment lacks the key, or names a proxy that can't be used.
    pub fn new(server: &'a Server) -> Result<Self, String> {
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
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(silence)
            .timeout_per_read(silence)
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build());
        Ok(Self { server, agent: config.build().new_agent(), key, proxy })
    }

    /// Asks for a text; `on_first_piece` is called when it begins to come.
    ///
    /// # Errors
    /// When no whole answer came.
    pub fn ask(&self, ask: &Ask, max_tokens: u32, mut on_first_piece: impl FnMut()) -> Result<Answer, Trouble> {
        let response = match self.post(ask.path, &ask.body) {
            // Ollama's way to end a loop of which it sent nothing: to ask again would give the same.
            Err(Trouble::Passing { reason, .. } | Trouble::Lasting(reason)) if says_repetition(&reason) => {
                return Ok(Answer::ended_for_repetition(&reason));
            }
            response => response?,
        };
        let limit = FRAME_BYTES + BYTES_PER_TOKEN * max_tokens as usize;
        let api = self.server.api;
        let body = response.into_body().into_with_config().limit(u64::MAX).reader();
        match self.server.delivery {
            Delivery::Stream => {
                let endless = || Trouble::Lasting(endless(limit, max_tokens));
                let mut body = body.take(limit as u64);
                match self.read_stream(&mut body, api, &mut on_first_piece) {
                    Err(_) if body.limit() == 0 => Err(endless()),
                    answer => answer,
                }
            }
            Delivery::Whole => {
                let mut bytes = Vec::new();
                let read = body.take(limit as u64 + 1).read_to_end(&mut bytes);
                read.map_err(|error| self.passing(format!("the answer broke off: {error}")))?;
                if bytes.len() > limit {
                    return Err(Trouble::Lasting(endless(limit, max_tokens)));
                }
                let mut answer = Answer::default();
                answer.take_whole(api, &String::from_utf8_lossy(&bytes)).map_err(|broken| self.broken(&broken))?;
                on_first_piece();
                Ok(answer)
            }
        }
    }

    fn read_stream(&self, body: impl Read, api: Api, on_first_piece: &mut dyn FnMut()) -> Result<Answer, Trouble> {
        let mut lines = Lines::new(body);
        let mut answer = Answer::default();
        let mut line = Vec::new();
        let mut begun = false;
        let mut last_heard = Instant::now();
        let broke_off = |mut answer: Answer, reason: String| {
            answer.end_stream(api);
            Trouble::BrokenOff { answer: Box::new(answer), reason }
        };
        loop {
            match lines.read(&mut line) {
                Ok(false) if answer.is_complete() => return Ok(answer),
                Ok(false) => return Err(broke_off(answer, "the stream ended without its last message".to_owned())),
                Ok(true) => {}
                // What comes after the end is not waited for.
                Err(_) if answer.is_complete() => return Ok(answer),
                Err(error) => {
                    let reason = self.scrub(&error.to_string());
                    return Err(broke_off(answer, reason));
                }
            }
            let text = String::from_utf8_lossy(&line);
            match answer.take_line(api, &text).map_err(|broken| self.broken(&broken))? {
                Heard::Something => last_heard = Instant::now(),
                // A proxy keeps the connection open for ever, whatever became of the server behind it.
                Heard::Nothing if last_heard.elapsed() >= silence(self.server) => {
                    return Err(broke_off(answer, format!("nothing but comments in {} s", self.server.silence_s)));
                }
                Heard::Nothing => {}
            }
            if !begun && answer.has_text() {
                begun = true;
                on_first_piece();
            }
        }
    }

    /// A document of JSON that the server has about itself; None where it has none.
    ///
    /// # Errors
    /// When it can't be reached or refuses.
    pub fn document(&self, path: &str, body: Option<&Value>) -> Result<Option<Value>, Trouble> {
        let response = match body {
            Some(body) => self.post(path, body),
            None => {
                let request = self.agent.get(self.address(path));
                let request = match &self.key {
                    Some(key) => request.header(AUTHORIZATION, format!("Bearer {key}")),
                    None => request,
                };
                request.call().map_err(|error| self.unsent(&error)).and_then(|response| self.accept(response, path))
            }
        };
        let response = match response {
            Ok(response) => response,
            Err(Trouble::Lasting(reason)) if reason.starts_with("404") || reason.starts_with("405") => return Ok(None),
            Err(trouble) => return Err(trouble),
        };
        let text =
            response.into_body().into_with_config().limit(FRAME_BYTES as u64 * 64).lossy_utf8(true).read_to_string();
        let text = text.map_err(|error| self.passing(error.to_string()))?;
        Ok(serde_json::from_str(&text).ok())
    }

    fn post(&self, path: &str, body: &Value) -> Result<Response<Body>, Trouble> {
        let mut request = self.agent.post(self.address(path)).header(CONTENT_TYPE, "application/json");
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        let response = request.send(body.to_string()).map_err(|error| self.unsent(&error))?;
        self.accept(response, path)
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.server.url)
    }

    fn accept(&self, response: Response<Body>, path: &str) -> Result<Response<Body>, Trouble> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let header = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        // What follows "?" may be a key.
        let leads_to = header(LOCATION).and_then(|place| place.split(['?', '#']).next()).map(str::to_owned);
        let retry_after = header(RETRY_AFTER).and_then(seconds_until);
        let mut quoted = String::new();
        // A refusal whose body can't be read is still one.
        let mut body = response.into_body().into_with_config().limit(u64::MAX).reader().take(QUOTED_BYTES);
        let mut bytes = Vec::new();
        let _ = body.read_to_end(&mut bytes);
        quoted += String::from_utf8_lossy(&bytes).trim();
        let asked = self.address(path);
        let (from, advice) = match status.as_u16() {
            300..=399 => {
                let place =
                    leads_to.map_or_else(|| "does not say where to".to_owned(), |place| format!("leads to {place}"));
                let advice =
                    "; a redirect is not followed, for it would take the key along: write in url what leads there";
                (format!(" from {asked}, which {place}"), advice.to_owned())
            }
            404 | 405 => (format!(" from {asked}"), doubled(&self.server.url, path)),
            _ => (String::new(), String::new()),
        };
        let said = format!("{status}{from}: {quoted}");
        let reason = self.scrub(&format!("{}{advice}", said.trim_end_matches(": ")));
        Err(match status.as_u16() {
            408 | 425 | 429 | 500..=599 => Trouble::Passing { reason, retry_after },
            _ => Trouble::Lasting(reason),
        })
    }

    fn unsent(&self, error: &ureq::Error) -> Trouble {
        let mut reason = self.scrub(&error.to_string());
        if let Some(proxy) = &self.proxy {
            reason += &format!(", {}", proxy.by_way_of());
        }
        match error {
            ureq::Error::Timeout(timeout) if !matches!(timeout, ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                Trouble::Passing { reason: format!("no answer: {reason}"), retry_after: None }
            }
            ureq::Error::BadUri(_) | ureq::Error::Tls(_) => Trouble::Lasting(reason),
            // The connection was taken and lost: somebody is there.
            ureq::Error::Protocol(_) => Trouble::Passing { reason, retry_after: None },
            ureq::Error::Io(error) if error.kind() != std::io::ErrorKind::ConnectionRefused => {
                Trouble::Passing { reason, retry_after: None }
            }
            _ => Trouble::Unreachable { url: self.server.url.clone(), reason },
        }
    }

    fn broken(&self, broken: &Broken) -> Trouble {
        let reason = self.scrub(&broken.to_string());
        match broken {
            Broken::Reported(_) => Trouble::Passing { reason, retry_after: None },
            Broken::Foreign { .. } => Trouble::Lasting(reason),
        }
    }

    fn passing(&self, reason: String) -> Trouble {
        Trouble::Passing { reason: self.scrub(&reason), retry_after: None }
    }

    /// Without the key, should a server repeat it.
    fn scrub(&self, text: &str) -> String {
        match &self.key {
            Some(key) => text.replace(key.as_str(), "[key]"),
            None => text.to_owned(),
        }
    }
}

/// The key in a variable of the environment, without the white space around it: what a file or a
/// command put there ends in a line break.
fn key(server: &Server, name: &str) -> Result<String, String> {
    let id = &server.id;
    let key = std::env::var(name).map(|key| key.trim().to_owned()).unwrap_or_default();
    if key.is_empty() {
        return Err(format!("the server {id} needs a key: set the environment variable {name}"));
    }
    if HeaderValue::from_str(&key).is_err() {
        return Err(format!(
            "the environment variable {name}, the key of the server {id}, holds a line break or another character that \
             can't be sent: set it to the key alone"
        ));
    }
    Ok(key)
}

/// What to say where the path that is added to the address stands in it already.
fn doubled(url: &str, path: &str) -> String {
    base_of(url).map_or_else(String::new, |base| {
        let held = &url[base.len()..];
        format!("; url ends in {held}, and moe-sweep adds {path} itself: write url = \"{base}\"")
    })
}

/// How long a server may say nothing.
fn silence(server: &Server) -> Duration {
    Duration::from_secs(server.silence_s.into())
}

fn endless(limit: usize, max_tokens: u32) -> String {
    format!("the answer passed {limit} bytes for max_tokens = {max_tokens} and was given up")
}

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3).
pub(super) fn seconds_until(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}
