//! `catalog.toml`: `[[model]]` tables as in an experiment file, paths starting
//! from the catalogue's own directory.

use std::path::Path;

use serde::Deserialize;

use crate::experiment::{BadExperiment, Model, Problems, RawModel, resolve_models};

/// Reads a catalogue that lies in `directory`.
///
/// # Errors
/// When it is not TOML of this shape.
pub fn parse(name: &str, text: &str, directory: &Path) -> Result<Vec<Model>, BadExperiment> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Catalogue {
        #[serde(default)]
        model: Vec<RawModel>,
    }
    let mut problems = Problems::new(name, text);
    let catalogue: Option<Catalogue> = toml::from_str(text).map_err(|error| problems.add_toml(&error)).ok();
    let models = catalogue.map(|catalogue| resolve_models(&catalogue.model, directory, &mut problems));
    problems.none_or(models)
}
