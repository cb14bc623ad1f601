//! Reads names and numbers as they are typed, and says what is wrong with one that is none, or out of its range.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use strum::VariantNames as _;

use crate::diagnosis::Like;
use crate::experiment::Api;
use crate::metrics::Metric;

/// One of these metrics.
pub(super) fn metric(known: &[Metric]) -> impl TypedValueParser<Value = Metric> + use<> {
    let names = known.iter().map(|metric| metric.name());
    PossibleValuesParser::new(names).try_map(|name| Metric::from_name(&name).ok_or(strum::ParseError::VariantNotFound))
}

pub(super) fn api() -> impl TypedValueParser<Value = Api> {
    PossibleValuesParser::new(Api::VARIANTS).try_map(|name| name.parse::<Api>())
}

pub(super) fn like() -> impl TypedValueParser<Value = Like> {
    PossibleValuesParser::new(Like::VARIANTS).try_map(|name| name.parse::<Like>())
}

pub(super) fn above_0(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if number > 0.0 && number.is_finite() { Ok(number) } else { Err("give a number above 0".to_owned()) }
}

pub(super) fn count(text: &str) -> Result<usize, String> {
    let number: u32 = text.parse().map_err(|error| format!("{error}"))?;
    if number > 0 { Ok(number as usize) } else { Err("give a whole number from 1 on".to_owned()) }
}

pub(super) fn power(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if (0.5..=0.99).contains(&number) {
        Ok(number)
    } else {
        Err("give a number from 0.5 to 0.99, such as 0.8".to_owned())
    }
}

pub(super) fn correlation(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if (-1.0..=1.0).contains(&number) { Ok(number) } else { Err("give a number from -1 to 1".to_owned()) }
}

pub(super) fn alpha(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if number > 0.0 && number < 0.5 { Ok(number) } else { Err("give a number such as 0.05".to_owned()) }
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("give a number from 0 to 1".to_owned()) }
}

/// A length with its unit, in mm.
pub(super) fn figure_width_mm(text: &str) -> Result<f64, String> {
    let units = [("mm", 1.0), ("cm", 10.0), ("in", 25.4)];
    let length =
        units.into_iter().find_map(|(unit, mm)| Some(text.strip_suffix(unit)?.trim().parse::<f64>().ok()? * mm));
    match length {
        Some(mm) if (60.0..=500.0).contains(&mm) => Ok(mm),
        Some(_) => Err("give a width from 60mm to 500mm".to_owned()),
        None => Err("give a width with its unit, such as 85mm, 8.5cm or 3.35in".to_owned()),
    }
}

pub(super) fn noise(text: &str) -> Result<f64, String> {
    let noise: f64 = text.parse().map_err(|error| format!("{error}"))?;
    // -0 is 0, and must not be stated as another.
    if noise >= 0.0 && noise.is_finite() { Ok(noise.abs()) } else { Err("give 0, or a number above it".to_owned()) }
}
