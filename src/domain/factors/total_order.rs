//! Orders numbers of which levels are made, none of them nan: so they are keys, and have one way to be shown.

/// For a newtype of an `f32`: equality and order by its bits, and the number as text.
macro_rules! total_order {
    ($number:ident) => {
        impl Eq for $number {}

        impl PartialOrd for $number {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $number {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.0.total_cmp(&other.0)
            }
        }

        impl std::hash::Hash for $number {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.0.to_bits().hash(state);
            }
        }

        impl std::fmt::Display for $number {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
pub(super) use total_order;
