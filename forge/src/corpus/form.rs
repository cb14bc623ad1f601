//! A sentence with slots: `"It works because {fact}."`

use serde::Deserialize;

/// A form, cut at its slots.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Form(pub Vec<Piece>);

#[derive(Debug, Clone)]
pub enum Piece {
    Text(String),
    Slot(Slot),
}

/// What a slot stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Slot {
    /// The subject's name.
    Name,
    /// The subject's name, perhaps "the study of the history of" it.
    About,
    Kind,
    People,
    Cue,
    Origin,
    /// A goal as it stands.
    Goal,
    /// A goal, perhaps behind "be able to be able to …".
    Do,
    Fact,
    Reason,
    Doubt,
    Answer,
    Example,
    /// "more and more", perhaps with more of it.
    Growing,
    /// Words of no subject, for openings.
    The,
    When,
    Person,
    Place,
    Thing,
    Adjective,
    Act,
    /// A word that does not exist.
    Noise,
    /// Words in no order, some of which do not exist.
    Salad,
}

/// Why a text is not a form.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    #[error("no slot is called {0:?}")]
    UnknownSlot(String),
    #[error("a brace is left open in {0:?}")]
    OpenBrace(String),
}

impl TryFrom<String> for Form {
    type Error = FormError;

    fn try_from(text: String) -> Result<Self, FormError> {
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (slot, after) = after.split_once('}').ok_or_else(|| FormError::OpenBrace(text.clone()))?;
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Slot(slot_named(slot)?));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }
}

/// A capital in the slot's name is for the reader of the data file: sentences get theirs anyway.
fn slot_named(name: &str) -> Result<Slot, FormError> {
    use serde::de::{IntoDeserializer, value};
    Slot::deserialize(IntoDeserializer::<value::Error>::into_deserializer(name.to_lowercase().as_str()))
        .map_err(|_| FormError::UnknownSlot(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_known_by_name() {
        let form = Form::try_from("It works because {fact}.".to_owned()).unwrap();
        assert!(matches!(form.0[1], Piece::Slot(Slot::Fact)));
        assert!(matches!(Form::try_from("{fancy}".to_owned()), Err(FormError::UnknownSlot(_))));
        assert!(matches!(Form::try_from("{fact".to_owned()), Err(FormError::OpenBrace(_))));
    }
}
