//! Puts what a command line says into the text of an experiment file.
//!
//! The text is changed and then read as any other, so that one place says what may stand there, and the folder of a run
//! holds the experiment that ran. Must not know what else a command line says.

use std::path::PathBuf;

use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value, value};

use super::written::shortest;
use crate::domain::{Factor, Level, Written};

/// What stands in the place of what a file says.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The models of the grid; the file's, where there are none.
    pub models: Vec<Picked>,
    pub levels: Vec<(Factor, Vec<Level>)>,
    /// The most prompts that are taken.
    pub prompts: Option<u32>,
}

/// A model that was picked.
#[derive(Clone, Debug)]
pub enum Picked {
    /// One that the file or the catalogue names.
    Named(String),
    File {
        id: String,
        path: PathBuf,
    },
}

impl Overrides {
    pub fn is_empty(&self) -> bool {
        self.models.is_empty() && self.levels.is_empty() && self.prompts.is_none()
    }

    /// The text of a file with these in it. What is no TOML, or has no such sections, stays as it is: whoever reads it next
    /// says so.
    pub fn put_into(&self, text: &str) -> String {
        match text.parse::<DocumentMut>() {
            Ok(mut file) if !self.is_empty() => {
                self.change(&mut file);
                file.to_string()
            }
            _ => text.to_owned(),
        }
    }

    fn change(&self, file: &mut DocumentMut) {
        if let Some(grid) = file.get_mut("grid").and_then(Item::as_table_like_mut) {
            for (factor, levels) in &self.levels {
                grid.insert(factor.name(), list(levels.iter().map(|level| written(level.written()))));
            }
            if !self.models.is_empty() {
                grid.insert(Factor::Model.name(), list(self.models.iter().map(|picked| picked.id().into())));
            }
        }
        if let (Some(most), Some(prompts)) = (self.prompts, file.get_mut("prompts").and_then(Item::as_table_like_mut)) {
            prompts.insert("limit", value(i64::from(most)));
        }
        for picked in &self.models {
            if let Picked::File { id, path } = picked {
                describe(file, id, &path.to_string_lossy());
            }
        }
    }
}

impl Picked {
    fn id(&self) -> &str {
        match self {
            Self::Named(id) | Self::File { id, .. } => id,
        }
    }
}

/// Adds a `[[model]]`, in the place of one of the same id.
fn describe(file: &mut DocumentMut, id: &str, path: &str) {
    let models = file.entry("model").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    if let Some(models) = models.as_array_of_tables_mut() {
        models.retain(|model| model.get("id").and_then(Item::as_str) != Some(id));
        let mut model = Table::new();
        model.insert("id", value(id));
        model.insert("path", value(path));
        models.push(model);
    }
}

fn list(values: impl Iterator<Item = Value>) -> Item {
    value(Array::from_iter(values))
}

fn written(level: Written) -> Value {
    match level {
        Written::Name(name) => name.into(),
        Written::Integer(n) => n.into(),
        // Levels are 32 bits wide.
        Written::Number(n) => shortest(n as f32).into(),
        Written::Switch(on) => on.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Quant, Temperature};

    const FILE: &str =
        "# Why?\nname = \"x\"\n\n[grid]\nmodel = [\"a\"] # mine\ntemperature = [0.5]\n\n[prompts]\nfile = \"p.txt\"\n";

    #[test]
    fn what_was_typed_stands_in_the_text_and_the_rest_stays() {
        let at = |t: f32| Level::from(Temperature::new(t).unwrap());
        let overrides = Overrides {
            models: vec![
                Picked::Named("b".to_owned()),
                Picked::File { id: "c".to_owned(), path: PathBuf::from("/m/c.gguf") },
            ],
            levels: vec![(Factor::Temperature, vec![at(0.1), at(1.0)]), (Factor::Quant, vec![Quant::Q8_0.into()])],
            prompts: Some(4),
        };
        let expected = "# Why?\nname = \"x\"\n\n[grid]\nmodel = [\"b\", \"c\"]\ntemperature = [0.1, 1.0]\nquant = [\"q8_0\"]\n\n\
                        [prompts]\nfile = \"p.txt\"\nlimit = 4\n\n[[model]]\nid = \"c\"\npath = \"/m/c.gguf\"\n";
        assert_eq!(overrides.put_into(FILE), expected);
        // Once more changes nothing: the model is not described twice.
        assert_eq!(overrides.put_into(expected), expected);
    }

    #[test]
    fn without_any_every_byte_stays() {
        for text in [FILE, "no = toml = at all"] {
            assert_eq!(Overrides::default().put_into(text), text);
        }
    }
}
