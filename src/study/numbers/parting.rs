//! Says where two free-running texts part.

/// The first difference between two texts, counted in choices: tokens, and at
/// the end the choice to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// The choice of this number, counted from 1, is the first that differs.
    At(usize),
    /// They agree in all of their choices, so many (censored: they might have
    /// parted later).
    Never { agreed: usize },
}

/// A text's choices: its tokens, and the end where it chose to end.
pub type Choices<'a, T> = (&'a [T], bool);

/// Finds where two texts part; each with whether it chose to end, and did not reach
/// the limit of tokens.
pub fn parting<T: PartialEq>((base, base_ends): Choices<'_, T>, (other, other_ends): Choices<'_, T>) -> Parting {
    let agreed = base.iter().zip(other).take_while(|(a, b)| a == b).count();
    let choice = |tokens: &[T], ends: bool| tokens.len() + usize::from(ends);
    let both = choice(base, base_ends).min(choice(other, other_ends));
    match (base.get(agreed), other.get(agreed)) {
        // Both are over: the same text, which both or neither chose to end.
        (None, None) if base_ends == other_ends => Parting::Never { agreed: both },
        // One is cut off where the other chose to end: nothing differs that both chose.
        _ if agreed >= both => Parting::Never { agreed: both },
        _ => Parting::At(agreed + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_part_at_their_first_different_choice() {
        assert_eq!(parting((&[1, 2, 3], false), (&[1, 2, 4], false)), Parting::At(3));
        assert_eq!(parting((&[1], false), (&[2], false)), Parting::At(1));
    }

    #[test]
    fn equal_texts_never_part() {
        assert_eq!(parting((&[1, 2], false), (&[1, 2], false)), Parting::Never { agreed: 2 });
        assert_eq!(parting((&[1, 2], true), (&[1, 2], true)), Parting::Never { agreed: 3 });
        assert_eq!(parting::<i32>((&[], true), (&[], true)), Parting::Never { agreed: 1 });
    }

    #[test]
    fn to_end_is_a_choice() {
        assert_eq!(parting((&[1, 2], true), (&[1, 2, 3], false)), Parting::At(3));
        assert_eq!(parting((&[1, 2, 3], false), (&[1, 2], true)), Parting::At(3));
    }

    #[test]
    fn a_limit_is_no_choice() {
        assert_eq!(parting((&[1, 2], false), (&[1, 2], true)), Parting::Never { agreed: 2 });
    }
}
