//! Puts the document together: its head with the policy, its sections in order, its scripts.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::data::Data;
use super::{Report, json, sections, theme};

/// One module, in the order in which its parts need each other.
const SCRIPT: &str = concat!(
    include_str!("page/telling.js"),
    include_str!("page/data.js"),
    include_str!("page/words.js"),
    include_str!("page/dom.js"),
    include_str!("page/theme.js"),
    include_str!("page/chooser.js"),
    include_str!("page/table.js"),
    include_str!("page/viewer.js"),
    include_str!("page/paper.js"),
    include_str!("page/main.js"),
);

/// At the foot of every page: that it is ours, and safe to open.
pub const FOOT: &str = "Written by moe-sweep. This page loads nothing from elsewhere.";

pub fn document(report: &Report<'_>) -> Markup {
    let style = theme::css() + include_str!("page/page.css");
    let sections = sections::all(report);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy(&style, SCRIPT));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (report.design.name) " · moe-sweep" }
                // Browsers ask a server for an icon unless they are given one.
                link rel="icon" href="data:,";
                style { (PreEscaped(&style)) }
            }
            body {
                a.skip href="#main" { "Skip to the results" }
                header {
                    h1 { (report.said.headline) }
                    (sections::answer(report.said))
                    p.question {
                        b { (report.design.name) }
                        @if let Some(question) = &report.design.question { ": " (question) }
                    }
                    (sections::summary(report))
                }
                nav aria-label="Sections" {
                    div {
                        @for section in &sections { a href={ "#" (section.id) } { (section.name) } }
                        button #theme type="button" hidden { "Dark" }
                    }
                }
                main #main {
                    @for section in &sections {
                        section #(section.id) aria-labelledby={ (section.id) "-title" } {
                            h2 #{ (section.id) "-title" } { (section.title) }
                            (section.body)
                        }
                    }
                }
                footer { p.small { (FOOT) } }
                script #data type="application/json" {
                    (PreEscaped(json::for_script(&Data::new(&report.analysis.trials, &report.design.prompts))))
                }
                script type="module" { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// Forbids all but this style and this script (W3C, "Content Security Policy Level 3").
pub(super) fn policy(style: &str, script: &str) -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; \
         form-action 'none'",
        hash(script),
        hash(style)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_style_nor_script_can_end_its_element() {
        assert!(!SCRIPT.contains("</script") && !SCRIPT.contains("<!--"));
        assert!(!theme::css().contains('<') && !include_str!("page/page.css").contains('<'));
    }

    #[test]
    fn scripts_make_no_markup_and_no_request() {
        for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "fetch(", "XMLHttp", "eval("] {
            assert!(!SCRIPT.contains(word), "{word}");
        }
    }

    #[test]
    fn the_policy_names_the_hash_of_the_empty_text() {
        // `printf '' | openssl dgst -sha256 -binary | base64`
        assert!(policy("", "").contains("'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"));
    }
}
