//! What takes its time and needs no llama.cpp: servers that keep silent, kills, shards, all that earlier
//! versions wrote.

#[path = "../support/mod.rs"]
mod support;

mod formats;
mod resume;
mod servers;
mod shard;
