//! The words of requests to servers that are told their samplers by flags or files as well: llama.cpp's names, which are
//! Ollama's too, where they stand in `options`.

use super::{Adjustment, Knob, Runtime, field};

pub fn line(runtime: Runtime, Adjustment { knob, to, .. }: &Adjustment) -> Option<String> {
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
    let said = field(name, to);
    match runtime {
        Runtime::LlamaServer => said,
        Runtime::Ollama => Some(format!("\"options\": {{ {} }}", said?)),
        Runtime::OpenAi | Runtime::Vllm | Runtime::LmStudio | Runtime::Transformers | Runtime::Shimmy => None,
    }
}
