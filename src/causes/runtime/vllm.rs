//! vLLM's words: fields of a request to its OpenAI-style API (`vllm/sampling_params.py` there and the server's extra
//! parameters), flags of `vllm serve`.

use super::{Adjustment, Knob, field, filler, in_quotes, openai_path, response_format, system_message};

pub fn line(Adjustment { knob, from, to }: &Adjustment) -> Option<String> {
    let flag = |name: &str| Some(format!("{name} {to}"));
    let said = |line: &str| Some(line.to_owned());
    match knob {
        Knob::Temperature => field("temperature", to),
        Knob::TopK => field("top_k", to),
        Knob::TopP => field("top_p", to),
        Knob::MinP => field("min_p", to),
        Knob::RepeatPenalty => field("repetition_penalty", to),
        Knob::PresencePenalty => field("presence_penalty", to),
        Knob::FrequencyPenalty => field("frequency_penalty", to),
        Knob::Template => openai_path(from, to),
        Knob::PrefixTokens => filler(to),
        Knob::System => Some(system_message(to)),
        Knob::Thinking => match to.as_str() {
            "on" => field("chat_template_kwargs", "{\"enable_thinking\": true}"),
            "off" => field("chat_template_kwargs", "{\"enable_thinking\": false}"),
            _ => said("leave out chat_template_kwargs"),
        },
        Knob::Bos => match to.as_str() {
            "model" => said("leave out add_special_tokens"),
            "always" => field("add_special_tokens", "true"),
            "never" => field("add_special_tokens", "false"),
            _ => None,
        },
        Knob::Eos => match to.as_str() {
            "model" => field("ignore_eos", "false"),
            "ignore" => field("ignore_eos", "true"),
            id => field("stop_token_ids", &format!("[{id}]")),
        },
        Knob::Context => flag("--max-model-len"),
        // One type for keys and values; "auto" is the model's own.
        Knob::CacheTypeK | Knob::CacheTypeV => match to.as_str() {
            "f16" | "bf16" | "f32" => said("--kv-cache-dtype auto"),
            _ => None,
        },
        Knob::Parallel => flag("--max-num-seqs"),
        Knob::ExpertsUsed => match to.as_str() {
            "model" => said("leave out --hf-overrides"),
            number => Some(format!("--hf-overrides '{{\"num_experts_per_tok\": {number}}}'")),
        },
        Knob::Grammar => {
            response_format(to).or_else(|| field("structured_outputs", &format!("{{\"grammar\": {}}}", in_quotes(to))))
        }
        Knob::RepeatLastN
        | Knob::DryMultiplier
        | Knob::Samplers
        | Knob::ContextShift
        | Knob::Rope
        | Knob::FlashAttention
        // --max-num-batched-tokens is refused below --max-num-seqs, and another thing.
        | Knob::Ubatch
        | Knob::SwaFull
        | Knob::CpuMoe
        | Knob::OpOffload
        | Knob::Quant => None,
    }
}
