//! Lists the factors of an experiment, each of them in one entry: its name, and the type of its levels.
//!
//! To add a factor, write the type of its levels in `factors/`, with its [`LevelType`], and name it in the list below.
//! The keys of experiment files, columns, selections, exclusions, ids, labels and titles follow from that. What a level
//! does is then for an engine to say.

use std::fmt;
use std::str::FromStr;

use serde::de::DeserializeSeed;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::factors::*;
use super::level_type::{Acts, LevelType, NotALevel, Order, Scope, Steps, Wording, Written};

/// The type of some factor's levels.
pub trait FactorLevel: LevelType + Into<Level> {
    /// The level itself, where `level` is of this factor.
    fn of(level: &Level) -> Option<&Self>;
}

macro_rules! factors {
    ($($(#[doc = $doc:literal])+ $name:ident: $factor:ident($level:ty),)+) => {
        /// An axis of the grid. Prompts and seeds are replicates, and no axes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Factor {
            $($(#[doc = $doc])+ $factor,)+
        }

        /// A level of some factor. Levels of one factor are ordered along it where it has an order.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Level {
            $($factor($level),)+
        }

        impl Factor {
            /// In the order of columns.
            pub const ALL: [Self; [$(stringify!($name)),+].len()] = [$(Self::$factor),+];
            /// Their names, in that order.
            pub const NAMES: [&str; Self::ALL.len()] = [$(stringify!($name)),+];

            /// What it is, in a sentence.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$factor => concat!($($doc),+).trim_start(),)+ }
            }

            /// What it decides.
            pub fn scope(self) -> Scope {
                match self { $(Self::$factor => <$level>::SCOPE,)+ }
            }

            /// Whether its levels have an order.
            pub fn order(self) -> Order {
                match self { $(Self::$factor => <$level>::ORDER,)+ }
            }

            /// Where it acts.
            pub fn acts(self) -> Acts {
                match self { $(Self::$factor => <$level>::ACTS,)+ }
            }

            /// Where its levels are said.
            pub fn wording(self) -> Wording {
                match self { $(Self::$factor => <$level>::WORDING,)+ }
            }

            /// The level of experiments that do not name it; None where each must.
            pub fn usual(self) -> Option<Level> {
                match self { $(Self::$factor => <$level>::usual().map(Level::$factor),)+ }
            }

            /// Reads a level as an experiment file writes it.
            ///
            /// # Errors
            /// When it is none.
            pub fn read(self, written: &Written) -> Result<Level, NotALevel> {
                match self { $(Self::$factor => <$level>::read(written).map(Level::$factor),)+ }
            }

            /// The levels of a range.
            ///
            /// # Errors
            /// When it is no range of this factor's.
            pub fn range(self, steps: Steps) -> Result<Vec<Level>, NotALevel> {
                match self {
                    $(Self::$factor => Ok(<$level>::range(steps)?.into_iter().map(Level::$factor).collect()),)+
                }
            }

            /// Reads a level as moe-sweep's own files hold it.
            ///
            /// # Errors
            /// The deserializer's.
            fn deserialize_level<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<Level, D::Error> {
                match self { $(Self::$factor => <$level>::deserialize(deserializer).map(Level::$factor),)+ }
            }
        }

        impl Level {
            pub fn factor(&self) -> Factor {
                match self { $(Self::$factor(_) => Factor::$factor,)+ }
            }

            /// As an experiment file writes it.
            pub fn written(&self) -> Written {
                match self { $(Self::$factor(level) => level.written(),)+ }
            }

            /// In the title of a table or a plot.
            pub fn in_title(&self) -> String {
                match self { $(Self::$factor(level) => level.in_title(),)+ }
            }

            /// In the name of a cell.
            pub fn in_cell(&self) -> String {
                match self { $(Self::$factor(level) => level.in_cell(),)+ }
            }

            /// In the name of a load, after the model's.
            pub fn in_load(&self) -> String {
                match self { $(Self::$factor(level) => level.in_load(),)+ }
            }
        }

        impl fmt::Display for Level {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$factor(level) => level.fmt(f),)+ }
            }
        }

        impl Serialize for Level {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$factor(level) => level.serialize(serializer),)+ }
            }
        }

        $(impl From<$level> for Level {
            fn from(level: $level) -> Self {
                Self::$factor(level)
            }
        }

        impl FactorLevel for $level {
            fn of(level: &Level) -> Option<&Self> {
                match level {
                    Level::$factor(level) => Some(level),
                    _ => None,
                }
            }
        })+
    };
}

factors! {
    /// Which model.
    model: Model(ModelId),
    /// Which sampler chain.
    chain: Chain(ChainId),
    /// Whose experts are kept in host memory.
    offload: Offload(Offload),
    /// The type that the weights are brought to.
    quant: Quant(Quant),
    /// What becomes of a prompt's text.
    template: Template(Template),
    /// Whether a beginning-of-sequence token stands before a prompt.
    bos: Bos(Bos),
    /// Whether an accelerator computes with weights that are on the host.
    op_offload: OpOffload(OpOffload),
    /// Whether attention is computed in one pass over the cache.
    flash_attention: FlashAttention(FlashAttention),
    /// The type of the cache's keys.
    kv_k: KvK(KvK),
    /// The type of the cache's values.
    kv_v: KvV(KvV),
    /// How much of a text layers with a sliding window keep.
    swa_full: SwaFull(SwaFull),
    /// How many tokens are computed at once at most.
    ubatch: Ubatch(Ubatch),
    /// How many texts are decoded together.
    width: Width(Width),
    /// How many tokens a prompt and its text may have together.
    context: Context(Context),
    /// What becomes of a text that fills its context.
    overflow: Overflow(Overflow),
    /// Whether ggml lays weights out anew for kernels of many rows.
    repack: Repack(Repack),
    /// How a token's position is turned into angles.
    rope: Rope(Rope),
    /// How many experts a token goes through.
    experts_used: ExpertsUsed(ExpertsUsed),
    /// Which token ends a text.
    eos: Eos(Eos),
    /// Which system message stands before a prompt.
    system: System(System),
    /// Whether a chat template is told to have the model think first.
    thinking: Thinking(Thinking),
    /// How much filler stands in front of a prompt.
    prefix_tokens: PrefixTokens(PrefixTokens),
    /// The temperature that a chain's `"T"` stands for.
    temperature: Temperature(Temperature),
}

impl Factor {
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The names of its levels, where they can be listed: a number's can't.
    pub fn level_names(self) -> &'static [&'static str] {
        match self.read(&Written::Name(String::new())) {
            Err(NotALevel::Unknown { names }) => names,
            _ => &[],
        }
    }

    /// Those of some scopes, in the order in which grids nest.
    pub fn nested(scopes: &[Scope]) -> Vec<Self> {
        let mut factors: Vec<_> = Self::ALL.into_iter().filter(|factor| scopes.contains(&factor.scope())).collect();
        factors.sort_by_key(|factor| factor.scope());
        factors
    }
}

impl Level {
    /// Whether it is said in ids, files and names.
    pub fn is_said(&self) -> bool {
        match self.factor().wording() {
            Wording::Always => true,
            Wording::WhereUnusual => !self.is_usual(),
        }
    }

    /// Whether it is that of experiments that do not name the factor.
    pub fn is_usual(&self) -> bool {
        self.factor().usual().as_ref() == Some(self)
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Factor {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|factor| factor.name() == name).ok_or(())
    }
}

impl Serialize for Factor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Reads a level of this factor.
pub struct OfFactor(pub Factor);

impl<'de> DeserializeSeed<'de> for OfFactor {
    type Value = Level;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Level, D::Error> {
        self.0.deserialize_level(deserializer)
    }
}
