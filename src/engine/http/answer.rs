//! What servers answer, put together from the lines of a stream or from one
//! whole body.
//!
//! Pure: bytes come from `client`. Believes nothing that the answer itself
//! contradicts.

use serde_json::Value;

use crate::engine::{Generation, Stop, Token};
use crate::experiment::Api;

/// An answer as far as it has come.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    text: String,
    tokens: Vec<Token>,
    /// Pieces that were not empty: a server sends at least a token in each.
    pieces: u32,
    end: Option<Stop>,
    prompt_tokens: Option<u32>,
    generated_tokens: Option<u32>,
    /// The order of the samplers, where the server states it.
    pub samplers: Option<Vec<String>>,
}

/// Why an answer is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("the server reports an error: {0}")]
    Reported(String),
    #[error("this is not an answer of the api {api}: {excerpt}")]
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

impl Answer {
    /// Takes in a line of a stream.
    ///
    /// # Errors
    /// When it reports an error, or is not of the API.
    pub fn take_line(&mut self, api: Api, line: &str) -> Result<Heard, Broken> {
        let data = match api {
            // One JSON object a line.
            Api::Ollama => line.trim(),
            // Server-sent events (HTML Living Standard, 9.2.6): one space after the colon is not data.
            _ => match line.strip_prefix("data:") {
                Some(data) => data.strip_prefix(' ').unwrap_or(data),
                None => match line.strip_prefix("error:") {
                    Some(error) => return Err(Broken::Reported(excerpt(error.trim()))),
                    None => return Ok(Heard::Nothing),
                },
            },
        };
        match (api, data) {
            (Api::Ollama, "") => return Ok(Heard::Nothing),
            (Api::Shimmy, "[DONE]") => self.end = Some(Stop::Unknown),
            // The pieces themselves, without JSON.
            (Api::Shimmy, piece) => self.add_piece(piece),
            // The reason stood in the piece before.
            (_, "[DONE]") => {
                self.end.get_or_insert(Stop::Unknown);
            }
            _ => self.take_json(api, data)?,
        }
        Ok(Heard::Something)
    }

    /// A line break within a piece of Shimmy's, which sends it as two lines of data.
    pub fn take_line_break(&mut self) {
        self.text.push('\n');
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
        let value: Value = serde_json::from_str(json).map_err(|_| foreign())?;
        if let Some(error) = value.get("error").filter(|error| !error.is_null()) {
            let message = error.get("message").unwrap_or(error);
            let words = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
            return Err(Broken::Reported(excerpt(&words)));
        }
        let known = match api {
            Api::Openai => self.take_openai(&value),
            Api::LlamaServer => self.take_llama_server(&value),
            Api::Ollama => self.take_ollama(&value),
            Api::Shimmy => value["response"].as_str().map(|text| self.add_piece(text)),
        };
        known.ok_or_else(foreign)
    }

    fn take_openai(&mut self, value: &Value) -> Option<()> {
        self.prompt_tokens = count(&value["usage"]["prompt_tokens"]).or(self.prompt_tokens);
        self.generated_tokens = count(&value["usage"]["completion_tokens"]).or(self.generated_tokens);
        let choices = value["choices"].as_array()?;
        // The piece with the usage has none.
        let Some(choice) = choices.first() else { return Some(()) };
        let texts = [&choice["text"], &choice["delta"]["content"], &choice["message"]["content"]];
        if let Some(text) = texts.iter().find_map(|text| text.as_str()) {
            self.add_piece(text);
        }
        if let Some(reason) = choice["finish_reason"].as_str() {
            self.end = Some(stop_of(reason));
        }
        Some(())
    }

    fn take_llama_server(&mut self, value: &Value) -> Option<()> {
        self.add_piece(value["content"].as_str()?);
        if let Some(tokens) = value["tokens"].as_array() {
            // The last message of a stream repeats none, a whole answer holds all.
            self.tokens
                .extend(tokens.iter().filter_map(|token| token.as_i64()).filter_map(|t| Token::try_from(t).ok()));
        }
        if value["stop"].as_bool() == Some(true) {
            self.end = Some(value["stop_type"].as_str().map_or(Stop::Unknown, stop_of));
            self.prompt_tokens = count(&value["tokens_evaluated"]);
            self.generated_tokens = count(&value["tokens_predicted"]);
            let samplers = value["generation_settings"]["samplers"].as_array();
            self.samplers = samplers.map(|names| names.iter().filter_map(|n| Some(n.as_str()?.to_owned())).collect());
        }
        Some(())
    }

    fn take_ollama(&mut self, value: &Value) -> Option<()> {
        let done = value["done"].as_bool()?;
        if let Some(text) = value["response"].as_str().or_else(|| value["message"]["content"].as_str()) {
            self.add_piece(text);
        }
        if done {
            self.end = Some(value["done_reason"].as_str().map_or(Stop::Unknown, stop_of));
            self.prompt_tokens = count(&value["prompt_eval_count"]);
            self.generated_tokens = count(&value["eval_count"]);
        }
        Some(())
    }

    fn add_piece(&mut self, piece: &str) {
        self.text += piece;
        self.pieces += u32::from(!piece.is_empty());
    }

    pub fn is_complete(&self) -> bool {
        self.end.is_some()
    }

    pub fn has_text(&self) -> bool {
        !self.text.is_empty()
    }

    /// The text that it is: cut off where the stream ended without its last message.
    pub fn into_generation(self, api: Api, max_tokens: u32) -> Generation {
        let (n_tokens, doubt) = self.count_tokens(api, max_tokens);
        let tokens = (!self.tokens.is_empty()).then_some(self.tokens);
        Generation {
            n_prompt_tokens: self.prompt_tokens,
            n_stated_tokens: n_tokens.filter(|_| tokens.is_none()),
            tokens,
            thought: None,
            text: self.text,
            stop: self.end.unwrap_or(Stop::Cut),
            doubt,
            logits_blake3: None,
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
                Some(format!("the server says {stated} tokens and lists {listed}"))
            }
            (Some(stated), None) if stated < self.pieces => {
                return (None, Some(format!("the server says {stated} tokens and sent {} pieces", self.pieces)));
            }
            _ => n.filter(|&n| n > max_tokens).map(|n| format!("{n} tokens, {max_tokens} were asked for")),
        };
        (n, doubt)
    }
}

fn count(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|n| u32::try_from(n).ok())
}

/// What the servers' words for an end mean.
fn stop_of(reason: &str) -> Stop {
    match reason {
        "stop" | "eos" | "eos_token" => Stop::Eos,
        "length" | "limit" | "max_tokens" => Stop::MaxTokens,
        // Stop words (none were sent), filters, aborts, a server's guard against loops.
        _ => Stop::Cut,
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(api: Api, lines: &[&str]) -> Generation {
        let mut answer = Answer::default();
        for line in lines {
            answer.take_line(api, line).unwrap();
        }
        answer.into_generation(api, 4)
    }

    #[test]
    fn an_openai_stream() {
        let lines = [
            r#"data: {"choices":[{"text":"to be","finish_reason":null}]}"#,
            "",
            ": ping",
            r#"data: {"choices":[{"text":" able","finish_reason":"length"}]}"#,
            r#"data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#,
            "data: [DONE]",
        ];
        let generation = read(Api::Openai, &lines);
        assert_eq!((&*generation.text, generation.stop), ("to be able", Stop::MaxTokens));
        assert_eq!((generation.n_prompt_tokens, generation.n_tokens()), (Some(7), Some(3)));
        assert_eq!((generation.tokens, generation.doubt), (None, None));
        // The same without its end is not a short text but a cut one.
        assert_eq!(read(Api::Openai, &lines[..1]).stop, Stop::Cut);
    }

    #[test]
    fn what_keeps_a_connection_open_says_nothing() {
        let mut answer = Answer::default();
        for (api, line) in
            [(Api::Openai, ""), (Api::Openai, ": ping"), (Api::Openai, "event: message"), (Api::Ollama, " ")]
        {
            assert_eq!(answer.take_line(api, line), Ok(Heard::Nothing), "{line:?}");
        }
        assert_eq!(answer, Answer::default());
    }

    #[test]
    fn a_llama_server_stream_has_tokens_and_the_order() {
        let end = concat!(
            r#"data: {"content":"","tokens":[],"stop":true,"stop_type":"eos","tokens_evaluated":5,"#,
            r#""tokens_predicted":2,"generation_settings":{"samplers":["top_k","temperature"]}}"#
        );
        let lines = [
            r#"data: {"content":"a","tokens":[3],"stop":false}"#,
            r#"data: {"content":"b","tokens":[4],"stop":false}"#,
            end,
        ];
        let mut answer = Answer::default();
        for line in lines {
            assert_eq!(answer.take_line(Api::LlamaServer, line), Ok(Heard::Something));
        }
        assert_eq!(answer.samplers.as_deref().unwrap(), ["top_k", "temperature"]);
        let generation = answer.into_generation(Api::LlamaServer, 4);
        assert_eq!((generation.n_tokens(), generation.stop), (Some(2), Stop::Eos));
        assert_eq!((generation.tokens, generation.doubt), (Some(vec![3, 4]), None));
    }

    #[test]
    fn an_ollama_stream_that_ends_without_its_last_message_is_cut() {
        let piece = r#"{"response":" so","done":false}"#;
        let end = r#"{"response":"","done":true,"done_reason":"stop","prompt_eval_count":2,"eval_count":2}"#;
        assert_eq!(read(Api::Ollama, &[piece, piece, end]).stop, Stop::Eos);
        let cut = read(Api::Ollama, &[piece, piece]);
        assert_eq!((&*cut.text, cut.stop, cut.n_tokens()), (" so so", Stop::Cut, None));
    }

    #[test]
    fn shimmy_sends_bare_pieces_and_says_not_why_it_stops() {
        let generation = read(Api::Shimmy, &["data: to", "", "data:  be", "", "data: [DONE]"]);
        assert_eq!((&*generation.text, generation.stop, generation.n_tokens()), ("to be", Stop::Unknown, Some(2)));
    }

    #[test]
    fn lies_about_tokens_are_doubted() {
        let piece = r#"data: {"choices":[{"text":"a","finish_reason":null}]}"#;
        let end = |n: u32| format!(r#"data: {{"choices":[],"usage":{{"completion_tokens":{n}}}}}"#);
        let too_few = read(Api::Openai, &[piece, piece, &end(1), "data: [DONE]"]);
        assert_eq!(
            (too_few.n_tokens(), &*too_few.doubt.unwrap()),
            (None, "the server says 1 tokens and sent 2 pieces")
        );
        let too_many = read(Api::Openai, &[piece, &end(9), "data: [DONE]"]);
        assert_eq!((too_many.n_tokens(), &*too_many.doubt.unwrap()), (Some(9), "9 tokens, 4 were asked for"));
    }

    #[test]
    fn errors_and_foreign_answers_are_no_texts() {
        let mut answer = Answer::default();
        let reported = answer.take_line(Api::Openai, r#"data: {"error":{"message":"out of slots"}}"#);
        assert_eq!(reported, Err(Broken::Reported("out of slots".into())));
        assert!(matches!(answer.take_whole(Api::Shimmy, "<html>"), Err(Broken::Foreign { .. })));
        assert!(matches!(answer.take_whole(Api::Openai, r#"{"response":"a"}"#), Err(Broken::Foreign { .. })));
    }
}
