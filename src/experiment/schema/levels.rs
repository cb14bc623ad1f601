//! The schemas of tables with a key for each factor. The factors, what each is and the names of its levels are `domain`'s.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::domain::Factor;
use crate::experiment::builtin_chains;
use crate::experiment::raw_levels::{ByFactor, Keys, ListOr, OneOrMore, RawLevel, RawSteps};
use crate::experiment::spanned::Spanned;

/// What may stand for levels of a factor.
pub trait OfLevels {
    /// `level` is the schema of one of them.
    fn of(level: Schema, generator: &mut SchemaGenerator) -> Value;
}

impl OfLevels for RawLevel {
    fn of(level: Schema, _: &mut SchemaGenerator) -> Value {
        level.to_value()
    }
}

impl OfLevels for ListOr<RawLevel, RawSteps> {
    fn of(level: Schema, generator: &mut SchemaGenerator) -> Value {
        json!({ "anyOf": [{ "type": "array", "items": level }, generator.subschema_for::<RawSteps>()] })
    }
}

impl<T> OfLevels for OneOrMore<T> {
    fn of(level: Schema, _: &mut SchemaGenerator) -> Value {
        json!({ "anyOf": [level, { "type": "array", "items": level }] })
    }
}

impl<T: OfLevels> OfLevels for Spanned<T> {
    fn of(level: Schema, generator: &mut SchemaGenerator) -> Value {
        T::of(level, generator)
    }
}

impl<L: OfLevels, K: JsonSchema + for<'de> Keys<'de>> JsonSchema for ByFactor<L, K> {
    fn schema_name() -> Cow<'static, str> {
        K::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = K::json_schema(generator);
        let properties = schema.ensure_object().entry("properties").or_insert_with(|| json!({}));
        for factor in Factor::ALL {
            let mut levels = L::of(level_of(factor), generator);
            levels["description"] = factor.summary().into();
            properties[factor.name()] = levels;
        }
        let needed: Vec<_> = K::NEEDED.iter().map(|factor| factor.name()).collect();
        schema.insert("required".to_owned(), needed.into());
        schema.insert("additionalProperties".to_owned(), false.into());
        schema
    }
}

/// The names that are known are offered; which others are levels is said when the file is read.
fn level_of(factor: Factor) -> Schema {
    let names: Vec<String> = match factor {
        Factor::Chain => builtin_chains().into_iter().map(|chain| chain.id).collect(),
        _ => factor.level_names().iter().map(|&name| name.to_owned()).collect(),
    };
    let any = any_level();
    if names.is_empty() { any } else { json_schema!({ "anyOf": [{ "enum": names }, any] }) }
}

fn any_level() -> Schema {
    json_schema!({ "type": ["string", "number", "boolean"] })
}

impl JsonSchema for RawLevel {
    fn schema_name() -> Cow<'static, str> {
        "Level".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        any_level()
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMore<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{}OrMore", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}
