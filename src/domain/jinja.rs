//! Cuts the text of a chat template into what it writes and what it decides. Must not know what any of it means: nothing is
//! rendered.

/// A piece of a template, as it stands there; comments are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Outside of all tags.
    Text(&'t str),
    /// The expression of `{{ … }}`.
    Print(&'t str),
    /// The inside of `{% … %}`.
    Statement(&'t str),
}

/// The pieces of a template, in order; a tag that does not end, and what follows it, is left out.
pub fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some(open) = tag_in(rest) {
        pieces.push(Piece::Text(&rest[..open]));
        let (kind, inside) = (&rest[open..open + 2], &rest[open + 2..]);
        let close = match kind {
            "{{" => "}}",
            "{%" => "%}",
            _ => "#}",
        };
        let end = if kind == "{#" { inside.find(close) } else { end_of_tag(inside, close) };
        let Some(end) = end else { return pieces };
        let tag = inside[..end].trim_matches(['-', '+']).trim();
        match kind {
            "{{" => pieces.push(Piece::Print(tag)),
            "{%" => pieces.push(Piece::Statement(tag)),
            _ => {}
        }
        rest = &inside[end + 2..];
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// Where the first tag begins.
fn tag_in(text: &str) -> Option<usize> {
    let mut braces = text.match_indices('{').map(|(at, _)| at);
    braces.find(|at| text[at + 1..].starts_with(['{', '%', '#']))
}

/// Where a tag ends: its mark in a string does not end it.
fn end_of_tag(inside: &str, close: &str) -> Option<usize> {
    let mut at = 0;
    while at < inside.len() {
        let rest = &inside[at..];
        if rest.starts_with(close) {
            return Some(at);
        }
        at += match string(rest) {
            Some((_, length)) => length,
            None => rest.chars().next().map_or(1, char::len_utf8),
        };
    }
    None
}

/// The string that `text` begins with, its escapes read, and its length as written.
pub fn string(text: &str) -> Option<(String, usize)> {
    let quote = text.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
    let mut read = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => match characters.next()?.1 {
                'n' => read.push('\n'),
                't' => read.push('\t'),
                'r' => read.push('\r'),
                other => read.push(other),
            },
            c if c == quote => return Some((read, at + 1)),
            c => read.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_cut_where_its_tags_are() {
        let template = "a{# a remark #}{{- b + 'c' -}} {% if d %}{{ '}} still inside' }}after it";
        let expected = [
            Piece::Text("a"),
            Piece::Text(""),
            Piece::Print("b + 'c'"),
            Piece::Text(" "),
            Piece::Statement("if d"),
            Piece::Text(""),
            Piece::Print("'}} still inside'"),
            Piece::Text("after it"),
        ];
        assert_eq!(pieces(template), expected);
        assert_eq!(pieces("no end {{ 'of the tag"), [Piece::Text("no end ")]);
    }

    #[test]
    fn a_string_ends_at_its_own_quote() {
        assert_eq!(string(r#""it's" + x"#), Some(("it's".to_owned(), 6)));
        assert_eq!(string(r"'a \'quote\'\n'"), Some(("a 'quote'\n".to_owned(), 15)));
        assert_eq!(string("'open"), None);
    }
}
