//! Says which group each prompt is of: groups are the strata of intervals over prompts.

use std::collections::BTreeMap;

use crate::experiment::Prompt;
use crate::stats::Strata;

/// Empty where no prompt names its group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// The number of each prompt's group, by the prompt's id.
    of: BTreeMap<String, usize>,
}

impl Groups {
    /// Prompts that name none are a group of their own where others do.
    pub fn of(prompts: &[Prompt]) -> Self {
        if prompts.iter().all(|prompt| prompt.group.is_none()) {
            return Self::default();
        }
        let mut names: Vec<&Option<String>> = Vec::new();
        let mut number = |group| {
            names.iter().position(|known| *known == group).unwrap_or_else(|| {
                names.push(group);
                names.len() - 1
            })
        };
        Self { of: prompts.iter().map(|prompt| (prompt.id.clone(), number(&prompt.group))).collect() }
    }

    /// Of a sample of these prompts, in this order.
    pub(super) fn strata<'p>(&self, prompts: impl IntoIterator<Item = &'p str>) -> Strata {
        if self.of.is_empty() {
            return Strata::default();
        }
        // A prompt that the design lacks stands alone.
        let stranger = self.of.len();
        Strata::new(prompts.into_iter().map(|prompt| self.of.get(prompt).copied().unwrap_or(stranger)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompts(groups: &[Option<&str>]) -> Vec<Prompt> {
        let prompt = |(place, group): (usize, &Option<&str>)| Prompt {
            id: format!("p{place}"),
            text: format!("text {place}"),
            group: group.map(str::to_owned),
        };
        groups.iter().enumerate().map(prompt).collect()
    }

    #[test]
    fn without_groups_all_prompts_are_one_sample() {
        let groups = Groups::of(&prompts(&[None, None]));
        assert_eq!(groups, Groups::default());
        assert_eq!(groups.strata(["p1", "p0"]), Strata::default());
    }

    #[test]
    fn prompts_without_a_group_are_one_where_others_have_one() {
        let groups = Groups::of(&prompts(&[Some("a"), None, Some("b"), None, Some("a")]));
        assert_eq!(groups.strata(["p0", "p1", "p2", "p3", "p4"]), Strata::new(vec![0, 1, 2, 1, 0]));
        assert_eq!(groups.strata(["p4", "p2"]), Strata::new(vec![0, 2]));
    }
}
