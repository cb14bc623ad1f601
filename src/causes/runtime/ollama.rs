//! Ollama's words: lines of a Modelfile, fields of a request to its API, variables of the environment of `ollama serve`
//! (<https://docs.ollama.com>: Modelfile, API, FAQ).

use super::{Adjustment, Knob, Templating, field, filler, templating};

pub fn line(Adjustment { knob, from, to }: &Adjustment) -> Option<String> {
    let parameter = |name: &str| Some(format!("PARAMETER {name} {to}"));
    let said = |line: &str| Some(line.to_owned());
    match knob {
        Knob::Temperature => parameter("temperature"),
        Knob::TopK => parameter("top_k"),
        Knob::TopP => parameter("top_p"),
        Knob::MinP => parameter("min_p"),
        Knob::RepeatPenalty => parameter("repeat_penalty"),
        Knob::RepeatLastN => parameter("repeat_last_n"),
        Knob::PresencePenalty => parameter("presence_penalty"),
        Knob::FrequencyPenalty => parameter("frequency_penalty"),
        Knob::Context => parameter("num_ctx"),
        Knob::Template => match templating(from, to)? {
            Templating::Raw => field("raw", "true"),
            Templating::Own => field("raw", "false"),
        },
        Knob::PrefixTokens => filler(to),
        Knob::System => match to.as_str() {
            "default" => said("leave out SYSTEM"),
            "none" => said("SYSTEM \"\""),
            text => Some(format!("SYSTEM \"\"\"{text}\"\"\"")),
        },
        Knob::Thinking => match to.as_str() {
            "on" => field("think", "true"),
            "off" => field("think", "false"),
            _ => said("leave out think"),
        },
        Knob::ContextShift => match (to.as_str(), to.strip_prefix("shift:")) {
            ("stop", _) => field("shift", "false"),
            ("shift", _) => field("shift", "true"),
            (_, Some(kept)) => Some(format!("PARAMETER num_keep {kept}")),
            _ => None,
        },
        // One type for keys and values.
        Knob::CacheTypeK | Knob::CacheTypeV => match to.as_str() {
            "f16" | "q8_0" | "q4_0" => Some(format!("OLLAMA_KV_CACHE_TYPE={to}")),
            _ => None,
        },
        Knob::FlashAttention => match to.as_str() {
            "on" => said("OLLAMA_FLASH_ATTENTION=1"),
            "off" => said("OLLAMA_FLASH_ATTENTION=0"),
            _ => said("leave out OLLAMA_FLASH_ATTENTION"),
        },
        Knob::Parallel => Some(format!("OLLAMA_NUM_PARALLEL={to}")),
        Knob::Grammar => match to.as_str() {
            "none" => said("leave out format"),
            "json" => field("format", "\"json\""),
            _ => None,
        },
        Knob::DryMultiplier
        | Knob::Samplers
        | Knob::Bos
        | Knob::Eos
        | Knob::Rope
        | Knob::Ubatch
        | Knob::SwaFull
        | Knob::CpuMoe
        | Knob::OpOffload
        | Knob::ExpertsUsed
        | Knob::Quant => None,
    }
}
