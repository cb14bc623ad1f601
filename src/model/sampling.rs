//! Reads what a model's own files ask of whoever samples from it: `general.sampling.*` in the header of a GGUF file, which
//! llama.cpp applies (`common_init_sampler_from_model`), or a `generation_config.json` beside it, which transformers does
//! (`GenerationMixin._get_logits_processor`).
//!
//! Owns what either of them makes of its keys. Must not know who wants to know.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde_json::{Map, Value as Json};

use super::gguf::{Gguf, Value};
use crate::domain::{ModelSampling, SamplingPlace, Slot, Step, Temperature};
use crate::experiment::builtin_chains;
use crate::regular_file;

const PREFIX: &str = "general.sampling.";
const GENERATION_CONFIG: &str = "generation_config.json";

/// Keys of a `generation_config.json` that choose tokens in ways that no sampler here has, and what of each does nothing.
const NOT_HERE: [(&str, f64); 9] = [
    ("num_beams", 1.0),
    ("num_beam_groups", 1.0),
    ("penalty_alpha", 0.0),
    ("no_repeat_ngram_size", 0.0),
    ("encoder_repetition_penalty", 1.0),
    ("encoder_no_repeat_ngram_size", 0.0),
    ("epsilon_cutoff", 0.0),
    ("eta_cutoff", 0.0),
    ("guidance_scale", 1.0),
];
/// What transformers cuts off where nobody says so.
const TOP_K: f64 = 50.0;

type Steps = Vec<Step<Slot>>;

/// What the files of the model at `path` ask for, whose header is `header` if it has one. A penalty that is meant to
/// look back on all of a text looks back on `context` tokens.
pub fn sampling_of(path: &Path, header: Option<&Gguf>, context: u32) -> ModelSampling {
    let stated = |place, steps: Result<Steps, String>| match steps {
        Ok(steps) => ModelSampling::Stated { steps, place },
        Err(why) => ModelSampling::Unusable { place, why },
    };
    if let Some(steps) = header.and_then(|header| of_header(&header.metadata)) {
        return stated(SamplingPlace::Header, steps);
    }
    let config = match regular_file::read(&path.with_file_name(GENERATION_CONFIG)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return ModelSampling::Unstated,
        Err(error) => Err(format!("can't be read: {error}")),
        Ok(json) => serde_json::from_slice(&json).map_err(|error| format!("is not a list of settings: {error}")),
    };
    match config.and_then(|config: Map<String, Json>| of_config(&config, context)) {
        Ok(None) => ModelSampling::Unstated,
        Ok(Some(steps)) => stated(SamplingPlace::GenerationConfig, Ok(steps)),
        Err(why) => stated(SamplingPlace::GenerationConfig, Err(why)),
    }
}

/// As llama.cpp has it: its own defaults, in which each key replaces one. None where no key speaks of sampling.
fn of_header(metadata: &BTreeMap<String, Value>) -> Option<Result<Steps, String>> {
    metadata.keys().any(|key| key.starts_with(PREFIX)).then(|| {
        let held = Header(metadata);
        let usual = builtin_chains().into_iter().find(|chain| chain.id == "llama.cpp");
        let mut defaults = usual.expect("it is built in").steps;
        for step in &mut defaults {
            held.replace(step)?;
        }
        let mirostat = [("mirostat_tau", 5.0), ("mirostat_eta", 0.1)];
        let [tau, eta] = mirostat.map(|(key, usual)| held.number(key).map(|found| found.unwrap_or(usual)));
        let (tau, eta) = (tau?, eta?);
        let temperature = || defaults.iter().find(|step| matches!(step, Step::Temperature { .. })).cloned();
        match held.integer("mirostat")? {
            None | Some(0) => held.in_sequence(&defaults),
            Some(1) => Ok(temperature().into_iter().chain([Step::Mirostat { tau, eta, m: 100 }]).collect()),
            Some(2) => Ok(temperature().into_iter().chain([Step::MirostatV2 { tau, eta }]).collect()),
            Some(other) => Err(format!("says mirostat = {other}, which llama.cpp does not have")),
        }
    })
}

/// What a header says of sampling.
struct Header<'a>(&'a BTreeMap<String, Value>);

impl Header<'_> {
    /// Puts what the header says into a step of llama.cpp's defaults.
    fn replace(&self, step: &mut Step<Slot>) -> Result<(), String> {
        let set = |target: &mut f32, key| self.number(key).map(|found| *target = found.unwrap_or(*target));
        let set_integer = |target: &mut i32, key| self.integer(key).map(|found| *target = found.unwrap_or(*target));
        match step {
            Step::TopK { k } => set_integer(k, "top_k"),
            Step::TopP { p, .. } => set(p, "top_p"),
            Step::MinP { p, .. } => set(p, "min_p"),
            Step::Xtc { p, threshold, .. } => {
                set(p, "xtc_probability")?;
                set(threshold, "xtc_threshold")
            }
            Step::Penalties { last_n, repeat, .. } => {
                set_integer(last_n, "penalty_last_n")?;
                set(repeat, "penalty_repeat")?;
                if *repeat > 0.0 {
                    Ok(())
                } else {
                    Err(format!("says penalty_repeat = {repeat}, which llama.cpp refuses"))
                }
            }
            Step::Temperature { t } => {
                // Its own default where the header has none; below 0 it is greedy, as 0 is.
                let asked = self.number("temp")?.unwrap_or(0.8).max(0.0);
                let asked =
                    Temperature::new(asked).ok_or_else(|| format!("says temp = {asked}, which is not a temperature"));
                asked.map(|asked| *t = Slot::Fixed(asked))
            }
            _ => Ok(()),
        }
    }

    /// The steps that `sequence` names, in its order; all of them where there is none. What it names and nobody knows,
    /// llama.cpp passes over.
    fn in_sequence(&self, defaults: &[Step<Slot>]) -> Result<Steps, String> {
        let named = match self.0.get(&format!("{PREFIX}sequence")) {
            None => return Ok(defaults.to_vec()),
            Some(value) => value.text().ok_or_else(|| "says sequence, but not as text".to_owned())?,
        };
        let named = named.split(';').map(|name| name.to_ascii_lowercase().replace(['-', '_'], ""));
        let mut steps: Steps = Vec::new();
        for name in named {
            match name.as_str() {
                "infill" => steps.push(Step::Infill),
                "adaptivep" => return Err("names adaptive_p, which is off unless its target is set".to_owned()),
                name => steps.extend(defaults.iter().find(|step| names(step).contains(&name)).cloned()),
            }
        }
        steps.push(Step::Dist);
        Ok(steps)
    }

    fn integer(&self, key: &str) -> Result<Option<i32>, String> {
        let whole = |number: f32| (number.abs() < i32::MAX as f32).then_some(number as i32);
        let found = self.number(key)?;
        found
            .map(|number| whole(number).ok_or_else(|| format!("says {key} = {number}, which is too large")))
            .transpose()
    }

    /// As llama.cpp reads it: by way of a text with six digits after the point.
    fn number(&self, key: &str) -> Result<Option<f32>, String> {
        let Some(value) = self.0.get(&format!("{PREFIX}{key}")) else { return Ok(None) };
        let text = match value {
            Value::Unsigned(n) => n.to_string(),
            Value::Signed(n) => n.to_string(),
            Value::Float(n) => format!("{n:.6}"),
            Value::Text(text) => text.trim().to_owned(),
            Value::Bool(_) | Value::LongText { .. } | Value::List(_) => String::new(),
        };
        let number = text.parse().ok().filter(|number: &f32| number.is_finite());
        number.map(Some).ok_or_else(|| format!("says {key} without a number"))
    }
}

/// llama.cpp's names of a step, without `-` and `_` (`common_sampler_types_from_names`).
fn names(step: &Step<Slot>) -> &'static [&'static str] {
    match step {
        Step::Dry { .. } => &["dry"],
        Step::TopK { .. } => &["topk"],
        Step::TopP { .. } => &["topp", "nucleus"],
        Step::TopNSigma { .. } => &["topnsigma"],
        Step::Typical { .. } => &["typp", "typ"],
        Step::MinP { .. } => &["minp"],
        Step::Temperature { .. } => &["temperature", "temp"],
        Step::Xtc { .. } => &["xtc"],
        Step::Penalties { .. } => &["penalties"],
        _ => &[],
    }
}

/// As transformers has it: greedy unless `do_sample` is true. None where no key speaks of sampling.
fn of_config(config: &Map<String, Json>, context: u32) -> Result<Option<Steps>, String> {
    let keys = ["do_sample", "temperature", "top_k", "top_p", "min_p", "typical_p", "repetition_penalty"];
    if !keys.iter().any(|key| config.get(*key).is_some_and(|value| !value.is_null())) {
        return Ok(None);
    }
    let number = |key: &str| match config.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or_else(|| format!("says {key} = {value}, which is not a number")),
    };
    for (key, nothing) in NOT_HERE {
        if let Some(asked) = number(key)?.filter(|asked| *asked != nothing) {
            return Err(format!("asks for {key} = {asked}, for which there is no sampler here"));
        }
    }
    let within = |key: &str, usual: f64, least: f64, most: f64| match number(key)?.unwrap_or(usual) {
        found if (least..=most).contains(&found) => Ok(found as f32),
        found => Err(format!("says {key} = {found}, which transformers refuses")),
    };
    let mut steps = Vec::new();
    let repeat = within("repetition_penalty", 1.0, f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX))?;
    if repeat != 1.0 {
        let last_n = i32::try_from(context).unwrap_or(i32::MAX);
        steps.push(Step::Penalties { last_n, repeat, frequency: 0.0, presence: 0.0 });
    }
    match config.get("do_sample") {
        Some(Json::Bool(true)) => {}
        None | Some(Json::Null | Json::Bool(false)) => {
            steps.push(Step::Greedy);
            return Ok(Some(steps));
        }
        Some(other) => return Err(format!("says do_sample = {other}, which is neither true nor false")),
    }
    let t = within("temperature", 1.0, f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX))?;
    steps.push(Step::Temperature { t: Slot::Fixed(Temperature::new(t).expect("it is above 0")) });
    // What is null is off; what is not there has its default.
    let top_k = if config.get("top_k").is_some_and(Json::is_null) { 0.0 } else { TOP_K };
    steps.push(Step::TopK { k: within("top_k", top_k, 0.0, f64::from(i32::MAX))? as i32 });
    steps.push(Step::TopP { p: within("top_p", 1.0, 0.0, 1.0)?, min_keep: 1 });
    steps.push(Step::MinP { p: within("min_p", 0.0, 0.0, 1.0)?, min_keep: 1 });
    steps.push(Step::Typical { p: within("typical_p", 1.0, 0.0, 1.0)?, min_keep: 1 });
    steps.push(Step::Dist);
    Ok(Some(steps))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(said: &[(&str, Value)]) -> Option<Result<Steps, String>> {
        let held = said.iter().map(|(key, value)| (format!("{PREFIX}{key}"), value.clone()));
        of_header(&held.collect())
    }

    fn config(json: &str) -> Result<Option<Steps>, String> {
        of_config(&serde_json::from_str(json).expect("an object"), 512)
    }

    fn fixed(t: f32) -> Step<Slot> {
        Step::Temperature { t: Slot::Fixed(Temperature::new(t).expect("it is one")) }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn a_header_replaces_values_of_llama_cpps_defaults() {
        assert_eq!(header(&[]), None);
        let said = [("top_k", Value::Signed(20)), ("temp", Value::Float(f64::from(0.6_f32))), ("top_p", text("0.9"))];
        let steps = header(&said).expect("it says something").expect("and makes sense");
        assert!(steps.contains(&Step::TopK { k: 20 }) && steps.contains(&Step::TopP { p: 0.9, min_keep: 0 }));
        assert!(steps.contains(&Step::MinP { p: 0.05, min_keep: 0 }), "what it does not say is as usual: {steps:?}");
        assert_eq!(steps[steps.len() - 2..], [fixed(0.6), Step::Dist], "a temperature of its own, at the usual place");
        let steps = header(&[("top_k", Value::Float(20.0))]).expect("it says something").expect("and makes sense");
        assert!(steps.contains(&fixed(0.8)), "llama.cpp's own temperature, not the grid's: {steps:?}");
    }

    #[test]
    fn a_header_can_name_the_samplers_and_their_order() {
        let sequence = ("sequence", text("temperature;Top-K;unheard_of;typ_p;nucleus"));
        let steps = header(&[sequence, ("top_k", Value::Unsigned(7))]).expect("it says something");
        let typical = Step::Typical { p: 1.0, min_keep: 0 };
        let top_p = Step::TopP { p: 0.95, min_keep: 0 };
        assert_eq!(steps, Ok(vec![fixed(0.8), Step::TopK { k: 7 }, typical, top_p, Step::Dist]));
        let mirostat = [("mirostat", Value::Unsigned(2)), ("mirostat_tau", Value::Float(4.0))];
        assert_eq!(header(&mirostat), Some(Ok(vec![fixed(0.8), Step::MirostatV2 { tau: 4.0, eta: 0.1 }])));
    }

    #[test]
    fn a_header_that_makes_no_sense_is_refused_with_the_key() {
        let refused = |key, value| header(&[(key, value)]).expect("it says something").expect_err("it makes no sense");
        assert_eq!(refused("temp", text("warm")), "says temp without a number");
        assert_eq!(refused("temp", Value::Float(f64::NAN)), "says temp without a number");
        assert_eq!(refused("mirostat", Value::Unsigned(3)), "says mirostat = 3, which llama.cpp does not have");
        assert_eq!(refused("penalty_repeat", Value::Unsigned(0)), "says penalty_repeat = 0, which llama.cpp refuses");
    }

    #[test]
    fn a_generation_config_means_what_transformers_makes_of_it() {
        assert_eq!(config(r#"{ "eos_token_id": 1 }"#), Ok(None));
        let share = |top_p, min_p| {
            let typical = Step::Typical { p: 1.0, min_keep: 1 };
            [Step::TopP { p: top_p, min_keep: 1 }, Step::MinP { p: min_p, min_keep: 1 }, typical, Step::Dist]
        };
        let qwen =
            r#"{ "do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.95, "repetition_penalty": 1.05 }"#;
        let penalties = Step::Penalties { last_n: 512, repeat: 1.05, frequency: 0.0, presence: 0.0 };
        let expected = [vec![penalties, fixed(0.6), Step::TopK { k: 20 }], share(0.95, 0.0).to_vec()].concat();
        assert_eq!(config(qwen), Ok(Some(expected)));
        let gemma = config(r#"{ "do_sample": true, "top_p": 0.95 }"#);
        let expected = [vec![fixed(1.0), Step::TopK { k: 50 }], share(0.95, 0.0).to_vec()].concat();
        assert_eq!(gemma, Ok(Some(expected)), "50 where it says nothing");
        let all =
            config(r#"{ "do_sample": true, "top_k": null }"#).expect("it makes sense").expect("it says something");
        assert!(all.contains(&Step::TopK { k: 0 }), "off where it says null: {all:?}");
        assert_eq!(config(r#"{ "temperature": 1.0 }"#), Ok(Some(vec![Step::Greedy])), "without do_sample");
    }

    #[test]
    fn a_generation_config_that_cannot_be_followed_is_refused_with_the_key() {
        let refused = |json| config(json).expect_err("it can't be followed");
        assert_eq!(refused(r#"{ "do_sample": 1 }"#), "says do_sample = 1, which is neither true nor false");
        assert_eq!(
            refused(r#"{ "do_sample": true, "top_p": "much" }"#),
            "says top_p = \"much\", which is not a number"
        );
        let cold = refused(r#"{ "do_sample": true, "temperature": 0 }"#);
        assert_eq!(cold, "says temperature = 0, which transformers refuses");
        let beams = refused(r#"{ "do_sample": false, "num_beams": 4 }"#);
        assert_eq!(beams, "asks for num_beams = 4, for which there is no sampler here");
    }
}
