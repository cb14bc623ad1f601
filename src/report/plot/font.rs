//! Has the font of the plots, and says how wide a text is in it.

use std::sync::LazyLock;

use ab_glyph::{Font as _, FontRef};

pub const REGULAR: &[u8] = include_bytes!("../../../assets/fonts/LiberationSans-Regular.ttf");
pub const BOLD: &[u8] = include_bytes!("../../../assets/fonts/LiberationSans-Bold.ttf");

/// The embedded family first, then families whose glyphs are as wide.
pub const FAMILIES: &str = "Liberation Sans, Arial, Helvetica, sans-serif";
pub const FAMILY: &str = "Liberation Sans";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Bold,
}

static REGULAR_FACE: LazyLock<FontRef<'_>> = LazyLock::new(|| parse(REGULAR));
static BOLD_FACE: LazyLock<FontRef<'_>> = LazyLock::new(|| parse(BOLD));

/// The width of `text` set at `size` px, kerning aside.
pub fn width(text: &str, size: f64, weight: Weight) -> f64 {
    let face = match weight {
        Weight::Regular => &*REGULAR_FACE,
        Weight::Bold => &*BOLD_FACE,
    };
    let em = face.units_per_em().expect("the embedded font states its units");
    let advance: f32 = text.chars().map(|c| face.h_advance_unscaled(face.glyph_id(c))).sum();
    f64::from(advance / em) * size
}

/// `text`, cut with an ellipsis where it is wider than `limit` px.
pub fn fit(text: &str, limit: f64, size: f64, weight: Weight) -> String {
    if width(text, size, weight) <= limit {
        return text.to_owned();
    }
    let mut kept = text.to_owned();
    while kept.pop().is_some() {
        let cut = format!("{}…", kept.trim_end());
        if width(&cut, size, weight) <= limit {
            return cut;
        }
    }
    String::new()
}

/// `text` broken at plain spaces, not at no-break spaces, into lines no wider than `limit` px.
pub fn wrap(text: &str, limit: f64, size: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size, Weight::Regular) <= limit => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(fit(word, limit, size, Weight::Regular)),
        }
    }
    lines
}

fn parse(bytes: &'static [u8]) -> FontRef<'static> {
    FontRef::try_from_slice(bytes).expect("the embedded font is whole")
}

#[cfg(test)]
mod tests {
    use super::{Weight, fit, width, wrap};

    #[test]
    fn widths_are_those_of_arial() {
        // Arial's digits are 1139 of 2048 units wide.
        assert!((width("0123", 16.0, Weight::Regular) - 4.0 * 1139.0 / 2048.0 * 16.0).abs() < 1e-3);
    }

    #[test]
    fn long_names_are_cut_and_long_notes_broken() {
        let cut = fit("a-very-long-model-name", 60.0, 11.0, Weight::Regular);
        assert!(cut.ends_with('…') && width(&cut, 11.0, Weight::Regular) <= 60.0);
        assert_eq!(wrap("one two three", 40.0, 11.0), ["one two", "three"]);
    }
}
