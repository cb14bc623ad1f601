//! The stages that a document goes through.

use serde::Deserialize;

use super::form::Form;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    #[serde(rename = "stage")]
    pub stages: Vec<Stage>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The probability that a document has this stage.
    pub keep: f64,
    /// Ways to say it, the favoured one first.
    pub forms: Vec<Form>,
}
