//! What is on disk has types of its own, checked from the source.
//!
//! A type of another module may be renamed, or get a field, without a change of any file: so what a struct on disk holds
//! is plain data, or another type of a format.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Types of the language and its library that say by themselves how they are written.
const PLAIN: [&str; 6] = ["BTreeMap", "NonZeroU32", "Option", "PathBuf", "String", "Vec"];

/// Files that hold the shape of something on disk; a trial's id is on disk, too.
fn is_format(path: &str) -> bool {
    path.contains("/format/") || path.ends_with("/format.rs") || path == "src/plan/identity.rs"
}

#[test]
fn what_is_on_disk_holds_types_of_formats_only() {
    let formats = sources().into_iter().filter(|(path, _)| is_format(path));
    let formats: Vec<_> = formats.map(|(path, code)| (types_on_disk(&code), strangers(&code), path)).collect();
    let known: BTreeSet<_> = formats.iter().flat_map(|(types, ..)| types.keys()).collect();
    for expected in ["Record", "Design", "Manifest", "Baseline", "Identity", "Levels", "Step"] {
        assert!(known.contains(&expected.to_owned()), "{expected} was not found: {known:?}");
    }
    for (types, strangers, path) in &formats {
        for (name, held) in types {
            for of in held {
                let plain = PLAIN.contains(&of.as_str());
                let own = known.contains(of) && !strangers.contains(of);
                assert!(plain || own, "{path}: {name} holds {of}, which is not of a format: give it a type of its own");
            }
        }
    }
}

#[test]
fn a_type_of_another_module_is_found_wherever_it_stands() {
    let holds = |code: &str| types_on_disk(code).into_values().flatten().collect::<Vec<_>>();
    assert_eq!(
        holds("#[derive(Clone, Serialize)]\n#[serde(x)]\nstruct A {\n    #[serde(B)]\n    pub b: Vec<C>,\n}\n"),
        ["C", "Vec"]
    );
    assert_eq!(holds("#[derive(Serialize)]\npub enum A {\n    B,\n    C { d: D },\n    E([F; 2]),\n}\n"), ["D", "F"]);
    assert_eq!(holds("#[derive(Serialize)]\nstruct A {\n    b: domain::B,\n}\n"), ["domain::B"]);
    assert_eq!(holds("struct A(Vec<B>);\nimpl Serialize for A {}\n"), ["B", "Vec"]);
    assert_eq!(holds("#[derive(Debug)]\nstruct A {\n    b: B,\n}\n"), [""; 0]);
    let imported = "use crate::domain::{self, A,\n    B};\nuse crate::format::{C, D};\nuse super::E;\n";
    assert_eq!(Vec::from_iter(strangers(imported)), ["A", "B"]);
}

/// Each struct and enum that is written or read, with the types that it holds; those of a path, with the path.
fn types_on_disk(code: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut types = BTreeMap::new();
    let mut derived = "";
    let mut lines = code.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("#[derive(") {
            derived = line;
        }
        let declaration = line.trim_start_matches("pub ");
        let Some(rest) = declaration.strip_prefix("struct ").or_else(|| declaration.strip_prefix("enum ")) else {
            continue;
        };
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
        let by_hand =
            ["Serialize for", "Deserialize<'de> for"].iter().any(|by| code.contains(&format!("{by} {name} ")));
        let on_disk = derived.contains("Serialize") || derived.contains("Deserialize") || by_hand;
        derived = "";
        let mut held: BTreeSet<String> = camels(&rest[name.len()..]).collect();
        if rest.ends_with('{') {
            for line in lines.by_ref().take_while(|line| *line != "}") {
                let line = line.trim_start().trim_start_matches("pub ");
                if !line.starts_with("#[") {
                    // The field's name, or the variant's.
                    held.extend(camels(line.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_')));
                }
            }
        }
        if on_disk {
            types.insert(name, held);
        }
    }
    types
}

/// What a file takes from modules that are no format.
fn strangers(code: &str) -> BTreeSet<String> {
    let imports = code.split("\nuse ").flat_map(|rest| rest.strip_prefix("use ").or(Some(rest)));
    let imports = imports.filter(|rest| rest.starts_with("crate::") && !rest.starts_with("crate::format::"));
    imports.filter_map(|rest| rest.split_once(';')).flat_map(|(list, _)| camels(list).collect::<Vec<_>>()).collect()
}

/// The names of types in a text, each with the path in front of it if there is one of more than the list it stands in.
fn camels(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    let words = words.map(|word| word.trim_end_matches(':').to_owned());
    words.filter(|word| word.rsplit("::").next().is_some_and(|last| last.starts_with(|c: char| c.is_uppercase())))
}

/// Each source file of ours with its path, without its comments.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join("src"), &mut files);
    let code = |file: &PathBuf| {
        let text = fs::read_to_string(file).expect("a source");
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    };
    let path = |file: &Path| file.strip_prefix(root).expect("it lies there").to_str().expect("a plain name").to_owned();
    files.iter().map(|file| (path(file), code(file))).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
