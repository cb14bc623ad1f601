//! Decides the course of a diagnosis: which stage comes next, and how it ends. Knows texts by what a stage's answer says of
//! them; must not know how they are made.
//!
//! Errors: a cause is named only where its remedy is supported on fresh prompts and seeds, by one test, or a few under
//! Holm's procedure, at `alpha`. What led to it may be chosen however the earlier stages like, so it is that test which
//! keeps the probability of a false cause.

mod case;
mod choice;
mod compare;
mod confirm;
mod rest;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;

use super::evidence::{Answer, Extent, Rate};
use super::refusal::{Refusal, Refuses};
use super::setup::Setup;
use super::stage::{Arm, Counted, Stage, StageKind};
use super::switch::{Kind, NotTried, Switch};
use super::switches::{not_tried, set_aside, switches, usual_chain};
use choice::{Found, choose, is_as_good, known_pairs, suspect, suspects};
use compare::{SEARCH_SEED, against, all_at_once, can_join, edits, seeds};
use confirm::confirm;

use rest::worth_a_look;

pub use case::{Case, Diagnosis, Ending, Remedy, StageNote, Tried};

/// Prompts that the first stage takes, and those that it takes where hardly any text loops.
const FIRST_PROMPTS: usize = 24;
const MORE_PROMPTS: usize = 48;
/// Loops from which a search is begun; fewer can't decide between switches.
const ENOUGH_LOOPS: usize = 3;
/// The fewest loops by which a switch can be decided, if all of them go away: of a claim by itself at 0.05,
/// [`SignFlip::least_prompts_two_sided`](crate::stats::sequential::SignFlip::least_prompts_two_sided).
const LEAST_LOOPS: f64 = 6.0;
/// Loops that a search wants to see as it is run: twelve that all go away have p = 2^-12, which is far below what any
/// number of switches asks for, so that a part of them may be noise.
const SOUGHT_LOOPS: f64 = 12.0;

/// Goes the whole course. `run` makes a stage's texts, and says what they say.
///
/// # Errors
/// Those of `run`.
pub fn diagnose<E: Refuses>(case: &Case, run: &mut dyn FnMut(&Stage) -> Result<Answer, E>) -> Result<Diagnosis, E> {
    let mut course = Course {
        case,
        run,
        stages: Vec::new(),
        tried: Vec::new(),
        refused: Vec::new(),
        as_run: Rate::default(),
        search_prompts: 0,
        confirmed_prompts: 0,
        counted: Counted::default(),
    };
    let mut answer = course.run(Stage::first(case))?;
    if answer.extent == Extent::Whole && answer.arms[0].loops < ENOUGH_LOOPS && case.search.len() > first_prompts(case)
    {
        answer = course.run(as_run(case, StageKind::MorePrompts, MORE_PROMPTS))?;
    }
    let Answer { arms, worst, repeats, extent, .. } = answer;
    // What hardly ever ends in a loop may repeat itself in another way.
    let is_repetitive = arms[0].loops < ENOUGH_LOOPS && repeats.rate.loops >= ENOUGH_LOOPS;
    let (rate, worst) = if is_repetitive && extent == Extent::Whole {
        course.counted = Counted::Repeats;
        (repeats.rate, repeats.worst)
    } else {
        (arms[0], worst)
    };
    let mut diagnosis = Diagnosis {
        ending: Ending::NotReproduced,
        counted: course.counted,
        as_run: rate,
        repeats: repeats.rate.loops,
        worst,
        remedies: vec![],
        others: vec![],
        not_tried: not_tried(&case.about),
        stages: vec![],
    };
    if extent == Extent::CutShort {
        diagnosis.ending = Ending::Budget;
    } else if rate.loops >= ENOUGH_LOOPS {
        course.as_run = rate;
        course.search_prompts = prompts_for(rate, case.search.len());
        course.search(&mut diagnosis)?;
    } else if rate.loops > 0 {
        diagnosis.ending = Ending::TooRare;
    }
    diagnosis.not_tried.extend(course.refused);
    diagnosis.stages = course.stages;
    Ok(diagnosis)
}

/// As many as are to be decoded together, at least.
fn first_prompts(case: &Case) -> usize {
    FIRST_PROMPTS.max(case.as_run.width()).min(MORE_PROMPTS)
}

/// The prompts of a search: the fewer texts loop, the more of them it takes to see a difference.
fn prompts_for(as_run: Rate, at_most: usize) -> usize {
    let wanted = as_run.share().map_or(0.0, |share| (SOUGHT_LOOPS / share).ceil());
    (wanted as usize).max(MORE_PROMPTS).min(at_most)
}

impl Stage {
    /// The one that every diagnosis begins with.
    pub fn first(case: &Case) -> Self {
        as_run(case, StageKind::AsRun, first_prompts(case))
    }

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
        stage.counted = diagnosis.counted;
        stage
    }
}

/// The model as it is run, with the first so many prompts.
fn as_run(case: &Case, kind: StageKind, n_prompts: usize) -> Stage {
    let prompts = case.search.iter().take(n_prompts).cloned().collect();
    let arms = vec![Arm { id: "as-run".to_owned(), setup: case.as_run.clone() }];
    Stage { kind, arms, claims: vec![], prompts, seeds: seeds(SEARCH_SEED), counted: Counted::default() }
}

struct Course<'a, E> {
    case: &'a Case,
    run: &'a mut dyn FnMut(&Stage) -> Result<Answer, E>,
    stages: Vec<StageNote>,
    /// Everything that was compared with the model as it is run.
    tried: Vec<Tried>,
    /// What can't be tried, for the engine refuses it.
    refused: Vec<NotTried>,
    /// How often it loops as it is run, in the most texts so far.
    as_run: Rate,
    search_prompts: usize,
    /// Fresh prompts that a remedy was confirmed on.
    confirmed_prompts: usize,
    /// Which texts the stages count.
    counted: Counted,
}

/// How a part of the search ended.
enum Searched {
    Found(Found),
    /// All of it was looked at.
    Nothing,
    /// The budget ended it; what looked best by then.
    CutShort(Option<Found>),
}

/// What a comparison came to.
struct Compared {
    /// Of what the sets were compared with.
    base: Rate,
    tried: Vec<Tried>,
    extent: Extent,
}

impl<E: Refuses> Course<'_, E> {
    fn run(&mut self, stage: Stage) -> Result<Answer, E> {
        let stage = Stage { counted: self.counted, ..stage };
        let answer = (self.run)(&stage)?;
        self.stages.push(StageNote { name: stage.name(), arms: stage.arms.len(), texts: answer.n_texts });
        Ok(answer)
    }

    /// Looks for what makes it loop less, and puts it to the test.
    fn search(&mut self, diagnosis: &mut Diagnosis) -> Result<(), E> {
        let all = switches(&self.case.as_run, &self.case.about);
        let (undos, medicines): (Vec<Switch>, Vec<Switch>) =
            all.into_iter().partition(|switch| switch.kind == Kind::Undo);
        let mut searched = self.put_back(&undos)?;
        if matches!(searched, Searched::Nothing) && self.is_too_rare() {
            // More prompts than the first stage had show that it loops too seldom for what is left to be decided.
            (diagnosis.ending, diagnosis.as_run) = (Ending::TooRare, self.as_run);
            diagnosis.others = std::mem::take(&mut self.tried);
            return Ok(());
        }
        if matches!(searched, Searched::Nothing) {
            searched = self.medicines(&medicines)?;
        } else {
            diagnosis.not_tried.extend(set_aside(&medicines));
        }
        if matches!(searched, Searched::Nothing) {
            searched = self.pairs()?;
        }
        let found = match searched {
            Searched::Found(found) | Searched::CutShort(Some(found)) => Some(found),
            Searched::Nothing => {
                diagnosis.ending = Ending::LoopsWhatever;
                None
            }
            Searched::CutShort(None) => {
                diagnosis.ending = Ending::Budget;
                None
            }
        };
        if let Some(found) = found {
            self.confirm(&found, diagnosis)?;
            if matches!(diagnosis.ending, Ending::Cause | Ending::NoRemedyHere) {
                self.second(diagnosis)?;
            }
        }
        let is_remedy = |tried: &Tried| diagnosis.remedies.iter().any(|remedy| remedy.switches == tried.switches);
        let others = std::mem::take(&mut self.tried);
        diagnosis.others = others.into_iter().filter(|tried| !is_remedy(tried)).collect();
        Ok(())
    }

    /// Whether a search would see fewer loops than can decide anything.
    fn is_too_rare(&self) -> bool {
        self.as_run.share().is_some_and(|share| share * (self.search_prompts as f64) < LEAST_LOOPS)
    }

    /// Puts what was found to the test, and to a second one on all fresh prompts where the first looks well and does not
    /// suffice. The two share alpha.
    fn confirm(&mut self, found: &Found, diagnosis: &mut Diagnosis) -> Result<(), E> {
        let fresh = &self.case.fresh;
        let prompts = confirm::prompts(self.case, fresh, found);
        let answer = self.run(confirm::stage(self.case, StageKind::Remedy, found, prompts))?;
        confirm(self.case, found, &answer, diagnosis);
        self.confirmed_prompts = prompts.len();
        let is_open = diagnosis.ending == Ending::NotConfirmed && answer.extent == Extent::Whole;
        if is_open && confirm::may_hold(&answer) && prompts.len() < fresh.len() {
            let answer = self.run(confirm::stage(self.case, StageKind::RemedyOnMore, found, fresh))?;
            if answer.extent == Extent::Whole {
                confirm(self.case, found, &answer, diagnosis);
                self.confirmed_prompts = fresh.len();
            }
        }
        Ok(())
    }

    /// What is not as usual is put back, each by itself, and all of it at once: where even that is not shown to help, no
    /// pair of them is tried.
    fn put_back(&mut self, undos: &[Switch]) -> Result<Searched, E> {
        if undos.is_empty() {
            return Ok(Searched::Nothing);
        }
        let mut sets = singly(undos);
        let all = all_at_once(undos);
        if all.len() > 1 {
            sets.push(all);
        }
        let compared = self.compare(StageKind::PutBack, &sets)?;
        match self.searched(compared) {
            Searched::Found(found) if found.best.len() > 1 => self.narrow(found),
            other => Ok(other),
        }
    }

    /// Which two of several switches do what all of them do.
    fn narrow(&mut self, all: Found) -> Result<Searched, E> {
        if all.best.len() == 2 {
            return Ok(Searched::Found(all));
        }
        let compared = self.compare(StageKind::Pairs, &pairs_of(all.best.iter()))?;
        Ok(match self.searched(compared) {
            Searched::Found(pair) if is_as_good(pair.effect, all.effect) => Searched::Found(pair),
            Searched::CutShort(_) | Searched::Nothing | Searched::Found(_) => Searched::Found(all),
        })
    }

    /// What is as usual is changed, each by itself.
    fn medicines(&mut self, medicines: &[Switch]) -> Result<Searched, E> {
        if medicines.is_empty() {
            return Ok(Searched::Nothing);
        }
        let compared = self.compare(StageKind::Medicines, &singly(medicines))?;
        Ok(self.searched(compared))
    }

    /// Each set of switches against the model as it is run.
    fn compare(&mut self, kind: StageKind, sets: &[Vec<Switch>]) -> Result<Compared, E> {
        let compared = self.compare_with(kind, &self.case.as_run.clone(), sets)?;
        if compared.base.texts > self.as_run.texts {
            self.as_run = compared.base;
        }
        self.tried.extend(compared.tried.iter().cloned());
        Ok(compared)
    }

    /// Each set of switches against `from`, but for those that the engine refuses.
    fn compare_with(&mut self, kind: StageKind, from: &Setup, sets: &[Vec<Switch>]) -> Result<Compared, E> {
        let mut sets = sets.to_vec();
        let Answer { arms, claims, extent, .. } = loop {
            if sets.is_empty() {
                return Ok(Compared { base: Rate::default(), tried: vec![], extent: Extent::Whole });
            }
            let mut stage = against(kind, from, &sets);
            stage.prompts = self.case.search.iter().take(self.search_prompts).cloned().collect();
            match self.run(stage) {
                Ok(answer) => break answer,
                Err(error) => sets = self.had(from, sets, error)?,
            }
        };
        let base = arms[0];
        let tried = sets.into_iter().zip(claims).zip(arms.into_iter().skip(1));
        let tried = tried.map(|((switches, outcome), rate)| Tried { switches, outcome, rate }).collect();
        Ok(Compared { base, tried, extent })
    }

    /// The sets that are not refused; those that are, it notes. The error again where that is not the matter.
    fn had(&mut self, from: &Setup, sets: Vec<Vec<Switch>>, error: E) -> Result<Vec<Vec<Switch>>, E> {
        let (refusals, n_sets) = (error.refusals(), sets.len());
        let mut had = Vec::new();
        for set in sets {
            let setup = from.with(&edits(&set));
            match refusals.iter().find(|refusal| refusal.is_of(&setup)) {
                Some(Refusal { why, .. }) => {
                    self.refused.push(NotTried { what: words(&set), why: why.clone() });
                }
                None => had.push(set),
            }
        }
        if had.len() < n_sets { Ok(had) } else { Err(error) }
    }

    fn searched(&self, Compared { tried, extent, .. }: Compared) -> Searched {
        match (choose(&tried), extent) {
            (Some(found), _) => Searched::Found(found),
            (None, Extent::Whole) => suspect(&tried, extent).map_or(Searched::Nothing, Searched::Found),
            // Of all that was tried so far: an earlier stage may have seen a better one.
            (None, Extent::CutShort) => Searched::CutShort(suspect(&self.tried, extent)),
        }
    }

    /// Where a confirmed remedy leaves loops, looks for a second one on top of it, and puts both to the test of prompts
    /// that the first was not confirmed on.
    ///
    /// A second cause is looked for only once the first is confirmed, so that a false one among both is as improbable as a
    /// false first one, or as a false second one beside a true first: at most `alpha`, by tests in a fixed sequence.
    fn second(&mut self, diagnosis: &mut Diagnosis) -> Result<(), E> {
        let leaves_loops = diagnosis.remedies.iter().all(Remedy::leaves_loops);
        let (true, [first]) = (leaves_loops, diagnosis.remedies[0].switches.as_slice()) else { return Ok(()) };
        let (first, size) = (first.clone(), diagnosis.remedies[0].outcome.effect);
        let from = self.case.as_run.with(&first.edits);
        let others = switches(&from, &self.case.about).into_iter().filter(|switch| switch.cause != first.cause);
        let others = worth_a_look(&diagnosis.remedies[0], others.collect());
        let unseen = &self.case.fresh[self.confirmed_prompts..];
        if others.is_empty() || unseen.len() < confirm::FEWEST_PROMPTS {
            return Ok(());
        }
        let Compared { tried, extent, .. } = self.compare_with(StageKind::SecondCause, &from, &singly(&others))?;
        let Some(second) = choose(&tried).or_else(|| suspect(&tried, extent)) else { return Ok(()) };
        let both = Found {
            best: [vec![first.clone()], second.best].concat(),
            alternatives: vec![],
            effect: size + second.effect,
            least_effect: size.max(second.effect),
            after: second.after,
        };
        let prompts = confirm::prompts(self.case, unseen, &both);
        let stage = confirm::stage(self.case, StageKind::BothRemedies, &both, prompts);
        let answer = self.run(stage)?;
        let mut of_both = diagnosis.clone();
        confirm(self.case, &both, &answer, &mut of_both);
        // The second one may do all that both do. What says less than the first confirmation changes nothing.
        let is_second = |remedy: &Remedy| remedy.switches.len() == 1 && remedy.switches[0] != first;
        let says_more = match of_both.ending {
            Ending::TwoCauses | Ending::NeedsBoth => true,
            Ending::Cause | Ending::NoRemedyHere => is_second(&of_both.remedies[0]),
            _ => false,
        };
        if says_more {
            *diagnosis = of_both;
        }
        Ok(())
    }

    /// Two suspects together, those that are known to go together, and all of a chain at once.
    fn pairs(&mut self) -> Result<Searched, E> {
        let known = known_pairs(&self.tried).into_iter().filter(|[one, other]| can_join(one, other));
        let mut sets: Vec<Vec<Switch>> = known.map(|pair| pair.map(Clone::clone).to_vec()).collect();
        let suspects = suspects(&self.tried);
        // All that is not as usual was put back at once, which was not shown to help: so no two of it are tried.
        let of_suspects = pairs_of(suspects.iter().map(|tried| &tried.switches[0]));
        let is_new = |pair: &Vec<Switch>| !pair.iter().all(|switch| switch.kind == Kind::Undo) && !sets.contains(pair);
        let of_suspects: Vec<_> = of_suspects.into_iter().filter(is_new).collect();
        sets.extend(of_suspects);
        sets.extend(usual_chain(&self.case.as_run, &self.case.about).map(|switch| vec![switch]));
        if sets.is_empty() {
            return Ok(Searched::Nothing);
        }
        let compared = self.compare(StageKind::Pairs, &sets)?;
        Ok(self.searched(compared))
    }
}

/// What is changed, in the words of settings.
fn words(set: &[Switch]) -> String {
    let changes = set.iter().flat_map(|switch| &switch.adjustments);
    changes.map(|change| format!("{} {}", change.knob, change.to)).collect::<Vec<_>>().join(" with ")
}

/// Each switch by itself.
fn singly(switches: &[Switch]) -> Vec<Vec<Switch>> {
    switches.iter().map(|switch| vec![switch.clone()]).collect()
}

/// Every two that can be switched at once.
fn pairs_of<'a>(switches: impl Iterator<Item = &'a Switch> + Clone) -> Vec<Vec<Switch>> {
    use itertools::Itertools as _;
    let joinable = switches.tuple_combinations().filter(|(one, other)| can_join(one, other));
    joinable.map(|(one, other)| vec![one.clone(), other.clone()]).collect()
}
