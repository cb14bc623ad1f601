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
        "no random draw",
        "run x.toml --out out",
        "This part needs JavaScript",
    ] {
        assert!(seen.to_lowercase().contains(&expected.to_lowercase()), "no {expected:?} in {seen}");
    }
    assert!(page.number("document.querySelectorAll('figure svg').length") >= 1.0);
    is_quiet(&page);
}

#[test]
fn what_is_folded_is_printed() {
    let bench = small();
    let page = Page::new();
    page.open(&report(&bench, &[]));
    page.value("addEventListener('beforeprint', () => { window.open_details = document.querySelectorAll('#verdicts details[open]').length; })");
    assert!(page.print().starts_with(b"%PDF"));
    assert_eq!(page.number("window.open_details"), 1.0);
    assert_eq!(page.number("document.querySelectorAll('#verdicts details[open]').length"), 0.0);
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

/// `MOE_SWEEP_REPORT=results/cause/report.html cargo test --release --features page-tests --test report_page -- --ignored`
/// writes screenshots of that report beside it, of each section, light and dark, wide and narrow.
#[test]
#[ignore = "takes pictures for people"]
fn screenshots() {
    let file = PathBuf::from(std::env::var("MOE_SWEEP_REPORT").expect("MOE_SWEEP_REPORT names a report.html"));
    let file = file.canonicalize().expect("the report is there");
    let page = Page::new();
    for (scheme, width, height) in
        [("light", 1280, 1000), ("dark", 1280, 1000), ("light", 390, 844), ("dark", 390, 844)]
    {
        page.look(scheme, width, height);
        println!("{scheme}, {width} px: open after {:?}", page.open(&file));
        let sections = page.value("[...document.querySelectorAll('main > section')].map((section) => section.id)");
        let sections: Vec<String> = serde_json::from_value(sections).unwrap();
        for section in ["".to_owned()].into_iter().chain(sections) {
            page.value(&format!("void document.getElementById({section:?})?.scrollIntoView()"));
            let name = if section.is_empty() { "top" } else { &section };
            std::fs::write(file.with_file_name(format!("{scheme}-{width}-{name}.png")), page.screenshot()).unwrap();
        }
    }
    page.look("dark", 800, 3000);
    page.on_paper();
    page.open(&file);
    std::fs::write(file.with_file_name("paper.png"), page.screenshot()).unwrap();
}
