//! What takes its time and needs no llama.cpp: servers, hubs and indexes that keep silent or lie, kills, shards, attacks,
//! whole runs whose verdicts are known, all that earlier versions wrote.

#[path = "../support/mod.rs"]
mod support;

mod attacks;
mod audit;
mod diagnose;
mod diagnose_server;
mod engine_death;
mod formats;
mod gate;
mod hub;
mod memory_shortage;
mod pypi;
mod resume;
mod sequential;
mod servers;
mod shard;
mod worker_death;
