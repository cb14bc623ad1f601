//! Where a run's numbers come from: the manifest in words, for `report.html`.

use std::path::Path;

use itertools::Itertools as _;
use serde_json::Value;

use super::html::{Facts, Provenance};
use super::placement::sentence;
use crate::domain::{Author, Chain, ChatForm, Context, Factor, Level, ModelFacts, Numerics, RenderedForm};
use crate::engine::http::Finding;
use crate::engine::{LoadMode, Samplers};
use crate::experiment::Served;
use crate::manifest::{LoadEntry, Manifest, ModelEntry, Placement, RunEntry, ServerEntry};
use crate::plan::Design;
use crate::results::{Measured, measured};
use crate::run_dir;

pub fn provenance(design: &Design, manifest: &Manifest) -> Provenance {
    Provenance {
        program: program(design, manifest),
        models: manifest.models.iter().map(model).collect(),
        chains: design.chains.iter().map(chain).collect(),
        runs: manifest.runs.iter().enumerate().map(|(index, entry)| run(index, entry, measured([entry]))).collect(),
    }
}

fn program(design: &Design, manifest: &Manifest) -> Facts {
    let generate = design.generate;
    let numerics = match generate.numerics {
        Numerics::Invariant => {
            "invariant: a text depends neither on the rest of the batch nor on the number of threads"
        }
        Numerics::Fast => "fast: a text may depend on the rest of the batch",
    };
    let of_trials = design.trials.iter().map(|trial| trial.cell.get::<Context>().tokens(generate.context));
    let contexts = of_trials.sorted_unstable().dedup().join(", ");
    let facts = vec![
        ("moe-sweep", manifest.moe_sweep.clone()),
        ("numerics", numerics.to_owned()),
        ("max_tokens", format!("{} a text", generate.max_tokens)),
        ("context", format!("{contexts} tokens")),
        ("all of it", [run_dir::MANIFEST, run_dir::EXPERIMENT, run_dir::PLAN].join(", ")),
    ];
    Facts { title: String::new(), facts }
}

fn level_in_words(level: &Level) -> String {
    match level.factor() {
        Factor::Quant => level.in_title(),
        _ => level.in_cell(),
    }
}

fn model(entry: &ModelEntry) -> Facts {
    // The file's own name: its folder is the machine's affair, and in the manifest.
    let file = Path::new(&entry.path).file_name().map_or_else(|| entry.path.clone(), |name| name.display().to_string());
    let details: Vec<_> = entry
        .key
        .levels()
        .filter(|level| level.factor() != Factor::Model && level.is_said())
        .map(level_in_words)
        .collect();
    let title = format!("{}, {}", entry.key.model(), details.join(", "));
    let (Some(facts), Some(size_bytes)) = (&entry.facts, entry.size_bytes) else {
        return Facts { title, facts: entry.server.as_ref().map(server).unwrap_or_default() };
    };
    let experts = match facts.n_expert {
        0 => "none (dense)".to_owned(),
        n => format!("{n} per layer, {} used per token", facts.n_expert_used),
    };
    let mut said = vec![("file", format!("{file}, {size_bytes} bytes")), ("blake3", entry.blake3.clone())];
    if let Some(hub) = &entry.hub {
        let commit = hub.commit.as_deref().unwrap_or("not known");
        said.push(("from", format!("huggingface.co/{}, {}, commit {commit}", hub.file.repo, hub.file.file)));
    }
    // One a line; all at once they would be wider than the page.
    said.extend(entry.packages.iter().map(|file| ("from", format!("package {file}"))));
    said.extend([
        ("architecture", format!("{}, {} layers, vocabulary of {}", facts.architecture, facts.n_layer, facts.n_vocab)),
        ("experts", experts),
        ("trained on", trained_on(facts)),
        ("placement", placement(entry.placement).to_owned()),
        ("accelerators", if entry.accelerators.is_empty() { "none".to_owned() } else { entry.accelerators.join(", ") }),
        ("engine", entry.engine.clone()),
    ]);
    if let Some(ChatForm { forms, before, after, .. }) = facts.chat.as_deref() {
        let names = forms.join(" or ");
        said.push(("template chat", format!("llama.cpp's built-in form {names}: {before:?}, the prompt, {after:?}")));
    }
    for form @ RenderedForm { before, after, date, .. } in &facts.rendered {
        let date = date.as_ref().map_or_else(String::new, |date| format!("; the date is always {date}"));
        said.push(("template jinja", format!("{form}: {before:?}, the prompt, {after:?}{date}")));
    }
    Facts { title, facts: said }
}

fn trained_on(facts: &ModelFacts) -> String {
    match facts.n_ctx_train {
        0 => "not known".to_owned(),
        n => format!("contexts of {n} tokens"),
    }
}

fn server(entry: &ServerEntry) -> Vec<(&'static str, String)> {
    let Served { server, name } = &entry.served;
    let stated: Vec<_> = entry.facts.stated.iter().map(|(key, value)| format!("{key} {value}")).collect();
    let defaults: Vec<_> = entry.facts.defaults.iter().map(|(key, value)| format!("{key} {value}")).collect();
    let mut said = vec![
        ("server", format!("{}, {}, api {}", server.id, server.url, server.api)),
        ("served as", name.clone()),
        ("it reports", if stated.is_empty() { "nothing".to_owned() } else { stated.join(", ") }),
        (
            "chain",
            server.own_chain.as_ref().map_or_else(
                || "as requested; moe-sweep can't see what the server executed".to_owned(),
                |own| format!("its own, {own} by own_chain; only its temperature is requested"),
            ),
        ),
        ("placement, numerics", "unknown to moe-sweep".to_owned()),
    ];
    if !defaults.is_empty() {
        said.push(("its defaults", defaults.join(", ")));
    }
    let tried = entry.findings.iter().flat_map(|findings| &findings.0).map(|Finding { probed, honoured, evidence }| {
        let honoured = match honoured {
            Some(true) => "honoured",
            Some(false) => "NOT honoured",
            None => "not known",
        };
        format!("{probed}: {honoured} ({evidence})")
    });
    let tried: Vec<_> = tried.collect();
    said.push(("tried", if tried.is_empty() { "nothing".to_owned() } else { tried.join("; ") }));
    said
}

fn placement(placement: Placement) -> &'static str {
    match placement {
        Placement::AllOnHost => "everything on the CPU: there is no GPU, so offload has no effect",
        Placement::ExpertsOnHost => "the experts in the offload on the CPU, the rest on the GPU",
        Placement::AllOnAccelerator => "everything on the GPU",
        Placement::NoExperts => "the model has no experts to place",
        Placement::Unknown => "unknown to moe-sweep",
    }
}

fn chain(chain: &Chain) -> Facts {
    let steps = chain.steps.iter().map(|step| in_words(&serde_json::to_value(step).expect("a step is plain data")));
    let steps = steps.collect::<Vec<_>>().join(" → ");
    let draw = if chain.draws() { "yes, by the trial's seed" } else { "no: run with one seed only" };
    let mut facts = match &chain.author {
        Author::Experiment => vec![("steps", steps)],
        Author::ModelFile { place, .. } => vec![("steps", steps), ("by", place.to_string())],
        Author::Model => vec![("steps", "not known".to_owned())],
        Author::Server if chain.steps.is_empty() => {
            vec![("steps", "the server's: none were requested".to_owned())]
        }
        Author::Server => vec![("steps", format!("the server's, with {steps} requested"))],
    };
    if chain.author != Author::Server {
        facts.push(("random draw", draw.to_owned()));
    }
    facts.extend(
        chain.own_temperature().map(|own| ("temperature", format!("its own, {own}; the grid's has no effect"))),
    );
    Facts { title: chain.title(), facts }
}

/// `{"top_p": {"p": 0.9, "min_keep": 1}}` as `top_p(min_keep 1, p 0.9)`.
fn in_words(step: &Value) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let Value::Object(object) = step else { return plain(step) };
    let named = object.iter().map(|(name, parameters)| match parameters {
        Value::Object(parameters) if parameters.is_empty() => name.clone(),
        Value::Object(parameters) => {
            let each = parameters.iter().map(|(key, value)| format!("{key}\u{a0}{}", plain(value)));
            format!("{name}({})", each.collect::<Vec<_>>().join(", "))
        }
        Value::Null => name.clone(),
        value => format!("{name}({})", plain(value)),
    });
    named.collect::<Vec<_>>().join(", ")
}

fn run(index: usize, entry: &RunEntry, placed: Vec<Measured<'_>>) -> Facts {
    let hardware = &entry.hardware;
    let known = |fact: &Option<String>| fact.clone().unwrap_or_else(|| "not known".to_owned());
    let samplers = match entry.samplers {
        Samplers::Fast => "in Rust, or llama.cpp's for chains that those do not cover",
        Samplers::Llama => "llama.cpp's",
    };
    let mut facts = vec![
        ("command", entry.command_line.join(" ")),
        ("ended", format!("{}, {} trials done", entry.ended, entry.trials_done)),
        ("machine", format!("{} ({}), {}", known(&hardware.cpu), hardware.architecture, known(&hardware.os))),
        ("threads", format!("{} on {} usable cores", entry.threads, hardware.usable_cores)),
        ("samplers", samplers.to_owned()),
        ("time", format!("{:.1} s, {} tokens evaluated", entry.seconds, entry.effort.evaluated_tokens)),
    ];
    facts.extend(loaded(entry.load_mode).map(|how| ("weights on the CPU", how.to_owned())));
    facts.extend(entry.loads.iter().filter_map(|load| Some(("determinism", probed(load)?))));
    facts.extend(placed.into_iter().map(|placed| ("placement", format!("{}: {}", placed.load.key, sentence(&placed)))));
    Facts { title: format!("Run {}", index + 1), facts }
}

/// How the weights on the host were loaded; None where the engine chose.
fn loaded(load_mode: LoadMode) -> Option<&'static str> {
    match load_mode {
        LoadMode::Auto => None,
        LoadMode::Mmap => Some("mapped from the file (--load-mode mmap)"),
        LoadMode::None => Some("read from the file (--load-mode none)"),
    }
}

/// What the determinism probe found of a load.
fn probed(load: &LoadEntry) -> Option<String> {
    let probe = load.probe.as_ref()?;
    let as_far_as = probe.alone.map(|alone| format!(", {} tokens of them", alone.tokens)).unwrap_or_default();
    Some(format!(
        "{}: {} of {} texts agree when generated again alone{as_far_as}",
        load.key, probe.agreed, probe.repeated
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::in_words;

    #[test]
    fn steps_read_as_a_chain() {
        assert_eq!(in_words(&json!({ "top_p": { "p": 0.9, "min_keep": 1 } })), "top_p(min_keep\u{a0}1, p\u{a0}0.9)");
        assert_eq!(in_words(&json!("greedy")), "greedy");
        assert_eq!(in_words(&json!({ "temperature": { "t": "T" } })), "temperature(t\u{a0}T)");
    }
}
