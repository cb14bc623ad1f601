//! The words of Hugging Face transformers: arguments of `generate` (its `GenerationConfig`), of `from_pretrained`, of a
//! tokenizer and of `apply_chat_template`.

use super::{Adjustment, Knob, Templating, filler, system_message, templating};

pub fn line(Adjustment { knob, from, to }: &Adjustment) -> Option<String> {
    let argument = |name: &str| Some(format!("{name}={to}"));
    let said = |line: &str| Some(line.to_owned());
    match knob {
        // `generate` refuses a temperature of 0, and does not draw unless it is told to.
        Knob::Temperature => match to.parse() {
            Ok(0.0) => said("do_sample=False"),
            _ => Some(format!("do_sample=True, temperature={to}")),
        },
        Knob::TopK => argument("top_k"),
        Knob::TopP => argument("top_p"),
        Knob::MinP => argument("min_p"),
        Knob::RepeatPenalty => argument("repetition_penalty"),
        Knob::Template => match templating(from, to)? {
            Templating::Raw => said("tokenizer(prompt)"),
            Templating::Own => said("tokenizer.apply_chat_template(messages, add_generation_prompt=True)"),
        },
        Knob::PrefixTokens => filler(to),
        Knob::System => Some(system_message(to)),
        Knob::Thinking => match to.as_str() {
            "on" => said("enable_thinking=True"),
            "off" => said("enable_thinking=False"),
            _ => said("leave out enable_thinking"),
        },
        Knob::Bos => match to.as_str() {
            "model" => said("leave out add_special_tokens"),
            "always" => said("add_special_tokens=True"),
            "never" => said("add_special_tokens=False"),
            _ => None,
        },
        Knob::Eos => match to.as_str() {
            "model" => said("leave out eos_token_id"),
            "ignore" => None,
            id => Some(format!("eos_token_id={id}")),
        },
        // A cache that is not quantised has the type of the weights.
        Knob::CacheTypeK | Knob::CacheTypeV => match to.as_str() {
            "f16" | "bf16" | "f32" => said("cache_implementation=\"dynamic\""),
            _ => None,
        },
        Knob::FlashAttention => match to.as_str() {
            "on" => said("attn_implementation=\"flash_attention_2\""),
            "off" => said("attn_implementation=\"eager\""),
            _ => said("leave out attn_implementation"),
        },
        Knob::ExpertsUsed => match to.as_str() {
            "model" => said("leave out num_experts_per_tok"),
            number => Some(format!("num_experts_per_tok={number}")),
        },
        Knob::RepeatLastN
        | Knob::PresencePenalty
        | Knob::FrequencyPenalty
        | Knob::DryMultiplier
        | Knob::Samplers
        | Knob::Context
        | Knob::ContextShift
        | Knob::Rope
        | Knob::Ubatch
        | Knob::Parallel
        | Knob::SwaFull
        | Knob::CpuMoe
        | Knob::OpOffload
        | Knob::Quant
        | Knob::Grammar => None,
    }
}
