//! The manual pages: one of each command, as man reads them.

use std::collections::BTreeSet;
use std::fs;

use crate::support::{Bench, Said, without_the_callers_variables};

/// The commands that `--help` lists, `command`'s own and those below it.
fn commands(bench: &Bench, command: &[&str]) -> BTreeSet<String> {
    let help = help(bench, command);
    let Some((_, listed)) = help.split_once("Commands:\n") else { return BTreeSet::new() };
    let names = listed.lines().take_while(|line| !line.is_empty()).filter_map(|line| {
        let indented = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '));
        indented.and_then(|rest| rest.split_whitespace().next())
    });
    let mut all = BTreeSet::new();
    for name in names.filter(|name| *name != "help") {
        let whole = [command, &[name]].concat();
        all.insert(whole.join("-"));
        all.extend(commands(bench, &whole));
    }
    all
}

fn help(bench: &Bench, command: &[&str]) -> String {
    bench.say(&[command, &["--help"]].concat()).stdout
}

#[test]
fn every_command_has_a_page() {
    let bench = Bench::new("");
    let said = bench.say(&["man", "--out", "man/man1"]);
    assert_eq!((said.code, &*said.stderr), (Some(0), ""), "{said:#?}");
    let entries = fs::read_dir(bench.path().join("man/man1")).expect("the pages' folder");
    let written: BTreeSet<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect();
    let mut expected: BTreeSet<_> = ["moe-sweep.1".to_owned()].into();
    expected.extend(commands(&bench, &[]).into_iter().map(|command| format!("moe-sweep-{command}.1")));
    assert!(expected.len() > 20 && expected.contains("moe-sweep-model-inspect.1"), "{expected:?}");
    assert_eq!(written, expected);
    // What one page points at is another.
    for name in &written {
        let page = bench.read(&format!("man/man1/{name}"));
        let named = page.split("moe\\-sweep\\-").skip(1).filter_map(|rest| rest.split_once("(1)"));
        for (command, _) in named.filter(|(command, _)| !command.contains(char::is_whitespace)) {
            let other = format!("moe-sweep-{}.1", command.replace('\\', ""));
            assert!(written.contains(&other), "{name} points at {other}");
        }
    }
}

#[test]
fn examples_and_exit_codes_are_sections() {
    let bench = Bench::new("");
    bench.say(&["man", "--out", "man"]);
    let titles = [("Example", "EXAMPLES"), ("Exit codes:", "\"EXIT STATUS\""), ("Environment", "ENVIRONMENT")];
    let mut seen = 0;
    for command in commands(&bench, &[]).iter().map(String::as_str).chain([""]) {
        let help = help(&bench, &command.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>());
        let page = bench.read(&format!("man/{}.1", format!("moe-sweep-{command}").trim_end_matches('-')));
        assert!(!page.contains("EXTRA"), "{page}");
        for (heading, section) in titles {
            let is_taught = help.lines().any(|line| line.starts_with(heading));
            assert_eq!(page.contains(&format!(".SH {section}\n")), is_taught, "{command}: {section}\n{page}");
            seen += usize::from(is_taught);
        }
    }
    assert!(seen > 10, "{seen} sections were compared");
}

#[test]
fn the_programs_page_is_printed_and_man_reads_all_without_a_warning() {
    let bench = Bench::new("");
    let Said { code, stdout, .. } = bench.say(&["man"]);
    assert_eq!(code, Some(0));
    bench.say(&["man", "--out", "man"]);
    assert_eq!(stdout, bench.read("man/moe-sweep.1"));
    if without_the_callers_variables("man").arg("--version").output().is_err() {
        println!("skipped: man is not installed");
        return;
    }
    for entry in fs::read_dir(bench.path().join("man")).expect("the pages") {
        let mut man = without_the_callers_variables("man");
        man.args(["--warnings=all", "-l"]).arg(entry.expect("an entry").path()).env("MANPAGER", "cat");
        let said: Said = man.output().expect("man starts").into();
        assert_eq!((said.code, &*said.stderr), (Some(0), ""), "{said:#?}");
    }
}
