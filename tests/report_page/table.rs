//! The table of trials, 10,000 of them.

use std::time::Duration;

use crate::browser::Page;
use crate::{filter, hostile, is_quiet, report, small, status};

#[test]
fn ten_thousand_trials_open_filter_and_sort_at_once() {
    let bench = small();
    bench.edit("count = 3", "count = 1250");
    bench.edit(", \"greedy\"]", ", \"llama.cpp\"]");
    bench.edit("\"second prompt\", \"third prompt\"", "\"second prompt\"");
    let page = Page::new();
    let file = report(&bench, &hostile());
    // The best of three: the claim is about the page, not about what else the machine does.
    let opened = (0..3).map(|_| page.open(&file)).min().unwrap();
    assert_eq!(status(&page), "1 to 100 of 10000 trials");
    assert!(page.number("document.querySelectorAll('#table tbody tr').length") <= 200.0);
    assert!(opened < Duration::from_secs(3), "opening took {opened:?}");

    let timed = |action: &str| {
        page.number(&format!(
            "(() => {{ const begun = performance.now(); {action}; return performance.now() - begun; }})()"
        ))
    };
    let column = "document.querySelector('#table th[aria-sort]')";
    let sort = "document.querySelector('#table button[data-column=repetition_score]').click()";
    let sorting_ms = timed(sort);
    assert_eq!(page.text(&format!("{column}.getAttribute('aria-sort')")), "ascending");
    timed(sort);
    assert_eq!(page.text(&format!("{column}.getAttribute('aria-sort')")), "descending");
    let at = "[...document.querySelectorAll('#table th')].findIndex((th) => th.ariaSort)";
    let scores = page.value(&format!(
        "[...document.querySelectorAll('#table tbody tr')].map((tr) => Number(tr.children[{at}].textContent))"
    ));
    let scores: Vec<f64> = serde_json::from_value(scores).unwrap();
    assert!(scores.is_sorted_by(|a, b| a >= b) && scores[0] > 0.0, "{scores:?}");

    let filtering_ms = timed(
        "const box = document.querySelector('#table input[type=search]'); box.value = 'wheel'; box.dispatchEvent(new Event('input'))",
    );
    assert!(status(&page).contains("filtered from 10000"), "{}", status(&page));
    filter(&page, "no text holds this");
    assert_eq!(status(&page), "0 trials, filtered from 10000");
    filter(&page, "");
    page.value("(() => { const select = [...document.querySelectorAll('#table select')].find((s) => [...s.options].some((o) => o.value === 'llama.cpp')); \
                select.value = 'llama.cpp'; select.dispatchEvent(new Event('change')); })()");
    assert_eq!(status(&page), "1 to 100 of 5000 trials, filtered from 10000");
    println!("10,000 trials: open after {opened:?}, sorted in {sorting_ms} ms, filtered in {filtering_ms} ms");
    assert!(sorting_ms < 1000.0 && filtering_ms < 1000.0, "sorting {sorting_ms} ms, filtering {filtering_ms} ms");
    is_quiet(&page);
}
