//! Bytes to and from a server: with `model::hub::client` the only place that
//! knows ureq, and the only one that knows a key.

use std::io::{BufRead, BufReader, Read};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use ureq::config::Config;
use ureq::http::Response;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::answer::{Answer, Broken, Heard};
use super::request::Ask;
use crate::experiment::{Api, Delivery, Server};

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
    /// When the environment lacks the key.
    pub fn new(server: &'a Server) -> Result<Self, String> {
        let key = match &server.key_env {
            None => None,
            Some(name) => match std::env::var(name) {
                Ok(key) if !key.is_empty() => Some(key),
                _ => return Err(format!("the server {} needs a key: set the environment variable {name}", server.id)),
            },
        };
        let silence = Some(silence(server));
        let config = Config::builder()
            .http_status_as_error(false)
            // A redirect would take the key along.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("moe-sweep/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(silence)
            .timeout_per_read(silence)
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build());
        Ok(Self { server, agent: config.build().new_agent(), key })
    }

    /// Asks for a text; `on_first_piece` is called when it begins to come.
    ///
    /// # Errors
    /// When no whole answer came.
    pub fn ask(&self, ask: &Ask, max_tokens: u32, mut on_first_piece: impl FnMut()) -> Result<Answer, Trouble> {
        let response = self.post(ask.path, &ask.body)?;
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
        let mut lines = BufReader::new(body);
        let mut answer = Answer::default();
        let mut line = Vec::new();
        let mut begun = false;
        // Shimmy's pieces are bare: a second line of data in one event is a line break in the text.
        let mut data_lines = 0;
        let mut last_heard = Instant::now();
        let broke_off = |answer: Answer, reason: String| Trouble::BrokenOff { answer: Box::new(answer), reason };
        loop {
            line.clear();
            match lines.read_until(b'\n', &mut line) {
                Ok(0) if answer.is_complete() => return Ok(answer),
                Ok(0) => return Err(broke_off(answer, "the stream ended without its last message".to_owned())),
                Ok(_) => {}
                // What comes after the end is not waited for.
                Err(_) if answer.is_complete() => return Ok(answer),
                Err(error) => {
                    let reason = self.scrub(&error.to_string());
                    return Err(broke_off(answer, reason));
                }
            }
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\n', '\r']);
            if text.is_empty() {
                data_lines = 0;
            } else if text.starts_with("data:") {
                data_lines += 1;
                if api == Api::Shimmy && data_lines > 1 {
                    answer.take_line_break();
                }
            }
            match answer.take_line(api, text).map_err(|broken| self.broken(&broken))? {
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
                let request = self.agent.get(format!("{}{path}", self.server.url));
                let request = match &self.key {
                    Some(key) => request.header(AUTHORIZATION, format!("Bearer {key}")),
                    None => request,
                };
                request.call().map_err(|error| self.unsent(&error)).and_then(|response| self.accept(response))
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
        let mut request =
            self.agent.post(format!("{}{path}", self.server.url)).header(CONTENT_TYPE, "application/json");
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        let response = request.send(body.to_string()).map_err(|error| self.unsent(&error))?;
        self.accept(response)
    }

    fn accept(&self, response: Response<Body>) -> Result<Response<Body>, Trouble> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| seconds_until(value.to_str().ok()?));
        let mut quoted = String::new();
        // A refusal whose body can't be read is still one.
        let mut body = response.into_body().into_with_config().limit(u64::MAX).reader().take(QUOTED_BYTES);
        let mut bytes = Vec::new();
        let _ = body.read_to_end(&mut bytes);
        quoted += String::from_utf8_lossy(&bytes).trim();
        let reason = self.scrub(format!("{status}: {quoted}").trim_end_matches(": "));
        Err(match status.as_u16() {
            408 | 425 | 429 | 500..=599 => Trouble::Passing { reason, retry_after },
            _ => Trouble::Lasting(reason),
        })
    }

    fn unsent(&self, error: &ureq::Error) -> Trouble {
        let reason = self.scrub(&error.to_string());
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

/// How long a server may say nothing.
fn silence(server: &Server) -> Duration {
    Duration::from_secs(server.silence_s.into())
}

fn endless(limit: usize, max_tokens: u32) -> String {
    format!("the answer passed {limit} bytes for max_tokens = {max_tokens} and was given up")
}

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3).
fn seconds_until(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}
