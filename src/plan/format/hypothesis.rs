//! Owns how `plan.json` holds hypotheses, and how they become the domain's. Must not know how they are tested.

use serde::{Deserialize, Serialize};

use super::factor;
use crate::format::{Selection, Unknown, both_ways};
use crate::metrics::Metric;
use crate::{experiment, metrics};

/// A claim about a metric of the experiment's texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hypothesis {
    id: String,
    claim: String,
    metric: String,
    /// Plans before it was a choice knew whole texts only.
    #[serde(default)]
    part: TextPart,
    first: Option<u32>,
    within: Selection,
    each: Option<String>,
    test: Test,
    sides: Sides,
    /// Plans before it was a choice know none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    least: Option<f64>,
}

/// Which part of the texts is scored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TextPart {
    #[default]
    Whole,
    Thought,
    Answer,
}
both_ways!(enum TextPart, metrics::TextPart { Whole, Thought, Answer });

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Test {
    Trend { factor: String, expect: Direction },
    Contrast { base: Selection, other: Selection, expect: Direction },
    Equivalence { base: Selection, other: Selection, margin: f64 },
    Interaction { factors: [String; 2] },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Increasing,
    Decreasing,
    Different,
}
both_ways!(enum Direction, experiment::Direction { Increasing, Decreasing, Different });

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sides {
    Two,
    One,
}
both_ways!(enum Sides, experiment::Sides { Two, One });

/// What is done with the scores beside the hypotheses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    alpha: f64,
    metric: String,
}

fn metric(name: &str) -> Result<Metric, Unknown> {
    Metric::from_name(name).ok_or_else(|| Unknown::word("metric", name))
}

impl From<experiment::Settings> for Settings {
    fn from(experiment::Settings { alpha, metric }: experiment::Settings) -> Self {
        Self { alpha, metric: metric.name().to_owned() }
    }
}

impl TryFrom<Settings> for experiment::Settings {
    type Error = Unknown;

    fn try_from(Settings { alpha, metric }: Settings) -> Result<Self, Unknown> {
        Ok(Self { alpha, metric: self::metric(&metric)? })
    }
}

impl From<&experiment::Hypothesis> for Hypothesis {
    fn from(hypothesis: &experiment::Hypothesis) -> Self {
        let experiment::Hypothesis { id, claim, metric, part, first, within, each, test, sides, least } = hypothesis;
        Self {
            id: id.clone(),
            claim: claim.clone(),
            metric: metric.name().to_owned(),
            part: (*part).into(),
            first: *first,
            within: within.into(),
            each: each.map(|factor| factor.name().to_owned()),
            test: test.into(),
            sides: (*sides).into(),
            least: *least,
        }
    }
}

impl TryFrom<Hypothesis> for experiment::Hypothesis {
    type Error = Unknown;

    fn try_from(hypothesis: Hypothesis) -> Result<Self, Unknown> {
        let Hypothesis { id, claim, metric, part, first, within, each, test, sides, least } = hypothesis;
        Ok(Self {
            id,
            claim,
            metric: self::metric(&metric)?,
            part: part.into(),
            first,
            within: within.try_into()?,
            each: each.as_deref().map(factor).transpose()?,
            test: test.try_into()?,
            sides: sides.into(),
            least,
        })
    }
}

impl From<&experiment::Test> for Test {
    fn from(test: &experiment::Test) -> Self {
        use experiment::Test as Domain;
        match test {
            Domain::Trend { factor, expect } => {
                Self::Trend { factor: factor.name().to_owned(), expect: (*expect).into() }
            }
            Domain::Contrast { base, other, expect } => {
                Self::Contrast { base: base.into(), other: other.into(), expect: (*expect).into() }
            }
            Domain::Equivalence { base, other, margin } => {
                Self::Equivalence { base: base.into(), other: other.into(), margin: *margin }
            }
            Domain::Interaction { factors } => {
                Self::Interaction { factors: factors.map(|factor| factor.name().to_owned()) }
            }
        }
    }
}

impl TryFrom<Test> for experiment::Test {
    type Error = Unknown;

    fn try_from(test: Test) -> Result<Self, Unknown> {
        Ok(match test {
            Test::Trend { factor, expect } => Self::Trend { factor: self::factor(&factor)?, expect: expect.into() },
            Test::Contrast { base, other, expect } => {
                Self::Contrast { base: base.try_into()?, other: other.try_into()?, expect: expect.into() }
            }
            Test::Equivalence { base, other, margin } => {
                Self::Equivalence { base: base.try_into()?, other: other.try_into()?, margin }
            }
            Test::Interaction { factors: [one, other] } => {
                Self::Interaction { factors: [factor(&one)?, factor(&other)?] }
            }
        })
    }
}
