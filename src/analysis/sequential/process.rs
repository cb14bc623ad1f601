//! Gathers the evidence for and against one claim, at one level if it is made of each.

use crate::experiment::{Direction, Hypothesis, Sides, Test};
use crate::stats::StatsError;
use crate::stats::sequential::{Bounds, MarginBets, SignFlip};

/// What evidence there is by now, as logarithms of e-values.
#[derive(Clone, Copy, Debug)]
pub struct Evidence {
    pub ln_for: f64,
    pub ln_against: f64,
    /// Whether the mean lies where the claim says; evidence from signs may say otherwise of skewed differences.
    pub mean_agrees: bool,
    /// Whether it lies on the other side.
    pub mean_opposes: bool,
}

#[derive(Clone, Debug)]
pub enum Process {
    Signs {
        flip: SignFlip,
        way: Expected,
        /// Of the prompts' differences, turned and less the least effect, so that the claim is above 0.
        sums: [f64; 2],
    },
    Margin {
        bets: MarginBets,
        sides: Sides,
    },
}

/// What differences a claim of signs expects.
#[derive(Clone, Copy, Debug)]
pub enum Expected {
    /// Of one sign, turned to be positive.
    Directed(Sides),
    /// Of either sign, but the same one.
    Either,
}

impl Process {
    /// # Errors
    /// For a margin that is none of differences of shares.
    pub fn of(hypothesis: &Hypothesis, alpha: f64) -> Result<Self, StatsError> {
        let way = match &hypothesis.test {
            Test::Equivalence { margin, .. } => {
                let bets = MarginBets::new(*margin, alpha)?;
                return Ok(Self::Margin { bets, sides: hypothesis.sides });
            }
            Test::Interaction { .. } => Expected::Either,
            Test::Trend { expect, .. } | Test::Contrast { expect, .. } => match expect {
                Direction::Different => Expected::Either,
                Direction::Increasing | Direction::Decreasing => Expected::Directed(hypothesis.sides),
            },
        };
        Ok(Self::Signs { flip: SignFlip::default(), way, sums: [0.0; 2] })
    }

    /// Takes a prompt's difference, `other` less `base` or ρ.
    pub fn observe(&mut self, hypothesis: &Hypothesis, bounds: Bounds) {
        match self {
            Self::Margin { bets, .. } => bets.observe(bounds),
            Self::Signs { flip, sums, .. } => {
                let turned = match &hypothesis.test {
                    Test::Trend { expect: Direction::Decreasing, .. }
                    | Test::Contrast { expect: Direction::Decreasing, .. } => {
                        Bounds { low: -bounds.high, high: -bounds.low }
                    }
                    _ => bounds,
                };
                let least = hypothesis.least.unwrap_or(0.0);
                let turned = Bounds { low: turned.low - least, high: turned.high - least };
                flip.observe(turned);
                sums[0] += turned.low;
                sums[1] += turned.high;
            }
        }
    }

    pub fn evidence(&self) -> Evidence {
        const NONE: f64 = f64::NEG_INFINITY;
        let (ln_for, ln_against) = match self {
            Self::Margin { bets, sides: Sides::Two } => (bets.ln_within(), bets.ln_beyond()),
            Self::Margin { bets, sides: Sides::One } => (bets.ln_not_above(), bets.ln_above()),
            Self::Signs { flip, way: Expected::Either, .. } => (flip.ln_either(), NONE),
            Self::Signs { flip, way: Expected::Directed(Sides::One), .. } => (flip.ln_up(), NONE),
            // The mixture of both sides is below the greater of them, so it is evidence for that one: each
            // direction errs as seldom as both together.
            Self::Signs { flip, way: Expected::Directed(Sides::Two), .. } if flip.ln_up() >= flip.ln_down() => {
                (flip.ln_either(), NONE)
            }
            Self::Signs { flip, .. } => (NONE, flip.ln_either()),
        };
        let (mean_agrees, mean_opposes) = match self {
            Self::Signs { way: Expected::Directed(_), sums: [low, high], .. } => (*low > 0.0, *high < 0.0),
            Self::Signs { .. } | Self::Margin { .. } => (true, true),
        };
        Evidence { ln_for, ln_against, mean_agrees, mean_opposes }
    }

    /// The fewest prompts after which the claim can be decided, for it or against it, at `ln_e`.
    pub fn least_prompts(hypothesis: &Hypothesis, ln_e: f64) -> usize {
        match (&hypothesis.test, hypothesis.sides) {
            (Test::Equivalence { .. }, _) => {
                let against = Self::least_prompts_beyond(hypothesis, ln_e);
                Self::least_prompts_to_support(hypothesis, ln_e).min(against)
            }
            _ => Self::least_prompts_to_support(hypothesis, ln_e),
        }
    }

    /// The fewest after which it can be supported.
    pub fn least_prompts_to_support(hypothesis: &Hypothesis, ln_e: f64) -> usize {
        let undirected = matches!(
            &hypothesis.test,
            Test::Interaction { .. }
                | Test::Trend { expect: Direction::Different, .. }
                | Test::Contrast { expect: Direction::Different, .. }
        );
        match (&hypothesis.test, hypothesis.sides) {
            (Test::Equivalence { margin, .. }, Sides::Two) => MarginBets::least_prompts_within(*margin, ln_e),
            (Test::Equivalence { margin, .. }, Sides::One) => MarginBets::least_prompts_not_above(*margin, ln_e),
            (_, Sides::One) if !undirected => SignFlip::least_prompts_one_sided(ln_e),
            _ => SignFlip::least_prompts_two_sided(ln_e),
        }
    }

    fn least_prompts_beyond(hypothesis: &Hypothesis, ln_e: f64) -> usize {
        let Test::Equivalence { margin, .. } = hypothesis.test else { return usize::MAX };
        let ln_e = match hypothesis.sides {
            Sides::One => ln_e,
            // Half of the wealth is on either end.
            Sides::Two => ln_e + std::f64::consts::LN_2,
        };
        MarginBets::least_prompts_above(margin, ln_e)
    }
}
