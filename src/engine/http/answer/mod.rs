//! Puts together what servers answer, from the lines of a stream or from one whole body. Must not know how the bytes
//! came.
//!
//! Pure: lines come from `incoming`. Believes nothing that the answer itself
//! contradicts. Scrubs what lines can't show: a key whose letters are escaped,
//! or come in several pieces.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::halves::{joined, with_stand_ins};
use crate::domain::{Generation, Stop, Token};
use crate::experiment::Api;
use crate::secret::Secrets;

mod message;
mod stop;

use message::Message;
pub use stop::says_repetition;
use stop::stop_of;

/// An answer as far as it has come.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// What must not stand in what is made of it.
    secrets: Arc<Secrets>,
    /// None where none was parted from the answer.
    thought: Option<String>,
    text: String,
    tokens: Vec<Token>,
    /// Pieces that were not empty: a server sends at least a token in each.
    pieces: u32,
    /// Data of the event that is being received, where a line of it is not all.
    event: Option<String>,
    /// Whether half characters stand in the text as stand-ins (`halves`).
    halves: bool,
    end: Option<Stop>,
    /// Its last message has come.
    over: bool,
    /// Why no more of it was waited for.
    given_up: Option<String>,
    /// The server says that its context was too small for all of it.
    truncated: bool,
    /// Why nothing of the text came.
    withheld: Option<String>,
    /// Names of what carried words and was not understood.
    unread: BTreeSet<String>,
    prompt_tokens: Option<u32>,
    generated_tokens: Option<u32>,
    /// The order of the samplers, where the server states it.
    samplers: Option<Vec<String>>,
}

/// Why an answer is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("the server reports an error: {0}")]
    Reported(String),
    #[error("this is not a response of the api {api}: {excerpt}")]
    Foreign { api: Api, excerpt: String },
}

/// What a line of a stream was good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Something,
    /// An empty line, a comment, the name of an event: what keeps a connection open.
    Nothing,
}

/// How much of an answer an error quotes.
const EXCERPT_CHARS: usize = 200;
/// How many names of what was not understood are told, and how much of each.
const UNREAD_NAMES: usize = 8;
const UNREAD_CHARS: usize = 60;
/// What a server sends after its last event.
const DONE: &str = "[DONE]";

impl Answer {
    /// An answer of which nothing has come, and that will hold none of these.
    pub fn without(secrets: &Arc<Secrets>) -> Self {
        Self { secrets: Arc::clone(secrets), ..Self::default() }
    }

    /// The answer of a server that ended a text because it repeats itself, and sent nothing of it
    /// but the error.
    pub fn ended_for_repetition(error: &str) -> Self {
        let withheld = Some(format!(
            "the server stopped the text because it repeats itself, and sent none of it: {}",
            excerpt(error)
        ));
        Self { end: Some(Stop::Repetition), withheld, ..Self::default() }
    }

    /// Takes in a line of a stream, without its end.
    ///
    /// # Errors
    /// When it reports an error, or is not of the API.
    pub fn take_line(&mut self, api: Api, line: &str) -> Result<Heard, Broken> {
        if api == Api::Ollama {
            // One JSON object a line.
            return match line.trim() {
                "" => Ok(Heard::Nothing),
                json => self.take_json(api, json).map(|()| Heard::Something),
            };
        }
        // Server-sent events (HTML Living Standard, 9.2.6): one space after the colon is not data.
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match (field, self.event.take()) {
            ("data", event) => self.take_data_line(api, event, value).map(|()| Heard::Something),
            ("error", _) => self.take_error(value.trim()).map(|()| Heard::Something),
            // An empty line ends an event.
            ("", Some(event)) if line.is_empty() => self.take_event(api, &event).map(|()| Heard::Something),
            (_, event) => {
                self.event = event;
                Ok(Heard::Nothing)
            }
        }
    }

    /// Data that is whole is taken in before its event ends: some servers leave out the empty
    /// line, and the first piece is timed.
    fn take_data_line(&mut self, api: Api, event: Option<String>, data: &str) -> Result<(), Broken> {
        match event {
            Some(event) => self.event = Some(event + "\n" + data),
            None if data == DONE => self.take_event(api, data)?,
            // Shimmy's pieces are bare: whether one goes on in the next line of data is not to be seen.
            None if api == Api::Shimmy || goes_on(data) => self.event = Some(data.to_owned()),
            None => self.take_event(api, data)?,
        }
        Ok(())
    }

    fn take_event(&mut self, api: Api, data: &str) -> Result<(), Broken> {
        match (api, data) {
            (Api::Shimmy, piece) if piece != DONE => self.take_piece(piece),
            // The reason stood in the piece before.
            (_, DONE) => {
                self.end.get_or_insert(Stop::Unknown);
                self.over = true;
            }
            _ => self.take_json(api, data)?,
        }
        Ok(())
    }

    /// Takes in that nothing more will come. The standard drops an event that has not ended; a
    /// bare piece of Shimmy's is text that came.
    pub fn end_stream(&mut self, api: Api) {
        if let Some(event) = self.event.take()
            && api == Api::Shimmy
        {
            self.take_piece(&event);
        }
    }

    /// Takes in a whole answer.
    ///
    /// # Errors
    /// When it reports an error, or is not of the API.
    pub fn take_whole(&mut self, api: Api, body: &str) -> Result<(), Broken> {
        self.take_json(api, body)?;
        // It is counted in no pieces.
        self.pieces = 0;
        self.end.get_or_insert(Stop::Unknown);
        Ok(())
    }

    fn take_json(&mut self, api: Api, json: &str) -> Result<(), Broken> {
        let foreign = || Broken::Foreign { api, excerpt: excerpt(json) };
        let whole = with_stand_ins(json);
        self.halves |= whole != json;
        let value = self.secrets.json(&whole).map_err(|_| foreign())?;
        if let Some(error) = value.get("error").filter(|error| !error.is_null()) {
            let message = error.get("message").unwrap_or(error);
            return self.take_error(&message.as_str().map_or_else(|| message.to_string(), str::to_owned));
        }
        let known = match api {
            Api::Openai => self.take_openai(&value),
            Api::LlamaServer => self.take_llama_server(&value),
            Api::Ollama => self.take_ollama(&value),
            Api::Shimmy => value["response"].as_str().map(|text| self.take_piece(text)),
        };
        known.ok_or_else(foreign)
    }

    /// An error in the place of more text. That a text repeats itself is no fault of the server's:
    /// what came of it is the answer.
    fn take_error(&mut self, error: &str) -> Result<(), Broken> {
        if !says_repetition(error) {
            return Err(Broken::Reported(excerpt(error)));
        }
        let Self { withheld, .. } = Self::ended_for_repetition(error);
        self.withheld = withheld.filter(|_| !self.has_text());
        self.end = Some(Stop::Repetition);
        self.over = true;
        Ok(())
    }

    fn take_openai(&mut self, value: &Value) -> Option<()> {
        let usage = ["prompt_tokens", "completion_tokens", "total_tokens"].map(|key| count(&value["usage"][key]));
        let [prompt, completion, total] = usage;
        // Some count the thought in the total alone.
        let beyond_prompt = total.zip(prompt).map(|(total, prompt)| total.saturating_sub(prompt));
        self.prompt_tokens = prompt.or(self.prompt_tokens);
        self.generated_tokens = completion.map(|n| n.max(beyond_prompt.unwrap_or(0))).or(self.generated_tokens);
        let choices = value["choices"].as_array()?;
        // The piece with the usage has none.
        let Some(choice) = choices.first() else { return Some(()) };
        let parts = ["delta", "message"].map(|name| Some((name, choice[name].as_object()?)));
        let message = match parts.into_iter().flatten().next() {
            Some((name, message)) => Message::read(name, "content", message),
            None => Message::read("", "text", choice.as_object()?),
        };
        self.take_message(message);
        if let Some(stop) = choice["finish_reason"].as_str().and_then(stop_of) {
            self.end = Some(stop);
        }
        // vLLM says it here too; a proxy between may have made "stop" of the other.
        if choice["stop_reason"].as_str().and_then(stop_of) == Some(Stop::Repetition) {
            self.end = Some(Stop::Repetition);
        }
        Some(())
    }

    fn take_llama_server(&mut self, value: &Value) -> Option<()> {
        let text = value["content"].as_str()?.to_owned();
        self.take_message(Message { text, ..Message::thoughts_of("", value.as_object()?) });
        if let Some(tokens) = value["tokens"].as_array() {
            // The last message of a stream repeats none, a whole answer holds all.
            self.tokens
                .extend(tokens.iter().filter_map(|token| token.as_i64()).filter_map(|t| Token::try_from(t).ok()));
        }
        if value["stop"].as_bool() == Some(true) {
            self.over = true;
            self.end = Some(value["stop_type"].as_str().and_then(stop_of).unwrap_or(Stop::Unknown));
            self.truncated = value["truncated"].as_bool() == Some(true);
            self.prompt_tokens = count(&value["tokens_evaluated"]);
            self.generated_tokens = count(&value["tokens_predicted"]);
            let samplers = value["generation_settings"]["samplers"].as_array();
            self.samplers = samplers.map(|names| names.iter().filter_map(|n| Some(n.as_str()?.to_owned())).collect());
        }
        Some(())
    }

    fn take_ollama(&mut self, value: &Value) -> Option<()> {
        let done = value["done"].as_bool()?;
        self.take_message(match value["message"].as_object() {
            Some(message) => Message::read("message", "content", message),
            None => Message::read("", "response", value.as_object()?),
        });
        if done {
            self.over = true;
            self.end = Some(value["done_reason"].as_str().and_then(stop_of).unwrap_or(Stop::Unknown));
            self.prompt_tokens = count(&value["prompt_eval_count"]);
            self.generated_tokens = count(&value["eval_count"]);
        }
        Some(())
    }

    fn take_message(&mut self, message: Message) {
        let Message { thought, text, calls, unread } = message;
        // Of a call there may be several messages for one token.
        self.pieces += u32::from(!(thought.is_empty() && text.is_empty()));
        if !thought.is_empty() {
            *self.thought.get_or_insert_default() += &thought;
        }
        self.text += &text;
        let first = self.text.is_empty();
        self.text += if first { calls.trim_start_matches('\n') } else { &calls };
        let names = unread.into_iter().map(|name| name.chars().take(UNREAD_CHARS).collect());
        let room = UNREAD_NAMES.saturating_sub(self.unread.len());
        self.unread.extend(names.take(room));
    }

    fn take_piece(&mut self, text: &str) {
        self.take_message(Message { text: text.to_owned(), ..Message::default() });
    }

    /// Whether it is known why it ended: what may come yet are numbers.
    pub fn is_complete(&self) -> bool {
        self.end.is_some()
    }

    /// Whether nothing more of it can come.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Takes in that no more of it is waited for.
    pub fn give_up(&mut self, reason: String) {
        self.given_up = Some(reason);
    }

    /// The order of the samplers, where the server states it.
    pub fn samplers(&self) -> Option<&[String]> {
        self.samplers.as_deref()
    }

    /// Whether some of it has come, be it thought or answer.
    pub fn has_text(&self) -> bool {
        self.thought.is_some() || !self.text.is_empty()
    }

    /// The text that it is: cut off where the stream ended without its last message.
    pub fn into_generation(self, api: Api, max_tokens: u32) -> Generation {
        let (n_tokens, miscounted) = self.count_tokens(api, max_tokens);
        let (stop, cut) = self.stop(n_tokens, max_tokens);
        let unread = self.unread.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let unread = (!unread.is_empty())
            .then(|| format!("the response contains fields that moe-sweep does not know and has not kept: {unread}"));
        let doubts: Vec<_> = [miscounted, cut, self.given_up, self.withheld, unread].into_iter().flatten().collect();
        let whole = |text: String| self.secrets.scrub(if self.halves { joined(&text) } else { text });
        let tokens = (!self.tokens.is_empty()).then_some(self.tokens);
        Generation {
            n_prompt_tokens: self.prompt_tokens,
            n_stated_tokens: n_tokens.filter(|_| tokens.is_none()),
            tokens,
            thought: self.thought.map(whole),
            text: whole(self.text),
            stop,
            doubt: (!doubts.is_empty()).then(|| self.secrets.scrub(doubts.join("; "))),
            logits_blake3: None,
        }
    }

    /// Why it ended, and what speaks against the server's word for it.
    fn stop(&self, n_tokens: Option<u32>, max_tokens: u32) -> (Stop, Option<String>) {
        let stop = self.end.unwrap_or(Stop::Cut);
        if self.truncated && stop != Stop::Repetition {
            let why =
                "the server says that it dropped part of the prompt or the text (truncated): its context was too small";
            return (Stop::Cut, Some(why.to_owned()));
        }
        // llama-server lists no token whose character was not complete: its count is the greater one.
        match n_tokens.map(|n| n.max(self.generated_tokens.unwrap_or(0))) {
            Some(n) if stop == Stop::MaxTokens && n < max_tokens => {
                let why = format!(
                    "the server says that the text has its full length, but it has only {n} of {max_tokens} tokens: \
                     the context may have been too small"
                );
                (Stop::Cut, Some(why))
            }
            _ => (stop, None),
        }
    }

    /// How many tokens were generated, as far as the server's word can be taken for it.
    fn count_tokens(&self, api: Api, max_tokens: u32) -> (Option<u32>, Option<String>) {
        let listed = u32::try_from(self.tokens.len()).ok().filter(|&n| n > 0);
        let counted = match api {
            // It sends each token as a piece of its own.
            Api::Shimmy if self.pieces > 0 => Some(self.pieces),
            _ => None,
        };
        let n = listed.or(counted).or(self.generated_tokens);
        let doubt = match (self.generated_tokens, listed) {
            (Some(stated), Some(listed)) if stated != listed => {
                Some(format!("the server reports {stated} tokens but lists {listed}"))
            }
            (Some(stated), None) if stated < self.pieces => {
                return (None, Some(format!("the server reports {stated} tokens but sent {} pieces", self.pieces)));
            }
            _ => {
                n.filter(|&n| n > max_tokens).map(|n| format!("{n} tokens, although only {max_tokens} were requested"))
            }
        };
        (n, doubt)
    }
}

fn count(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|n| u32::try_from(n).ok())
}

/// Whether data is the beginning of JSON that the next line of data goes on with.
fn goes_on(data: &str) -> bool {
    IgnoredAny::deserialize(&mut serde_json::Deserializer::from_str(data)).is_err_and(|error| error.is_eof())
}

fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS).collect()
}

#[cfg(test)]
mod tests;
