//! Every experiment file of the repository can be planned.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Bench, Said, models};

fn experiments(directory: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments").join(directory);
    let entries = fs::read_dir(directory).expect("the experiments are there").map(|entry| entry.expect("read").path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    files
}

/// Plans a file with empty caches.
fn plan(bench: &Bench, experiment: &Path) -> Said {
    let mut command = bench.command(&["plan", experiment.to_str().expect("UTF-8")]);
    command.env_remove("HF_HUB_CACHE").env_remove("HUGGINGFACE_HUB_CACHE").env("HF_HOME", bench.path().join("hf"));
    command.env("MOE_SWEEP_CACHE", bench.path().join("cache"));
    command.env("MOE_SWEEP_MODELS", models()).output().expect("moe-sweep starts").into()
}

#[test]
fn the_experiments_on_bundled_models_have_a_plan() {
    let files = experiments("");
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        let said = plan(&Bench::new(""), &file);
        assert_eq!(said.code, Some(0), "{}: {said:#?}", file.display());
    }
}

#[test]
fn the_experiments_on_real_models_say_how_to_get_them() {
    let files = experiments("real");
    assert_eq!(files.len(), 9, "{files:?}");
    for file in files {
        let said = plan(&Bench::new(""), &file);
        assert_eq!(said.code, Some(96), "{}: {said:#?}", file.display());
        assert!(said.stderr.contains("moe-sweep model fetch"), "{said:#?}");
    }
}

/// Up to the server all is right.
#[test]
fn the_experiments_on_servers_say_that_the_server_is_not_there() {
    let files = experiments("servers");
    assert_eq!(files.len(), 5, "{files:?}");
    for file in files {
        // A port that nobody listens on.
        let text = fs::read_to_string(&file).expect("it can be read").replace("127.0.0.1:", "127.0.0.1:1/");
        let bench = Bench::new(&text.replace("../prompts", "prompts"));
        fs::create_dir(bench.path().join("prompts")).expect("the bench is writable");
        let prompts = file.parent().expect("servers").join("../prompts/finding.txt");
        bench.write("prompts/finding.txt", fs::read(prompts).expect("the prompts are there"));
        let said = plan(&bench, &bench.path().join("x.toml"));
        assert_eq!(said.code, Some(96), "{}: {said:#?}", file.display());
        said.says(&["no server answers at"]);
    }
}

/// All but their models is right: in the place of each, a bundled one. What compares five models takes all five, and no
/// bundled model has a chat template.
#[test]
fn the_experiments_on_real_models_have_a_plan_when_the_model_is_there() {
    let takes_its_own = |file: &&PathBuf| file.ends_with("upcycled.toml") || file.ends_with("chat.toml");
    for file in experiments("real").iter().filter(|file| !takes_its_own(file)) {
        let text = fs::read_to_string(file).expect("it can be read");
        let line = text.lines().find(|line| line.starts_with("model = ")).expect("a grid has models");
        let bench = Bench::new(&text.replace(line, "model = [\"deepseek-tiny\"]").replace("../prompts", "prompts"));
        fs::create_dir(bench.path().join("prompts")).expect("the bench is writable");
        let prompts = file.parent().expect("real").join("../prompts/finding.txt");
        bench.write("prompts/finding.txt", fs::read(prompts).expect("the prompts are there"));
        let said = plan(&bench, &bench.path().join("x.toml"));
        assert_eq!(said.code, Some(0), "{}: {said:#?}", file.display());
    }
}
