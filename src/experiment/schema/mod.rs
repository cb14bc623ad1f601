//! Says the shape of an experiment file as a JSON Schema, so that an editor completes and checks its keys. It is derived
//! from the types that read the file. Must not know what is a sensible value: that is said when the file is read.

mod levels;
mod written;

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use strum::VariantNames as _;

use super::raw::RawExperiment;
use super::study::{Kind, RawStudy};

/// An experiment of either shape, which its `kind` decides.
struct ExperimentFile;

impl JsonSchema for ExperimentFile {
    fn schema_name() -> Cow<'static, str> {
        "An experiment of moe-sweep".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let sweep = Kind::Sweep.to_string();
        let studies: Vec<_> = Kind::VARIANTS.iter().filter(|kind| **kind != sweep).collect();
        let (of_sweep, of_study) = (generator.subschema_for::<RawExperiment>(), generator.subschema_for::<RawStudy>());
        json_schema!({
            "type": "object",
            // Taplo completes keys that it finds in anyOf, and looks behind no if. Whatever there is meets the first of them.
            "anyOf": [{}, of_sweep, of_study],
            "if": { "properties": { "kind": { "enum": studies } }, "required": ["kind"] },
            "then": of_study,
            "else": {
                "allOf": [
                    of_sweep,
                    { "properties": { "kind": { "const": sweep } } },
                ],
            },
        })
    }
}

/// The schema, of the draft that editors of TOML read (Taplo, and Even Better TOML by it).
pub fn schema() -> Value {
    let settings = SchemaSettings::draft07().with_transform(RecursiveTransform(forget_null));
    settings.into_generator().into_root_schema_for::<ExperimentFile>().to_value()
}

/// TOML has no null: what may be left out is not there.
fn forget_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    let is_null = |value: &Value| value == "null" || value.is_null() || value["type"] == "null";
    for key in ["type", "enum", "anyOf"] {
        if let Some(list) = object.get_mut(key).and_then(Value::as_array_mut) {
            list.retain(|value| !is_null(value));
        }
    }
    object.retain(|key, value| !(key == "default" && value.is_null()));
    if let Some([only]) = object.get("type").and_then(Value::as_array).map(Vec::as_slice) {
        let only = only.clone();
        object.insert("type".to_owned(), only);
    }
    if let Some([only]) = object.get("anyOf").and_then(Value::as_array).map(Vec::as_slice) {
        let only = only.clone();
        object.remove("anyOf");
        // Draft 7 reads nothing beside a $ref.
        let is_alone = object.is_empty() || only.get("$ref").is_none();
        let only = if is_alone { only } else { json!({ "allOf": [only] }) };
        for (key, value) in only.as_object().into_iter().flatten() {
            // What is said of the key goes before what is said of its type.
            object.entry(key).or_insert_with(|| value.clone());
        }
    }
}
