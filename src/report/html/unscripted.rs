//! Makes the frame of a page that has no script.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::page::{FOOT, policy};
use super::theme;
use crate::plain::neutralise_text;

/// A whole document with this title, and this as its body but for the foot.
pub fn unscripted(title: &str, body: &Markup) -> String {
    let style = theme::css() + include_str!("page/page.css");
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy(&style, ""));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (title) " · moe-sweep" }
                link rel="icon" href="data:,";
                style { (PreEscaped(&style)) }
            }
            body {
                (body)
                footer { p.small { (FOOT) } }
            }
        }
    };
    neutralise_text(&document.into_string()).into_owned()
}
