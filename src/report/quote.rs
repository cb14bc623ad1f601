//! Quotes a text where there is no room for all of it.

/// Its end, where a text loops: so many characters of it at most, in one line and in quotes.
pub fn end_of(text: &str, n_chars: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let from = match n_chars.checked_sub(1) {
        Some(before_last) => line.char_indices().rev().nth(before_last).map_or(0, |(place, _)| place),
        None => line.len(),
    };
    let left_out = if from > 0 { "… " } else { "" };
    format!("\"{left_out}{}\"", &line[from..])
}

#[cfg(test)]
mod tests {
    use super::end_of;

    #[test]
    fn of_a_long_text_the_end_is_left() {
        assert_eq!(end_of("to be\nor not  to be", 5), "\"… to be\"");
        assert_eq!(end_of("ça ira", 6), "\"ça ira\"");
        assert_eq!((&*end_of("ça", 0), &*end_of("", 9)), ("\"… \"", "\"\""));
    }
}
