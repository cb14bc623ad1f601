//! Shimmy's words, of the releases 1.x, which wrap llama.cpp: fields of a request to `/api/generate`, flags of
//! `shimmy serve`. Its penalties can't be set.

use super::{Adjustment, Knob, at_a_time, field, filler, in_quotes};

pub fn line(Adjustment { knob, from, to }: &Adjustment) -> Option<String> {
    match knob {
        // Its chain ends in the most probable token, whatever its temperature.
        Knob::Temperature if from != "greedy" => field("temperature", to),
        Knob::TopK => field("top_k", to),
        Knob::TopP => field("top_p", to),
        Knob::PrefixTokens => filler(to),
        Knob::Parallel => at_a_time(to),
        Knob::System => match to.as_str() {
            "default" => Some("leave out system".to_owned()),
            "none" => field("system", "\"\""),
            text => field("system", &in_quotes(text)),
        },
        Knob::CpuMoe => match to.as_str() {
            "none" => Some("leave out --cpu-moe and --n-cpu-moe".to_owned()),
            "all" => Some("--cpu-moe".to_owned()),
            layers => Some(format!("--n-cpu-moe {layers}")),
        },
        _ => None,
    }
}
