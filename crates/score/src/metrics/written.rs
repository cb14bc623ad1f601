//! Tells apart what a model wrote: its thought, its answer, and both as one text.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The strings between which a model writes its thought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Markers {
    pub open: Cow<'static, str>,
    pub close: Cow<'static, str>,
}

impl Markers {
    const fn new(open: &'static str, close: &'static str) -> Self {
        Self { open: Cow::Borrowed(open), close: Cow::Borrowed(close) }
    }

    /// Those of published models, by their chat templates: DeepSeek-R1, Qwen 3 and many others;
    /// GPT-OSS; Magistral; Seed-OSS; Command A; Granite and others.
    const KNOWN: [Self; 7] = [
        Self::new("<think>", "</think>"),
        Self::new("<|channel|>analysis<|message|>", "<|end|>"),
        Self::new("[THINK]", "[/THINK]"),
        Self::new("<seed:think>", "</seed:think>"),
        Self::new("<|START_THINKING|>", "<|END_THINKING|>"),
        Self::new("<thought>", "</thought>"),
        Self::new("<reasoning>", "</reasoning>"),
    ];

    /// Those that a model's chat template names.
    pub fn of_template(template: &str) -> Option<Self> {
        Self::KNOWN.into_iter().find(|markers| template.contains(&*markers.close))
    }
}

/// The parts of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written<'a> {
    /// `None` where there is no sign of one.
    pub thought: Option<Cow<'a, str>>,
    pub answer: Cow<'a, str>,
    /// All that the model wrote, in its order.
    pub whole: Cow<'a, str>,
}

impl<'a> Written<'a> {
    /// Parts a text at the markers that are the model's, or at whichever known ones it holds.
    ///
    /// `thought` is what came apart from the text already. A closing marker without an opening one
    /// ends a thought that the chat template had begun; a thought without a closing marker takes
    /// the rest of the text, and the answer is empty.
    pub fn of(text: &'a str, thought: Option<&'a str>, markers: Option<&Markers>) -> Self {
        let markers = match markers {
            Some(markers) => Some(Cow::Borrowed(markers)),
            None => Markers::KNOWN.into_iter().find(|known| holds(text, known)).map(Cow::Owned),
        };
        let (inside, answer) = match markers.filter(|markers| holds(text, markers)) {
            Some(markers) => {
                let (inside, answer) = part(text, &markers);
                (Some(inside), Cow::Owned(answer))
            }
            None => (None, Cow::Borrowed(text)),
        };
        let whole = match thought {
            None | Some("") => Cow::Borrowed(text),
            Some(thought) if text.is_empty() => Cow::Borrowed(thought),
            Some(thought) => Cow::Owned(format!("{thought}\n{text}")),
        };
        let thought = match (thought, inside) {
            (Some(apart), Some(inside)) => Some(Cow::Owned(format!("{apart}\n{inside}"))),
            (Some(apart), None) => Some(Cow::Borrowed(apart)),
            (None, inside) => inside.map(Cow::Owned),
        };
        Self { thought, answer, whole }
    }

    /// Whether there is no answer: nothing but white space.
    pub fn is_unanswered(&self) -> bool {
        self.answer.trim().is_empty()
    }
}

fn holds(text: &str, markers: &Markers) -> bool {
    text.contains(&*markers.open) || text.contains(&*markers.close)
}

/// The thoughts, and what is left of the text without them and their markers.
fn part(text: &str, markers: &Markers) -> (String, String) {
    let (mut thoughts, mut answer) = (String::new(), String::new());
    let opened = text.find(&*markers.open);
    let closed = text.find(&*markers.close);
    // It begins within a thought if the first marker is one that closes.
    let mut thinks = closed.is_some_and(|closed| opened.is_none_or(|opened| closed < opened));
    let mut rest = text;
    loop {
        let marker = if thinks { &markers.close } else { &markers.open };
        let (piece, after) = match rest.split_once(&**marker) {
            Some((piece, after)) => (piece, Some(after)),
            None => (rest, None),
        };
        if thinks { &mut thoughts } else { &mut answer }.push_str(piece);
        let Some(after) = after else { return (thoughts, answer) };
        (rest, thinks) = (after, !thinks);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(text: &str) -> (Option<String>, String) {
        let written = Written::of(text, None, None);
        assert_eq!(written.whole, text);
        (written.thought.map(Cow::into_owned), written.answer.into_owned())
    }

    fn thought(thought: &str, answer: &str) -> (Option<String>, String) {
        (Some(thought.to_owned()), answer.to_owned())
    }

    #[test]
    fn a_text_without_markers_is_an_answer() {
        assert_eq!(parts("Paris."), (None, "Paris.".to_owned()));
        assert_eq!(parts(""), (None, String::new()));
    }

    #[test]
    fn a_thought_stands_between_markers() {
        assert_eq!(parts("<think>wait, wait</think>Paris."), thought("wait, wait", "Paris."));
        assert_eq!(parts("So. [THINK]hm[/THINK]Paris. [THINK]yes[/THINK]!"), thought("hmyes", "So. Paris. !"));
        assert_eq!(parts("<|channel|>analysis<|message|>hm<|end|>Paris."), thought("hm", "Paris."));
    }

    #[test]
    fn a_template_may_have_opened_it_and_the_limit_may_have_cut_it() {
        assert_eq!(parts("wait</think>Paris."), thought("wait", "Paris."));
        assert_eq!(parts("<think>wait, wait"), thought("wait, wait", ""));
        assert!(Written::of("<think>wait, wait", None, None).is_unanswered());
    }

    #[test]
    fn what_came_apart_stays_apart() {
        let written = Written::of("Paris.", Some("wait"), None);
        assert_eq!(
            (written.thought.as_deref(), &*written.answer, &*written.whole),
            (Some("wait"), "Paris.", "wait\nParis.")
        );
        let unanswered = Written::of("", Some("wait"), None);
        assert_eq!((&*unanswered.whole, unanswered.is_unanswered()), ("wait", true));
        let both = Written::of("<think>b</think>c", Some("a"), None);
        assert_eq!((both.thought.as_deref(), &*both.answer), (Some("a\nb"), "c"));
    }

    #[test]
    fn the_models_own_markers_are_the_only_ones() {
        let magistral = Markers::of_template("… [THINK]{{ thought }}[/THINK] …").unwrap();
        let text = "<think>no</think>";
        assert_eq!(Written::of(text, None, Some(&magistral)).thought, None);
        assert_eq!(Markers::of_template("{{ content }}"), None);
    }

    proptest! {
        #[test]
        fn nothing_but_markers_is_lost(pieces in prop::collection::vec(prop_oneof!["[a-z ]{0,5}", Just("<think>".to_owned()), Just("</think>".to_owned())], 0..8)) {
            let text = pieces.concat();
            let written = Written::of(&text, None, None);
            let letters = |text: &str| text.replace("<think>", "").replace("</think>", "").len();
            let parts = letters(written.thought.as_deref().unwrap_or_default()) + letters(&written.answer);
            prop_assert_eq!(parts, letters(&text));
        }
    }
}
