//! The schema of a setting that is one of a few names. What is read is a text, whose place is known where it is none of
//! them (`named`).

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use strum::VariantNames;

use crate::domain::Factor;
use crate::metrics::Metric;

/// Stands for a text that names a `T`.
pub struct OneOf<T>(PhantomData<T>);

impl<T: VariantNames> JsonSchema for OneOf<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::VARIANTS.join("|").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": T::VARIANTS })
    }
}

/// Stands for a text that names a metric.
pub struct MetricName;

impl JsonSchema for MetricName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "MetricName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Metric::ALL.map(Metric::name).as_slice() })
    }
}

/// Stands for a text that names a factor, or what is no factor and can stand where one does.
pub struct FactorName;

impl JsonSchema for FactorName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "FactorName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "enum": Factor::NAMES }, { "type": "string" }] })
    }
}
