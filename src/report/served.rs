//! Says what servers were seen to honour of what they are asked: lines of the summary.

use itertools::Itertools as _;

use crate::engine::http::Finding;
use crate::experiment::Served;
use crate::manifest::{Manifest, ServerEntry};
use crate::screen::Lines;

/// A line for each model of a server; nothing where there is none.
pub fn in_words(manifest: &Manifest) -> Lines {
    let mut lines = Lines::default();
    let servers = manifest.models.iter().filter_map(|model| Some((model.key.model(), model.server.as_ref()?)));
    for line in servers.map(|(model, server)| format!("{model}, {}", sentence(server))).unique() {
        lines.text("server:  ", &line);
    }
    lines
}

/// What is honoured, with what showed it; what is not is a note already.
fn sentence(ServerEntry { served, findings, .. }: &ServerEntry) -> String {
    let Served { server, .. } = served;
    let by = format!("by {} ({})", server.id, server.api);
    let Some(findings) = findings else { return format!("{by}: not probed") };
    let of = |honoured: Option<bool>| findings.0.iter().filter(move |finding| finding.honoured == honoured);
    let seen = of(Some(true)).map(|Finding { probed, evidence, .. }| format!("{probed} ({evidence})")).join(", ");
    let named = |honoured, head: &str| {
        let names = of(honoured).map(|finding| finding.probed.to_string()).join(", ");
        if names.is_empty() { String::new() } else { format!("; {head}: {names}") }
    };
    let seen = if seen.is_empty() { "nothing".to_owned() } else { seen };
    format!("{by}, honours {seen}{}{}", named(Some(false), "does NOT honour"), named(None, "not known of"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::engine::http::{Findings, Probed, ServerFacts};
    use crate::experiment::{Api, Server};

    fn served(findings: Option<Findings>) -> ServerEntry {
        let server = Server::new("s".to_owned(), "http://localhost:1".to_owned(), Api::LlamaServer);
        let facts = ServerFacts { stated: BTreeMap::new(), context: None, defaults: BTreeMap::new() };
        ServerEntry { served: Served { server, name: "m".to_owned() }, facts, findings }
    }

    #[test]
    fn what_is_honoured_has_its_evidence() {
        let finding = |probed, honoured, evidence: &str| Finding { probed, honoured, evidence: evidence.to_owned() };
        let findings = Findings(vec![
            finding(Probed::Seed, Some(true), "4 different texts of 4 seeds at T 1"),
            finding(Probed::MaxTokens, Some(true), "8 tokens where 8 were asked for"),
            finding(Probed::Temperature, Some(false), "0 of 4 texts differ"),
            finding(Probed::SamplerOrder, None, "it does not state it"),
        ]);
        assert_eq!(
            sentence(&served(Some(findings))),
            "by s (llama-server), honours seed (4 different texts of 4 seeds at T 1), max_tokens (8 tokens where 8 were \
             asked for); does NOT honour: temperature; not known of: the samplers' order"
        );
        assert_eq!(sentence(&served(None)), "by s (llama-server): not probed");
    }
}
