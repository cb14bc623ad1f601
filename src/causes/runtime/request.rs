//! The words of requests to servers that are told their samplers by flags or files as well: llama.cpp's names, which are
//! Ollama's too.

use super::{Adjustment, Knob, field};

pub fn field_of(Adjustment { knob, to, .. }: &Adjustment) -> Option<String> {
    let name = match knob {
        Knob::Temperature => "temperature",
        Knob::TopK => "top_k",
        Knob::TopP => "top_p",
        Knob::MinP => "min_p",
        Knob::RepeatPenalty => "repeat_penalty",
        Knob::RepeatLastN => "repeat_last_n",
        Knob::PresencePenalty => "presence_penalty",
        Knob::FrequencyPenalty => "frequency_penalty",
        _ => return None,
    };
    field(name, to)
}
