//! `diagnose --server` on a server that dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::canned::Canned;
use crate::support::defaults::{answers, number, settings, usual};
use crate::support::{Bench, Said};

fn diagnose(bench: &Bench, server: &Canned) -> Said {
    bench.say(&["diagnose", "--server", &server.url])
}

#[test]
fn a_server_that_dies_midway_costs_no_text() {
    const LASTS_TEXTS: usize = 70;
    let zero = json!({ "repeat_penalty": 0.0 });
    let answers = || {
        let defaults = Value::Object(settings(&usual(), &zero, ""));
        answers(defaults, "", |settings| number(settings, "repeat_penalty") <= 0.0)
    };
    let undisturbed = diagnose(&Bench::new(""), &Canned::start(answers()));
    // It closes every connection after so many texts, until it is started again.
    let (texts, restarted) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let server = {
        let (answers, texts, restarted) = (answers(), Arc::clone(&texts), Arc::clone(&restarted));
        Canned::start(move |request| {
            let is_text = request.path == "/v1/chat/completions";
            let n = texts.fetch_add(usize::from(is_text), Ordering::SeqCst);
            if n >= LASTS_TEXTS && !restarted.load(Ordering::SeqCst) { vec![] } else { answers(request) }
        })
    };
    let bench = Bench::new("");
    let died = diagnose(&bench, &server);
    assert_eq!(died.code, Some(3), "{died:#?}");
    assert!(!died.stdout.contains("CAUSE"), "{}", died.stdout);
    let kept = bench.read("results/diagnose-tiny/1-as-run/trials.jsonl").lines().count();
    assert!(kept > 0);
    restarted.store(true, Ordering::SeqCst);
    let again = diagnose(&bench, &server);
    assert_eq!((again.code, &again.stdout), (Some(0), &undisturbed.stdout), "{again:#?}");
}
