//! Fetches files of the Hugging Face hub, checks them and finds them again in the cache that the hub's own clients use.
//!
//! Owns what the hub and its cache are; how bytes travel is `download`'s. Knows nothing of experiments beyond a model's
//! source.
//!
//! The hub's own Rust client, hf-hub 1.0, was not taken: it begins a broken
//! download again, does not compare what came in with its hash, waits at most
//! ten seconds for another process's lock, and brings tokio and the Xet
//! protocol with some 300 crates. The layout of the cache is that client's.

mod cache;
mod client;
mod download;
mod error;
mod settings;

pub use cache::{Cached, blob_name, cached};
pub use download::fetch;
pub use error::HubError;
pub use settings::HubSettings;
