//! Holds one value for each factor, so that nothing that is said of factors can forget one.

use std::array;
use std::ops::{Index, IndexMut};

use super::Factor;

/// A value for each factor, in the factors' order ([`Factor::ALL`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FactorMap<T>([T; Factor::ALL.len()]);

impl<T> FactorMap<T> {
    /// Makes each factor's value.
    pub fn from_fn(mut value: impl FnMut(Factor) -> T) -> Self {
        Self(array::from_fn(|place| value(Factor::ALL[place])))
    }

    /// The values with their factors, in the factors' order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Factor, &T)> {
        Factor::ALL.into_iter().zip(&self.0)
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.0.iter()
    }
}

impl<T: Default> Default for FactorMap<T> {
    fn default() -> Self {
        Self::from_fn(|_| T::default())
    }
}

impl<T> Index<Factor> for FactorMap<T> {
    type Output = T;

    fn index(&self, factor: Factor) -> &T {
        &self.0[factor as usize]
    }
}

impl<T> IndexMut<Factor> for FactorMap<T> {
    fn index_mut(&mut self, factor: Factor) -> &mut T {
        &mut self.0[factor as usize]
    }
}
