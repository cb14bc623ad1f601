//! Everyone can use the page: with a keyboard, a screen reader, on paper, in the
//! dark, on a phone, without scripts.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use crate::browser::Page;
use crate::{hostile, is_quiet, report, small};

#[test]
fn a_keyboard_and_a_screen_reader_get_everywhere() {
    let bench = small();
    let page = Page::new();
    page.open(&report(&bench, &[]));
    let prompt = "document.querySelector('#viewer [role=status]').textContent";
    page.value("document.querySelector('#viewer button').focus()");
    page.press("j");
    assert_eq!(page.text(prompt), "Prompt 2 of 3");
    page.press("k");
    page.press("k");
    assert_eq!(page.text(prompt), "Prompt 3 of 3");

    let nameless = page.value(
        "[...document.querySelectorAll('button, select, input, a, [role=region], svg[role=img], section')].filter((e) => \
         !(e.textContent.trim() || e.ariaLabel || e.labels?.length || e.getAttribute('aria-labelledby')) || \
         (e.matches('select, input') && !e.labels.length)).map((e) => e.outerHTML.slice(0, 200))",
    );
    assert_eq!(nameless, Value::Array(vec![]));
    let levels: Vec<u8> = serde_json::from_value(
        page.value("[...document.querySelectorAll('h1, h2, h3, h4')].map((h) => Number(h.tagName[1]))"),
    )
    .unwrap();
    assert_eq!(levels.iter().filter(|&&level| level == 1).count(), 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "a level of headings is left out: {levels:?}");
    assert_eq!(
        page.value("[...document.querySelectorAll('nav a')].every((a) => document.querySelector(a.hash))"),
        true
    );
    let landmarks =
        page.value("['header', 'nav', 'main', 'footer'].map((tag) => document.querySelectorAll(tag).length)");
    assert_eq!(landmarks, serde_json::json!([1, 1, 1, 1]));
    let ids: Vec<String> =
        serde_json::from_value(page.value("[...document.querySelectorAll('[id]')].map((e) => e.id)")).unwrap();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "an id stands twice: {ids:?}");
    is_quiet(&page);
}

#[test]
fn dark_and_light_follow_the_system_and_the_reader() {
    let bench = small();
    let page = Page::new();
    let file = report(&bench, &[]);
    page.look("dark", 390, 844);
    page.open(&file);
    let paper = "getComputedStyle(document.body).backgroundColor";
    assert_eq!(page.text(paper), "rgb(23, 24, 26)");
    // The figures' paper is the page's.
    assert_eq!(page.text("getComputedStyle(document.querySelector('figure svg rect')).fill"), "rgb(23, 24, 26)");
    page.value("document.getElementById('theme').click()");
    assert_eq!(page.text(paper), "rgb(255, 255, 255)");
    // On a narrow screen only what says so scrolls sideways.
    assert_eq!(page.value("document.documentElement.scrollWidth <= innerWidth"), true);
    is_quiet(&page);
}

#[test]
fn without_script_everything_but_texts_and_trials_is_there() {
    let bench = small();
    let file = report(&bench, &hostile());
    let page = Page::new();
    page.open_without_script(&file);
    assert_eq!(page.value("document.documentElement.dataset.ready ?? null"), Value::Null, "a script has run");
    let seen = page.text("document.body.innerText");
    for expected in [
        "<script>window.marker = 'question'</script> Which?",
        "<b>Hotter</b> & worse",
        "inconclusive",
        "scripted: mean repetition score",
        "T = 0.5",
        "deterministic chains",
        "run x.toml --out out",
        "This part needs JavaScript",
    ] {
        assert!(seen.to_lowercase().contains(&expected.to_lowercase()), "no {expected:?} in {seen}");
    }
    assert!(page.number("document.querySelectorAll('figure svg').length") >= 1.0);
    is_quiet(&page);
}

#[test]
fn what_is_folded_is_printed_behind_the_first_page() {
    let bench = small();
    let page = Page::new();
    page.open(&report(&bench, &[]));
    page.value("addEventListener('beforeprint', () => { window.open_details = document.querySelectorAll('#score ~ #numbers details[open]').length; })");
    assert!(page.print().starts_with(b"%PDF"));
    assert_eq!(page.number("window.open_details"), 1.0);
    assert_eq!(page.number("document.querySelectorAll('details[open]').length"), 0.0);
    // They are back where they were.
    assert_eq!(page.number("document.querySelectorAll('#verdicts li > details:last-child').length"), 1.0);
    assert_eq!(page.number("document.querySelectorAll('#numbers').length"), 0.0);
    is_quiet(&page);
}

#[test]
fn the_first_page_of_paper_has_the_verdicts_and_the_figure() {
    let bench = small();
    let page = Page::new();
    // A4 between its margins, at 96 px to the inch.
    let (width, height) = (673, 1001);
    page.look("light", width, height);
    page.open(&report(&bench, &[]));
    page.on_paper();
    page.value("dispatchEvent(new Event('beforeprint'))");
    let ends = page.number("document.querySelector('#score').getBoundingClientRect().bottom + scrollY");
    assert!(ends < f64::from(height), "the first page ends at {ends} px");
    assert_eq!(page.text("getComputedStyle(document.querySelector('#score')).breakAfter"), "page");
    assert_eq!(page.text("document.querySelector('main > section:last-child').id"), "provenance");
    let size = "parseFloat(getComputedStyle(document.querySelector('#provenance')).fontSize)";
    assert!(page.number(size) < page.number("parseFloat(getComputedStyle(document.body).fontSize)"));
    is_quiet(&page);
}

#[test]
fn the_choice_of_colours_is_remembered() {
    let bench = small();
    let page = Page::new();
    let file = report(&bench, &[]);
    page.look("light", 1280, 900);
    page.open(&file);
    page.value("document.getElementById('theme').click()");
    let paper = "getComputedStyle(document.body).backgroundColor";
    assert_eq!(page.text(paper), "rgb(23, 24, 26)");
    page.open(&file);
    assert_eq!(page.text(paper), "rgb(23, 24, 26)");
    page.value("document.getElementById('theme').click()");
    page.open(&file);
    assert_eq!(page.text(paper), "rgb(255, 255, 255)");
    is_quiet(&page);
}

#[test]
fn a_phone_shows_every_figure_whole() {
    let bench = small();
    // Panels and facets enough for a figure that is wider than the page.
    bench.edit("model = [\"scripted\"]", "model = [\"scripted\", \"other\", \"third\"]");
    bench.edit("temperature = [0.5, 1.0]", "temperature = [0.1, 0.3, 0.5, 0.7, 0.9, 1.0]");
    let another = |id: &str| format!("\n[[model]]\nid = \"{id}\"\npath = \"m.scripted.toml\"\n");
    bench.write("x.toml", bench.read("x.toml") + &another("other") + &another("third"));
    let page = Page::new();
    let file = report(&bench, &[]);
    for width in [390, 700, 1400] {
        page.look("light", width, 844);
        page.open(&file);
        assert_eq!(page.value("document.documentElement.scrollWidth <= innerWidth"), true, "{width} px");
        let seen = "[...document.querySelectorAll('figure svg')].map((svg) => svg.getBoundingClientRect()).filter((box) => box.width > 0)";
        assert!(page.number(&format!("{seen}.length")) >= 2.0, "{width} px");
        let cut = page.value(&format!("{seen}.filter((box) => box.left < 0 || box.right > innerWidth).length"));
        assert_eq!(cut, 0, "{width} px");
        let small = page.value(
            "[...document.querySelectorAll('figure text')].filter((text) => text.getBoundingClientRect().width > 0) \
             .map((text) => Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b) * parseFloat(getComputedStyle(text).fontSize)) \
             .filter((px) => px < 8).length",
        );
        assert_eq!(small, 0, "texts of figures under 8 px at {width} px");
        let links = page.value(
            "[...document.querySelectorAll('nav a')].map((a) => a.getBoundingClientRect()).filter((box) => box.left < 0 || box.right > innerWidth).length",
        );
        assert_eq!(links, 0, "links of the navigation are cut at {width} px");
    }
    is_quiet(&page);
}

#[test]
fn a_caveat_stands_once() {
    let bench = small();
    bench.edit("path = \"m.scripted.toml\"", "path = \"m.scripted.toml\"\nnote = \"toys made for a test\"");
    let page = Page::new();
    page.open(&report(&bench, &[]));
    let told = "document.documentElement.outerHTML.toLowerCase().split('toys made for a test').length - 1";
    assert_eq!(page.number(told), 1.0);
    is_quiet(&page);
}

/// `MOE_SWEEP_AXE=node_modules/axe-core/axe.min.js cargo test --release --features page-tests --test report_page -- --ignored axe`
/// asks axe-core (`npm install axe-core`) what it finds, in the light and in the dark.
#[test]
#[ignore = "needs axe-core, which is no crate"]
fn axe_finds_nothing() {
    let axe = std::env::var("MOE_SWEEP_AXE").expect("MOE_SWEEP_AXE names an axe.min.js");
    let axe = std::fs::read_to_string(axe).expect("axe-core can be read");
    let bench = small();
    let file = match std::env::var("MOE_SWEEP_REPORT") {
        Ok(file) => PathBuf::from(file).canonicalize().expect("the report is there"),
        Err(_) => report(&bench, &[]),
    };
    for scheme in ["light", "dark"] {
        let page = Page::new();
        page.look(scheme, 1280, 900);
        page.open(&file);
        page.value("document.querySelectorAll('details').forEach((details) => { details.open = true; })");
        page.value(&format!("(() => {{ {axe} }})()"));
        page.value("void axe.run().then((found) => { window.found = found; })");
        page.until("window.found !== undefined");
        assert!(page.number("window.found.passes.length") > 20.0, "axe has looked at next to nothing");
        let found = page
            .value("window.found.violations.map(({ id, help, nodes }) => [id, help, nodes.slice(0, 3).map((node) => node.html)])");
        assert_eq!(found, Value::Array(vec![]), "{scheme}");
    }
}

/// `make screenshots` has it write pictures of a report into docs/images: wide, narrow, on a phone, in the dark, on paper,
/// and of its texts.
#[test]
#[ignore = "takes pictures for people"]
fn screenshots() {
    let named =
        |variable: &str| PathBuf::from(std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set")));
    let file = named("MOE_SWEEP_REPORT").canonicalize().expect("the report is there");
    let folder = named("MOE_SWEEP_PICTURES");
    let page = Page::new();
    let take = |name: &str| std::fs::write(folder.join(format!("report-{name}.png")), page.screenshot()).unwrap();
    for (name, scheme, width, height) in [
        ("dark", "dark", 1400, 1000),
        ("390", "light", 390, 844),
        ("700", "light", 700, 1000),
        ("1400", "light", 1400, 1000),
    ] {
        page.look(scheme, width, height);
        page.open(&file);
        take(name);
    }
    page.value("void document.getElementById('texts').scrollIntoView()");
    take("texts");
    // The first page of A4, between its margins.
    page.look("light", 673, 1001);
    page.on_paper();
    page.open(&file);
    page.value("dispatchEvent(new Event('beforeprint'))");
    take("print");
}
