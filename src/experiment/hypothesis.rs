//! Owns hypotheses: what an experiment claims, in a form that its trials can decide. Must not know how they are
//! decided.
//!
//! Owns what can be claimed of which texts. Knows neither how a claim is written
//! in a file (`raw`, `hypotheses`) nor how it is tested (`analysis::verdict`).

use strum::{Display, EnumString, VariantNames};

use crate::domain::{Factor, Point, Selection};
use crate::metrics::{Metric, TextPart};

/// A claim about a metric of the experiment's texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Hypothesis {
    pub id: String,
    /// In words, for people.
    pub claim: String,
    pub metric: Metric,
    /// Which part of the texts is scored. Plans before it was a choice knew whole texts only.
    pub part: TextPart,
    /// Texts are scored on so many first tokens and words, those with fewer left
    /// out; `None` for whole texts.
    pub first: Option<u32>,
    /// The texts that the claim is about; factors of several levels are averaged over.
    pub within: Selection,
    /// The claim is made of each level of this factor by itself, and holds if it
    /// holds for all of them.
    pub each: Option<Factor>,
    pub test: Test,
    pub sides: Sides,
    /// Of a direction: the least difference in the mean that matters. The claim is that it is greater, its
    /// opposite that it is less. Plans before it was a choice know none.
    pub least: Option<f64>,
}

/// What is tested.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// The metric rises, or falls, along the ordered levels of a factor.
    Trend { factor: Factor, expect: Direction },
    /// The metric differs between two selections.
    Contrast { base: Selection, other: Selection, expect: Direction },
    /// It does not, by more than the margin; of one side: the other is not
    /// higher by more than that, however much lower.
    Equivalence { base: Selection, other: Selection, margin: f64 },
    /// What one factor does depends on the other.
    Interaction { factors: [Factor; 2] },
}

/// Which way a metric is claimed to go: along a factor, or from the base to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum Direction {
    Increasing,
    Decreasing,
    /// Either way.
    Different,
}

/// Whether the other direction than the one claimed can be found as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sides {
    #[default]
    Two,
    One,
}

/// What is done with the scores beside the hypotheses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The probability, of all hypotheses together, of a verdict that is wrong by chance.
    pub alpha: f64,
    /// The metric whose variation is attributed to the factors.
    pub metric: Metric,
}

impl Default for Settings {
    fn default() -> Self {
        Self { alpha: 0.05, metric: Metric::RepetitionScore }
    }
}

impl Hypothesis {
    /// Of whole texts by the finding's score, two-sided; its claim is its id.
    pub fn plain(id: &str, test: Test) -> Self {
        Self {
            id: id.to_owned(),
            claim: id.to_owned(),
            metric: Metric::RepetitionScore,
            part: TextPart::Whole,
            first: None,
            within: Selection::default(),
            each: None,
            test,
            sides: Sides::Two,
            least: None,
        }
    }

    /// Whether a trial takes part in its test.
    pub fn takes(&self, point: Point<'_>) -> bool {
        self.within.takes(point)
            && match &self.test {
                Test::Contrast { base, other, .. } | Test::Equivalence { base, other, .. } => {
                    base.takes(point) || other.takes(point)
                }
                Test::Trend { .. } | Test::Interaction { .. } => true,
            }
    }
}

impl Test {
    /// The factors along which it compares.
    pub fn factors(&self) -> Vec<Factor> {
        match self {
            Self::Trend { factor, .. } => vec![*factor],
            Self::Contrast { base, other, .. } | Self::Equivalence { base, other, .. } => {
                base.factors().chain(other.factors()).collect()
            }
            Self::Interaction { factors } => factors.to_vec(),
        }
    }
}
