//! Runs an experiment that stops as soon as its hypotheses are decided: part by part, with a look after each prompt.
//!
//! Owns the turns of two that must not know each other: the runner makes texts and knows no hypothesis, the analysis
//! looks at texts and knows no run.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicBool;

use crate::analysis::sequential::Ending as Looked;
use crate::analysis::{Looks, Questions};
use crate::domain::TrialId;
use crate::event::RunEvent;
use crate::journal::record::Outcome;
use crate::journal::{Contents, Journal};
use crate::plan::{Design, Plan};
use crate::runner::{self, Earlier, Ending, Run, RunError, RunReport, Settings};

/// What is run, and what is there of it already.
pub struct Turns<'a> {
    pub design: &'a Design,
    pub plan: &'a Plan,
    /// What the journal holds.
    pub contents: &'a Contents,
    /// The trials of `contents` that stay.
    pub done: &'a HashSet<TrialId>,
    pub settings: &'a Settings,
}

impl Turns<'_> {
    /// Runs the plan, or as much of it as its hypotheses take.
    ///
    /// # Errors
    /// Those of [`runner::run`].
    pub fn run(
        &self,
        journal: &mut Journal,
        interrupted: &AtomicBool,
        on_event: &mut dyn FnMut(RunEvent<'_>),
    ) -> Result<RunReport, RunError> {
        let Self { design, plan, contents, done, settings } = *self;
        let earlier = Earlier { done, contents };
        let looks = Looks::new(&design.trials, Questions::from(design));
        let (Some(sequence), Some(mut looks)) = (&design.sequential, looks) else {
            return runner::run(plan, earlier, journal, settings, interrupted, on_event);
        };
        let kept = contents.records.iter().filter(|(id, _)| done.contains(*id));
        let kept: HashMap<TrialId, Outcome> = kept.map(|(id, record)| (id.clone(), record.outcome.clone())).collect();
        // The analysis stops at the same prompt when it reads the journal back, so nothing but texts is kept.
        if looks.go_on(|id| kept.get(id)) != Looked::Open {
            return Ok(RunReport::default());
        }
        let outcomes = RefCell::new(kept);
        let mut watch = |event: RunEvent<'_>| {
            if let RunEvent::TrialDone { record, .. } = event {
                outcomes.borrow_mut().insert(record.id.clone(), record.outcome.clone());
            }
            on_event(event);
        };
        let mut run = Run::begin(plan, earlier, journal, settings, interrupted, &mut watch);
        for part in sequence.parts(plan.needs(design.trials.len(), looks.least_prompts())) {
            let part = plan.of_prompts(&sequence.order[part]).of_trials(|trial| looks.needs(trial));
            if *run.part(&part)? != Ending::Complete {
                break;
            }
            let outcomes = outcomes.borrow();
            let known = &*outcomes;
            if looks.go_on(|id| known.get(id)) != Looked::Open {
                break;
            }
        }
        Ok(run.end())
    }
}
