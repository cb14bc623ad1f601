//! Owns the course of a diagnosis: which experiments find out why a model loops, and what they come to.
//!
//! It is a loop around the same pipe as `run`, not a second one: each stage is an experiment file, and what it finds an
//! analysis. Must not know how a stage's texts are made, nor how anything is shown.

mod about;
mod course;
mod evidence;
mod like;
mod prompts;
mod refusal;
mod served;
mod setup;
mod stage;
mod switch;
mod switches;
mod typed;

pub use about::about;
pub use course::{Case, Diagnosis, Ending, Remedy, StageNote, Tried, diagnose};
pub use evidence::{Answer, Extent, Looped, Outcome, Period, Rate};
pub use like::{Like, Overrides};
pub use prompts::{FEWEST, Prompts, built_in, shared_out};
pub use refusal::{Refusal, Refuses};
pub use served::{NOT_SAID, Sampling, usual};
pub use setup::{Edit, Setup, USUAL_TEMPERATURE};
pub use stage::{Counted, Frame, Prompt, Stage, StageKind, Target};
pub use switch::{Kind, NotTried, Switch};
pub use switches::{About, Known, Place, not_tried, set_aside, switches};
pub use typed::{NoLevel, typed_level, typed_levels, typed_pair};
