//! Says which trials are meant: by levels of factors, by prompts, by seeds.

use super::{Cell, Factor, FactorMap, Level, Seed};

/// Where a trial stands in the grid.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a> {
    pub cell: &'a Cell,
    /// None where the chain makes no draw.
    pub seed: Option<Seed>,
    pub prompt: &'a str,
}

/// Levels of factors and prompts; of a factor with an empty list, all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    pub levels: FactorMap<Vec<Level>>,
    /// Ids: those of the groups that a file names.
    pub prompt: Vec<String>,
}

/// Leaves out the trials that match every level named here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exclusion {
    pub selection: Selection,
    pub seed: Option<Seed>,
}

impl Selection {
    /// The trials with any of these levels.
    pub fn of<L: Into<Level>>(levels: impl IntoIterator<Item = L>) -> Self {
        Self::default().and(levels)
    }

    /// The same with any of these levels, too.
    #[must_use]
    pub fn and<L: Into<Level>>(mut self, levels: impl IntoIterator<Item = L>) -> Self {
        for level in levels.into_iter().map(Into::into) {
            self.levels[level.factor()].push(level);
        }
        self
    }

    pub fn takes(&self, point: Point<'_>) -> bool {
        fn has<T: PartialEq<U>, U: ?Sized>(names: &[T], name: &U) -> bool {
            names.is_empty() || names.iter().any(|known| known == name)
        }
        self.levels.iter().all(|(factor, levels)| has(levels, point.cell.level(factor)))
            && has(&self.prompt, point.prompt)
    }

    /// The factors of which it does not take all levels.
    pub fn factors(&self) -> impl Iterator<Item = Factor> {
        self.levels.iter().filter(|(_, levels)| !levels.is_empty()).map(|(factor, _)| factor)
    }

    /// Whether it may take a trial with this level.
    pub fn may_take(&self, level: &Level) -> bool {
        let levels = &self.levels[level.factor()];
        levels.is_empty() || levels.contains(level)
    }
}

impl Exclusion {
    pub fn matches(&self, point: Point<'_>) -> bool {
        self.selection.takes(point) && self.seed.is_none_or(|seed| Some(seed) == point.seed)
    }
}
