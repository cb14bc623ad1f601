//! Says how wide a figure is and whether its words stand in it: as it needs for a screen, or for a column of a paper and
//! for a phone.

/// CSS pixels to a millimetre.
const PX_PER_MM: f64 = 96.0 / 25.4;
/// A figure of a given width is drawn larger and scaled by this, so that its text, which is set at 9 to 12 px on screens,
/// is 6 to 8 pt.
const SCALE: f64 = 0.85;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout {
    pub width: Width,
    pub heading: Heading,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Width {
    /// As the panels need side by side.
    Natural,
    /// Panels stand below each other where they do not fit.
    Millimetres(f64),
}

/// Title, subtitle and footer: what a caption below the figure says where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heading {
    Drawn,
    LeftOut,
}

impl Layout {
    pub const NATURAL: Self = Self { width: Width::Natural, heading: Heading::Drawn };
    /// A column of two on a page of a journal, and about what a phone shows.
    pub const NARROW: Self = Self { width: Width::Millimetres(85.0), heading: Heading::Drawn };

    /// One of two values: that of a figure with all the room that it needs, or of one whose width is given.
    pub fn choose<T>(self, natural: T, given: T) -> T {
        match self.width {
            Width::Natural => natural,
            Width::Millimetres(_) => given,
        }
    }

    /// The width to lay out, in px, where one is given.
    pub(super) fn limit(self) -> Option<f64> {
        match self.width {
            Width::Natural => None,
            Width::Millimetres(mm) => Some(mm * PX_PER_MM / SCALE),
        }
    }

    /// The size that the SVG states for a page of so many px.
    pub(super) fn stated(self, (width, height): (f64, f64)) -> (String, String) {
        match self.width {
            Width::Natural => (width.to_string(), height.to_string()),
            Width::Millimetres(mm) => (format!("{mm}mm"), format!("{:.2}mm", mm * height / width)),
        }
    }
}
