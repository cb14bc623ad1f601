//! The words of an API like OpenAI's: fields of a request and its path, those that OpenAI documents and no others.

use super::{Adjustment, Knob, at_a_time, field, filler, openai_path, response_format, system_message};

pub fn line(Adjustment { knob, from, to }: &Adjustment) -> Option<String> {
    match knob {
        Knob::Temperature => field("temperature", to),
        Knob::TopP => field("top_p", to),
        Knob::PresencePenalty => field("presence_penalty", to),
        Knob::FrequencyPenalty => field("frequency_penalty", to),
        Knob::Template => openai_path(from, to),
        Knob::PrefixTokens => filler(to),
        Knob::Parallel => at_a_time(to),
        Knob::System => Some(system_message(to)),
        Knob::Grammar => response_format(to),
        _ => None,
    }
}
