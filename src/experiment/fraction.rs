//! Owns which combinations of its levels a grid has, exclusions aside.

use strum::{Display, EnumString, VariantNames};

use crate::domain::{Cell, Factor, FactorMap, Level};

/// Which combinations a grid has. The first level of each factor in the file is the base, from which others are changes;
/// models are no change: each has the same cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Display, EnumString, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Fraction {
    /// All of them.
    #[default]
    Full,
    /// The base, and each other level of each factor by itself: what a change does, and not what two do together.
    OneAtATime,
    /// Those, and each two changes together: every pair of factors is crossed where all others are at the base.
    Pairwise,
    /// Those that a hypothesis compares.
    Hypotheses,
}

impl Fraction {
    /// Whether a cell is as few changes from the base as it allows; which ones hypotheses compare the grid knows.
    pub fn has(self, cell: &Cell, levels: &FactorMap<Vec<Level>>) -> bool {
        let most = match self {
            Self::Full | Self::Hypotheses => return true,
            Self::OneAtATime => 1,
            Self::Pairwise => 2,
        };
        let is_change = |factor: &Factor| levels[*factor].first() != Some(cell.level(*factor));
        Factor::ALL.into_iter().filter(|&factor| factor != Factor::Model).filter(is_change).count() <= most
    }
}
