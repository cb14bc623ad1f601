//! Owns how a manifest holds servers, and what they were seen to honour.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::http;
use crate::format::both_ways;
use crate::{experiment, manifest};

/// A server that was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerEntry {
    server: Server,
    name: String,
    stated: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<u32>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    defaults: BTreeMap<String, String>,
    findings: Option<Vec<Finding>>,
}

/// A server and how it was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Server {
    id: String,
    url: String,
    api: Api,
    key_env: Option<String>,
    concurrency: u32,
    silence_s: u32,
    /// An hour before it was a choice.
    #[serde(default = "an_hour_s")]
    answer_s: u32,
    /// A minute before it was a choice.
    #[serde(default = "a_minute_s")]
    patience_s: u32,
    own_chain: Option<String>,
    extensions: Vec<Extension>,
    delivery: Delivery,
}
both_ways!(
    Server,
    experiment::Server {
        id,
        url,
        api: into,
        key_env,
        concurrency,
        silence_s,
        answer_s,
        patience_s,
        own_chain,
        extensions: each,
        delivery: into
    }
);

fn an_hour_s() -> u32 {
    3600
}

fn a_minute_s() -> u32 {
    60
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Api {
    Openai,
    LlamaServer,
    Ollama,
    Shimmy,
}
both_ways!(enum Api, experiment::Api { Openai, LlamaServer, Ollama, Shimmy });

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Extension {
    TopK,
    MinP,
    TypicalP,
    RepeatPenalty,
    RepetitionPenalty,
    RepeatLastN,
}
both_ways!(enum Extension, experiment::Extension {
    TopK, MinP, TypicalP, RepeatPenalty, RepetitionPenalty, RepeatLastN
});

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Delivery {
    Stream,
    Whole,
}
both_ways!(enum Delivery, experiment::Delivery { Stream, Whole });

/// What was tried of a server, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Finding {
    probed: Probed,
    honoured: Option<bool>,
    evidence: String,
}
both_ways!(Finding, http::Finding { probed: into, honoured, evidence });

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Probed {
    Reproduction,
    Seed,
    Temperature,
    MaxTokens,
    SamplerOrder,
    Repetition,
    EndOfRepetition,
}
both_ways!(enum Probed, http::Probed {
    Reproduction, Seed, Temperature, MaxTokens, SamplerOrder, Repetition, EndOfRepetition
});

impl From<manifest::ServerEntry> for ServerEntry {
    fn from(manifest::ServerEntry { served, facts, findings }: manifest::ServerEntry) -> Self {
        let experiment::Served { server, name } = served;
        let http::ServerFacts { stated, context, defaults } = facts;
        let findings = findings.map(|http::Findings(findings)| findings.into_iter().map(Into::into).collect());
        Self { server: server.into(), name, stated, context, defaults, findings }
    }
}

impl From<ServerEntry> for manifest::ServerEntry {
    fn from(ServerEntry { server, name, stated, context, defaults, findings }: ServerEntry) -> Self {
        Self {
            served: experiment::Served { server: server.into(), name },
            facts: http::ServerFacts { stated, context, defaults },
            findings: findings.map(|findings| http::Findings(findings.into_iter().map(Into::into).collect())),
        }
    }
}
