//! Owns the experiment: what a TOML file means once it is understood. A sweep is an [`Experiment`], every other kind a
//! [`Study`]: they share models, prompts and settings, and nothing else.
//!
//! `raw` is the file's shape, `resolve` turns it into the types here and
//! collects every error on the way. Nothing here reads files, runs a model
//! or knows how results look.

mod api;
mod builtin;
mod error;
mod excerpt;
mod faults;
mod fraction;
mod grid;
mod grid_levels;
mod groups;
mod hypotheses;
mod hypothesis;
mod known;
mod missing;
mod model;
mod named;
mod one_of;
mod overrides;
mod packages;
mod path_name;
mod prompts;
mod raw;
mod raw_chain;
mod raw_levels;
mod resolve;
mod rules;
mod schema;
mod sequential;
mod server;
mod shape;
mod spanned;
mod split;
mod starter;
mod study;
mod surroundings;
#[cfg(test)]
mod tests;
mod written;

use crate::domain::Generate;

pub use api::{Api, Delivery, Extension};
pub use builtin::chains as builtin_chains;
pub use error::{BadExperiment, Problem, Problems};
pub use faults::caveats;
pub use fraction::Fraction;
pub use grid::Grid;
pub use hypothesis::{Direction, Hypothesis, Settings, Sides, Test};
pub use model::{HubFile, Model, Source, resolve_models};
pub use overrides::{Overrides, Picked};
pub use packages::{PackageFile, Packages};
pub use prompts::parse as parse_prompts;
pub use raw::{RawExperiment, RawModel, RawPrompts};
pub use raw_chain::RawChain;
pub use resolve::{parse, resolve};
pub use rules::grammar_files;
pub use schema::schema;
pub use sequential::{LookAfter, Sequential, StopAt};
pub use server::{Served, Server, resolve_servers, server_url, shown_url};
pub use shape::ModelShape;
pub use split::{SplitName, split_name};
pub use starter::{Starter, StarterForm, StarterModel};
pub use study::{Arm, Kind, RawStudy, Sampling, Study, Subject, kind_of, parse_study, resolve_study};
pub use surroundings::{Surroundings, Unreadable};
pub use written::{chain_table, number};

/// A sweep, complete and checked. Experiments of the other kinds are a [`Study`].
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// Also the name of the run's directory: letters, digits, `-`, `_`, `.`.
    pub name: String,
    pub question: Option<String>,
    pub generate: Generate,
    pub grid: Grid,
    /// In file order; ids and texts are unique.
    pub prompts: Vec<Prompt>,
    /// In file order; ids are unique.
    pub hypotheses: Vec<Hypothesis>,
    pub settings: Settings,
    /// `None` where all of the plan is run.
    pub sequential: Option<Sequential>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    pub id: String,
    pub text: String,
    /// What kind of prompt it is, such as its topic: claims may be of a group, and groups are the strata of intervals.
    /// It is no part of a trial's id.
    pub group: Option<String>,
}
