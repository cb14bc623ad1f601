//! Owns the catalogue of causes: what people report to make a model loop and a switch can test, each under a stable id.
//!
//! Pure words: it must not know what a model did, nor what an experiment is. [`Runtime::line`] says what a person
//! changes where they run their model.

mod page;
mod pages;
mod runtime;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use miette::Diagnostic;

use crate::nearest::did_you_mean;
use pages::{engine, experts, model, penalties, prompt, sampling, server};

pub use page::{Page, Thread};
pub use runtime::{Adjustment, Knob, Runtime};

macro_rules! causes {
    ($($cause:ident $id:literal $title:literal [$($factor:literal),+] $page:path)+) => {
        /// A cause of looping that people report and a switch can test.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Cause {
            $(#[doc = $title] $cause,)+
        }

        impl Cause {
            /// In the order in which they are listed.
            pub const ALL: [Self; [$($id),+].len()] = [$(Self::$cause),+];

            /// Its name on the command line and in files. It never changes.
            pub fn id(self) -> &'static str {
                match self { $(Self::$cause => $id,)+ }
            }

            /// What it is, after the word "cause".
            pub fn title(self) -> &'static str {
                match self { $(Self::$cause => $title,)+ }
            }

            /// The factors of an experiment that test it.
            pub fn factors(self) -> &'static [&'static str] {
                match self { $(Self::$cause => &[$($factor),+],)+ }
            }

            /// What `explain` prints of it.
            pub fn page(self) -> Page {
                match self { $(Self::$cause => $page,)+ }
            }
        }
    };
}

causes! {
    PenaltyZero "L-PENALTY-ZERO" "a repeat penalty of 0 divides by zero" ["chain"] penalties::ZERO
    PenaltyReward "L-PENALTY-REWARD" "a repeat penalty below 1, which rewards what was written" ["chain"] penalties::REWARD
    PenaltyStrong "L-PENALTY-STRONG" "a repeat penalty that is too strong" ["chain"] penalties::STRONG
    PenaltyMissing "L-PENALTY-MISSING" "no penalty on tokens that were already written" ["chain"] penalties::MISSING
    PresencePenalty "L-PRESENCE-PENALTY" "the value of the presence penalty" ["chain"] penalties::PRESENCE
    FrequencyPenalty "L-FREQUENCY-PENALTY" "the value of the frequency penalty" ["chain"] penalties::FREQUENCY
    WindowShort "L-WINDOW-SHORT" "a penalty window shorter than the loop" ["chain"] penalties::WINDOW
    Dry "L-DRY" "the setting of the DRY sampler" ["chain"] penalties::DRY
    Greedy "L-GREEDY" "greedy decoding: always the most probable token" ["chain"] sampling::GREEDY
    TemperatureLow "L-TEMPERATURE-LOW" "a temperature that is too low" ["temperature"] sampling::LOW
    TemperatureHigh "L-TEMPERATURE-HIGH" "a temperature that is too high" ["temperature", "chain"] sampling::HIGH
    Truncation "L-TRUNCATION" "the cut by top-k, top-p or min-p" ["chain"] sampling::TRUNCATION
    Chain "L-CHAIN" "the samplers, or the order in which they run" ["chain"] sampling::CHAIN
    TemplateMissing "L-TEMPLATE-MISSING" "a chat model prompted without its chat template" ["template"] prompt::NO_TEMPLATE
    TemplateUsed "L-TEMPLATE-USED" "a chat template on a base model" ["template"] prompt::TEMPLATE_USED
    TemplateForm "L-TEMPLATE-FORM" "a chat form that is not the model's own template" ["template"] prompt::TEMPLATE_FORM
    System "L-SYSTEM" "the system prompt" ["system"] prompt::SYSTEM
    Thinking "L-THINKING" "the thinking mode" ["thinking"] prompt::THINKING
    BosMissing "L-BOS-MISSING" "a missing beginning-of-sequence token" ["bos"] prompt::BOS_MISSING
    BosDoubled "L-BOS-DOUBLED" "a doubled beginning-of-sequence token" ["bos"] prompt::BOS_DOUBLED
    Eos "L-EOS" "an end-of-text token that does not end the text" ["eos"] prompt::EOS
    Context "L-CONTEXT" "a context that is full, or longer than in training" ["context", "overflow"] engine::CONTEXT
    Rope "L-ROPE" "the scaling of positions (RoPE)" ["rope"] engine::ROPE
    PromptLength "L-PROMPT-LENGTH" "the length of the prompt" ["prefix_tokens"] prompt::LENGTH
    CacheType "L-CACHE-TYPE" "a quantised KV cache" ["kv_k", "kv_v"] engine::CACHE_TYPE
    FlashAttention "L-FLASH-ATTENTION" "the kernel of flash attention" ["flash_attention"] engine::FLASH_ATTENTION
    Ubatch "L-UBATCH" "the size of the physical batch" ["ubatch"] engine::UBATCH
    Width "L-WIDTH" "other texts that are decoded in the same batch" ["width"] engine::WIDTH
    SlidingWindow "L-SLIDING-WINDOW" "the cache of a sliding window" ["swa_full"] engine::SLIDING_WINDOW
    Offload "L-OFFLOAD" "where the experts are computed" ["offload"] experts::OFFLOAD
    OpOffload "L-OP-OFFLOAD" "a GPU that computes with weights on the host" ["op_offload"] experts::OP_OFFLOAD
    ExpertsUsed "L-EXPERTS-USED" "the number of experts that a token goes through" ["experts_used"] experts::USED
    Quant "L-QUANT" "weights that are quantised too far" ["quant"] model::QUANT
    Grammar "L-GRAMMAR" "a grammar, or JSON mode" ["chain"] server::GRAMMAR
    ServerDefaults "L-SERVER-DEFAULTS" "sampling defaults that are not the model's" ["chain"] server::DEFAULTS
    ServerIgnores "L-SERVER-IGNORES" "a parameter that the server ignores" ["model"] server::IGNORES
    Model "L-MODEL" "the model itself" ["model"] model::MODEL
}

/// What putting a cause right costs. In the order in which causes are preferred that explain as much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nature {
    /// A value that serves no purpose: nothing is lost with it.
    Defect,
    /// A value that people choose, for speed, memory, or texts that can be repeated.
    Choice,
}

impl Cause {
    /// What putting it right costs a person.
    pub fn nature(self) -> Nature {
        match self {
            Self::PenaltyZero
            | Self::PenaltyReward
            | Self::TemplateMissing
            | Self::TemplateForm
            | Self::BosMissing
            | Self::BosDoubled
            | Self::Eos => Nature::Defect,
            _ => Nature::Choice,
        }
    }
}

/// An id that no cause has.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("unknown cause {id:?}")]
#[diagnostic(help("{}", remedy(id)))]
pub struct UnknownCause {
    id: String,
}

/// The id that was meant, or all of them.
fn remedy(unknown: &str) -> String {
    let ids = Cause::ALL.map(Cause::id);
    match did_you_mean(&unknown.to_ascii_uppercase(), ids) {
        Some(near) => format!("did you mean {near}? `moe-sweep explain` lists all ids"),
        None => format!("use one of: {}", ids.join(", ")),
    }
}

impl FromStr for Cause {
    type Err = UnknownCause;

    fn from_str(id: &str) -> Result<Self, UnknownCause> {
        let of_this_id = |cause: &Self| cause.id().eq_ignore_ascii_case(id);
        Self::ALL.into_iter().find(of_this_id).ok_or_else(|| UnknownCause { id: id.to_owned() })
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}
