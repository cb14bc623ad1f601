//! That the catalogue holds together, and what each runtime is told.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use strum::VariantNames as _;

use super::{Adjustment, Cause, Knob, Runtime};

#[test]
fn ids_are_unique_and_of_one_shape() {
    let ids = BTreeSet::from(Cause::ALL.map(Cause::id));
    assert_eq!(ids.len(), Cause::ALL.len());
    for id in ids {
        let name = id.strip_prefix("L-").unwrap_or_else(|| panic!("{id} does not begin with L-"));
        let parts_are_words =
            name.split('-').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_uppercase()));
        assert!(parts_are_words, "{id}");
    }
}

#[test]
fn titles_are_unique_and_short() {
    let titles = BTreeSet::from(Cause::ALL.map(Cause::title));
    assert_eq!(titles.len(), Cause::ALL.len());
    for title in titles {
        assert!(title.chars().count() <= 60, "{title}");
        // After the word "cause" and before another sentence.
        assert!(title.starts_with(|c: char| c.is_lowercase()) && !title.ends_with('.'), "{title}");
    }
}

#[test]
fn a_cause_is_read_by_its_id_in_any_case() {
    for cause in Cause::ALL {
        assert_eq!(cause.to_string().parse::<Cause>().unwrap(), cause);
        assert_eq!(cause.id().to_lowercase().parse::<Cause>().unwrap(), cause);
    }
}

#[test]
fn a_misspelt_id_comes_with_a_suggestion() {
    let help = |id: &str| miette::Diagnostic::help(&id.parse::<Cause>().unwrap_err()).unwrap().to_string();
    for (misspelt, meant) in [
        ("L-PENALTY-ZER0", "L-PENALTY-ZERO"),
        ("l-pen-zero", "L-PENALTY-ZERO"),
        ("bos-missing", "L-BOS-MISSING"),
        ("L-TEMP-HIGH", "L-TEMPERATURE-HIGH"),
    ] {
        assert!(help(misspelt).contains(&format!("did you mean {meant}?")), "{misspelt}: {}", help(misspelt));
    }
    assert!(help("nonsense").starts_with("use one of: L-PENALTY-ZERO, "), "{}", help("nonsense"));
    assert!(help("").starts_with("use one of: "), "{}", help(""));
}

#[test]
fn pages_are_sentences_with_addresses() {
    for cause in Cause::ALL {
        let page = cause.page();
        for text in [page.what, page.shows, page.test, page.mend] {
            assert!(text.starts_with(|c: char| !c.is_whitespace()) && text.ends_with(['.', '?']), "{cause}: {text:?}");
            assert!(!text.contains("  ") && !text.contains('\n'), "{cause}: {text:?}");
        }
        for thread in page.threads {
            let path = thread.url.strip_prefix("https://github.com/").unwrap_or_else(|| panic!("{}", thread.url));
            let parts: Vec<_> = path.split('/').collect();
            let is_thread = matches!(parts[..], [_, _, "issues" | "pull", number] if number.parse::<u32>().is_ok());
            assert!(is_thread, "{cause}: {}", thread.url);
            assert!(!thread.says.ends_with('.'), "{cause}: {}", thread.says);
        }
    }
}

/// A page says how each of the factors is used, and none that it does not list.
#[test]
fn a_test_names_its_factors() {
    for cause in Cause::ALL {
        let marked: BTreeSet<_> = cause.page().test.split('`').skip(1).step_by(2).collect();
        for factor in cause.factors() {
            assert!(marked.contains(factor), "{cause} does not say how to use {factor}");
        }
    }
}

#[test]
fn runtimes_are_named_as_on_the_command_line() {
    let names = ["llama-server", "ollama", "openai", "vllm", "lmstudio", "transformers", "shimmy"];
    assert_eq!(Runtime::VARIANTS, names);
    assert_eq!(Runtime::ALL.map(|runtime| runtime.to_string()), names);
    assert!(names.iter().zip(Runtime::ALL).all(|(name, runtime)| name.parse() == Ok(runtime)));
}

/// What a person may turn a knob from and to.
fn turns(knob: Knob) -> &'static [(&'static str, &'static str)] {
    match knob {
        Knob::Temperature => &[("0", "0.7"), ("0.7", "0")],
        Knob::TopK => &[("1", "40")],
        Knob::TopP => &[("0.5", "0.95")],
        Knob::MinP => &[("0", "0.05")],
        Knob::RepeatPenalty => &[("1.3", "1.0")],
        Knob::RepeatLastN => &[("64", "512")],
        Knob::PresencePenalty => &[("1.5", "0")],
        Knob::FrequencyPenalty => &[("0", "0.3")],
        Knob::DryMultiplier => &[("0", "0.8")],
        Knob::Samplers => &[("temperature;top_p", "top_k;top_p;temperature")],
        Knob::Template => &[
            ("chat", "raw"),
            ("raw", "chat"),
            ("raw", "jinja"),
            ("jinja", "chat"),
            ("chat", "jinja"),
            ("jinja", "chatml"),
        ],
        Knob::System => &[("none", "default"), ("default", "none"), ("none", "Be \"brief\".")],
        Knob::Thinking => &[("off", "default"), ("off", "on"), ("on", "off")],
        Knob::Bos => &[("never", "model"), ("never", "always"), ("model", "never")],
        Knob::Eos => &[("ignore", "model"), ("model", "ignore"), ("model", "128009")],
        Knob::Context => &[("2048", "8192")],
        Knob::ContextShift => &[("shift", "stop"), ("stop", "shift"), ("stop", "shift:4")],
        Knob::Rope => {
            &[("linear:4", "model"), ("linear:4", "none"), ("model", "yarn:4"), ("base:10000", "base:1000000")]
        }
        Knob::CacheTypeK | Knob::CacheTypeV => &[("q4_0", "f16"), ("f16", "q4_0"), ("f16", "q5_1")],
        Knob::FlashAttention => &[("on", "auto"), ("off", "on"), ("on", "off")],
        Knob::Ubatch => &[("32", "31")],
        Knob::Parallel => &[("8", "1")],
        Knob::SwaFull => &[("false", "true"), ("true", "false")],
        Knob::CpuMoe => &[("all", "none"), ("none", "all"), ("none", "12")],
        Knob::OpOffload => &[("false", "true"), ("true", "false")],
        Knob::ExpertsUsed => &[("4", "model"), ("model", "8")],
        Knob::Quant => &[("q2_k", "q8_0"), ("q2_k", "source")],
        Knob::PrefixTokens => &[("600", "0")],
        Knob::Grammar => &[("json", "none"), ("none", "json"), ("none", "root ::= \"it's\"")],
    }
}

#[test]
fn the_line_of_each_runtime_for_each_knob() {
    let mut lines = String::new();
    for knob in Knob::ALL {
        for &(from, to) in turns(knob) {
            let _ = writeln!(lines, "{knob:?}: {from} -> {to}");
            let adjustment = Adjustment { knob, from: from.to_owned(), to: to.to_owned() };
            for runtime in Runtime::ALL {
                let line = runtime.line(&adjustment);
                assert!(line.as_ref().is_none_or(|line| !line.contains('\n')), "{line:?}");
                let _ = writeln!(lines, "  {runtime:<13} {}", line.as_deref().unwrap_or("-"));
            }
        }
    }
    insta::assert_snapshot!("lines", lines);
}
