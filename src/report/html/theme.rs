//! Has the page's colours, light and dark, as CSS custom properties.
//!
//! Light is the plots' own palette. In the dark the figures, which are drawn
//! once and for paper, are recoloured: rules that match the colours they are drawn in.

use std::fmt::Write as _;

use crate::report::plot::palette::{AXIS, COLOURS, GRID, HEAT_STEPS, INK, MUTED, PAPER, RGBColor, heat, hex};

/// What the style sheet may name.
#[derive(Clone, Copy, Debug)]
struct Theme {
    /// `light` or `dark`: what the browser draws controls in.
    scheme: &'static str,
    paper: RGBColor,
    /// Behind controls and prompts.
    shade: RGBColor,
    ink: RGBColor,
    muted: RGBColor,
    rule: RGBColor,
    link: RGBColor,
    /// Behind repeated words.
    mark: RGBColor,
    /// Around the cycle at a text's end.
    cycle: RGBColor,
}

const LIGHT: Theme = Theme {
    scheme: "light",
    paper: PAPER,
    shade: RGBColor(0xf5, 0xf5, 0xf3),
    ink: INK,
    muted: MUTED,
    rule: GRID,
    link: RGBColor(0x00, 0x5a, 0x8e),
    mark: RGBColor(0xff, 0xe3, 0xb0),
    cycle: RGBColor(0xb3, 0x4a, 0x00),
};

const DARK: Theme = Theme {
    scheme: "dark",
    paper: RGBColor(0x17, 0x18, 0x1a),
    shade: RGBColor(0x22, 0x24, 0x27),
    ink: RGBColor(0xe9, 0xe8, 0xe5),
    muted: RGBColor(0xb0, 0xae, 0xaa),
    rule: RGBColor(0x3a, 0x3c, 0x40),
    link: RGBColor(0x7c, 0xc0, 0xf0),
    mark: RGBColor(0x5c, 0x41, 0x0a),
    cycle: RGBColor(0xf0, 0x9a, 0x5a),
};

/// The last of the palette's colours but one: black, which a dark page swallows.
const BLACK: RGBColor = RGBColor(0, 0, 0);

/// The rules: light, dark where the system or the reader asks for it, light on paper.
pub fn css() -> String {
    let (light, dark) = (LIGHT.properties(), DARK.properties());
    let mut css = format!(":root{{{light}}}\n");
    let _ = writeln!(css, "@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}");
    let _ = writeln!(css, "@media screen{{:root[data-theme=dark]{{{dark}}}}}");
    for step in 0..HEAT_STEPS {
        let _ = writeln!(css, ".heat-{step}{{background:var(--heat-{step})}}");
    }
    let drawn = [(PAPER, "paper"), (INK, "ink"), (MUTED, "muted"), (AXIS, "muted"), (GRID, "rule"), (BLACK, "black")];
    for (colour, name) in drawn {
        let colour = hex(colour);
        let _ = writeln!(css, "figure svg [fill=\"{colour}\"]{{fill:var(--{name})}}");
        let _ = writeln!(css, "figure svg [stroke=\"{colour}\"]{{stroke:var(--{name})}}");
    }
    for step in 1..HEAT_STEPS {
        let _ = writeln!(css, "figure svg [fill=\"{}\"]{{fill:var(--heat-{step})}}", hex(heat(step, PAPER)));
    }
    css
}

impl Theme {
    fn properties(&self) -> String {
        let mut css = format!("color-scheme:{};", self.scheme);
        for (name, colour) in self.named() {
            let _ = write!(css, "--{name}:{};", hex(colour));
        }
        for step in 0..HEAT_STEPS {
            let _ = write!(css, "--heat-{step}:{};", hex(heat(step, self.paper)));
        }
        let _ = write!(css, "--series:{};", hex(COLOURS[0]));
        css
    }

    fn named(&self) -> [(&'static str, RGBColor); 9] {
        let Self { paper, shade, ink, muted, rule, link, mark, cycle, .. } = *self;
        let black = if self.scheme == "dark" { RGBColor(0xff, 0xff, 0xff) } else { BLACK };
        [
            ("paper", paper),
            ("shade", shade),
            ("ink", ink),
            ("muted", muted),
            ("rule", rule),
            ("link", link),
            ("mark", mark),
            ("cycle", cycle),
            ("black", black),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.2, "relative luminance" and "contrast ratio".
    fn contrast(a: RGBColor, b: RGBColor) -> f64 {
        let linear = |channel: u8| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        let luminance = |c: RGBColor| 0.2126 * linear(c.0) + 0.7152 * linear(c.1) + 0.0722 * linear(c.2);
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn contrast_is_as_wcag_defines_it() {
        assert!((contrast(BLACK, PAPER) - 21.0).abs() < 1e-9);
        // #767676 on white is the well-known limit of 4.5.
        assert!((contrast(RGBColor(0x76, 0x76, 0x76), PAPER) - 4.54).abs() < 0.01);
    }

    #[test]
    fn texts_can_be_read_on_what_is_behind_them() {
        for theme in [LIGHT, DARK] {
            let heats = (0..HEAT_STEPS).map(|step| (theme.ink, heat(step, theme.paper)));
            let texts = [theme.ink, theme.muted, theme.link].map(|text| [(text, theme.paper), (text, theme.shade)]);
            let marks = [(theme.ink, theme.mark)];
            for (text, behind) in heats.chain(texts.into_iter().flatten()).chain(marks) {
                let ratio = contrast(text, behind);
                assert!(ratio >= 4.5, "{}: {} on {} has {ratio:.2}", theme.scheme, hex(text), hex(behind));
            }
        }
    }

    #[test]
    fn outlines_can_be_seen() {
        // WCAG 2.2, 1.4.11: 3 for what is not text.
        for theme in [LIGHT, DARK] {
            assert!(contrast(theme.cycle, theme.paper) >= 3.0, "{}", theme.scheme);
            assert!(contrast(theme.link, theme.paper) >= 3.0, "{}", theme.scheme);
        }
    }
}
