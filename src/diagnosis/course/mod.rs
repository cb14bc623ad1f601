//! Decides the course of a diagnosis: which stage comes next, and how it ends. Knows texts by what a stage's answer says of
//! them; must not know how they are made.
//!
//! Errors: a cause is named only where its remedy is supported on fresh prompts and seeds, by one test, or a few under
//! Holm's procedure, at `alpha`. What led to it may be chosen however the earlier stages like, so it is that test which
//! keeps the probability of a false cause.

use std::cmp::Ordering;

use super::evidence::{Answer, Looped, Outcome, Rate};
use super::setup::{Edit, Setup};
use super::stage::{Arm, Claim, Prompt, Stage, StageKind};
use super::switch::{Kind, NotTried, Switch};
use super::switches::{About, not_tried, switches, usual_chain};
use crate::analysis::sequential::State;
use crate::causes::Runtime;
use crate::domain::{Finding, Seed};

#[cfg(test)]
mod tests;

/// What is to be diagnosed.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// As the person runs it.
    pub as_run: Setup,
    pub about: About,
    /// In whose words remedies are said.
    pub runtime: Runtime,
    /// What is wrong with its file, seen without a text.
    pub findings: Vec<Finding>,
    /// What everything but the confirmation is found by.
    pub search: Vec<Prompt>,
    /// What nothing is chosen by.
    pub fresh: Vec<Prompt>,
}

/// What it came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    pub ending: Ending,
    /// As the person runs it.
    pub as_run: Rate,
    pub worst: Option<Looped>,
    /// What was confirmed, the preferred one first; or what was found and not confirmed.
    pub remedies: Vec<Remedy>,
    /// Every switch that was tried by itself and is no remedy.
    pub others: Vec<Tried>,
    pub not_tried: Vec<NotTried>,
    pub stages: Vec<StageNote>,
}

/// How a diagnosis ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Ending {
    /// One cause, its remedy confirmed.
    Cause,
    /// Each of two switches takes a part of the loops away, both confirmed.
    TwoCauses,
    /// Two switches together do what neither is shown to do, confirmed.
    NeedsBoth,
    /// A switch was found, and fresh prompts do not confirm it.
    NotConfirmed,
    /// No text loops.
    NotReproduced,
    /// So few texts loop that nothing could be decided.
    TooRare,
    /// Nothing that was tried is shown to make it loop less.
    LoopsWhatever,
}

/// Switches that were put to the test of fresh prompts.
#[derive(Clone, Debug, PartialEq)]
pub struct Remedy {
    pub switches: Vec<Switch>,
    pub before: Rate,
    pub after: Rate,
    pub outcome: Outcome,
    /// The prompts after which the search had found it.
    pub found_after: usize,
}

/// A switch by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    pub switch: Switch,
    pub outcome: Outcome,
    pub rate: Rate,
}

/// What a stage took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageNote {
    pub name: String,
    pub arms: usize,
    pub texts: usize,
}

/// Prompts that the first stage takes.
const FIRST_PROMPTS: usize = 24;
/// Loops from which a search is begun; fewer can't decide between switches.
const ENOUGH_LOOPS: usize = 3;
/// A remedy that leaves more than this share of the loops may not be all.
const REST: f64 = 1.0 / 3.0;
/// A switch with at least this share of the best one's effect is as good a remedy.
const AS_GOOD: f64 = 0.8;
/// The most remedies that are confirmed side by side.
const MOST_REMEDIES: usize = 3;
/// Suspects that are paired with each other.
const PAIRED: usize = 4;

/// The seed of what is searched by, and of what nothing was chosen by.
const SEARCH_SEED: u32 = 1;
const FRESH_SEED: u32 = 1001;

/// Goes the whole course. `run` makes a stage's texts, and says what they say.
///
/// # Errors
/// Those of `run`.
pub fn diagnose<E>(case: &Case, run: &mut dyn FnMut(&Stage) -> Result<Answer, E>) -> Result<Diagnosis, E> {
    let mut course = Course { case, run, stages: Vec::new() };
    let mut answer = course.as_run(StageKind::AsRun, FIRST_PROMPTS)?;
    if answer.arms[0].loops < ENOUGH_LOOPS && case.search.len() > FIRST_PROMPTS {
        answer = course.as_run(StageKind::MorePrompts, case.search.len())?;
    }
    let rate = answer.arms[0];
    let mut diagnosis = Diagnosis {
        ending: Ending::NotReproduced,
        as_run: rate,
        worst: answer.worst,
        remedies: vec![],
        others: vec![],
        not_tried: not_tried(&case.about),
        stages: vec![],
    };
    if rate.loops >= ENOUGH_LOOPS {
        course.search(&mut diagnosis)?;
    } else if rate.loops > 0 {
        diagnosis.ending = Ending::TooRare;
    }
    diagnosis.stages = course.stages;
    Ok(diagnosis)
}

impl Stage {
    /// All switches and remedies of a diagnosis, on all its prompts, without stopping early.
    pub fn whole(case: &Case, diagnosis: &Diagnosis) -> Self {
        let singles = switches(&case.as_run, &case.about).into_iter().map(|switch| vec![switch]);
        let remedies = diagnosis.remedies.iter().map(|remedy| remedy.switches.clone());
        let mut sets: Vec<Vec<Switch>> = Vec::new();
        for set in singles.chain(remedies) {
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
        let mut stage = against(StageKind::Whole, &case.as_run, &sets);
        stage.prompts = [case.search.clone(), case.fresh.clone()].concat();
        stage
    }
}

/// A stage that compares each set of switches with `from`.
fn against(kind: StageKind, from: &Setup, sets: &[Vec<Switch>]) -> Stage {
    let mut arms = vec![base(from.clone())];
    let mut claims = Vec::new();
    for set in sets {
        let mut id = set_id(set);
        // Two switches of one cause, up and down, are told apart by their place.
        if claims.iter().any(|claim: &Claim| claim.id == id) {
            id = format!("{id}-{}", arms.len());
        }
        claims.push(Claim { id: id.clone(), base: 0, other: arms.len() });
        arms.push(Arm { id, setup: from.with(&edits(set)) });
    }
    Stage { kind, arms, claims, prompts: vec![], seeds: seeds(SEARCH_SEED) }
}

struct Course<'a, E> {
    case: &'a Case,
    run: &'a mut dyn FnMut(&Stage) -> Result<Answer, E>,
    stages: Vec<StageNote>,
}

/// What a search found: one switch or two, and others that do as much.
struct Found {
    best: Vec<Switch>,
    alternatives: Vec<Switch>,
    after: usize,
}

impl<E> Course<'_, E> {
    fn run(&mut self, stage: &Stage) -> Result<Answer, E> {
        let answer = (self.run)(stage)?;
        self.stages.push(StageNote { name: stage.name(), arms: stage.arms.len(), texts: answer.n_texts });
        Ok(answer)
    }

    fn as_run(&mut self, kind: StageKind, n_prompts: usize) -> Result<Answer, E> {
        let arms = vec![base(self.case.as_run.clone())];
        let prompts = self.case.search.iter().take(n_prompts).cloned().collect();
        self.run(&Stage { kind, arms, claims: vec![], prompts, seeds: seeds(SEARCH_SEED) })
    }

    /// Looks for what makes it loop less, and puts it to the test.
    fn search(&mut self, diagnosis: &mut Diagnosis) -> Result<(), E> {
        let singles = switches(&self.case.as_run, &self.case.about);
        let tried = self.one_by_one(StageKind::Switches, &self.case.as_run.clone(), &singles)?;
        let found = match choose(&tried) {
            Some(found) => Some(self.with_second(found, &tried, diagnosis.as_run)?),
            None => self.pairs(&tried)?,
        };
        match found {
            Some(found) => self.confirm(&found, diagnosis)?,
            None => diagnosis.ending = Ending::LoopsWhatever,
        }
        let is_remedy = |tried: &Tried| {
            diagnosis
                .remedies
                .iter()
                .any(|remedy| remedy.switches == [tried.switch.clone()] || remedy.switches.contains(&tried.switch))
        };
        diagnosis.others = tried.into_iter().filter(|tried| !is_remedy(tried)).collect();
        Ok(())
    }

    /// Each switch by itself, against `from`.
    fn one_by_one(&mut self, kind: StageKind, from: &Setup, switches: &[Switch]) -> Result<Vec<Tried>, E> {
        let sets: Vec<Vec<Switch>> = switches.iter().map(|switch| vec![switch.clone()]).collect();
        let stage = self.against(kind, from, &sets);
        let answer = self.run(&stage)?;
        let rates = answer.arms.into_iter().skip(1);
        let tried = switches.iter().cloned().zip(answer.claims).zip(rates);
        Ok(tried.map(|((switch, outcome), rate)| Tried { switch, outcome, rate }).collect())
    }

    /// The same on the prompts of the search.
    fn against(&self, kind: StageKind, from: &Setup, sets: &[Vec<Switch>]) -> Stage {
        Stage { prompts: self.case.search.clone(), ..against(kind, from, sets) }
    }

    /// Where the remedy leaves many loops, looks for a second one on top of it.
    fn with_second(&mut self, found: Found, tried: &[Tried], as_run: Rate) -> Result<Found, E> {
        let rest = tried.iter().find(|tried| found.best == [tried.switch.clone()]).and_then(|tried| tried.rate.share());
        let leaves_many = rest.zip(as_run.share()).is_some_and(|(rest, all)| rest > REST * all);
        if !leaves_many {
            return Ok(found);
        }
        let from = self.case.as_run.with(&edits(&found.best));
        let left: Vec<Switch> = switches(&from, &self.case.about);
        let left: Vec<Switch> = left.into_iter().filter(|switch| switch.cause != found.best[0].cause).collect();
        let tried = self.one_by_one(StageKind::SecondCause, &from, &left)?;
        Ok(match choose(&tried) {
            None => found,
            Some(second) => Found {
                best: [found.best, second.best].concat(),
                alternatives: vec![],
                after: found.after + second.after,
            },
        })
    }

    /// Two suspects together, and all of a chain at once.
    fn pairs(&mut self, tried: &[Tried]) -> Result<Option<Found>, E> {
        // What is not as usual may need another switch to matter at all, so that it is no suspect by itself.
        let may_matter = |tried: &&Tried| match tried.outcome.state {
            State::Open => true,
            State::Negligible => tried.switch.kind == Kind::Undo,
            State::Supported | State::Refuted => false,
        };
        let mut suspects: Vec<&Tried> = tried.iter().filter(may_matter).collect();
        suspects.sort_by(|a, b| {
            let by_p = a.outcome.p.total_cmp(&b.outcome.p);
            a.switch.kind.cmp(&b.switch.kind).then(by_p).then(a.outcome.effect.total_cmp(&b.outcome.effect))
        });
        suspects.truncate(PAIRED);
        let mut sets: Vec<Vec<Switch>> = Vec::new();
        for (place, one) in suspects.iter().enumerate() {
            for other in &suspects[place + 1..] {
                if one.switch.can_join(&other.switch) {
                    sets.push(vec![one.switch.clone(), other.switch.clone()]);
                }
            }
        }
        sets.extend(usual_chain(&self.case.as_run, &self.case.about).map(|switch| vec![switch]));
        if sets.is_empty() {
            return Ok(None);
        }
        let stage = self.against(StageKind::Pairs, &self.case.as_run, &sets);
        let answer = self.run(&stage)?;
        let found = sets.into_iter().zip(answer.claims).filter(|(_, outcome)| outcome.state == State::Supported);
        let best = found.min_by(|(_, a), (_, b)| a.effect.total_cmp(&b.effect));
        Ok(best.map(|(best, outcome)| Found { best, alternatives: vec![], after: outcome.prompts }))
    }

    /// Puts what was found to the test of prompts and seeds that nothing was chosen by.
    fn confirm(&mut self, found: &Found, diagnosis: &mut Diagnosis) -> Result<(), E> {
        let from = &self.case.as_run;
        let mut sets = vec![found.best.clone()];
        sets.extend(found.alternatives.iter().map(|switch| vec![switch.clone()]));
        let singles =
            if found.best.len() > 1 { found.best.iter().map(|one| vec![one.clone()]).collect() } else { vec![] };
        let mut stage = self.against(StageKind::Remedy, from, &[sets.clone(), singles].concat());
        if found.best.len() > 1 {
            // Both are needed only where either alone does less.
            let of_singles = (2..stage.arms.len()).map(|single| Claim {
                id: format!("both-against-{}", stage.arms[single].id),
                base: single,
                other: 1,
            });
            stage.claims.extend(of_singles.collect::<Vec<_>>());
        }
        stage.prompts.clone_from(&self.case.fresh);
        stage.seeds = seeds(FRESH_SEED);
        let answer = self.run(&stage)?;
        let holds = |place: usize| answer.claims[place].state == State::Supported;
        let n_singles = found.best.len();
        let remedy = |(place, switches): (usize, &Vec<Switch>)| Remedy {
            switches: switches.clone(),
            before: answer.arms[0],
            after: answer.arms[place + 1],
            outcome: answer.claims[place].clone(),
            found_after: found.after,
        };
        let remedies: Vec<Remedy> = sets.iter().enumerate().map(remedy).collect();
        if n_singles == 1 {
            let confirmed: Vec<Remedy> =
                remedies.iter().filter(|r| r.outcome.state == State::Supported).cloned().collect();
            (diagnosis.ending, diagnosis.remedies) =
                if confirmed.is_empty() { (Ending::NotConfirmed, remedies) } else { (Ending::Cause, confirmed) };
            return Ok(());
        }
        // Claims: both; the first alone, the second alone; both against either.
        let beyond = [holds(3), holds(4)];
        let alone = [holds(1), holds(2)];
        diagnosis.remedies = remedies;
        diagnosis.ending = match (holds(0), beyond, alone) {
            (true, [true, true], [false, false]) => Ending::NeedsBoth,
            (true, [true, true], _) | (true, [true, _], [true, _]) | (true, [_, true], [_, true]) => Ending::TwoCauses,
            (true, ..) => Ending::Cause,
            (false, ..) => Ending::NotConfirmed,
        };
        // One alone does as much: the other is not needed.
        if let (Ending::Cause, Some(one)) = (diagnosis.ending, alone.iter().position(|holds| *holds)) {
            let single = Remedy {
                switches: vec![found.best[one].clone()],
                before: answer.arms[0],
                after: answer.arms[one + 2],
                outcome: answer.claims[one + 1].clone(),
                found_after: found.after,
            };
            diagnosis.remedies = vec![single];
        }
        Ok(())
    }
}

/// The switch that explains it best, and those that do as much; None where none is supported.
fn choose(tried: &[Tried]) -> Option<Found> {
    let supported = || tried.iter().filter(|tried| tried.outcome.state == State::Supported);
    let best = supported().map(|tried| tried.outcome.effect).min_by(f64::total_cmp)?;
    // One that is not decided yet may have the same effect; fresh prompts will say.
    let is_as_good = |tried: &&Tried| {
        let suspected = tried.outcome.state == State::Supported || tried.outcome.state == State::Open;
        suspected && tried.outcome.effect <= AS_GOOD * best
    };
    let mut as_good: Vec<&Tried> = tried.iter().filter(is_as_good).collect();
    as_good.sort_by(|a, b| preference(a, b));
    let mut chosen = as_good.into_iter().take(MOST_REMEDIES);
    let first = chosen.next()?;
    Some(Found {
        best: vec![first.switch.clone()],
        alternatives: chosen.map(|tried| tried.switch.clone()).collect(),
        after: supported().map(|tried| tried.outcome.prompts).max().unwrap_or(0),
    })
}

/// What was put back to the usual explains more than a medicine; then the greater effect.
fn preference(a: &Tried, b: &Tried) -> Ordering {
    let by_kind = a.switch.kind.cmp(&b.switch.kind);
    by_kind.then(a.outcome.effect.total_cmp(&b.outcome.effect)).then(a.switch.cause.cmp(&b.switch.cause))
}

fn base(setup: Setup) -> Arm {
    Arm { id: "as-run".to_owned(), setup }
}

fn seeds(first: u32) -> Vec<Seed> {
    Seed::new(first).into_iter().collect()
}

fn edits(set: &[Switch]) -> Vec<Edit> {
    set.iter().flat_map(|switch| switch.edits.iter().cloned()).collect()
}

fn set_id(set: &[Switch]) -> String {
    set.iter().map(|switch| switch.cause.id()).collect::<Vec<_>>().join("+")
}

impl Switch {
    /// Whether both can be switched at once.
    fn can_join(&self, other: &Self) -> bool {
        let same = |a: &Edit, b: &Edit| match (a, b) {
            (Edit::Level(a), Edit::Level(b)) => a.factor() == b.factor(),
            (Edit::Level(_), _) | (_, Edit::Level(_)) => false,
            (Edit::Say(a), Edit::Say(b)) => a.meets(b),
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        };
        !self.edits.iter().any(|a| other.edits.iter().any(|b| same(a, b)))
    }
}
