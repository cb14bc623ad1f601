//! Reads `catalog.toml`: `[[model]]` tables as in an experiment file, with paths that start from the catalogue's own
//! directory.

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
    let models = catalogue.map(|catalogue| resolve_models(&catalogue.model, &[], directory, &mut problems));
    problems.none_or(models)
}

#[cfg(test)]
mod tests {
    use miette::{GraphicalReportHandler, GraphicalTheme};
    use proptest::prelude::*;

    use super::*;
    use crate::experiment::Source;

    #[test]
    fn a_catalogue_says_where_its_models_lie() {
        let text = "[[model]]\nid = \"m\"\npath = \"sub/m.gguf\"\nnote = \"trained here\"\n";
        let models = parse("catalog.toml", text, Path::new("/models")).expect("a catalogue");
        let note = Some("trained here".to_owned());
        let source = Source::Path("/models/sub/m.gguf".into());
        let expected =
            Model { id: "m".into(), source, sha256: None, size_bytes: None, shape: None, note, license: None };
        assert_eq!(models, [expected]);
    }

    #[test]
    fn an_empty_catalogue_has_no_models() {
        assert_eq!(parse("catalog.toml", "", Path::new("/models")).expect("a catalogue"), []);
    }

    fn refusal(text: &str) -> String {
        let bad = parse("catalog.toml", text, Path::new("/models")).expect_err("this must be refused");
        let mut said = String::new();
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
        handler.render_report(&mut said, &bad).expect("a report can be rendered");
        said
    }

    #[test]
    fn a_misspelt_key_in_the_catalogue_is_refused() {
        insta::assert_snapshot!(refusal("[[model]]\nid = \"m\"\npaht = \"m.gguf\"\n"));
    }

    #[test]
    fn a_model_twice_in_the_catalogue_is_refused() {
        let text = "[[model]]\nid = \"m\"\npath = \"a\"\n\n[[model]]\nid = \"m\"\npath = \"b\"\n";
        insta::assert_snapshot!(refusal(text));
    }

    proptest! {
        #[test]
        fn any_text_is_a_catalogue_or_refused_with_a_reason(text: String) {
            if let Err(bad) = parse("catalog.toml", &text, Path::new("/")) {
                prop_assert!(!bad.problems.is_empty());
            }
        }
    }
}
