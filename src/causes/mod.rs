//! Owns the catalogue of causes: what people report to make a model loop and a switch can test, each under a stable id.
//!
//! Pure words: it must not know what a model did, nor what an experiment is. [`Runtime::line`] says what a person
//! changes where they run their model.

mod runtime;

use std::fmt;
use std::str::FromStr;

use miette::Diagnostic;

use crate::nearest::did_you_mean;

pub use runtime::{Adjustment, Knob, Runtime};

macro_rules! causes {
    ($($cause:ident $id:literal $title:literal)+) => {
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
        }
    };
}

causes! {
    PenaltyZero "L-PENALTY-ZERO" "a repeat penalty of 0 divides by zero"
    PenaltyStrong "L-PENALTY-STRONG" "a repeat penalty that is too strong"
    PenaltyMissing "L-PENALTY-MISSING" "no penalty on tokens that were already written"
    PresencePenalty "L-PRESENCE-PENALTY" "the value of the presence penalty"
    FrequencyPenalty "L-FREQUENCY-PENALTY" "the value of the frequency penalty"
    WindowShort "L-WINDOW-SHORT" "a penalty window shorter than the loop"
    Dry "L-DRY" "the setting of the DRY sampler"
    Greedy "L-GREEDY" "greedy decoding: always the most probable token"
    TemperatureLow "L-TEMPERATURE-LOW" "a temperature that is too low"
    TemperatureHigh "L-TEMPERATURE-HIGH" "a temperature that is too high"
    Truncation "L-TRUNCATION" "the cut by top-k, top-p or min-p"
    Chain "L-CHAIN" "the samplers, or the order in which they run"
    TemplateMissing "L-TEMPLATE-MISSING" "a chat model prompted without its chat template"
    TemplateUsed "L-TEMPLATE-USED" "a chat template on a base model"
    TemplateForm "L-TEMPLATE-FORM" "a chat form that is not the model's own template"
    System "L-SYSTEM" "the system prompt"
    Thinking "L-THINKING" "the thinking mode"
    BosMissing "L-BOS-MISSING" "a missing beginning-of-sequence token"
    BosDoubled "L-BOS-DOUBLED" "a doubled beginning-of-sequence token"
    Eos "L-EOS" "an end-of-text token that does not end the text"
    Context "L-CONTEXT" "a context that is full, or longer than in training"
    Rope "L-ROPE" "the scaling of positions (RoPE)"
    PromptLength "L-PROMPT-LENGTH" "the length of the prompt"
    CacheType "L-CACHE-TYPE" "a quantised KV cache"
    FlashAttention "L-FLASH-ATTENTION" "the kernel of flash attention"
    Ubatch "L-UBATCH" "the size of the physical batch"
    Width "L-WIDTH" "other texts that are decoded in the same batch"
    SlidingWindow "L-SLIDING-WINDOW" "the cache of a sliding window"
    Offload "L-OFFLOAD" "where the experts are computed"
    OpOffload "L-OP-OFFLOAD" "a GPU that computes with weights on the host"
    ExpertsUsed "L-EXPERTS-USED" "the number of experts that a token goes through"
    Quant "L-QUANT" "weights that are quantised too far"
    Grammar "L-GRAMMAR" "a grammar, or JSON mode"
    ServerDefaults "L-SERVER-DEFAULTS" "sampling defaults that are not the model's"
    ServerIgnores "L-SERVER-IGNORES" "a parameter that the server ignores"
    Model "L-MODEL" "the model itself"
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
