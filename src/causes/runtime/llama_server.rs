//! llama-server's words: flags of its command line, of release b11434 (`tools/server/README.md`), and paths of its API.

use super::{Adjustment, Knob, filler, shell_word, system_message};

pub fn line(Adjustment { knob, from, to }: &Adjustment) -> Option<String> {
    let flag = |name: &str| Some(format!("{name} {to}"));
    let said = |line: &str| Some(line.to_owned());
    match knob {
        Knob::Temperature => flag("--temp"),
        Knob::TopK => flag("--top-k"),
        Knob::TopP => flag("--top-p"),
        Knob::MinP => flag("--min-p"),
        Knob::RepeatPenalty => flag("--repeat-penalty"),
        Knob::RepeatLastN => flag("--repeat-last-n"),
        Knob::PresencePenalty => flag("--presence-penalty"),
        Knob::FrequencyPenalty => flag("--frequency-penalty"),
        Knob::DryMultiplier => flag("--dry-multiplier"),
        Knob::Samplers => Some(format!("--samplers {}", shell_word(to))),
        Knob::Template => match (from.as_str(), to.as_str()) {
            (_, "raw") => said("POST /completion"),
            ("raw", "jinja") => said("POST /v1/chat/completions"),
            (_, "jinja") => said("--jinja"),
            ("raw", "chat") => said("--no-jinja, and POST /v1/chat/completions"),
            (_, "chat") => said("--no-jinja"),
            _ => flag("--chat-template"),
        },
        Knob::PrefixTokens => filler(to),
        Knob::System => Some(system_message(to)),
        Knob::Thinking => match to.as_str() {
            "default" => said("--reasoning auto"),
            _ => flag("--reasoning"),
        },
        Knob::Bos => match to.as_str() {
            "model" => said("leave out --override-kv tokenizer.ggml.add_bos_token"),
            "always" => said("--override-kv tokenizer.ggml.add_bos_token=bool:true"),
            "never" => said("--override-kv tokenizer.ggml.add_bos_token=bool:false"),
            _ => None,
        },
        Knob::Eos => match to.as_str() {
            "model" => said("leave out --ignore-eos and --override-kv tokenizer.ggml.eos_token_id"),
            "ignore" => said("--ignore-eos"),
            id => Some(format!("--override-kv tokenizer.ggml.eos_token_id=int:{id}")),
        },
        Knob::Context => flag("--ctx-size"),
        Knob::ContextShift => match (to.as_str(), to.strip_prefix("shift:")) {
            ("stop", _) => said("--no-context-shift"),
            ("shift", _) => said("--context-shift"),
            (_, Some(kept)) => Some(format!("--context-shift --keep {kept}")),
            _ => None,
        },
        Knob::Rope => match (to.as_str(), to.split_once(':')) {
            ("model", _) => said("leave out --rope-scaling, --rope-scale and --rope-freq-base"),
            ("none", _) => said("--rope-scaling none"),
            (_, Some(("base", base))) => Some(format!("--rope-freq-base {base}")),
            (_, Some((kind, factor))) => Some(format!("--rope-scaling {kind} --rope-scale {factor}")),
            _ => None,
        },
        Knob::CacheTypeK => flag("--cache-type-k"),
        Knob::CacheTypeV => flag("--cache-type-v"),
        Knob::FlashAttention => flag("--flash-attn"),
        Knob::Ubatch => flag("--ubatch-size"),
        Knob::Parallel => flag("--parallel"),
        Knob::SwaFull => match to.as_str() {
            "true" => said("--swa-full"),
            "false" => said("leave out --swa-full"),
            _ => None,
        },
        Knob::CpuMoe => match to.as_str() {
            "none" => said("leave out --cpu-moe and --n-cpu-moe"),
            "all" => said("--cpu-moe"),
            _ => flag("--n-cpu-moe"),
        },
        Knob::OpOffload => match to.as_str() {
            "true" => said("--op-offload"),
            "false" => said("--no-op-offload"),
            _ => None,
        },
        // The key begins with the architecture's name, which `moe-sweep model inspect` prints.
        Knob::ExpertsUsed => match to.as_str() {
            "model" => said("leave out --override-kv ARCHITECTURE.expert_used_count"),
            number => Some(format!("--override-kv ARCHITECTURE.expert_used_count=int:{number}")),
        },
        Knob::Quant => match to.as_str() {
            "source" => None,
            kind => Some(format!("--hf-repo USER/MODEL-GGUF:{}", kind.to_uppercase())),
        },
        Knob::Grammar => match to.as_str() {
            "none" => said("leave out --grammar, --json-schema and response_format"),
            "json" => said("--json-schema '{\"type\": \"object\"}'"),
            grammar => Some(format!("--grammar {}", shell_word(grammar))),
        },
    }
}
