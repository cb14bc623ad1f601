//! Reads what an index says of a package (PEP 691, PEP 700): which wheel holds a version.

use serde_json::Value;
use url::Url;

use super::error::Fault;

/// So many versions are named where one is not there.
const SHOWN_VERSIONS: usize = 8;

/// A wheel that an index offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wheel {
    /// The file's name.
    pub name: String,
    pub url: String,
    /// As the index states it; lower-case hexadecimal.
    pub sha256: Option<String>,
    /// None where the index is older than PEP 700.
    pub size_bytes: Option<u64>,
}

/// The wheel of a version, on the page of its package. `index` is what the index is called in an error.
pub fn wheel_of(page: &Value, address: &Url, version: &str, index: &str) -> Result<Wheel, Fault> {
    let senseless = |reason: String| Fault::NotAnIndex { url: address.to_string(), reason };
    if let Some(spoken) = page["meta"]["api-version"].as_str()
        && !spoken.starts_with("1.")
    {
        return Err(senseless(format!("it uses version {spoken} of the index API, but moe-sweep knows version 1")));
    }
    let files = page["files"].as_array().ok_or_else(|| senseless("it lists no files".to_owned()))?;
    let names = files.iter().filter_map(|file| Some((file["filename"].as_str()?, file)));
    let wheels: Vec<_> = names.filter_map(|(name, file)| Some((name, version_of(name)?, file))).collect();
    let of_version: Vec<_> = wheels.iter().filter(|(_, theirs, _)| is_same(theirs, version)).collect();
    let others = |list: &[(&str, &str, &Value)]| {
        let mut known: Vec<&str> =
            list.iter().filter(|(_, _, file)| yanked(file).is_none()).map(|(_, v, _)| *v).collect();
        known.dedup();
        let left_out = known.len().saturating_sub(SHOWN_VERSIONS);
        let dots = if left_out > 0 { "…, " } else { "" };
        let text = format!("{dots}{}", known[left_out..].join(", "));
        if known.is_empty() { "none".to_owned() } else { text }
    };
    if of_version.is_empty() {
        let index = index.to_owned();
        let listed = page["versions"].as_array().into_iter().flatten().filter_map(Value::as_str);
        return Err(match listed.into_iter().any(|listed| is_same(listed, version)) {
            true => Fault::NoWheel { index },
            false => Fault::NoVersion { index, known: others(&wheels) },
        });
    }
    let Some((name, _, file)) = of_version
        .iter()
        .filter(|(_, _, file)| yanked(file).is_none())
        // A model is the same for every machine.
        .min_by_key(|(name, ..)| (!name.ends_with("-none-any.whl"), *name))
    else {
        let reason = of_version.iter().find_map(|(_, _, file)| yanked(file)).unwrap_or_default();
        return Err(Fault::Yanked { reason, others: others(&wheels) });
    };
    let url = file["url"].as_str().and_then(|url| address.join(url).ok());
    let mut url = url
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| senseless(format!("it has no address for {name}")))?;
    // They are shown in a header, to the index alone.
    let _ = (url.set_username(""), url.set_password(None));
    url.set_fragment(None);
    let sha256 = file["hashes"]["sha256"].as_str().map(str::to_ascii_lowercase);
    Ok(Wheel {
        name: (*name).to_owned(),
        url: url.to_string(),
        sha256: sha256.filter(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit())),
        size_bytes: file["size"].as_u64(),
    })
}

/// Why a file was yanked; None where it was not.
fn yanked(file: &Value) -> Option<String> {
    match &file["yanked"] {
        Value::Bool(true) => Some("no reason is given".to_owned()),
        Value::String(reason) if reason.trim().is_empty() => Some("no reason is given".to_owned()),
        Value::String(reason) => Some(reason.clone()),
        _ => None,
    }
}

/// The version in a wheel's name, `NAME-VERSION-[BUILD-]PYTHON-ABI-PLATFORM.whl`; None of other files.
fn version_of(name: &str) -> Option<&str> {
    let parts: Vec<_> = name.strip_suffix(".whl")?.split('-').collect();
    matches!(parts.len(), 5 | 6).then(|| parts[1])
}

/// Whether two versions are one: `1.0`, `v1.0.0` and `1` are (PEP 440).
fn is_same(one: &str, other: &str) -> bool {
    normal(one) == normal(other)
}

fn normal(version: &str) -> String {
    let version = version.trim().to_ascii_lowercase().replace(['-', '_'], ".");
    let mut version = version.strip_prefix('v').unwrap_or(&version);
    while let Some(shorter) = version.strip_suffix(".0") {
        version = shorter;
    }
    version.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn find(page: &Value, version: &str) -> Result<Wheel, String> {
        let address = Url::parse("https://index/simple/p/").expect("an address");
        wheel_of(page, &address, version, "https://index/simple").map_err(|fault| fault.to_string())
    }

    fn file(name: &str) -> Value {
        json!({ "filename": name, "url": format!("../../files/{name}#sha256=x"), "hashes": { "sha256": "A".repeat(64) }, "size": 7 })
    }

    #[test]
    fn the_wheel_for_every_machine_is_chosen_and_its_address_completed() {
        let names = ["p-1.0.tar.gz", "p-1.0-cp39-cp39-linux.whl", "p-1.0-py3-none-any.whl", "p-1.0.1-py3-none-any.whl"];
        let page = json!({ "meta": { "api-version": "1.3" }, "files": names.map(file) });
        let wheel = find(&page, "1.0").expect("a wheel");
        assert_eq!((&*wheel.name, &*wheel.url), (names[2], "https://index/files/p-1.0-py3-none-any.whl"));
        assert_eq!((wheel.sha256, wheel.size_bytes), (Some("a".repeat(64)), Some(7)));
        for same in ["1", "v1.0.0", "1.0"] {
            assert_eq!(find(&page, same).expect("a wheel").name, names[2]);
        }
        assert_eq!(find(&json!({ "files": [file(names[1])] }), "1.0").expect("a wheel").name, names[1]);
    }

    #[test]
    fn an_address_may_lie_elsewhere_and_shows_no_password() {
        let mut file = file("p-1-py3-none-any.whl");
        file["url"] = "https://me:hunter2secret@files/x.whl".into();
        file["hashes"] = json!({ "md5": "x" });
        let wheel = find(&json!({ "files": [file] }), "1").expect("a wheel");
        assert_eq!((&*wheel.url, wheel.sha256), ("https://files/x.whl", None));
    }

    #[test]
    fn what_is_not_there_is_said_with_what_is() {
        let mut gone = file("p-2-py3-none-any.whl");
        gone["yanked"] = "too large".into();
        let files = [file("p-1-py3-none-any.whl"), gone, file("p-3.tar.gz")];
        let page = json!({ "versions": ["1", "2", "3"], "files": files });
        assert_eq!(find(&page, "2").expect_err("yanked"), "this version was yanked: too large");
        let missing = find(&page, "4").expect_err("missing");
        assert_eq!(missing, "the index https://index/simple does not have this version; it has 1");
        assert!(find(&page, "3").expect_err("no wheel").contains("has no wheel of this version"));
        assert!(find(&json!({ "files": [] }), "1").expect_err("empty").ends_with("it has none"));
        let many = (0..12).map(|minor| file(&format!("p-0.{minor}-py3-none-any.whl"))).collect::<Vec<_>>();
        let said = find(&json!({ "files": many }), "1").expect_err("missing");
        assert!(said.ends_with("it has …, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.10, 0.11"), "{said}");
    }

    #[test]
    fn what_is_no_page_of_an_index_is_refused() {
        for page in [
            json!({}),
            json!([1]),
            json!({ "files": 1 }),
            json!({ "meta": { "api-version": "2.0" }, "files": [] }),
            json!({ "files": [{ "filename": "p-1-py3-none-any.whl", "url": "file:///etc/passwd" }] }),
            json!({ "files": [{ "filename": "p-1-py3-none-any.whl" }] }),
        ] {
            let said = find(&page, "1").expect_err("no page");
            assert!(said.starts_with("https://index/simple/p/ did not respond like a package index"), "{page}: {said}");
        }
    }
}
