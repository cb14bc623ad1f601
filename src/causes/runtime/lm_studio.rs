//! LM Studio's words: fields of a request to `/v1/chat/completions` or `/api/v1/chat`, and of what loads a model,
//! `/api/v1/models/load` or the SDK's `LLMLoadModelConfig`.

use super::{Adjustment, Knob, field, filler, in_quotes, openai_path, system_message};

pub fn line(Adjustment { knob, from, to }: &Adjustment) -> Option<String> {
    match knob {
        Knob::Temperature => field("temperature", to),
        Knob::TopK => field("top_k", to),
        Knob::TopP => field("top_p", to),
        Knob::MinP => field("min_p", to),
        Knob::RepeatPenalty => field("repeat_penalty", to),
        Knob::PresencePenalty => field("presence_penalty", to),
        Knob::FrequencyPenalty => field("frequency_penalty", to),
        Knob::Template => openai_path(from, to),
        Knob::PrefixTokens => filler(to),
        Knob::System => Some(system_message(to)),
        Knob::Thinking => match to.as_str() {
            "on" => field("enable_thinking", "true"),
            "off" => field("enable_thinking", "false"),
            _ => Some("leave out enable_thinking".to_owned()),
        },
        Knob::Context => field("context_length", to),
        Knob::Rope => field("ropeFrequencyBase", to.strip_prefix("base:")?),
        Knob::CacheTypeK => field("llamaKCacheQuantizationType", &in_quotes(to)),
        Knob::CacheTypeV => field("llamaVCacheQuantizationType", &in_quotes(to)),
        Knob::FlashAttention => match to.as_str() {
            "on" => field("flash_attention", "true"),
            "off" => field("flash_attention", "false"),
            _ => Some("leave out flash_attention".to_owned()),
        },
        Knob::Parallel => Some(format!("lms load --parallel {to}")),
        Knob::ExpertsUsed => match to.as_str() {
            "model" => Some("leave out num_experts".to_owned()),
            number => field("num_experts", number),
        },
        Knob::Grammar if to == "none" => Some("leave out response_format".to_owned()),
        _ => None,
    }
}
