//! `plan.json`: what of an experiment and its plan the outputs need, so that
//! they can be made anew from a run's directory, without a model and wherever
//! the directory is by now.

use serde::{Deserialize, Serialize};

use super::{Plan, Trial};
use crate::experiment::{Chain, Experiment, Factor, Generate, Hypothesis, Prompt, Settings};

/// The version this program writes and reads.
const VERSION: u32 = 1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Design {
    /// Of the shape of this file.
    v: u32,
    pub name: String,
    pub question: Option<String>,
    pub generate: Generate,
    pub settings: Settings,
    pub hypotheses: Vec<Hypothesis>,
    pub prompts: Vec<Prompt>,
    pub chains: Vec<Chain>,
    /// What must stand beside every result, for the models' sake.
    pub caveat: Option<String>,
    pub notes: Vec<String>,
    /// Factors whose levels are the same computation on this machine, so that
    /// to compare them is no experiment.
    pub inert: Vec<Factor>,
    /// In the order in which they run and are reported.
    pub trials: Vec<Trial>,
}

/// Why a `plan.json` can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DesignError {
    #[error("it is not what moe-sweep wrote: {0}")]
    Damaged(#[from] serde_json::Error),
    #[error("it is of version {found}, and this moe-sweep reads {VERSION}")]
    OtherVersion { found: u32 },
}

impl Design {
    pub const FILE_NAME: &str = "plan.json";

    pub fn new(experiment: &Experiment, plan: &Plan) -> Self {
        Self {
            v: VERSION,
            name: experiment.name.clone(),
            question: experiment.question.clone(),
            generate: experiment.generate,
            settings: experiment.settings,
            hypotheses: experiment.hypotheses.clone(),
            prompts: experiment.prompts.clone(),
            chains: experiment.grid.chains.clone(),
            caveat: plan.caveat(),
            notes: plan.notes(),
            inert: if plan.offload_moves_nothing() { vec![Factor::Offload, Factor::OpOffload] } else { vec![] },
            trials: plan.trials().cloned().collect(),
        }
    }

    /// # Errors
    /// When `json` is no design, or one of another version.
    pub fn from_json(json: &[u8]) -> Result<Self, DesignError> {
        #[derive(Deserialize)]
        struct Versioned {
            v: u32,
        }
        let Versioned { v } = serde_json::from_slice(json)?;
        if v == VERSION { Ok(serde_json::from_slice(json)?) } else { Err(DesignError::OtherVersion { found: v }) }
    }

    pub fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec(self).expect("a design is plain data");
        json.push(b'\n');
        json
    }
}
