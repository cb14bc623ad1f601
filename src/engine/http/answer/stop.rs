//! Translates the servers' words for why a text ended.
//!
//! Pure. A word that is not here means that the server cut the text: stop words (none were
//! sent), filters, aborts.

use crate::domain::Stop;

/// What a server's word means; None where it gives no reason (vLLM and SGLang send `""` or null
/// in every piece but the last, llama-server has `none`).
pub fn stop_of(reason: &str) -> Option<Stop> {
    match reason.trim().to_ascii_lowercase().as_str() {
        "" | "none" | "null" => None,
        // A call of a tool is where the model ended its answer.
        "stop" | "eos" | "eos_token" | "end_turn" | "tool_calls" | "function_call" => Some(Stop::Eos),
        "length" | "limit" | "max_tokens" => Some(Stop::MaxTokens),
        // vLLM's finish_reason and its stop_reason (`repetition_detection`); MoonPalace, the
        // proxy in front of Moonshot's models.
        "repetition" | "repetition_detected" | "repeat" => Some(Stop::Repetition),
        _ => Some(Stop::Cut),
    }
}

/// Whether an error says that the text was ended because it repeats itself. Whole phrases: an
/// error about a repetition penalty says nothing of the kind.
pub fn says_repetition(error: &str) -> bool {
    // Ollama's "prediction aborted, token repeat limit reached"; vLLM's name of its reason.
    let phrases = ["token repeat limit reached", "repetition_detected", "repetition detected"];
    let error = error.to_ascii_lowercase();
    phrases.iter().any(|phrase| error.contains(phrase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_no_reason() {
        for word in ["", " ", "none", "None", "null"] {
            assert_eq!(stop_of(word), None, "{word:?}");
        }
    }

    #[test]
    fn an_end_for_repetition_is_told_from_other_ends() {
        for word in ["repetition", "repetition_detected", "repeat"] {
            assert_eq!(stop_of(word), Some(Stop::Repetition), "{word}");
        }
        assert_eq!(stop_of("content_filter"), Some(Stop::Cut));
        assert!(says_repetition(r#"500: {"error":"prediction aborted, token repeat limit reached"}"#));
        for other in ["repetition_penalty has to be above 0", "repeat_last_n is out of range", "out of memory"] {
            assert!(!says_repetition(other), "{other}");
        }
    }
}
