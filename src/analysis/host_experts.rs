//! Says where experts that a load keeps on the host were computed: a device takes over the steps that are wide enough
//! (`engine::Takeover`), and then the offload moved their bytes only.
//!
//! Owns the finding and its words. Must not know manifests, which it is made from.

use crate::domain::LoadKey;
use crate::engine::{Takeover, Widths};

/// A load with experts on the host, a device beside it, and `op_offload` on.
#[derive(Clone, Debug, PartialEq)]
pub struct HostExperts {
    pub key: LoadKey,
    pub computed: Computed,
}

/// What is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Computed {
    Counted {
        takeover: Takeover,
        widths: Widths,
    },
    /// Nobody counted, and steps may have been of `from` tokens or more.
    NotKnown {
        from: u32,
        why: Uncounted,
    },
}

/// Why nobody counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uncounted {
    OlderProgram,
    Killed,
}

impl HostExperts {
    /// Why its texts can't stand for experts computed on the host; None where they can, as far
    /// as decoding goes.
    pub fn not_on_host(&self) -> Option<String> {
        match self.computed {
            Computed::Counted { takeover: Takeover::From(from), widths } if widths.wide_steps > 0 => {
                Some(format!("{}; {}", in_steps(from, widths), remedy(from, Some(widths.widest_step))))
            }
            Computed::Counted { .. } => None,
            Computed::NotKnown { from, why } => {
                let why = match why {
                    Uncounted::OlderProgram => {
                        "an older moe-sweep made some of its texts and did not count the width of steps"
                    }
                    Uncounted::Killed => "a run was killed before it could record the width of its steps",
                };
                Some(format!(
                    "not known where the experts were computed: {why}, and llama.cpp sends each step of {from} tokens \
                     or more to the GPU (op_offload); {}",
                    remedy(from, None)
                ))
            }
        }
    }

    /// What must be known to read its results rightly.
    pub fn note(&self) -> Option<String> {
        let only_prompts = || match self.computed {
            Computed::Counted { takeover: Takeover::From(from), widths } if widths.wide_prompt_tokens > 0 => {
                Some(format!(
                    "the GPU computed the experts for {} of the prompts' tokens, although their weights are on the \
                     CPU: llama.cpp sends each piece of a prompt of {from} tokens or more to the GPU (op_offload); no \
                     decoding step was that wide. To compute everything on the CPU, set op_offload = [false]",
                    percent(widths.wide_prompt_tokens, widths.prompt_tokens)
                ))
            }
            _ => None,
        };
        Some(format!("{}: {}", self.key, self.not_on_host().or_else(only_prompts)?))
    }
}

fn in_steps(from: u32, widths: Widths) -> String {
    let Widths { steps, wide_steps, step_tokens, wide_step_tokens, prompt_tokens, wide_prompt_tokens, .. } = widths;
    let prompts = match wide_prompt_tokens {
        0 => String::new(),
        wide => format!(" and for {} of the prompts' tokens", percent(wide, prompt_tokens)),
    };
    format!(
        "the GPU computed the experts in {} of the steps ({} of the tokens decoded){prompts}, although their weights \
         are on the CPU: llama.cpp sends every step of {from} tokens or more to the GPU (op_offload)",
        percent(wide_steps, steps),
        percent(wide_step_tokens, step_tokens)
    )
}

/// Ids stay what they are, so a directory with these texts would keep them.
fn remedy(from: u32, widest: Option<u64>) -> String {
    let mut ways = Vec::new();
    if from > 1 {
        ways.push(format!("with --batch {} or less", from - 1));
    }
    ways.push(match widest {
        Some(widest) => format!("with GGML_OP_OFFLOAD_MIN_BATCH={}", widest + 1),
        None => "with GGML_OP_OFFLOAD_MIN_BATCH above the batch".to_owned(),
    });
    let ways = ways.join(", or ");
    format!("to compute them on the CPU, set op_offload = [false], or run into another directory (--out) {ways}")
}

fn percent(part: u64, all: u64) -> String {
    match 100.0 * part as f64 / all as f64 {
        share if share < 0.1 => "under 0.1 %".to_owned(),
        share if share > 99.9 && part < all => "over 99.9 %".to_owned(),
        share => format!("{share:.1} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(computed: Computed) -> HostExperts {
        HostExperts { key: LoadKey::usual("m"), computed }
    }

    #[test]
    fn wide_steps_are_told_with_their_share_the_threshold_and_the_remedy() {
        let widths = Widths {
            steps: 8,
            step_tokens: 250,
            wide_steps: 1,
            wide_step_tokens: 40,
            widest_step: 40,
            ..Widths::default()
        };
        let load = load(Computed::Counted { takeover: Takeover::From(32), widths });
        let said = load.not_on_host().unwrap();
        for part in [
            "12.5 % of the steps (16.0 % of the tokens decoded)",
            "every step of 32 tokens or more",
            "op_offload = [false]",
            "--batch 31 or less",
            "GGML_OP_OFFLOAD_MIN_BATCH=41",
            "--out",
        ] {
            assert!(said.contains(part), "no {part:?} in {said}");
        }
        assert!(!said.contains("prompts"));
        assert_eq!(load.note(), Some(format!("m, offload all: {said}")));
    }

    #[test]
    fn narrow_steps_stand_for_the_host_and_wide_prompts_are_noted() {
        let prompts = Widths { steps: 9, step_tokens: 90, prompt_tokens: 80, ..Widths::default() };
        let counted = |widths| load(Computed::Counted { takeover: Takeover::From(32), widths });
        let short = counted(prompts);
        assert_eq!((short.not_on_host(), short.note()), (None, None));
        let long = counted(Widths { wide_prompt_tokens: 40, ..prompts });
        assert_eq!(long.not_on_host(), None);
        assert!(long.note().unwrap().contains("50.0 % of the prompts' tokens"));
    }

    #[test]
    fn what_nobody_counted_is_not_known() {
        for (why, said) in [(Uncounted::OlderProgram, "an older moe-sweep"), (Uncounted::Killed, "was killed")] {
            let load = load(Computed::NotKnown { from: 32, why });
            assert!(load.not_on_host().unwrap().contains(said));
        }
    }

    #[test]
    fn a_share_is_rounded_to_neither_nothing_nor_all() {
        let shares = [(1, 10_000), (9_999, 10_000), (1, 1), (1, 3)].map(|(part, all)| percent(part, all));
        assert_eq!(shares, ["under 0.1 %", "over 99.9 %", "100.0 %", "33.3 %"]);
    }
}
