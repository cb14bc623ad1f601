//! `moe-sweep report`: everything anew from a run's directory, wherever that is.

use std::fs;
use std::path::Path;

use crate::support::Bench;

/// The scripted experiment with two claims.
fn claiming() -> Bench {
    let bench = Bench::scripted("");
    let hypotheses = r#"
[[hypothesis]]
id = "it-rises"
trend = "temperature"
expect = "increasing"

[[hypothesis]]
id = "the-chain-decides"
metric = "seq_rep_1_tokens"
contrast = { base = { chain = "pure" }, other = { chain = "greedy" } }
expect = "different"
"#;
    bench.write("x.toml", bench.read("x.toml") + hypotheses);
    bench
}

#[test]
fn a_report_needs_neither_model_nor_experiment() {
    let bench = claiming();
    let said = bench.run("first", &[], 0);
    let before = bench.reproducible("first");
    let onset = bench.result("first", "onset.csv");
    // Elsewhere, with nothing but what the run keeps.
    fs::rename(bench.path().join("first"), bench.path().join("moved")).expect("it can be moved");
    for gone in ["x.toml", "m.scripted.toml", "moved/trials.csv", "moved/cells.csv", "moved/verdicts.json"] {
        fs::remove_file(bench.path().join(gone)).expect("it was there");
    }
    fs::remove_dir_all(bench.path().join("moved/plots")).expect("it was there");
    let again = bench.say(&["report", "moved"]);
    assert_eq!(again.code, Some(0), "{again:#?}");
    assert_eq!(bench.reproducible("moved"), before);
    assert_eq!(bench.result("moved", "onset.csv"), onset);
    assert!(bench.exists("moved/plots/score-by-temperature.png"));
    assert_eq!(again.stdout.replace("moved", "first"), said.stdout);
}

#[test]
fn verdicts_stand_in_the_file_and_on_the_terminal() {
    let bench = claiming();
    let said = bench.run("out", &[], 0);
    let verdicts: serde_json::Value = serde_json::from_str(&bench.result("out", "verdicts.json")).expect("it is JSON");
    let verdicts = verdicts["verdicts"].as_array().expect("a list");
    assert_eq!(verdicts.len(), 2);
    for verdict in verdicts {
        let (id, outcome) = (verdict["id"].as_str().unwrap(), verdict["outcome"].as_str().unwrap());
        assert!(["supported", "refuted", "inconclusive"].contains(&outcome), "{outcome}");
        assert!(said.stdout.contains(id) && said.stdout.contains(&outcome.to_uppercase()), "{}", said.stdout);
        assert_eq!(verdict["n_prompts"], 3);
    }
}

#[test]
fn new_hypotheses_cost_no_new_trial() {
    let bench = Bench::scripted("");
    bench.run("out", &[], 0);
    let journal = bench.result("out", "trials.jsonl");
    let claim = "\n[[hypothesis]]\nid = \"h\"\ntrend = \"temperature\"\nexpect = \"increasing\"\n";
    bench.write("x.toml", bench.read("x.toml") + claim);
    bench.run("out", &[], 0);
    assert_eq!(bench.result("out", "trials.jsonl"), journal);
    assert!(bench.result("out", "verdicts.json").contains("\"id\": \"h\""));
}

#[test]
fn a_report_of_an_unfinished_run_says_so() {
    let bench = claiming();
    bench.run("out", &[], 0);
    bench.forge("out", |number, _| number < 10);
    let said = bench.say(&["report", "out"]);
    assert_eq!(said.code, Some(3), "{said:#?}");
    assert!(bench.result("out", "trials.csv").contains(",missing,"));
}

#[test]
fn what_is_no_run_is_refused_with_the_remedy() {
    let bench = claiming();
    let said = bench.say(&["report", "nowhere"]);
    assert_eq!(said.code, Some(96), "{said:#?}");
    said.says(&["nowhere/plan.json", "name the directory of a run"]);

    bench.run("out", &[], 0);
    for (contents, expected) in
        [("{", "not what moe-sweep wrote"), ("{\"v\":9}", "a newer moe-sweep wrote it (version 9")]
    {
        bench.write("out/plan.json", contents);
        let said = bench.say(&["report", "out"]);
        assert_eq!(said.code, Some(96), "{said:#?}");
        said.says(&["out/plan.json", expected, "run the experiment again"]);
    }
}

#[test]
fn a_recommendation_is_made_for_every_chain() {
    let bench = claiming();
    bench.run("out", &[], 0);
    let said = bench.say(&["recommend", "out", "--json", "--max-p-loop", "1", "--max-score", "1"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    let answer: serde_json::Value = serde_json::from_str(&said.stdout).expect("it is JSON");
    let recommendations = answer["recommendations"].as_array().expect("a list");
    let chains: Vec<_> = recommendations.iter().map(|of| of["chain"].as_str().unwrap()).collect();
    assert_eq!(chains, ["pure", "greedy"]);
    // Nothing lies over a limit of 1.
    assert!(recommendations.iter().all(|of| of["advice"]["is"] == "no_limit"), "{}", said.stdout);
    assert_eq!(recommendations[0]["parameters"][0]["body"]["temperature"], 1.0);
    assert_eq!(bench.say(&["recommend", "out", "--max-score", "2"]).code, Some(2));
}

#[test]
fn figures_for_a_paper_are_as_wide_as_asked_and_lie_apart() {
    let bench = claiming();
    bench.run("out", &[], 0);
    assert!(!bench.exists("out/paper"));
    let of_the_page = bench.result("out", "plots/score-by-temperature.svg");
    let said = bench.say(&["report", "out", "--figure-width", "8.5cm", "--no-title"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(said.stdout.contains("figures: out/paper"), "{}", said.stdout);
    for name in ["score-by-temperature", "strip", "heatmap", "onset"] {
        let svg = bench.result("out", &format!("paper/{name}.svg"));
        assert!(svg.contains("width=\"85mm\"") && !svg.contains("Experiment:"), "{name}: {svg:.300}");
    }
    assert!(of_the_page.contains("Experiment:"));
    assert_eq!(bench.result("out", "plots/score-by-temperature.svg"), of_the_page);
    for (wrong, expected) in
        [("85", "a width with its unit, such as 85mm"), ("3mm", "from 60mm to 500mm"), ("-85mm", "")]
    {
        let said = bench.say(&["report", "out", &format!("--figure-width={wrong}")]);
        assert_eq!(said.code, Some(2), "{said:#?}");
        said.says(&[expected]);
    }
}

#[test]
fn a_comparison_and_a_gate_have_pages_of_their_own() {
    let bench = Bench::scripted("");
    bench.run("then", &[], 0);
    bench.run("now", &[], 0);
    let page_of = |arguments: &[&str], code: i32| {
        let said = bench.say(&[arguments, &["--html", "page.html"]].concat());
        assert_eq!(said.code, Some(code), "{said:#?}");
        bench.read("page.html")
    };
    assert_eq!(bench.say(&["baseline", "save", "base.json", "--from", "then"]).code, Some(0));
    let compare = ["compare", "then", "now"];
    let check = ["check", "now", "--baseline", "base.json"];
    assert!(page_of(&compare, 0).contains("<h1>All 24 texts are identical</h1>"));
    assert!(page_of(&check, 0).contains("<h1>Nothing has become worse by more than 5 points; the most: "));

    bench.forge("now", |_, record| {
        record["outcome"]["generated"]["text"] = "<b>to be</b> or <b>to be</b> or ".repeat(9).into();
        true
    });
    let page = page_of(&compare, 0);
    assert!(page.contains("<h1>repetition_score is ") && page.contains("0 of 9 texts identical"), "{page}");
    // Three prompts show little: whatever the gate says of them, its page begins with it.
    let said = bench.say(&check);
    let page = page_of(&check, said.code.expect("it ends by itself"));
    let outcome = said.stdout.split_whitespace().next().expect("it says something").to_lowercase();
    assert!(["fail", "inconclusive"].contains(&outcome.as_str()), "{}", said.stdout);
    assert!(page.contains(&format!("</span>{outcome}</span>")), "{page}");
    let headline = if outcome == "fail" { "repeats more than in the baseline" } else { "<h1>Not decided: " };
    assert!(page.contains(headline) && !page.contains("<script"), "{page}");
    assert!(page.contains("&lt;b&gt;to be"), "the worst text is quoted: {page}");

    bench.write("page.html", "somebody else's");
    let said = bench.say(&[&compare[..], &["--html", "page.html"]].concat());
    assert_ne!(said.code, Some(0), "{said:#?}");
    said.says(&["page.html"]);
    assert_eq!(bench.read("page.html"), "somebody else's");
}

/// A journal of the version before loops of characters and thoughts were seen.
#[test]
fn an_old_folder_is_scored_anew() {
    let bench = Bench::new("");
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/runs/without-thoughts");
    fs::create_dir(bench.path().join("old")).expect("the bench is writable");
    for name in ["plan.json", "manifest.json", "trials.jsonl", "experiment.toml"] {
        fs::copy(old.join(name), bench.path().join("old").join(name)).expect("the folder is there");
    }
    let said = bench.say(&["report", "old"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    let note = "before moe-sweep sealed what it writes";
    let shown = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains(note) && bench.result("old", "report.html").contains(note), "{}", said.stdout);
    let trials = bench.result("old", "trials.csv");
    let mut rows = csv::Reader::from_reader(trials.as_bytes());
    let header = rows.headers().expect("it has one").clone();
    let at = |name: &str| header.iter().position(|column| column == name).expect("there is such a column");
    let [t, unseen, score, loops, empty] =
        ["temperature", "unseen_by", "repetition_score", "loop", "empty_answer"].map(at);
    let hot: Vec<_> = rows.records().map(|row| row.expect("it is CSV")).filter(|row| row[t] == *"1").collect();
    assert_eq!(hot.len(), 6);
    assert!(hot.iter().all(|row| row[loops] == *"1"), "{trials}");
    assert_eq!(hot.iter().filter(|row| row[empty] == *"1").count(), 2, "{trials}");
    let blind: Vec<_> = hot.iter().filter(|row| row[unseen] == *"words").map(|row| &row[score]).collect();
    assert_eq!(blind, ["0", "0"], "{trials}");
    assert!(bench.result("old", "parts.csv").contains(",thought,"));
    // The score of the Chinese texts is 0, and the old version found that hotter repeats less.
    let verdicts = bench.result("old", "verdicts.json");
    assert!(
        verdicts.contains("\"inconclusive\"") && verdicts.contains("can't see whether 2 of 12 texts"),
        "{verdicts}"
    );
    assert!(said.stdout.contains("2 answers are empty"), "{}", said.stdout);
}
