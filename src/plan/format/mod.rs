//! Owns the on-disk types of `plan.json`, all of them, in each of their versions. Must not know what is done with a
//! design.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::design::{self, DesignError};
use super::{sequence, server, shard};
use crate::domain::{self, Cell, Factor, Seed, TrialId};
use crate::experiment;
use crate::format::{Chain, Generate, Levels, Markers, Unknown, both_ways, each};
use crate::seal::{Format, Seal, Trust, Unfit, seal};

mod hypothesis;

use hypothesis::{Hypothesis, Settings};

/// Version 2 is sealed.
const FORMAT: Format = Format { version: 2, sealed_from: 2 };

/// What of an experiment and its plan the outputs need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Design {
    v: u32,
    name: String,
    question: Option<String>,
    generate: Generate,
    settings: Settings,
    hypotheses: Vec<Hypothesis>,
    prompts: Vec<Prompt>,
    chains: Vec<Chain>,
    caveat: Option<String>,
    notes: Vec<String>,
    inert: Vec<String>,
    /// Absent before there were servers.
    #[serde(default)]
    doubts: Vec<Doubt>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    thought_markers: BTreeMap<String, Markers>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sequential: Option<Sequence>,
    trials: Vec<Trial>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    part: Option<Part>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Prompt {
    id: String,
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
}
both_ways!(Prompt, experiment::Prompt { id, text, group });

/// Something that a server does not honour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Doubt {
    model: String,
    factor: Option<String>,
    reason: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sequence {
    alpha: f64,
    look: LookAfter,
    order_seed: u32,
    order: Vec<String>,
    #[serde(default, skip_serializing_if = "StopAt::is_all")]
    stop: StopAt,
}
both_ways!(Sequence, sequence::Sequence { alpha, look: into, order_seed, order, stop: into });

/// Plans before it was a choice know the first alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StopAt {
    #[default]
    All,
    First {
        negligible: f64,
    },
}

impl From<experiment::StopAt> for StopAt {
    fn from(stop: experiment::StopAt) -> Self {
        match stop {
            experiment::StopAt::All => Self::All,
            experiment::StopAt::First { negligible } => Self::First { negligible },
        }
    }
}

impl From<StopAt> for experiment::StopAt {
    fn from(stop: StopAt) -> Self {
        match stop {
            StopAt::All => Self::All,
            StopAt::First { negligible } => Self::First { negligible },
        }
    }
}

impl StopAt {
    fn is_all(&self) -> bool {
        *self == Self::All
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LookAfter {
    Prompt,
}
both_ways!(enum LookAfter, experiment::LookAfter { Prompt });

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Trial {
    id: String,
    #[serde(flatten)]
    cell: Levels,
    prompt: String,
    seed: Option<u32>,
}

/// A shard, and its stretch of the trials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Part {
    shard: Shard,
    trials: Range,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Shard {
    index: NonZeroU32,
    count: NonZeroU32,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Range {
    start: usize,
    end: usize,
}

/// The factor of this name.
fn factor(name: &str) -> Result<Factor, Unknown> {
    name.parse().map_err(|()| Unknown::word("factor", name))
}

impl From<&design::Design> for Design {
    fn from(design: &design::Design) -> Self {
        let design::Design {
            name,
            question,
            generate,
            settings,
            hypotheses,
            prompts,
            chains,
            caveat,
            notes,
            inert,
            doubts,
            thought_markers,
            sequential,
            trials,
            part,
        } = design;
        let markers = thought_markers.iter().map(|(model, markers)| (model.clone(), markers.clone().into()));
        Self {
            v: FORMAT.version,
            name: name.clone(),
            question: question.clone(),
            generate: (*generate).into(),
            settings: (*settings).into(),
            hypotheses: hypotheses.iter().map(Into::into).collect(),
            prompts: prompts.iter().cloned().map(Into::into).collect(),
            chains: chains.iter().cloned().map(Into::into).collect(),
            caveat: caveat.clone(),
            notes: notes.clone(),
            inert: inert.iter().map(|factor| factor.name().to_owned()).collect(),
            doubts: doubts.iter().map(Into::into).collect(),
            thought_markers: markers.collect(),
            sequential: sequential.clone().map(Into::into),
            trials: trials.iter().map(Into::into).collect(),
            part: part.as_ref().map(Into::into),
        }
    }
}

impl TryFrom<Design> for design::Design {
    type Error = Unknown;

    fn try_from(design: Design) -> Result<Self, Unknown> {
        let Design {
            v: _,
            name,
            question,
            generate,
            settings,
            hypotheses,
            prompts,
            chains,
            caveat,
            notes,
            inert,
            doubts,
            thought_markers,
            sequential,
            trials,
            part,
        } = design;
        Ok(Self {
            name,
            question,
            generate: generate.into(),
            settings: settings.try_into()?,
            hypotheses: each(hypotheses)?,
            prompts: prompts.into_iter().map(Into::into).collect(),
            chains: each(chains)?,
            caveat,
            notes,
            inert: inert.iter().map(|name| factor(name)).collect::<Result<_, _>>()?,
            doubts: each(doubts)?,
            thought_markers: thought_markers.into_iter().map(|(model, markers)| (model, markers.into())).collect(),
            sequential: sequential.map(Into::into),
            trials: self::trials(trials, domain::Generate::from(generate).bos)?,
            part: part.map(TryInto::try_into).transpose()?,
        })
    }
}

impl From<&server::Doubt> for Doubt {
    fn from(server::Doubt { model, factor, reason }: &server::Doubt) -> Self {
        let factor = factor.map(|factor| factor.name().to_owned());
        Self { model: model.clone(), factor, reason: reason.clone() }
    }
}

impl TryFrom<Doubt> for server::Doubt {
    type Error = Unknown;

    fn try_from(Doubt { model, factor, reason }: Doubt) -> Result<Self, Unknown> {
        Ok(Self { model, factor: factor.as_deref().map(self::factor).transpose()?, reason })
    }
}

impl From<&domain::Trial> for Trial {
    fn from(domain::Trial { id, cell, prompt, seed }: &domain::Trial) -> Self {
        Self { id: id.as_str().to_owned(), cell: cell.into(), prompt: prompt.clone(), seed: seed.map(Seed::get) }
    }
}

/// The trials of a file. Those that follow each other are mostly of one cell, and share it: a plan may have a million.
fn trials(written: Vec<Trial>, bos: domain::Bos) -> Result<Vec<domain::Trial>, Unknown> {
    let mut last: Option<(Levels, Cell)> = None;
    let mut cell_of = |levels: Levels| match &last {
        Some((known, cell)) if *known == levels => Ok(cell.clone()),
        _ => {
            let cell = Cell::try_from(levels.clone())?.under_setting(bos);
            last = Some((levels, cell.clone()));
            Ok(cell)
        }
    };
    let trial = |Trial { id, cell, prompt, seed }| {
        let seed = seed.map(Seed::try_from).transpose().map_err(|reason| Unknown(reason.to_owned()))?;
        Ok(domain::Trial { id: TrialId::known(id), cell: cell_of(cell)?, prompt, seed })
    };
    written.into_iter().map(trial).collect()
}

impl From<&design::Part> for Part {
    fn from(design::Part { shard, trials }: &design::Part) -> Self {
        let shard = Shard { index: shard.index(), count: shard.count() };
        Self { shard, trials: Range { start: trials.start, end: trials.end } }
    }
}

impl TryFrom<Part> for design::Part {
    type Error = Unknown;

    fn try_from(Part { shard: Shard { index, count }, trials: Range { start, end } }: Part) -> Result<Self, Unknown> {
        let shard = shard::Shard::new(index.get(), count.get()).map_err(|error| Unknown(error.to_string()))?;
        Ok(Self { shard, trials: start..end })
    }
}

impl design::Design {
    /// Returns what it says, field by field, as the file holds it.
    pub fn fields(&self) -> serde_json::Value {
        serde_json::to_value(Design::from(self)).expect("a design is plain data")
    }

    /// Reads a design, and says what its seal says.
    ///
    /// # Errors
    /// When `json` is no design, one of a newer version, or one that was changed and is not to be trusted.
    pub fn from_json(json: &[u8], trust: Trust) -> Result<(Self, Seal), DesignError> {
        let (design, seal): (Design, _) = FORMAT.read(json, trust)?;
        let design = Self::try_from(design).map_err(Unfit::from)?;
        let fits = |part: &design::Part| part.trials.start <= part.trials.end && part.trials.end <= design.trials.len();
        if design.part.as_ref().is_none_or(fits) {
            Ok((design, seal))
        } else {
            Err(DesignError::NoPart { trials: design.trials.len() })
        }
    }

    pub fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec(&Design::from(self)).expect("a design is plain data");
        seal(&mut json);
        json.push(b'\n');
        json
    }
}

#[cfg(test)]
mod tests;
