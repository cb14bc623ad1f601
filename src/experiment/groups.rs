//! Resolves groups of prompts, by the names that a file gives them.

use super::spanned::Spanned;

use super::Prompt;
use super::error::{Problems, did_you_mean};

/// The ids of a group's prompts, in file order; none, and a problem, where no prompt is of it.
pub fn prompts_of(raw: &Spanned<String>, prompts: &[Prompt], problems: &mut Problems) -> Vec<String> {
    let group = raw.get_ref();
    let is_of_it = |prompt: &&Prompt| prompt.group.as_ref() == Some(group);
    let ids: Vec<_> = prompts.iter().filter(is_of_it).map(|prompt| prompt.id.clone()).collect();
    // Prompts that can't be read are reported, and their groups are not known.
    if ids.is_empty() && !prompts.is_empty() {
        let known = names(prompts);
        let near = did_you_mean(group, known.iter().copied()).map(|near| format!("did you mean {near:?}? "));
        let help = match known.is_empty() {
            true => "no prompt names a group: give them one, as in { text = \"…\", group = \"…\" }".to_owned(),
            false => format!("{}the groups are: {}", near.unwrap_or_default(), known.join(", ")),
        };
        problems.add(raw.span(), format!("no prompt is of the group {group:?}"), help);
    }
    ids
}

/// In the order of their first prompts.
fn names(prompts: &[Prompt]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for group in prompts.iter().filter_map(|prompt| prompt.group.as_deref()) {
        if !names.contains(&group) {
            names.push(group);
        }
    }
    names
}
