//! Nothing that a model wrote is executed, and the page is a function of the run.

use crate::browser::Page;
use crate::{filter, hostile, is_quiet, report, small, status};

#[test]
fn hostile_texts_are_shown_and_not_executed() {
    let bench = small();
    // A chain without a draw has one text for all temperatures, and so several rows.
    bench.edit("[\"pure\", \"greedy\"]", "[\"pure\"]");
    let texts = hostile();
    let page = Page::new();
    page.open(&report(&bench, &texts));
    for (case, text) in texts.iter().enumerate() {
        filter(&page, &format!("case-{case}."));
        assert_eq!(status(&page), "1 to 1 of 1 trials, filtered from 18", "case {case}");
        page.value("document.querySelector('#table tbody a').click()");
        let shown = page.text("document.querySelector('#viewer .text').textContent");
        // What is invisible is shown as its code; of a long text the beginning is.
        let beginning: String = text.chars().take_while(|c| c.is_ascii_graphic() || *c == ' ').take(15_000).collect();
        assert!(shown.starts_with(&beginning), "case {case}: {shown:.200}");
        assert!(!shown.contains(['\u{202e}', '\u{200b}', '\0', '\u{1b}', '\u{2028}']), "case {case}");
        let foreign = page.number("document.querySelectorAll('#viewer script, #viewer img, #viewer svg').length");
        assert_eq!(foreign, 0.0, "case {case}");
    }
    is_quiet(&page);
}

#[test]
fn the_same_run_has_the_same_page() {
    let bench = small();
    report(&bench, &hostile());
    let first = bench.result("out", "report.html");
    assert_eq!(bench.say(&["report", "out"]).code, Some(0));
    assert!(first == bench.result("out", "report.html"), "the page is not a function of the run");
}
