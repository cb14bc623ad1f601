//! Halves of characters in JSON, which no text can hold.

/// JSON in which each escape of half a character, without its other half, became U+FFFD; and how
/// many there were. Servers that cut a text in the middle of an emoji write such.
pub fn mend_surrogates(json: &str) -> (String, usize) {
    let half = |escape: Option<&str>, range: std::ops::RangeInclusive<u32>| {
        let digits = escape.and_then(|escape| escape.strip_prefix("\\u"));
        digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).is_some_and(|unit| range.contains(&unit))
    };
    let (mut mended, mut count, mut rest) = (String::with_capacity(json.len()), 0, json);
    while let Some(at) = rest.find('\\') {
        mended += &rest[..at];
        rest = &rest[at..];
        let length = match (half(rest.get(..6), 0xD800..=0xDBFF), half(rest.get(6..12), 0xDC00..=0xDFFF)) {
            (true, true) => 12,
            (false, _) if !half(rest.get(..6), 0xDC00..=0xDFFF) => {
                1 + rest[1..].chars().next().map_or(0, char::len_utf8)
            }
            _ => {
                count += 1;
                mended += "\\ufffd";
                rest = &rest[6..];
                continue;
            }
        };
        mended += &rest[..length];
        rest = &rest[length..];
    }
    (mended + rest, count)
}
