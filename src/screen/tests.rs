//! Lines at every width, with colours and without.

use proptest::prelude::*;
use unicode_width::UnicodeWidthStr as _;

use super::{Colours, Column, Layout, Lines, Tone, unbroken};

fn plain(lines: &Lines, width: usize) -> String {
    lines.laid_out(Layout { width, colours: Colours::None })
}

fn of(add: impl FnOnce(&mut Lines)) -> Lines {
    let mut lines = Lines::default();
    add(&mut lines);
    lines
}

/// What a terminal shows of a text in colours.
fn shown(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn a_text_hangs_below_the_end_of_its_head() {
    let lines = of(|lines| lines.text("note: ", "the words of a long note are folded at its spaces"));
    let expected = "note: the words of a\n      long note are\n      folded at its\n      spaces\n";
    assert_eq!(plain(&lines, 22), expected);
    let hung = of(|lines| lines.hung(6, "note: the words of a long note are folded at its spaces"));
    assert_eq!(plain(&hung, 22), expected);
}

#[test]
fn a_path_and_a_command_are_fit_to_be_copied_at_any_width() {
    let path = "/home/somebody/very-long-folder/results/of-a-run/report.html";
    let command = "moe-sweep recommend results/smol";
    let lines = of(|lines| {
        lines.text("", &format!("it is in {path} and {} says more", unbroken(command)));
        lines.whole(&format!("report:  {path}"));
    });
    let laid = plain(&lines, 20);
    assert!(laid.contains(path) && laid.contains(command) && laid.contains(&format!("report:  {path}\n")), "{laid}");
}

#[test]
fn a_script_without_spaces_is_folded() {
    let lines = of(|lines| lines.text("note: ", &"更大的模型重复".repeat(10)));
    assert!(plain(&lines, 30).lines().all(|row| row.width() <= 30), "{}", plain(&lines, 30));
}

#[test]
fn two_texts_share_the_width() {
    let column = |head: &str| Column { head: head.to_owned(), text: format!("a text\n{}", "x".repeat(40)) };
    let lines = of(|lines| lines.beside([column("left"), column("right")], 3));
    let expected = "  left              right\n  a text            a text\n  xxxxxxxxxxxxxx    xxxxxxxxxxxxxx\n  xxxxxxxxxxxxxx    xxxxxxxxxxxxxx\n  …                 …\n";
    assert_eq!(plain(&lines, 36), expected);
}

#[test]
fn a_bar_takes_what_its_label_leaves() {
    let bars = of(|lines| [0.05, 0.2, 1.0].into_iter().for_each(|share| lines.bar("T 0.1 ", share)));
    assert_eq!(plain(&bars, 26), "T 0.1 █\nT 0.1 ████\nT 0.1 ████████████████████\n");
    let coloured = bars.laid_out(Layout { width: 26, colours: Colours::Ansi });
    for colour in ["\u{1b}[32m", "\u{1b}[33m", "\u{1b}[31m"] {
        assert_eq!(coloured.matches(colour).count(), 1, "{coloured:?}");
    }
}

#[test]
fn nothing_in_a_line_is_obeyed_by_a_terminal_or_a_ci() {
    let hostile = "x \u{1b}[31mred ::error::y ##[group]";
    let lines = of(|lines| {
        lines.text(hostile, hostile);
        lines.whole(hostile);
        lines.bar(hostile, 1.0);
        lines.beside([hostile, hostile].map(|text| Column { head: text.to_owned(), text: text.to_owned() }), 9);
    });
    // Folded so that each word comes to stand at the beginning of a row.
    for width in 1..60 {
        let laid = plain(&lines, width);
        assert!(!laid.contains('\u{1b}') && !laid.contains("##["), "{laid}");
        assert!(laid.lines().all(|row| !row.trim_start().starts_with("::")), "{laid}");
    }
}

proptest! {
    #[test]
    fn no_row_is_wider_and_colours_change_no_word(width in 20..120_usize, words in prop::collection::vec("[a-zä更]{1,9}", 0..40)) {
        let text = words.join(" ");
        let lines = of(|lines| {
            lines.toned(("SUPPORTED    ", Tone::Yes), (&text, Tone::Plain));
            lines.heading(&text);
            lines.bar("T 0.1 ", 0.5);
        });
        let laid = plain(&lines, width);
        // A word that has no room behind a head hangs over.
        let most = width.max(13 + 18);
        prop_assert!(laid.lines().all(|row| row.width() <= most), "{}", laid);
        prop_assert_eq!(shown(&lines.laid_out(Layout { width, colours: Colours::Ansi })), laid);
    }
}
