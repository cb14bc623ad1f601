//! `power`, and what `plan` says of hypotheses: what a design can see before it is run.

use crate::support::{Bench, Said};
use serde_json::Value;

fn power(arguments: &[&str]) -> Said {
    Bench::new("").say(&[&["power"], arguments].concat())
}

fn json(arguments: &[&str]) -> Value {
    let said = power(&[arguments, &["--json"]].concat());
    assert_eq!(said.code, Some(0), "{said:#?}");
    serde_json::from_str(&said.stdout).expect("it is JSON")
}

/// The scripted experiment with more prompts and these hypotheses.
fn claiming(prompts: usize, hypotheses: &str) -> Bench {
    let bench = Bench::scripted("");
    let list: Vec<_> = (0..prompts).map(|i| format!("\"prompt {i}\"")).collect();
    bench.edit("\"first prompt\", \"second prompt\", \"third prompt\"", &list.join(", "));
    bench.write("x.toml", bench.read("x.toml") + hypotheses);
    bench
}

const CLAIMS: &str = r#"
[[hypothesis]]
id = "it-rises"
trend = "temperature"
expect = "increasing"
each = "chain"

[[hypothesis]]
id = "chains-differ"
contrast = { base = { chain = "pure" }, other = { chain = "greedy" } }
expect = "different"

[[hypothesis]]
id = "the-same"
equivalence = { base = { temperature = 0.5 }, other = { temperature = 1.0 } }
margin = 0.05

[[hypothesis]]
id = "the-chain-decides"
interaction = ["temperature", "chain"]

[[hypothesis]]
id = "compresses"
metric = "compression_ratio"
contrast = { base = { temperature = 0.5 }, other = { temperature = 1.0 } }
expect = "increasing"
sides = 1
"#;

const INTERACTION: &str = r#"
[[hypothesis]]
id = "the-chain-decides"
interaction = ["temperature", "chain"]
"#;

/// What `plan` says of the claims.
fn claims(bench: &Bench, arguments: &[&str]) -> String {
    let said = bench.say(&[&["plan", "x.toml"], arguments].concat());
    assert_eq!(said.code, Some(0), "{said:#?}");
    let lines = said.stdout.lines().skip_while(|line| !line.starts_with("  claims"));
    lines.take_while(|line| !line.starts_with("  note")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_design_is_told_what_it_can_see() {
    let design =
        "--prompts 24 --texts 4 --hypotheses 5 --sd 0.3 --icc 0.3 --margin 0.05 --from-rate 0.05 --to-rate 0.3";
    let said = power(&design.split(' ').collect::<Vec<_>>());
    assert_eq!(said.code, Some(0), "{said:#?}");
    insta::assert_snapshot!("power", said.stdout);
}

#[test]
fn few_prompts_are_told_that_they_see_nothing() {
    let said = power(&["--prompts", "4", "--icc", "0"]);
    assert_eq!(said.code, Some(0), "{said:#?}");
    insta::assert_snapshot!("power_of_four_prompts", said.stdout);
    let found = json(&["--prompts", "4"]);
    assert_eq!((&found["detectable"], &found["least_margin"]), (&Value::Null, &Value::Null));
    assert_eq!(found["least_prompts"], 6);
}

#[test]
fn programs_get_the_published_figures() {
    // SciPy and statsmodels (crates/score/tests/oracles), as one option after the other asks for them.
    let found = json(&["--effect", "0.06,0.09", "--from-rate", "0.1", "--margin", "0.02", "--texts", "4"]);
    assert_eq!(found["prompts_for_effects"][0]["prompts"], 199);
    assert_eq!(found["prompts_for_effects"][1]["prompts"], 90);
    assert_eq!(found["prompts_for_rates"], 65);
    assert_eq!(found["prompts_for_margin"]["by_unseen"], 149);
    let near = |name: &str, expected: f64| {
        let value = found[name].as_f64().expect("a number");
        assert!((value - expected).abs() < 0.005, "{name} is {value}, not {expected}");
    };
    near("detectable", 0.3 * 0.5972);
    near("effective_texts", 50.53);
    near("best_texts", 1.53);
}

#[test]
fn a_design_that_can_not_be_is_refused() {
    let cases: [(&[&str], &str); 9] = [
        (&["--prompts", "0"], "give a whole number from 1 on"),
        (&["--alpha", "2"], "give a number such as 0.05"),
        (&["--power", "1"], "from 0.5 to 0.99"),
        (&["--sd", "0"], "give a number above 0"),
        (&["--icc", "1.5"], "give a number from 0 to 1"),
        (&["--margin", "0"], "give a number above 0"),
        (&["--effect", "0.1,nan"], "give a number above 0"),
        (&["--from-rate", "0.3"], "give different --from-rate"),
        (&["--from-rate", "0.1", "--to-rate", "0.5", "--correlation", "0.9"], "nearer to 0"),
    ];
    for (arguments, why) in cases {
        let said = power(arguments);
        assert_eq!((said.code, &*said.stdout), (Some(2), ""), "{arguments:?}: {said:#?}");
        said.says(&[why]);
    }
}

#[test]
fn a_plan_says_what_its_prompts_can_decide() {
    insta::assert_snapshot!("plan_of_24_prompts", claims(&claiming(24, CLAIMS), &[]));
}

#[test]
fn a_plan_of_few_prompts_says_that_they_decide_nothing() {
    insta::assert_snapshot!("plan_of_4_prompts", claims(&claiming(4, CLAIMS), &[]));
    let one = "\n[[hypothesis]]\nid = \"h\"\ntrend = \"temperature\"\nexpect = \"increasing\"\n";
    let said = claims(&claiming(4, one), &[]);
    assert!(said.contains("4 prompts can't decide this: p can't be below 0.125; 6 could"), "{said}");
    assert_eq!(claims(&claiming(4, ""), &[]), "", "no claim, nothing to say");
}

#[test]
fn a_plan_takes_the_spread_that_is_given_or_that_a_run_saw() {
    let bench = claiming(8, CLAIMS);
    let given = claims(&bench, &["--sd", "0.1"]);
    assert!(given.contains("if prompts' differences have a standard deviation of 0.1 (given)"), "{given}");
    // Of this metric the scripted texts differ.
    bench.write(
        "x.toml",
        bench
            .read("x.toml")
            .replace("expect = \"increasing\"", "expect = \"increasing\"\nmetric = \"seq_rep_1_words\"")
            .replace("metric = \"compression_ratio\"\n", "")
            .replace(INTERACTION, ""),
    );
    bench.run("earlier", &[], 0);
    bench.write("x.toml", bench.read("x.toml") + INTERACTION);
    // By its id; one that is new by its test and metric; and what the run did not test stays assumed.
    bench.edit("id = \"compresses\"", "id = \"renamed\"");
    let seen = claims(&bench, &["--from", "earlier"]);
    for expected in ["(that of it-rises in earlier)", "(that of compresses in earlier)", "(assumed)"] {
        assert!(seen.contains(expected), "no {expected} in\n{seen}");
    }
}

#[test]
fn a_directory_that_is_no_run_is_named() {
    let bench = claiming(8, CLAIMS);
    let said = bench.say(&["plan", "x.toml", "--from", "nowhere"]);
    assert_eq!((said.code, &*said.stdout), (Some(96), ""), "{said:#?}");
    said.says(&["cannot read nowhere/plan.json", "name the directory of a run"]);
}

#[test]
fn excluded_prompts_do_not_count() {
    let claim = "\n[[hypothesis]]\nid = \"h\"\ncontrast = { base = { temperature = 0.5 }, other = { temperature = 1.0 } }\n\
                 expect = \"different\"\n";
    let bench = claiming(8, claim);
    bench.write("x.toml", bench.read("x.toml") + "\n[[grid.exclude]]\nprompt = \"p1\"\ntemperature = 1.0\n");
    let said = claims(&bench, &[]);
    assert!(said.contains("7 prompts"), "{said}");
}
