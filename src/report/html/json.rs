//! JSON that can stand in a `<script>` element: nothing in it can end the element.

use serde::Serialize;

/// `value` as JSON in ASCII's safe part of markup.
///
/// A script element ends at `</script`, and `<!--` changes how its end is found
/// (HTML Living Standard, "Restrictions for contents of script elements"), so no
/// `<`, `>` or `&` is left. U+2028 and U+2029 once ended lines in scripts. NUL
/// and other controls are escapes in any JSON.
pub fn for_script(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).expect("the page's data has string keys and no failing parts");
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        // Outside strings JSON has none of these, and within them all may be escapes.
        match c {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            '\u{2028}' => safe.push_str("\\u2028"),
            '\u{2029}' => safe.push_str("\\u2029"),
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
