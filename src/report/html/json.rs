//! Writes JSON that can stand in a `<script>` element: nothing in it can end the element.

use std::fmt::Write as _;

use serde::Serialize;

use crate::plain::is_unsafe;

/// `value` as JSON in ASCII's safe part of markup.
///
/// A script element ends at `</script`, and `<!--` changes how its end is found
/// (HTML Living Standard, "Restrictions for contents of script elements"), so no
/// `<`, `>` or `&` is left. Characters that command a terminal, end a line or reorder others are escapes.
pub fn for_script(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).expect("the page's data has string keys and no failing parts");
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        // Outside strings JSON has none of these, and within them all may be escapes.
        match c {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            c if is_unsafe(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(safe, "\\u{unit:04x}").expect("a String takes any text");
                }
            }
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::for_script;

    #[test]
    fn nothing_can_end_the_element() {
        let hostile = "</script><!--<script>&amp;\u{2028}\u{2029}\0";
        let json = for_script(&hostile);
        assert!(!json.contains(['<', '>', '&', '\u{2028}', '\u{2029}', '\0']), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), hostile);
    }

    proptest! {
        #[test]
        fn every_text_reads_back_the_same(text: String) {
            let json = for_script(&text);
            prop_assert!(!json.contains(['<', '>', '&']));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
