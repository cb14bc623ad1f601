//! Has the prompts that a diagnosis asks with: the built-in ones, or a person's own, shared out between search and
//! confirmation.

use serde::Deserialize;

use super::stage::Prompt;

const FILE: &str = include_str!("prompts.toml");

/// What a diagnosis asks with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompts {
    pub search: Vec<Prompt>,
    pub fresh: Vec<Prompt>,
}

/// The fewest of a person's own prompts that can show anything: six agree by chance one time in 64, and the confirmation
/// has as many to itself.
pub const FEWEST: usize = 12;

/// The built-in prompts, of several kinds, the kinds in turn.
pub fn built_in() -> Prompts {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        prompt: Vec<Entry>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Entry {
        id: String,
        kind: String,
        text: String,
        r#use: Use,
    }
    #[derive(Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Use {
        Search,
        Confirm,
    }
    let file: File = toml::from_str(FILE).expect("the built-in prompts are valid TOML");
    let (search, fresh): (Vec<_>, Vec<_>) = file.prompt.into_iter().partition(|entry| entry.r#use == Use::Search);
    let prompts = |entries: Vec<Entry>| {
        let prompts = entries.into_iter().map(|Entry { id, kind, text, .. }| Prompt { id, kind, text });
        in_turn(prompts.collect())
    };
    Prompts { search: prompts(search), fresh: prompts(fresh) }
}

/// A person's prompts: two of three are searched by, every third one confirms. None of too few.
pub fn shared_out(texts: Vec<String>) -> Option<Prompts> {
    if texts.len() < FEWEST {
        return None;
    }
    let prompt = |(place, text)| Prompt { id: format!("p{place}"), kind: "own".to_owned(), text };
    let prompts = texts.into_iter().enumerate().map(prompt).enumerate();
    let (fresh, search): (Vec<_>, Vec<_>) = prompts.partition(|(place, _)| place % 3 == 2);
    let plain = |prompts: Vec<(usize, Prompt)>| prompts.into_iter().map(|(_, prompt)| prompt).collect();
    Some(Prompts { search: plain(search), fresh: plain(fresh) })
}

/// The first of each kind, then the second of each, so that any number from the beginning has all kinds.
fn in_turn(prompts: Vec<Prompt>) -> Vec<Prompt> {
    let mut places: Vec<(usize, usize)> = Vec::new();
    for (place, prompt) in prompts.iter().enumerate() {
        let before = prompts[..place].iter().filter(|earlier| earlier.kind == prompt.kind).count();
        places.push((before, place));
    }
    places.sort_unstable();
    places.into_iter().map(|(_, place)| prompts[place].clone()).collect()
}

#[cfg(test)]
mod tests {
    use itertools::Itertools as _;

    use super::*;

    #[test]
    fn built_in_prompts_are_of_all_kinds_from_the_beginning() {
        let Prompts { search, fresh } = built_in();
        assert_eq!((search.len(), fresh.len()), (96, 96));
        let kinds = search[..6].iter().map(|prompt| &prompt.kind).unique().count();
        assert_eq!(kinds, 6);
        let texts = search.iter().chain(&fresh).map(|prompt| &prompt.text);
        assert!(texts.clone().all_unique());
    }

    #[test]
    fn every_third_of_a_persons_own_prompts_confirms() {
        let texts = |n: usize| (0..n).map(|i| i.to_string()).collect();
        assert_eq!(shared_out(texts(11)), None);
        let Prompts { search, fresh } = shared_out(texts(12)).unwrap();
        let own = |prompts: &[Prompt]| prompts.iter().map(|prompt| prompt.text.clone()).join(" ");
        assert_eq!((own(&search).as_str(), own(&fresh).as_str()), ("0 1 3 4 6 7 9 10", "2 5 8 11"));
    }
}
