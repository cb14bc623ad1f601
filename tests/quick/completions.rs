//! A shell that presses Tab: bash, which is everywhere, by its own completion; zsh and fish where they are installed; and
//! what each of their scripts asks the program, wherever they are not.

use std::process::Command;

use crate::support::{Bench, PROGRAM, without_the_callers_variables};

/// Presses Tab at the end of a line, as bash does when it has loaded our script: it splits the line (at each = too), calls
/// the function that is registered for its first word, and reads COMPREPLY.
const TAB: &str = r#"
source <("$PROGRAM" completions bash) || exit 1
COMP_LINE=$LINE COMP_POINT=${#LINE} COMP_TYPE=9 COMP_KEY=9
read -r -a COMP_WORDS <<< "${LINE//=/ = }"
[[ $LINE == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
registered=$(complete -p moe-sweep)
[[ $registered =~ -F\ ([^ ]+) ]] || exit 1
"${BASH_REMATCH[1]}" moe-sweep "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

/// What bash offers at the end of the line.
fn bash(bench: &Bench, line: &str) -> Vec<String> {
    let mut shell = without_the_callers_variables("bash");
    shell.args(["--norc", "--noprofile", "-c", TAB]).env("PROGRAM", PROGRAM).env("LINE", line);
    lines(shell.current_dir(bench.path()))
}

/// What the script of `shell` gets of the program for these words, the last of which is being typed.
fn asked(bench: &Bench, shell: &str, words: &[&str]) -> Vec<String> {
    let mut command = bench.command(&[&["--"], words].concat());
    command.env("MOE_SWEEP_COMPLETE", shell).env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
    // zsh and fish have what a word means after it.
    let words = |line: String| line.split(['\t', ':']).next().map(str::to_owned);
    lines(command.env("_CLAP_IFS", "\n")).into_iter().filter_map(words).collect()
}

fn lines(command: &mut Command) -> Vec<String> {
    let output = command.output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{command:?}: {said}");
    let text = String::from_utf8(output.stdout).expect("names are UTF-8");
    text.lines().filter(|line| !line.is_empty()).map(|line| line.trim_end().to_owned()).collect()
}

/// Lines, and what Tab offers there: all of it, or some of it.
const ALL_OF_IT: [(&str, &[&str]); 4] = [
    ("moe-sweep run --sa", &["--samplers"]),
    ("moe-sweep check --by ", &["arm", "cell", "both"]),
    ("moe-sweep run --api ll", &["llama-server"]),
    ("moe-sweep diagnose --like lm", &["lm-studio"]),
];
const SOME_OF_IT: [(&str, &[&str]); 13] = [
    ("moe-sweep ", &["run", "diagnose", "model"]),
    ("moe-sweep completions ", &["bash", "elvish", "fish", "powershell", "zsh"]),
    ("moe-sweep baseline ", &["save", "list"]),
    ("moe-sweep model ", &["list", "inspect", "fetch", "verify", "upcycle"]),
    ("moe-sweep compare --metric rep", &["repetition_score", "repeat_4_chars"]),
    ("moe-sweep check --metric ", &["repetition_score", "vllm_loop"]),
    ("moe-sweep recommend --metric ", &["repetition_score", "covered_20_chars"]),
    ("moe-sweep run --own-chain ", &["llama.cpp", "greedy", "vllm"]),
    ("moe-sweep diagnose --set ", &["flash_attention=on", "quant=q8_0", "temperature="]),
    ("moe-sweep explain L-P", &["L-PENALTY-ZERO"]),
    ("moe-sweep model fetch ", &["mine"]),
    ("moe-sweep report te", &["temperature"]),
    ("moe-sweep check --baseline ", &["good"]),
];

/// A bench with a model, a run and a baseline that have names.
fn bench() -> Bench {
    let bench = Bench::new("");
    for directory in ["models", "results/temperature", "results/baselines"] {
        std::fs::create_dir_all(bench.path().join(directory)).expect("the bench is writable");
    }
    bench.write("results/temperature/plan.json", "");
    bench.write("results/baselines/good.json", "");
    bench.write("models/catalog.toml", "[[model]]\nid = \"mine\"\npath = \"mine.gguf\"\n");
    bench
}

#[test]
fn bash_completes_commands_options_and_values() {
    let bench = bench();
    for (line, expected) in ALL_OF_IT {
        let (mut offered, mut expected) = (bash(&bench, line), expected.to_vec());
        offered.sort();
        expected.sort_unstable();
        assert_eq!(offered, expected, "{line:?}");
    }
    for (line, expected) in SOME_OF_IT {
        let offered = bash(&bench, line);
        for word in expected {
            assert!(offered.iter().any(|one| one == word), "{line:?} offers {offered:?}, and not {word:?}");
        }
    }
}

/// bash splits a word at =, and inserts what is offered behind it.
#[test]
fn bash_completes_values_behind_an_equals_sign() {
    let bench = bench();
    let lines: [(&str, &[&str]); 5] = [
        ("moe-sweep compare --metric=repeat", &["repeat_4_chars"]),
        ("moe-sweep run --api=ll", &["llama-server"]),
        ("moe-sweep check --by=", &["arm", "cell", "both"]),
        ("moe-sweep diagnose --set flash_attention=o", &["on", "off"]),
        ("moe-sweep diagnose --set=flash_attention=o", &["on", "off"]),
    ];
    for (line, expected) in lines {
        let offered = bash(&bench, line);
        for word in expected {
            assert!(offered.iter().any(|one| one == word), "{line:?} offers {offered:?}, and not {word:?}");
        }
        assert!(!offered.iter().any(|one| one.contains('=')), "{line:?}: {offered:?}");
    }
}

#[test]
fn bash_completes_files_where_files_are_meant() {
    let bench = bench();
    assert_eq!(bash(&bench, "moe-sweep run x."), ["x.toml"]);
    assert_eq!(bash(&bench, "moe-sweep model inspect m"), ["mine", "models/"]);
}

#[test]
fn zsh_and_fish_are_told_the_same() {
    let bench = bench();
    for shell in ["zsh", "fish"] {
        for (line, expected) in ALL_OF_IT.into_iter().chain(SOME_OF_IT) {
            let offered = asked(&bench, shell, &line.split(' ').collect::<Vec<_>>());
            for word in expected {
                assert!(offered.iter().any(|one| one == word), "{shell}, {line:?}: {offered:?}");
            }
        }
    }
}

#[test]
fn what_is_hidden_is_offered_nowhere() {
    let bench = bench();
    for line in ["moe-sweep ", "moe-sweep wor"] {
        let offered = bash(&bench, line);
        assert!(!offered.iter().any(|word| word == "worker"), "{line:?}: {offered:?}");
    }
}

#[test]
fn fish_and_zsh_load_their_scripts_where_they_are_installed() {
    let bench = bench();
    let tab = [
        ("fish", "\"$PROGRAM\" completions fish | source; complete -C 'moe-sweep run --sa'", "--samplers"),
        // zsh completes in a terminal only; that the script is one, and registers itself, can be seen without.
        (
            "zsh",
            "autoload -U compinit && compinit -u -d /dev/null; source <(\"$PROGRAM\" completions zsh); \
             print ${_comps[moe-sweep]}",
            "_clap_dynamic_completer_moe_sweep",
        ),
    ];
    for (shell, script, expected) in tab {
        let mut command = without_the_callers_variables(shell);
        if without_the_callers_variables(shell).arg("--version").output().is_err() {
            println!("skipped: {shell} is not installed");
            continue;
        }
        command.args(["-c", script]).env("PROGRAM", PROGRAM).current_dir(bench.path());
        let offered = lines(&mut command);
        assert!(offered.iter().any(|line| line.split('\t').next() == Some(expected)), "{shell}: {offered:?}");
    }
}
