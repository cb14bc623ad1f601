//! Has colours and markers: each curve has its own of both, so that it can be told apart without colour. The page
//! (`report/html`) takes its colours from here.

pub use plotters::style::RGBColor;

/// Okabe and Ito, "Color Universal Design" (2008), the most legible on white
/// first; their yellow, which is not, is left out for a grey.
pub const COLOURS: [RGBColor; 8] = [
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x00, 0x00, 0x00),
    RGBColor(0x80, 0x80, 0x80),
];

const SHAPES: [Shape; 8] = [
    Shape::Circle,
    Shape::Square,
    Shape::Triangle,
    Shape::Diamond,
    Shape::TriangleDown,
    Shape::Plus,
    Shape::Cross,
    Shape::Star,
];

pub const INK: RGBColor = RGBColor(0x1a, 0x1a, 0x1a);
pub const MUTED: RGBColor = RGBColor(0x59, 0x59, 0x59);
pub const AXIS: RGBColor = RGBColor(0x59, 0x59, 0x59);
pub const GRID: RGBColor = RGBColor(0xe4, 0xe4, 0xe4);
pub const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);

/// Steps of the heat map's scale.
pub const HEAT_STEPS: usize = 11;

/// The most of the heat map's colour that is mixed into the paper: beyond it
/// the ink on it is hard to read.
const MOST_HEAT: f64 = 0.74;

/// The step of the heat map's scale for a share of 0 to 1.
pub fn heat_step(share: f64) -> usize {
    (share.clamp(0.0, 1.0) * (HEAT_STEPS - 1) as f64).round() as usize
}

/// The colour of a step of the heat map: the paper at 0, nearly the first colour at
/// the last step.
pub fn heat(step: usize, paper: RGBColor) -> RGBColor {
    let weight = MOST_HEAT * step as f64 / (HEAT_STEPS - 1) as f64;
    let mixed = |from: u8, to: u8| (f64::from(from) + weight * (f64::from(to) - f64::from(from))).round() as u8;
    RGBColor(mixed(paper.0, COLOURS[0].0), mixed(paper.1, COLOURS[0].1), mixed(paper.2, COLOURS[0].2))
}

/// `#rrggbb`.
pub fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
    TriangleDown,
    Plus,
    Cross,
    Star,
}

/// The look of one level of a factor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    pub colour: RGBColor,
    pub shape: Shape,
}

impl Look {
    /// The look of the `index`-th level: 64 of them differ.
    pub fn nth(index: usize) -> Self {
        let turn = index / COLOURS.len();
        Self { colour: COLOURS[index % COLOURS.len()], shape: SHAPES[(index + turn) % SHAPES.len()] }
    }
}

impl Shape {
    /// The outline around the origin, y downwards, for a marker of radius 1;
    /// `None` for a circle. Sizes are evened out by eye.
    pub fn outline(self) -> Option<Vec<(f64, f64)>> {
        let points = match self {
            Self::Circle => return None,
            Self::Square => vec![(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)],
            Self::Triangle => vec![(0.0, -1.2), (1.1, 0.8), (-1.1, 0.8)],
            Self::TriangleDown => vec![(0.0, 1.2), (-1.1, -0.8), (1.1, -0.8)],
            Self::Diamond => vec![(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)],
            Self::Plus => plus(),
            Self::Cross => plus()
                .into_iter()
                .map(|(x, y)| ((x - y) * std::f64::consts::FRAC_1_SQRT_2, (x + y) * std::f64::consts::FRAC_1_SQRT_2))
                .collect(),
            Self::Star => (0..10).map(star_point).collect(),
        };
        Some(points)
    }
}

fn plus() -> Vec<(f64, f64)> {
    let (arm, half) = (1.25, 0.42);
    vec![
        (-half, -arm),
        (half, -arm),
        (half, -half),
        (arm, -half),
        (arm, half),
        (half, half),
        (half, arm),
        (-half, arm),
        (-half, half),
        (-arm, half),
        (-arm, -half),
        (-half, -half),
    ]
}

fn star_point(index: u8) -> (f64, f64) {
    let radius = if index.is_multiple_of(2) { 1.45 } else { 0.62 };
    let angle = f64::from(index) * std::f64::consts::PI / 5.0;
    (radius * angle.sin(), -radius * angle.cos())
}
