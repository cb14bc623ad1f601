//! What takes its time and needs no llama.cpp: servers that keep silent, kills, shards.

#[path = "../support/mod.rs"]
mod support;

mod resume;
mod servers;
mod shard;
