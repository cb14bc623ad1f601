//! Draws the plots, as SVG and as PNG: the same pictures twice.
//!
//! Sole owner of plotters. A figure is drawn once, as SVG; its PNG is that
//! SVG rasterised with the font embedded here, so that both are the same,
//! byte for byte, wherever they are made.

mod attribution;
mod canvas;
mod curves;
mod evidence;
mod font;
mod heatmap;
mod layout;
mod onset;
mod page;
pub(super) mod palette;
mod panel;
mod raster;
mod shows;
mod strip;
pub mod study;
#[cfg(test)]
mod tests;

use crate::analysis::Analysis;

pub use attribution::NAME as ATTRIBUTION_FIGURE;
pub use evidence::NAME as EVIDENCE_FIGURE;
pub use layout::{Heading, Layout, Width};
pub use onset::NAME as ONSET_FIGURE;
pub use strip::NAME as STRIP_FIGURE;

/// The name of the first figure.
pub const HEADLINE_FIGURE: &str = "score-by-temperature";

/// A finished picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// The file's name without an extension.
    pub name: String,
    /// Which part of the analysis it is of, where figures of its kind share it out.
    pub subject: Option<String>,
    pub svg: String,
}

/// A figure of the page, drawn twice: shrunk to the width of a phone it could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageFigure {
    /// As of the file of the same figure.
    pub name: String,
    pub subject: Option<String>,
    pub wide: String,
    pub narrow: String,
}

/// What a figure says beside its data, and the room that it has.
#[derive(Clone, Copy, Debug)]
pub struct Caption<'a> {
    /// The experiment's name.
    pub experiment: &'a str,
    /// Printed below every figure: what its reader must not be left to assume.
    pub note: Option<&'a str>,
    pub layout: Layout,
}

#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    #[error("drawing a plot: {0}")]
    Draw(String),
    #[error("reading a plot's SVG to make its PNG")]
    Svg(#[source] resvg::usvg::Error),
    #[error("a plot of {width} × {height} px is too large for a PNG")]
    Size { width: f32, height: f32 },
    #[error("encoding a plot's PNG")]
    Png(#[source] png::EncodingError),
}

/// Every figure of an analysis: the score against temperature first, then the
/// strips of single trials, the heat map, and where there is something to show,
/// the time to loop, the attribution and the evidence prompt by prompt.
pub fn figures(analysis: &Analysis, caption: Caption<'_>) -> Result<Vec<Figure>, PlotError> {
    let mut figures = vec![curves::figure(analysis, caption)?];
    figures.extend(strip::figures(analysis, caption)?);
    figures.push(heatmap::figure(analysis, caption)?);
    figures.extend(of_findings(analysis, caption)?);
    Ok(figures)
}

/// Those that the page shows: without the note, which the page says once.
pub fn page_figures(analysis: &Analysis, experiment: &str) -> Result<Vec<PageFigure>, PlotError> {
    let drawn = |layout| {
        let caption = Caption { experiment, note: None, layout };
        let mut figures = vec![curves::figure(analysis, caption)?];
        figures.extend(of_findings(analysis, caption)?);
        Ok(figures)
    };
    let pairs = drawn(Layout::NATURAL)?.into_iter().zip(drawn(Layout::NARROW)?);
    let paired = |(Figure { name, subject, svg }, narrow): (Figure, Figure)| PageFigure {
        name,
        subject,
        wide: svg,
        narrow: narrow.svg,
    };
    Ok(pairs.map(paired).collect())
}

fn of_findings(analysis: &Analysis, caption: Caption<'_>) -> Result<Vec<Figure>, PlotError> {
    let mut figures = onset::figures(analysis, caption)?;
    if let Some(attribution) = &analysis.attribution {
        figures.push(attribution::figure(attribution, caption)?);
    }
    if let Some(sequential) = &analysis.sequential {
        figures.extend(evidence::figure(sequential, caption)?);
    }
    Ok(figures)
}

impl Figure {
    /// The figure as PNG: 192 dots an inch, twice the SVG's pixels.
    pub fn png(&self) -> Result<Vec<u8>, PlotError> {
        raster::png(&self.svg)
    }
}

/// The metric that the figures show.
const METRIC: crate::metrics::Metric = crate::metrics::Metric::RepetitionScore;
const SCORE_LABEL: &str = "Repetition score (share, 0–1)";
const TEMPERATURE_LABEL: &str = "Sampling temperature T (dimensionless)";
const SCORE_IN_WORDS: &str = "Repetition score: share of a text’s word trigrams that repeat an earlier one.";

/// "95 % intervals", or None where the analysis has none.
fn intervals_in_words(analysis: &Analysis) -> Option<String> {
    let shown = analysis.cells.iter().filter(|summary| summary.metric == METRIC);
    let interval = shown.filter_map(|summary| summary.estimate?.interval).next()?;
    // Rounded, as 0.95 × 100 is not 95 for every level.
    Some(format!("{}\u{a0}% intervals", (interval.level * 1000.0).round() / 10.0))
}
