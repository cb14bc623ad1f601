//! Brings files over the network, for whoever knows where they are: the hub's and a package index's.
//!
//! Owns requests and their redirects, what goes on where it broke off, and when to try again. Knows neither what a hub
//! or an index says nor where files are kept, and shows nothing: what happens is told as [`FetchEvent`]s.

mod error;
mod event;
mod files;
mod partial;
mod tries;
mod web;

pub use error::{TransferError, passes};
pub use event::{Access, FetchEvent, Held};
pub use files::{lock, open_to_append};
pub use partial::Partial;
pub use tries::{MAX_FIRST_TRIES, Passing, Tries, receive};
pub use web::{Answer, Contents, Credential, Roots, Web, encoded};
