//! Offers a drawing surface in CSS pixels with fractions, over plotters' SVG backend.
//!
//! The backend knows whole pixels only, so it draws on a surface finer by
//! `UNITS`, which the SVG's `viewBox` scales back.

use plotters::coord::Shift;
use plotters::prelude::{
    Circle, Color as _, DrawingArea, FontStyle, FontTransform, IntoDrawingArea as _, IntoFont as _, PathElement,
    Polygon, RGBColor, Rectangle, SVGBackend, ShapeStyle, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::PlotError;
use super::font::{FAMILIES, Weight};
use super::layout::Layout;
use super::palette::{Look, PAPER, Shape};
use crate::plain::neutralise;

/// Backend pixels to a CSS pixel.
const UNITS: f64 = 8.0;

/// The backend divides font sizes by this.
const BACKEND_FONT_DIVISOR: f64 = 1.24;

/// The backend puts the baseline of a text anchored at its top this far below.
const TOP_TO_BASELINE_EM: f64 = 0.76;

pub type Point = (f64, f64);

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

/// How a text is set: everything but what it says and where.
#[derive(Clone, Copy, Debug)]
pub struct Type {
    pub size: f64,
    pub weight: Weight,
    pub colour: RGBColor,
    pub align: Align,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Centre,
    Right,
}

/// Whether a marker stands for everything that it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    Solid,
    Hollow,
}

pub struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// Draws an SVG of `width` × `height` px, which states the size that the layout asks for; `title` is for readers who
/// cannot see it.
pub fn draw(
    (width, height): (f64, f64),
    layout: Layout,
    title: &str,
    paint: impl FnOnce(&Canvas<'_>) -> Result<(), PlotError>,
) -> Result<String, PlotError> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, (units(width) as u32, units(height) as u32)).into_drawing_area();
    let canvas = Canvas { area };
    canvas.rect(Rect { left: 0.0, top: 0.0, width, height }, PAPER)?;
    paint(&canvas)?;
    canvas.area.present().map_err(failed)?;
    drop(canvas);
    Ok(with_size_and_title(&svg, (width, height), layout, title))
}

impl Canvas<'_> {
    pub fn rect(&self, rect: Rect, colour: RGBColor) -> Result<(), PlotError> {
        let corners = [point((rect.left, rect.top)), point((rect.right(), rect.bottom()))];
        self.area.draw(&Rectangle::new(corners, colour.filled())).map_err(failed)
    }

    pub fn line(&self, points: &[Point], width: f64, colour: RGBColor) -> Result<(), PlotError> {
        let points: Vec<_> = points.iter().copied().map(point).collect();
        self.area.draw(&PathElement::new(points, stroke(width, colour))).map_err(failed)
    }

    /// A polygon that what lies below shows through.
    pub fn area(&self, outline: &[Point], colour: RGBColor, opacity: f64) -> Result<(), PlotError> {
        let outline: Vec<_> = outline.iter().copied().map(point).collect();
        let style = ShapeStyle { color: colour.mix(opacity), filled: true, stroke_width: 0 };
        self.area.draw(&Polygon::new(outline, style)).map_err(failed)
    }

    pub fn dot(&self, at: Point, radius: f64, colour: RGBColor, opacity: f64) -> Result<(), PlotError> {
        let style = ShapeStyle { color: colour.mix(opacity), filled: true, stroke_width: 0 };
        self.area.draw(&Circle::new(point(at), units(radius), style)).map_err(failed)
    }

    /// A marker with a thin white edge, so that it stands out from lines.
    pub fn marker(&self, at: Point, radius: f64, look: Look, fill: Fill) -> Result<(), PlotError> {
        self.shape(at, radius + 0.75, look.shape, PAPER)?;
        self.shape(at, radius, look.shape, look.colour)?;
        match fill {
            Fill::Solid => Ok(()),
            Fill::Hollow => self.shape(at, radius - 1.3, look.shape, PAPER),
        }
    }

    /// `text` with its baseline at `at`.
    pub fn text(&self, text: &str, at: Point, kind: Type) -> Result<(), PlotError> {
        let at = (at.0, at.1 - TOP_TO_BASELINE_EM * kind.size);
        self.set(text, at, kind, FontTransform::None)
    }

    /// `text` reading upwards, its baseline's middle at `at`.
    pub fn text_upwards(&self, text: &str, at: Point, kind: Type) -> Result<(), PlotError> {
        let at = (at.0 - TOP_TO_BASELINE_EM * kind.size, at.1);
        self.set(text, at, kind, FontTransform::Rotate270)
    }

    fn shape(&self, at: Point, radius: f64, shape: Shape, colour: RGBColor) -> Result<(), PlotError> {
        let Some(outline) = shape.outline() else { return self.dot(at, radius, colour, 1.0) };
        let outline: Vec<_> = outline.iter().map(|(x, y)| point((at.0 + radius * x, at.1 + radius * y))).collect();
        self.area.draw(&Polygon::new(outline, colour.filled())).map_err(failed)
    }

    fn set(&self, text: &str, at: Point, kind: Type, turn: FontTransform) -> Result<(), PlotError> {
        let weight = match kind.weight {
            Weight::Regular => FontStyle::Normal,
            Weight::Bold => FontStyle::Bold,
        };
        let align = match kind.align {
            Align::Left => HPos::Left,
            Align::Centre => HPos::Center,
            Align::Right => HPos::Right,
        };
        let font = (FAMILIES, kind.size * UNITS * BACKEND_FONT_DIVISOR).into_font().style(weight).transform(turn);
        let style = TextStyle::from(font).color(&kind.colour).pos(Pos::new(align, VPos::Top));
        self.area.draw_text(&neutralise(text), &style, point(at)).map_err(failed)
    }
}

impl Rect {
    pub fn right(self) -> f64 {
        self.left + self.width
    }

    pub fn bottom(self) -> f64 {
        self.top + self.height
    }
}

impl Type {
    pub fn aligned(self, align: Align) -> Self {
        Self { align, ..self }
    }
}

/// The backend's opening tag states the size in its own pixels; this one
/// states it as the layout asks and names the picture.
fn with_size_and_title(svg: &str, (width, height): (f64, f64), layout: Layout, title: &str) -> String {
    let body = svg.split_once('\n').map_or("", |(_, body)| body);
    let (across, down) = (units(width), units(height));
    let (width, height) = layout.stated((width, height));
    let title = neutralise(title).replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {across} {down}\" role=\"img\">\n<title>{title}</title>\n{body}"
    )
}

fn stroke(width: f64, colour: RGBColor) -> ShapeStyle {
    ShapeStyle { color: colour.to_rgba(), filled: false, stroke_width: units(width) as u32 }
}

fn point((x, y): Point) -> (i32, i32) {
    (units(x), units(y))
}

fn units(px: f64) -> i32 {
    (px * UNITS).round() as i32
}

fn failed(error: impl std::fmt::Display) -> PlotError {
    PlotError::Draw(error.to_string())
}
