//! Says whether a study can be run on its models as they were found.
//!
//! A study has no trials and no plan, but breaks the same rules as one, and is told so in the same words.

use std::collections::BTreeMap;

use itertools::Itertools as _;

use super::{PlanError, Room, Surveyed, of_file, prompt_tokens};
use crate::experiment::{Study, Subject};

/// Returns everything that stands in the way of a study. `surveyed` holds an entry for every model of the study.
pub fn misfits(study: &Study, surveyed: &BTreeMap<String, Surveyed>) -> Vec<PlanError> {
    let offloads: Vec<_> = study.arms().map(|arm| arm.offload).unique().collect();
    let chains = match &study.subject {
        Subject::Divergence => &[][..],
        Subject::Routing(sampling) => &sampling.chains,
    };
    let files = || study.models.iter().filter_map(|model| Some((model.id.as_str(), surveyed[&model.id].file()?)));
    let of_models = files().flat_map(|(id, file)| of_file(id, &file.facts, &offloads, chains));
    let of_prompts = files().flat_map(|(id, file)| match prompt_tokens(file, id, &study.prompt_key()) {
        Err(error) => vec![error],
        Ok(counts) => {
            let room = Room::usual(study.generate);
            let fit = study.prompts.iter().zip(counts).map(|(prompt, &n)| room.take(id, &prompt.id, n));
            fit.filter_map(Result::err).collect()
        }
    });
    of_models.chain(of_prompts).collect()
}
