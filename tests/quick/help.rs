//! The options in a help stand under the subject that they are of.

use crate::support::Bench;

/// The options below each heading, in order.
fn headings(help: &str) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for line in help.lines() {
        if !line.starts_with(' ') && line.ends_with(':') {
            found.push((line.trim_end_matches(':').to_owned(), vec![]));
        } else if let (Some(option), Some((_, options))) =
            (line.split_whitespace().find(|word| word.starts_with("--")), found.last_mut())
            && line.trim_start().starts_with('-')
        {
            options.push(option.to_owned());
        }
    }
    found
}

#[test]
fn nothing_stands_under_a_subject_that_it_is_not_of() {
    let bench = Bench::new("");
    for command in ["run", "plan", "diagnose", "init"] {
        let said = bench.say(&[command, "--help"]);
        let headings = headings(&said.stdout);
        let below = |subject: &str| {
            let found = headings.iter().find(|(heading, _)| heading.starts_with(subject));
            found.map(|(_, options)| options.iter().map(String::as_str).collect::<Vec<_>>()).unwrap_or_default()
        };
        let of_server = below("A server");
        assert!(of_server.contains(&"--server"), "{command}: {headings:?}");
        let others = ["--server", "--api", "--served-as", "--own-chain", "--key-env"];
        assert!(of_server.iter().all(|option| others.contains(option)), "{command}: {of_server:?}");
        let plain = below("Options");
        let of_machine = ["--threads", "--lanes", "--batch", "--kernels", "--cache"];
        assert!(!plain.iter().any(|option| of_machine.contains(option)), "{command}: {plain:?}");
        if command != "init" {
            assert!(plain.contains(&"--json"), "{command}: {plain:?}");
            assert!(below("Speed and memory").contains(&"--kernels"), "{command}: {headings:?}");
        }
    }
}
