//! Turns `[[hypothesis]]` and `[analysis]` into what they mean.

use std::collections::HashSet;

use super::spanned::Spanned;
use strum::VariantNames;

use super::error::{Problems, did_you_mean};
use super::grid_levels::resolve_level;
use super::groups::prompts_of;
use super::hypothesis::{Direction, Hypothesis, Settings, Sides, Test};
use super::named::resolve_named;
use super::raw::{RawAnalysis, RawHypothesis};
use super::raw_levels::{OneOrMore, RawArms, RawLevel, RawSelection};
use super::{Grid, Prompt};
use crate::domain::{Factor, FactorMap, Level, Order, Selection};
use crate::metrics::Metric;

const ONE_TEST: &str = "give one of trend, contrast, equivalence and interaction";

pub fn resolve_settings(raw: Option<&RawAnalysis>, problems: &mut Problems) -> Settings {
    let mut settings = Settings::default();
    let Some(raw) = raw else { return settings };
    if let Some(alpha) = &raw.alpha {
        settings.alpha = resolve_alpha(alpha, problems);
    }
    if let Some(metric) = resolve_metric(raw.metric.as_ref(), problems) {
        settings.metric = metric;
    }
    settings
}

pub(super) fn resolve_alpha(raw: &Spanned<f64>, problems: &mut Problems) -> f64 {
    let alpha = *raw.get_ref();
    if !(alpha > 0.0 && alpha < 0.5) {
        problems.add(raw.span(), format!("alpha can't be {alpha}"), "give a number such as 0.05");
    }
    alpha
}

/// Claims about texts that the grid has.
pub fn resolve_hypotheses(
    raw: &[Spanned<RawHypothesis>],
    grid: &Grid,
    prompts: &[Prompt],
    problems: &mut Problems,
) -> Vec<Hypothesis> {
    let mut seen = HashSet::new();
    for hypothesis in raw {
        let id = &hypothesis.get_ref().id;
        if !seen.insert(id.get_ref()) {
            problems.add(id.span(), format!("two hypotheses are called {:?}", id.get_ref()), "rename one");
        }
    }
    let mut resolver = Resolver { grid, prompts, problems };
    if let Some(first) = raw.first()
        && prompts.len() < 2
    {
        let message = "hypotheses are tested over prompts, and there is only one";
        resolver.problems.add(first.get_ref().id.span(), message, "give at least 3 prompts, better 20");
    }
    raw.iter().filter_map(|raw| resolver.hypothesis(raw)).collect()
}

struct Resolver<'a> {
    grid: &'a Grid,
    prompts: &'a [Prompt],
    problems: &'a mut Problems,
}

impl Resolver<'_> {
    fn hypothesis(&mut self, raw: &Spanned<RawHypothesis>) -> Option<Hypothesis> {
        let raw = raw.get_ref();
        let id = raw.id.get_ref().clone();
        let metric = resolve_metric(raw.metric.as_ref(), self.problems);
        let part = resolve_named("part", raw.part.as_ref(), self.problems);
        let within = raw.within.as_ref().map_or_else(Selection::default, |raw| self.within(raw.get_ref()));
        let each = raw.each.as_ref().map(|raw| self.factor(raw, &within, 1));
        if let Some(first) = raw.first.as_ref().filter(|first| *first.get_ref() == 0) {
            self.problems.add(first.span(), "no metric is defined of no words", "give a number such as 64");
        }
        let test = self.test(raw, &within);
        let (test, each) = (test?, each.map_or(Some(None), |each| each.map(Some))?);
        if let Some(each) = each
            && test.factors().contains(&each)
        {
            let message = format!("each = \"{each}\" leaves nothing to compare along the {each}");
            self.problems.add(raw.each.as_ref().map_or(raw.id.span(), Spanned::span), message, "name another factor");
        }
        let claim = raw.claim.clone().unwrap_or_else(|| id.replace(['-', '_'], " "));
        let sides = self.sides(raw);
        Some(Hypothesis {
            claim,
            metric: metric?,
            part: part?,
            first: raw.first.as_ref().map(|first| *first.get_ref()),
            within,
            each,
            sides,
            least: self.least(raw, &test),
            test,
            id,
        })
    }

    fn least(&mut self, raw: &RawHypothesis, test: &Test) -> Option<f64> {
        let least = raw.least.as_ref()?;
        let value = *least.get_ref();
        let is_directed = matches!(
            test,
            Test::Trend { expect, .. } | Test::Contrast { expect, .. } if *expect != Direction::Different
        );
        if !is_directed {
            let help = "remove it, or claim a trend or a contrast that is increasing or decreasing";
            self.problems.add(least.span(), "only a claim of a direction has a least effect", help);
        } else if !(value > 0.0 && value.is_finite()) {
            self.problems.add(least.span(), format!("a least effect can't be {value}"), "give a number above 0");
        }
        Some(value)
    }

    /// `None` where there is not exactly one, or it is wrong.
    fn test(&mut self, raw: &RawHypothesis, within: &Selection) -> Option<Test> {
        let margin = raw.margin.as_ref();
        if let (Some(margin), None) = (margin, &raw.equivalence) {
            self.problems.add(margin.span(), "only an equivalence has a margin", "remove it");
        }
        if let (Some(expect), true) = (&raw.expect, raw.equivalence.is_some() || raw.interaction.is_some()) {
            self.problems.add(expect.span(), "only a trend and a contrast expect a direction", "remove it");
        }
        match (&raw.trend, &raw.contrast, &raw.equivalence, &raw.interaction) {
            (Some(factor), None, None, None) => {
                let factor_at = factor.span();
                let factor = self.factor(factor, within, 2)?;
                if !(factor.order() == Order::Ascending) {
                    let help = "a trend runs along temperature or offload; use contrast or interaction";
                    self.problems.add(factor_at, format!("the levels of {factor} have no order"), help);
                }
                Some(Test::Trend { factor, expect: self.direction(raw)? })
            }
            (None, Some(arms), None, None) => {
                let [base, other] = self.arms(arms);
                Some(Test::Contrast { base, other, expect: self.direction(raw)? })
            }
            (None, None, Some(arms), None) => {
                let [base, other] = self.arms(arms);
                let margin = match margin.map(|margin| (margin.span(), *margin.get_ref())) {
                    Some((_, margin)) if margin > 0.0 && margin.is_finite() => margin,
                    Some((span, margin)) => {
                        self.problems.add(span, format!("a margin can't be {margin}"), "give a number above 0");
                        return None;
                    }
                    None => {
                        let help = "add margin = the least difference that would matter to you, such as 0.05";
                        self.problems.add(arms.span(), "equivalence is within a margin, and none is given", help);
                        return None;
                    }
                };
                Some(Test::Equivalence { base, other, margin })
            }
            (None, None, None, Some(factors)) => match &factors.get_ref()[..] {
                [first, second] if first.get_ref() != second.get_ref() => {
                    let factors = [self.factor(first, within, 2)?, self.factor(second, within, 2)?];
                    Some(Test::Interaction { factors })
                }
                _ => {
                    let help = "such as interaction = [\"temperature\", \"chain\"]";
                    self.problems.add(factors.span(), "an interaction is one of two different factors", help);
                    None
                }
            },
            _ => {
                self.problems.add(raw.id.span(), "a hypothesis has one test", ONE_TEST);
                None
            }
        }
    }

    fn direction(&mut self, raw: &RawHypothesis) -> Option<Direction> {
        let Some(expect) = &raw.expect else {
            let help = format!("add expect = one of: {}", Direction::VARIANTS.join(", "));
            self.problems.add(raw.id.span(), "what does it expect?", help);
            return None;
        };
        let direction = expect.get_ref().parse().ok();
        if direction.is_none() {
            let help = format!("use one of: {}", Direction::VARIANTS.join(", "));
            self.problems.add(expect.span(), format!("unknown direction {:?}", expect.get_ref()), help);
        }
        direction
    }

    fn sides(&mut self, raw: &RawHypothesis) -> Sides {
        match raw.sides.as_ref().map(|sides| (sides.span(), *sides.get_ref())) {
            None | Some((_, 2)) => Sides::Two,
            Some((span, 1)) => {
                let directed = raw.expect.as_ref().is_some_and(|expect| expect.get_ref() != "different");
                if !directed && raw.equivalence.is_none() {
                    let help = "remove sides, or say expect = \"increasing\" or \"decreasing\"";
                    self.problems.add(span, "only a direction has one side", help);
                }
                Sides::One
            }
            Some((span, sides)) => {
                self.problems.add(span, format!("a test can't have {sides} sides"), "use 1 or 2 (the default)");
                Sides::Two
            }
        }
    }

    fn arms(&mut self, raw: &Spanned<RawArms>) -> [Selection; 2] {
        let RawArms { base, other } = raw.get_ref();
        for group in [base, other].into_iter().flat_map(|raw| &raw.get_ref().keys.group).flat_map(|groups| &groups.0) {
            let help = "put it into where: group chooses the prompts of both";
            self.problems.add(
                group.span(),
                "base and other are compared prompt by prompt, and have the same ones",
                help,
            );
        }
        let arms = [base, other].map(|raw| self.selection(raw.get_ref()));
        if self.problems.is_empty() && arms[0] == arms[1] {
            self.problems.add(raw.span(), "base and other are the same texts", "name a level in which they differ");
        }
        arms
    }

    /// A factor of which the grid, as far as it is `within`, has so many levels.
    fn factor(&mut self, raw: &Spanned<String>, within: &Selection, at_least: usize) -> Option<Factor> {
        let Ok(factor) = raw.get_ref().parse::<Factor>() else {
            let help = did_you_mean(raw.get_ref(), Factor::NAMES).map_or_else(
                || format!("use one of: {}", Factor::NAMES.join(", ")),
                |near| format!("did you mean {near:?}?"),
            );
            self.problems.add(raw.span(), format!("unknown factor {:?}", raw.get_ref()), help);
            return None;
        };
        let n_levels = self.n_levels(factor, within);
        if n_levels < at_least {
            let message = format!("the texts of this hypothesis have {n_levels} level of {factor}");
            self.problems.add(raw.span(), message, "add levels to the grid, or widen `where`");
        }
        Some(factor)
    }

    fn n_levels(&self, factor: Factor, within: &Selection) -> usize {
        let (selected, all) = (within.levels[factor].len(), self.grid.levels[factor].len());
        if selected == 0 { all } else { selected }
    }

    /// A selection that may name groups of prompts.
    fn within(&mut self, raw: &RawSelection) -> Selection {
        let groups = raw.keys.group.iter().flat_map(|groups| &groups.0);
        let prompt: Vec<String> = groups.flat_map(|group| prompts_of(group, self.prompts, self.problems)).collect();
        if let ([id], Some(group)) = (&prompt[..], raw.keys.group.iter().flat_map(|groups| &groups.0).next()) {
            let message = format!("a hypothesis is tested over prompts, and of this group there is only {id}");
            self.problems.add(group.span(), message, "give its group at least 3 prompts, better 20");
        }
        Selection { prompt, ..self.selection(raw) }
    }

    /// The levels that it names.
    fn selection(&mut self, raw: &RawSelection) -> Selection {
        let levels = FactorMap::from_fn(|factor| self.levels(factor, raw.levels[factor].as_ref()));
        Selection { levels, prompt: vec![] }
    }

    fn levels(&mut self, factor: Factor, raw: Option<&OneOrMore<RawLevel>>) -> Vec<Level> {
        let known = &self.grid.levels[factor];
        let mut levels = Vec::new();
        for raw in raw.iter().flat_map(|raw| &raw.0) {
            let Some(level) = resolve_level(factor, raw, self.problems) else { continue };
            if !known.contains(&level) {
                let known = known.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let message = format!("the grid has no {factor} {level}");
                self.problems.add(raw.span(), message, format!("add it to the grid, or use one of: {known}"));
            }
            levels.push(level);
        }
        levels
    }
}

fn resolve_metric(raw: Option<&Spanned<String>>, problems: &mut Problems) -> Option<Metric> {
    let Some(raw) = raw else { return Some(Metric::RepetitionScore) };
    let metric = Metric::from_name(raw.get_ref());
    if metric.is_none() {
        let names = Metric::ALL.map(Metric::name);
        let help = did_you_mean(raw.get_ref(), names)
            .map_or_else(|| format!("use one of: {}", names.join(", ")), |near| format!("did you mean {near:?}?"));
        problems.add(raw.span(), format!("unknown metric {:?}", raw.get_ref()), help);
    }
    metric
}
