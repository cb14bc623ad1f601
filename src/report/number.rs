//! Writes numbers for people.

use crate::stats::Interval;

/// With two significant digits, or three from 0.1 on; whole numbers as they are. As Rust writes it,
/// without an exponent.
pub fn short(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return number.to_string();
    }
    let digits = if number.abs() < 0.1 { 2 } else { 3 };
    let magnitude = number.abs().log10().floor() as i32 + 1;
    let decimals = usize::try_from(digits - magnitude).unwrap_or(0);
    let text = format!("{number:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A share in whole percent, but never 0 or 100 for what is neither.
pub fn percent(share: f64) -> String {
    let rounded = (share * 100.0).round();
    match share {
        share if share > 0.0 && rounded == 0.0 => "<1".to_owned(),
        share if share < 1.0 && rounded == 100.0 => ">99".to_owned(),
        _ => format!("{rounded:.0}"),
    }
}

/// A difference of shares in whole points, with its sign.
pub fn points(difference: f64) -> String {
    let rounded = (difference * 100.0).round();
    if rounded < 0.0 { format!("−{:.0}", -rounded) } else { format!("+{:.0}", rounded.abs()) }
}

/// " [58, 91]", of shares in percent; nothing where there is no interval.
pub fn bracketed(interval: Option<Interval>) -> String {
    interval.map_or_else(String::new, |Interval { low, high, .. }| format!(" [{}, {}]", percent(low), percent(high)))
}

/// " [−90, −58]", of differences of shares in points.
pub fn signed_bracketed(interval: Option<Interval>) -> String {
    interval.map_or_else(String::new, |Interval { low, high, .. }| format!(" [{}, {}]", points(low), points(high)))
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn as_many_digits_as_are_read() {
        let cases = [
            (0.05, "0.05"),
            (0.05 / 7.0, "0.0071"),
            (1.0 / 10_001.0, "0.0001"),
            (0.125, "0.125"),
            (0.752_54, "0.753"),
            (1.0, "1"),
            (50.526, "50.5"),
            (1234.5, "1234"),
            (0.0, "0"),
            (-0.25, "-0.25"),
        ];
        for (number, expected) in cases {
            assert_eq!(short(number), expected);
        }
    }
}
