//! What takes its time and needs no llama.cpp: servers that keep silent, kills, signals, shards, a sample of
//! `make torture`.

#[path = "../support/mod.rs"]
mod support;

mod resume;
mod servers;
mod shard;
mod signals;
mod torture;
